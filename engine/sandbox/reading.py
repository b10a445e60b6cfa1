"""What is known about an author's text before it is evaluated: names it uses, and what is wrong with it."""

from __future__ import annotations

from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUse:
    """A name an author's text reads.

    `path` is its literal prefix, the name first: `("steps", "reserve", "status")`. `guarded` is true when the text
    only asks whether it has a value (`is defined`, `| default`, `'x' in dir()`).
    """

    path: tuple[str, ...]
    place: Place
    guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one text uses and what is wrong with it; reading never evaluates anything."""

    uses: tuple[NameUse, ...] = ()
    findings: tuple[Finding, ...] = ()
