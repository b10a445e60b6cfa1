"""Where a name and its keys lead, when some of the values on the way are unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.run.dry.schema import Chance, Promise
from engine.run.dry.unknown import Unknown

LISTED = 8
"""Keys that a hint names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a read leads to; None where it leads to nothing that is unknown, which is the sandbox's to say.

    `problem` is why an unknown cannot have that part, or does not promise it; `certain` tells which.
    """

    value: Any = None
    problem: str = ""
    hint: str = ""
    certain: bool = False


def reach(names: Mapping[str, Any], path: Sequence[str]) -> Reached:
    """Follows a name and its keys."""
    value: Any = names.get(path[0])
    for index, key in enumerate(path[1:], start=1):
        if isinstance(value, Unknown):
            return _beyond(value, path[index:])
        if (value := _inside(value, key)) is None:
            return Reached()
    return Reached(value=value)


def _inside(value: Any, key: str) -> Any:
    match value:
        case Mapping():
            return value.get(key)
        case list() | tuple() if key.isdecimal() and int(key) < len(value):
            return value[int(key)]
        case _:
            return None


def _beyond(unknown: Unknown, keys: Sequence[str]) -> Reached:
    """The part of an unknown that the keys lead to; the first that cannot be there ends the way."""
    told = Reached()
    for key in keys:
        promised = unknown.promise(key)
        if promised.chance is not Chance.LIKELY and not told.problem:
            told = _complaint(unknown, key, promised)
        unknown = unknown.part(key)
    return Reached(value=unknown, problem=told.problem, hint=told.hint, certain=told.certain)


def _complaint(unknown: Unknown, key: str, promised: Promise) -> Reached:
    what = str(unknown).strip("<>")
    near = get_close_matches(key, promised.known, 1)
    listed = ", ".join(promised.known[:LISTED]) + (", ..." if len(promised.known) > LISTED else "")
    hint = f"did you mean {near[0]}?" if near else f"it has {listed}" if listed else ""
    if promised.chance is Chance.RULED_OUT:
        return Reached(problem=f"{what} never has {key}", hint=hint, certain=True)
    return Reached(problem=f"{what} does not promise {key}", hint=hint)
