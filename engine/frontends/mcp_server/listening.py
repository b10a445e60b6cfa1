"""`Listening`: where HTTP is served, known without importing any of it."""

from __future__ import annotations

from pathlib import Path

from engine.model.lazy_dataclass import dataclass

LOCAL = "127.0.0.1"
PORT = 8329
PATH = "/mcp"
TOKEN_FILE = "mcp-token"  # noqa: S105 - a file's name
"""Where a token is kept, in the state folder, when none is given."""
TOKEN_VARIABLE = "SKILL_MCP_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where HTTP listens: the address, the other names clients know it by, and that others than this machine may.

    `token_file` is where the token stands; None: in the environment, else in the state folder.
    """

    host: str = LOCAL
    port: int = PORT
    names: tuple[str, ...] = ()
    exposed: bool = False
    token_file: Path | None = None
