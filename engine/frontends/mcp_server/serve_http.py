"""Serving any number of clients over HTTP, on this machine unless told otherwise."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from engine.errors import WorkspaceError
from engine.frontends.mcp_server.guard import LOOPBACK, Guard
from engine.frontends.mcp_server.listening import PATH, Listening
from engine.frontends.mcp_server.log import plain, take_over_logging
from engine.frontends.mcp_server.server import build_server
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.stdio import LONGEST_LINE
from engine.frontends.mcp_server.stopping import until_a_signal
from engine.frontends.mcp_server.tokens import Token, token_of
from tool_registry.sources.connections import is_loopback

LAST_ANSWERS = 1.0
"""Seconds that answers under way have when the server ends."""
WAITING = 64
"""Connections that wait to be accepted."""


class Web(uvicorn.Server):
    """uvicorn, which leaves signals to us: it would raise them again when it has ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def serve_http(serving: Serving, listening: Listening, environment: Mapping[str, str]) -> None:
    """Serves until a signal ends it.

    Raises WorkspaceError for an address that cannot be listened at, or is reached by others without `exposed`, and for
    a token that cannot be used.
    """
    refuse_exposure(listening)
    token = token_of(serving.engine.workspace, listening.token_file, environment)
    serving.engine.secrets.add(token.text)
    take_over_logging(serving)
    web = Web(_configured(serving, listening, token))
    listener = _listener(listening)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    serving.say(f"serving {serving.engine.workspace.folder} ({serving.allow.value})")
    serving.say(f"at http://{shown}:{port}{PATH}")
    serving.say(f"the token is in {token.place}")

    async def serve() -> None:
        await web.serve(sockets=[listener])

    def stop() -> bool:
        web.should_exit = True
        return True

    async with serving.engine:
        await until_a_signal(serving, serve, stop=stop)


def refuse_exposure(listening: Listening) -> None:
    """Raises WorkspaceError for an address that others than this machine reach, unless that is wanted."""
    if not is_loopback(listening.host) and not listening.exposed:
        raise WorkspaceError(
            f"{listening.host} is reached by others than this machine: whoever has the token could run skills",
            hint="listen at 127.0.0.1, or say --expose; put TLS before it",
        )


def _configured(serving: Serving, listening: Listening, token: Token) -> uvicorn.Config:
    app = build_server(serving).streamable_http_app(
        streamable_http_path=PATH, max_request_body_size=LONGEST_LINE, host="elsewhere"
    )
    guard = Guard(
        app=app,
        hosts=frozenset({*LOOPBACK, listening.host, *listening.names}),
        token=token.text,
        refused=lambda line: serving.say(f"refused {plain(line, 200)}"),
    )
    return uvicorn.Config(
        guard,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=int(LAST_ANSWERS),
    )


def _listener(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    try:
        return socket.create_server((listening.host, listening.port), family=family, backlog=WAITING)
    except OSError as error:
        where = f"{listening.host}:{listening.port}"
        raise WorkspaceError(f"nothing can listen at {where}: {error.strerror}", hint="try --port 0") from error
