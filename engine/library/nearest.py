"""Names most like a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

CLOSE = 0.6
"""How alike two names must be, 0 to 1, to be worth proposing."""
MOST = 3


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The few known names that `name` may have been meant to be, best first; empty when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - late: most runs have no mistake

    return tuple(get_close_matches(name, sorted(known), n=MOST, cutoff=CLOSE))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question naming the nearest known names; empty when none is near."""
    near = nearest(name, known)
    return f"did you mean {' or '.join(near)}?" if near else ""
