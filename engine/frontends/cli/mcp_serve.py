"""`skill mcp serve`: skills, tools and memory for agents, over standard input and output or HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import anyio
import click

from engine.errors import MissingExtraError
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.mcp_server.listening import LOCAL, PORT, TOKEN_VARIABLE, Listening
from engine.frontends.mcp_server.serving import LONGEST_WAIT, WAIT, Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.frontends.mcp_server.wire import claimed
from engine.model.lazy_dataclass import dataclass
from engine.wiring import Engine

EXTRA = frozenset({"mcp", "mcp_types", "uvicorn", "starlette", "pydantic", "cryptography"})
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What of the workspace clients see, and what they may do."""

    allow: Tier
    wait: float
    tags: tuple[str, ...]
    skills: tuple[str, ...]


def surface_options(function: Function) -> Function:
    """Adds the options that say what is served, and hands the command a `Surface` as `surface`."""
    tiers = click.Choice([tier.value for tier in Tier])

    @click.option("--allow", type=tiers, default=Tier.RUN.value, show_default=True, help="What clients may do.")
    @click.option(
        "--wait",
        type=click.FloatRange(0, LONGEST_WAIT),
        default=WAIT,
        show_default=True,
        help="Seconds a call waits for its run.",
    )
    @click.option("--tags", multiple=True, metavar="TAG", help="Only skills with such a tag become tools.")
    @click.option("--skills", multiple=True, metavar="GLOB", help="Only skills of such names become tools.")
    @wraps(function)
    def wrapped(
        *args: Any, allow: str, wait: float, tags: tuple[str, ...], skills: tuple[str, ...], **rest: Any
    ) -> Any:
        surface = Surface(allow=Tier(allow), wait=wait, tags=_words(tags), skills=_words(skills))
        return function(*args, surface=surface, **rest)

    return wrapped  # type: ignore[return-value] # the wrapper takes the options click passes, and returns what it returns


def http_options(function: Function) -> Function:
    """Adds the options of HTTP, and hands the command a `Listening` as `listening`, None for standard input."""

    @click.option("--http", is_flag=True, help="Serve HTTP, not standard input and output.")
    @click.option("--host", default=LOCAL, show_default=True, metavar="ADDRESS", help="Where HTTP listens.")
    @click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any free one.")
    @click.option("--token-file", type=click.Path(dir_okay=False), help="Where the token stands; made if missing.")
    @click.option("--allowed-host", "hosts", multiple=True, metavar="NAME", help="A name clients know it by, too.")
    @click.option("--expose", is_flag=True, help="Yes, others than this machine shall reach it.")
    @wraps(function)
    def wrapped(
        *args: Any,
        http: bool,
        host: str,
        port: int,
        token_file: str | None,
        hosts: tuple[str, ...],
        expose: bool,
        **rest: Any,
    ) -> Any:
        named = Path(token_file) if token_file else None
        listening = Listening(host=host, port=port, names=_words(hosts), exposed=expose, token_file=named)
        return function(*args, listening=listening if http else None, **rest)

    return wrapped  # type: ignore[return-value] # as above


@click.command("serve")
@http_options
@surface_options
@screen_options
def serve_command(session: Session, listening: Listening | None, surface: Surface, screen: Screen) -> int:
    """Serve this workspace's skills, tools and memory to agents, by MCP.

    Goes on until standard input ends, or SIGTERM. What is asked is logged on standard error, a line each; with --quiet
    only what is wrong. Exit status: 0 ended, 2 wrong usage, or the extra `mcp` is not installed.
    """
    if not screen.is_text:
        raise click.BadParameter("nothing but the protocol is written", param_hint="-o")
    with claimed() as wire, extra_needed("serving agents by MCP"):
        serving = _serving(session, surface, screen)
        if listening is None:
            from engine.frontends.mcp_server.serve_stdio import serve_stdio  # noqa: PLC0415 - late: the extra `mcp`

            anyio.run(serve_stdio, serving, wire)
            return 0
        from engine.frontends.mcp_server.serve_http import serve_http  # noqa: PLC0415 - late, as above

        environment = dict(os.environ)
        os.environ.pop(TOKEN_VARIABLE, None)  # the programs that runs start need it least of all
        anyio.run(serve_http, serving, listening, environment)
    return 0


@contextmanager
def extra_needed(needed_for: str) -> Iterator[None]:
    """Says how the extra `mcp` is installed, where that is what an import misses."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in EXTRA:
            raise MissingExtraError("mcp", needed_for) from error
        raise


def _serving(session: Session, surface: Surface, screen: Screen) -> Serving:
    engine = Engine(session.workspace(), secrets=session.secrets)
    return Serving(
        engine=engine,
        allow=surface.allow,
        wait=surface.wait,
        tags=surface.tags,
        skills=surface.skills,
        quiet=screen.quiet,
    )


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    """What was given by repeating an option or with commas."""
    return tuple(word.strip() for each in given for word in each.split(",") if word.strip())
