"""How a name, a key, an index and a field of a value are found; the same in expressions and templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.model.outcome import Absent
from engine.sandbox.filters import Missing
from engine.sandbox.functions import NAMES, unavailable
from engine.sandbox.limits import Meter, Refused
from engine.sandbox.methods import counted, field, no_member
from engine.sandbox.values import kind, measured


def unknown_name(name: str, known: Iterable[str]) -> Refused:
    """The refusal of a name that nothing defines."""
    from difflib import get_close_matches  # noqa: PLC0415 - late: only when an error is told

    if name in NAMES:
        return Refused(f"{name} is a function", f"call it: {name}(...)")
    near = get_close_matches(name, [other for other in known if isinstance(other, str)], 1)
    if near:
        return Refused(f"there is no {name} here", f"did you mean {near[0]}?")
    refused = unavailable(name)
    hint = refused.hint if "did you mean" not in refused.hint and "docs/" not in refused.hint else ""
    return Refused(f"there is no {name} here", hint or "an earlier step must define it")


def part(holder: Any, name: str) -> Any:
    """Refuses a part of what has no value, saying why it has none."""
    if type(holder) is Missing:
        raise holder.refused
    if type(holder) is Absent:
        raise Refused(
            f"{holder.step} has no value, so it has no {name}: {holder.reason}",
            f"ask first: {holder.step} is defined, or add | default(...)",
        )
    raise no_member(holder, name)


def attribute(holder: Any, name: str) -> Any:
    """`holder.name`: a mapping's key first, then a date's field."""
    if type(holder) is dict:
        if name in holder:
            return holder[name]
    elif type(holder) in (Missing, Absent) or holder is None:
        return part(holder, name)
    return field(holder, name)


def item(meter: Meter, holder: Any, key: Any) -> Any:
    """`holder[key]`: a key of a mapping, an index or a slice of a list or text."""
    if type(holder) in (Missing, Absent) or holder is None:
        return part(holder, str(key)[:80])
    if type(holder) is dict:
        if key not in holder if type(key) is str else measured(key, meter) not in holder:
            raise no_member(holder, str(key)[:80])
        return holder[key]
    if type(holder) not in (list, tuple, str):
        raise Refused(f"{kind(holder)} has no parts", "only mappings, lists and texts have")
    if type(key) is slice:
        return counted(meter, holder[key])
    if type(key) is not int:
        raise Refused(f"{kind(holder)} is indexed with a number, not {kind(key)}")
    if not -len(holder) <= key < len(holder):
        raise Refused(f"there is no element {key}: {kind(holder)} of {len(holder)}", "ask for its length first")
    return holder[key]
