"""Compute blocks: run by an interpreter in a process of its own, never by this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from engine.errors import SandboxError
from engine.model.outcome import Absent
from engine.model.place import Place, Text
from engine.sandbox.compute_text import Block
from engine.sandbox.findings import place_of, problem_error, refusal_error
from engine.sandbox.limits import CPU_SECONDS, Meter, Refused
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

            from engine.sandbox.compute_errors import told  # noqa: PLC0415 - late: imports the interpreter
            from engine.sandbox.workers import Feed  # noqa: PLC0415 - late: imports the interpreter
        except ImportError as error:
            raise _missing(error, text.place) from None
        try:
            checked, result = await self._interpreter().run(Feed(**self._fed(block, names)))
            return _handed_on(checked, result)
        except pydantic_monty.MontyError as error:
            raise told(error, block, text, names) from None
        except (RuntimeError, OSError) as error:
            raise _missing(error, text.place) from None
        except ValueError as error:
            raise SandboxError(f"result cannot be handed on: {error}", place=place_of(text, block.result)) from None
        except Refused as refused:
            refused.offset = block.result if refused.offset is None else refused.offset
            raise refusal_error(text, refused) from None

    def _fed(self, block: Block, names: Mapping[str, Any]) -> dict[str, Any]:
        now = self._now()
        inputs = {name: _given(names[name]) for name in sorted(block.names.reads) if name in names}
        absent = [name for name in inputs if type(names[name]) is Absent]
        if "now" in block.names.reads and "now" not in block.names.bound:
            inputs["_skill_now"] = now
        return {
            "source": f"{block.rewritten.source}\n(_skill_checked(result), result)",
            "prelude": block.rewritten.prelude,
            "inputs": {**inputs, "_skill_absent": absent},
            "now": now,
        }

    def _interpreter(self) -> Interpreter:
        if self._workers is None:
            from engine.sandbox.workers import Workers  # noqa: PLC0415 - late: imports the interpreter

            self._workers = Workers()
        return self._workers

    async def aclose(self) -> None:
        """Stops the workers."""
        if self._workers is not None:
            await self._workers.aclose()


def interpreter_version() -> str:
    """The version of the interpreter that runs compute blocks; SandboxError, with the way out, if there is none."""
    try:
        import pydantic_monty  # noqa: PLC0415 - late: 50 ms that only compute steps need
    except ImportError as error:
        raise _missing(error, None) from None
    return pydantic_monty.__version__


def _missing(error: Exception, place: Place | None) -> SandboxError:
    return SandboxError(f"the compute interpreter is missing: {error}", hint=INSTALL, place=place)


def _given(value: Any) -> Any:
    return None if type(value) is Absent else plain(value)


def _handed_on(checked: str, result: Any) -> Any:
    if checked:
        raise Refused(f"result cannot be handed on: {checked}", _hint(checked))
    return finished(result, Meter(4 * CPU_SECONDS))


def _hint(checked: str) -> str:
    hints = {
        "bytes": "make it a text: x.decode()",
        "Decimal": "make it a number or a text: float(x), str(x)",
        "dict_keys": "make it a list: list(x)",
        "dict_values": "make it a list: list(x)",
        "dict_items": "make it a list: list(x)",
    }
    return hints.get(checked.rsplit(maxsplit=1)[-1], "give texts, numbers, lists, mappings and dates")
