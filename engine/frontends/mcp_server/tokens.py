"""The token that HTTP clients show: from the environment, or a file for this person alone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from engine.errors import WorkspaceError
from engine.frontends.mcp_server.listening import TOKEN_FILE, TOKEN_VARIABLE
from engine.frontends.mcp_server.private_files import made_once, opened_private
from engine.model.lazy_dataclass import dataclass
from engine.workspace import Workspace

SHORTEST = 16
"""Characters of a token; fewer could be guessed."""
LONGEST = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, and where a person finds it."""

    text: str
    place: str


def token_of(workspace: Workspace, file: Path | None, environment: Mapping[str, str]) -> Token:
    """The token: in `file` if one is named, else the environment's, else one kept in the state folder.

    A file that is not there is made. Raises WorkspaceError for one that cannot be used, or that others may read.
    """
    if file is None and (given := environment.get(TOKEN_VARIABLE, "").strip()):
        return _checked(Token(text=given, place=TOKEN_VARIABLE))
    path = file or workspace.state / TOKEN_FILE
    try:
        made_once(path, f"{secrets.token_urlsafe(32)}\n".encode())
        return _checked(Token(text=_read(path), place=str(path)))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise WorkspaceError(f"{path} cannot be used: {why}", hint="name another file: --token-file") from error


def _read(path: Path) -> str:
    with opened_private(path) as file:
        return file.read(LONGEST).decode().strip()


def _checked(token: Token) -> Token:
    if len(token.text) < SHORTEST or not token.text.isascii() or any(sign.isspace() for sign in token.text):
        raise WorkspaceError(
            f"the token in {token.place} is none: it has {SHORTEST} ASCII characters or more, and no space",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one",
        )
    return token
