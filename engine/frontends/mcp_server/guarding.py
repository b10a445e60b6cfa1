"""The seal on what calls bring back: a key of the workspace's own, so that a state survives a restart of the server."""

from __future__ import annotations

import secrets
from pathlib import Path

from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity

from engine.errors import WorkspaceError
from engine.frontends.mcp_server.private_files import made_once, opened_private
from engine.frontends.mcp_server.serving import Serving

KEY = "mcp-request-state.key"
"""The key's file in the state folder, for this person alone."""
SIZE, LONGEST = 32, 4_096
LIVES = 7 * 86_400.0
"""Seconds for which a question can be answered by the same call; afterwards the run still waits, and `run_answer` goes
on with it."""


def boundary(serving: Serving) -> RequestStateBoundary:
    """The middleware that seals every `requestState` and refuses one that is forged, expired or of another workspace.

    Another tool or other arguments are refused too. Raises WorkspaceError when the key can be neither read nor made.
    """
    workspace = serving.engine.workspace
    security = RequestStateSecurity(keys=[key(workspace.state)], ttl=LIVES)
    return RequestStateBoundary(security, default_audience=f"skill-engine {workspace.folder}")


def key(folder: Path) -> bytes:
    """The key in `folder`, made at the first use; servers that start at once agree on one."""
    path = folder / KEY
    try:
        made_once(path, secrets.token_bytes(SIZE))
        with opened_private(path) as file:
            found = file.read(LONGEST)
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be used: {error.strerror}", hint="remove it, or mend its rights"
        ) from error
    if len(found) < SIZE:
        raise WorkspaceError(f"{path} is too short for a key", hint="remove it: a new one is made")
    return found
