"""The order in which the keys of a skill file are written: its name, when it happens, what it does, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.documents.plain import at

STEP = (
    *("name", "description", "foreach", "as", "parallel", "condition"),
    *("tool", "skill", "compute", "stop", "ask", "args", "inputs"),
    *("output", "secret", "expect", "until", "retry", "timeout", "heal", "on_error"),
    *("undo",),
)
"""A step: who, when, what, how. A group's own steps come last, so that what holds for all of them is read first."""
GROUPS = ("steps", "parallel")
UNDO = ("name", "description", "condition", "tool", "args", "secret", "retry", "timeout", "heal")
INPUT = (
    *("name", "type", "items", "required", "default", "enum", "pattern", "minimum", "maximum", "secret"),
    *("description",),
)
OUTPUT = ("name", "description", "value")
_OF_A_LIST: Mapping[str, Sequence[str]] = {"inputs": INPUT, "outputs": OUTPUT}
_STEPS = frozenset({"steps", "always"})


def skill_order(whole: Any, path: tuple[str | int, ...]) -> Sequence[str]:
    """Which keys come first in the mapping at a path of a skill file; none, where it is not ours to say."""
    if not isinstance(whole, dict) or not isinstance(whole.get("steps"), list) or "name" not in whole:
        return ()
    match path:
        case (("inputs" | "outputs") as key, int()):
            return _OF_A_LIST[key]
        case (*step, "undo"):
            return UNDO if _is_step(tuple(step)) else ()
        case _:
            return _order_of_step(at(whole, path)) if _is_step(path) else ()


def _is_step(path: tuple[str | int, ...]) -> bool:
    """Whether the path leads to a step: an item of `steps` or `always`, or of a group in one."""
    names, positions = path[::2], path[1::2]
    return (
        len(names) == len(positions) > 0
        and names[0] in _STEPS
        and all(name in GROUPS for name in names[1:])
        and all(isinstance(position, int) for position in positions)
    )


def _order_of_step(step: Mapping[str, Any]) -> Sequence[str]:
    """A list of steps comes last; `parallel` beside `foreach` is a number, and stands there."""
    groups = [key for key in GROUPS if isinstance(step.get(key), list)]
    return (*(key for key in STEP if key not in groups), *groups)
