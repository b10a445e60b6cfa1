"""Values that only the run itself will have, and values some of which is such."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.run.dry.schema import Chance, Promise, Schema, element_of, promise, united

THE_RUN = "run"
"""The source of what every run makes anew: its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A value nobody has yet.

    `sources` are the paths of the steps it hangs on; `schema` is what their tools promise of it (None: nothing).
    `origin` is the phrase it is told by (`image`, `each element of pods`) and `trail` the way from there to this part;
    without an origin it is told by its sources. `shown` is a text of which some is known, the rest marked.
    """

    sources: tuple[str, ...]
    origin: str = ""
    trail: tuple[str, ...] = ()
    schema: Schema | None = None
    shown: str = ""

    def __str__(self) -> str:
        """How it stands in what is shown: `<digest of image>`."""
        if self.shown:
            return self.shown
        if not self.origin:
            return f"<depends on {', '.join(self.sources)}>"
        named = max((index for index, key in enumerate(self.trail) if not _is_index(key)), default=len(self.trail))
        holder, part = self.origin + _way(self.trail[:named]), _way(self.trail[named:]).removeprefix(".")
        return f"<{part} of {holder}>" if part else f"<{holder}>"

    def promise(self, key: str) -> Promise:
        """What is promised of the part `key`."""
        return promise(self.schema, key)

    def part(self, key: str) -> Unknown:
        """The part `key`, if there is one."""
        promised = self.promise(key)
        schema = promised.schema if promised.chance is Chance.LIKELY else None
        return replace(self, schema=schema, trail=(*self.trail, key), shown="")

    def element(self, origin: str) -> Unknown:
        """Each element of a list that is not known."""
        return Unknown(sources=self.sources, origin=f"each element of {origin}", schema=element_of(self.schema))


def _way(trail: tuple[str, ...]) -> str:
    return "".join(f"[{key}]" if _is_index(key) else f".{key}" for key in trail)


def _is_index(key: str) -> bool:
    return key.lstrip("-").isdecimal()


def merged(*values: Any) -> Unknown:
    """One unknown that hangs on everything the unknowns in `values` hang on; a single one stays what it is."""
    if len(values) == 1 and isinstance(values[0], Unknown):
        return values[0]
    schemas = [value.schema if isinstance(value, Unknown) else None for value in values]
    return Unknown(sources=sources_in(values), schema=united(schemas))


def unknowns_in(value: Any) -> Iterator[Unknown]:
    """Every unknown in a value, however deep."""
    match value:
        case Unknown():
            yield value
        case Mapping():
            for inner in value.values():
                yield from unknowns_in(inner)
        case list() | tuple():
            for inner in value:
                yield from unknowns_in(inner)


def is_known(value: Any) -> bool:
    """Whether nothing in the value is unknown."""
    return next(unknowns_in(value), None) is None


def sources_in(value: Any) -> tuple[str, ...]:
    """The paths of the steps that the value hangs on, each once."""
    return tuple(dict.fromkeys(source for unknown in unknowns_in(value) for source in unknown.sources))


def marked(value: Any) -> Any:
    """The value with a mark for each unknown, as JSON can hold it."""
    match value:
        case Unknown():
            return str(value)
        case Mapping():
            return {key: marked(inner) for key, inner in value.items()}
        case list() | tuple():
            return [marked(inner) for inner in value]
        case _:
            return value


def cleared(value: Any) -> Any:
    """The value with None for each unknown: for names of which a text reads only what is known."""
    if is_known(value):
        return value
    match value:
        case Mapping():
            return {key: cleared(inner) for key, inner in value.items()}
        case list() | tuple():
            return [cleared(inner) for inner in value]
        case _:
            return None


def truth_of(value: Any) -> bool | Unknown:
    """Whether a value counts as true; of one whose parts are unknown that is known, when it has parts."""
    return value if isinstance(value, Unknown) else bool(value)
