"""Compute blocks: run by an interpreter in a process of its own, never by this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from engine.errors import RaisedError, SandboxError, SandboxLimitError
from engine.model.outcome import Absent
from engine.model.place import Place, Text
from engine.sandbox.compute_text import Block
from engine.sandbox.limits import CPU_SECONDS, Meter, Refused
from engine.sandbox.reading import place_of, problem_error, refusal_error, sentence
from engine.sandbox.values import finished, plain

INSTALL = "install it: pip install pydantic-monty==1.4.0; blocks are never run any other way"


class Interpreter(Protocol):
    """What compute needs of an interpreter, so that it can be replaced."""

    async def run(self, feed: Any) -> Any:
        """The value of the block's last expression; raises the interpreter's errors."""

    async def aclose(self) -> None:
        """Stops everything that was started."""


class Computing:
    """Runs compute blocks; the interpreter is imported and started with the first one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._workers: Interpreter | None = None

    async def value(self, block: Block, text: Text, names: Mapping[str, Any]) -> Any:
        """What `block` assigned to `result`; raises SandboxError with its place."""
        if block.problems:
            raise problem_error(text, block.problems[0])
        try:
            import pydantic_monty  # noqa: PLC0415 - late: 50 ms that only compute steps need

            from engine.sandbox.workers import Feed  # noqa: PLC0415 - late: imports the interpreter
        except ImportError as error:
            raise SandboxError(f"the compute interpreter is missing: {error}", hint=INSTALL, place=text.place) from None
        inputs = {name: _given(names[name]) for name in block.names.reads if name in names}
        feed = Feed(
            source=block.rewritten.source + "\nresult", prelude=block.rewritten.prelude, inputs=inputs, now=self._now()
        )
        try:
            result = await self._interpreter().run(feed)
            return finished(result, Meter(4 * CPU_SECONDS))
        except pydantic_monty.MontyError as error:
            raise _told(error, block, text) from None
        except Refused as refused:
            raise refusal_error(text, refused) from None

    def _interpreter(self) -> Interpreter:
        if self._workers is None:
            from engine.sandbox.workers import Workers  # noqa: PLC0415 - late: imports the interpreter

            self._workers = Workers()
        return self._workers

    async def aclose(self) -> None:
        """Stops the workers."""
        if self._workers is not None:
            await self._workers.aclose()


def _given(value: Any) -> Any:
    return None if type(value) is Absent else plain(value)


def _told(error: Any, block: Block, text: Text) -> SandboxError:
    frames = error.traceback() if hasattr(error, "traceback") else []
    place: Place = text.place
    if frames:
        frame = frames[-1]
        place = place_of(text, block.where.at(frame.line, 0) + frame.column - 1)
    cause = error.exception()
    message = sentence(str(error))
    if isinstance(cause, MemoryError | TimeoutError | RecursionError):
        return SandboxLimitError(message, place=place)
    if frames and (text.text.split("\n")[frames[-1].line - 1][: frames[-1].column - 1]).strip() == "raise":
        return RaisedError(str(cause) or type(cause).__name__, place=place)
    return SandboxError(message, place=place)
