"""What the interpreter says about a failed block, as the errors of the engine with places in the author's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pydantic_monty

from engine.errors import RaisedError, SandboxError, SandboxLimitError
from engine.model.outcome import Absent
from engine.model.place import Text
from engine.sandbox.compute_text import Block
from engine.sandbox.findings import place_of, sentence
from engine.sandbox.limits import COMPUTE_DEPTH, COMPUTE_MEMORY, COMPUTE_SECONDS

_SOURCE: Final = "<python-input-1>"
"""The block's name in a traceback: the prelude is input 0."""

_SEE: Final = "see docs/expressions.md"
_NO_ERROR: Final = "must derive from BaseException"

_LIMITS: Final = (
    ("time limit", f"this block takes more than {COMPUTE_SECONDS:g} s", "work on less, or do it with a tool"),
    ("memory limit", f"this block needs more than {COMPUTE_MEMORY >> 20} MB", "work on less, or do it with a tool"),
    ("recursion depth", f"this block calls itself deeper than {COMPUTE_DEPTH} times", "use a loop"),
    ("suspension limit", "this block looks up too many unknown names", "define names before they are used"),
)


def told(error: pydantic_monty.MontyError, block: Block, text: Text, names: Mapping[str, Any]) -> SandboxError:
    """`error` as the SandboxError that is raised; RaisedError where the author raised on purpose."""
    offset = _offset(error, block)
    place = place_of(text, offset) if offset is not None else text.place
    said = str(error)
    if isinstance(error, pydantic_monty.MontyCrashedError):
        return SandboxLimitError("the interpreter was stopped: this block asked for too much", place=place)
    cause = error.exception()
    if offset in block.raises and not isinstance(cause, NameError) and _NO_ERROR not in said:
        return RaisedError(sentence(str(cause)) or type(cause).__name__, place=place)
    for sign, message, hint in _LIMITS:
        if sign in said and isinstance(cause, TimeoutError | MemoryError | RecursionError | RuntimeError):
            return SandboxLimitError(message, hint=hint, place=place)
    message, hint = _explained(cause, said, offset, text, names)
    return SandboxError(sentence(message), hint=hint, place=place)


def _offset(error: pydantic_monty.MontyError, block: Block) -> int | None:
    if not isinstance(error, pydantic_monty.MontyRuntimeError | pydantic_monty.MontySyntaxError):
        return None
    frames = [frame for frame in error.traceback() if frame.filename == _SOURCE]
    if not frames:
        return None
    line, column = frames[-1].line, frames[-1].column
    if line > block.rewritten.source.count("\n") + 1:
        return block.result
    return block.rewritten.original(line, column)


def _explained(
    cause: BaseException, said: str, offset: int | None, text: Text, names: Mapping[str, Any]
) -> tuple[str, str]:
    if isinstance(cause, AttributeError | TypeError) and "NoneType" in said:
        return _of_none(said, offset, text, names)
    if "monty" in said:
        return f"the compute language cannot do this: {said.rsplit('support ', maxsplit=1)[-1]}", _SEE
    match cause:
        case NameError():
            found = _unknown_name(str(cause))
        case AttributeError():
            found = str(cause), _SEE
        case TypeError() if _NO_ERROR in said:
            found = "only errors can be raised", 'write: raise ValueError("text")'
        case KeyError():
            found = f"there is no key {str(cause).strip()[:100]}", "ask first: 'key' in x, or x.get('key')"
        case AssertionError():
            found = f"the assertion fails: {cause}" if str(cause) else "the assertion fails", ""
        case _:
            found = said, ""
    return found


def _unknown_name(said: str) -> tuple[str, str]:
    name = said.split("'")[1] if said.count("'") > 1 else said
    if name == "result":
        return "this block ends without setting result", "set it on every way through: result = None"
    return f"there is no {name} here", "an earlier step must define it"


def _of_none(said: str, offset: int | None, text: Text, names: Mapping[str, Any]) -> tuple[str, str]:
    name = _name_at(text.text, offset or 0)
    value = names.get(name)
    if isinstance(value, Absent):
        return (
            f"{value.step} has no value: {value.reason}",
            f"ask first: '{name}' in dir(), or if {name}: ...",
        )
    return said.split(": ", 1)[-1].replace("'NoneType' object", "None"), "ask first: if x is not None"


def _name_at(text: str, offset: int) -> str:
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[offset:end]
