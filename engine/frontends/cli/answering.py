"""A memory tool asked from the command line: an engine for the one call, and its answer as data or for people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import click

from engine.frontends.cli.session import Session
from engine.wiring import Engine

Answer = TypeVar("Answer")
LONGEST_FILE = 1_000_000
"""Bytes of a value given as `@FILE`."""


def answered(session: Session, ask: Callable[[Engine], Awaitable[Answer]]) -> Answer:
    """What `ask` gives for an engine of the session's workspace."""

    async def run() -> Answer:
        async with Engine(session.workspace(), secrets=session.secrets) as engine:
            return await ask(engine)

    return anyio.run(run)


def value_of(text: str) -> Any:
    """A value as people type it: text, `:=JSON`, or `@FILE` for a file's text. Raises click.BadParameter."""
    if text.startswith(":="):
        try:
            return json.loads(text[2:])
        except (json.JSONDecodeError, RecursionError) as error:
            raise click.BadParameter(f"it is not JSON ({error})", param_hint="VALUE") from error
    if text.startswith("@"):
        return _file_text(Path(text[1:]))
    return text


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint="VALUE") from error
    if len(content) > LONGEST_FILE:
        raise click.BadParameter(f"{path} is larger than {LONGEST_FILE:,} bytes", param_hint="VALUE")
    return content.decode("utf-8", "replace")
