"""Mistakes with names that are used: before they exist, out of their group or loop, or without existing at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from engine.library.codes import FindingCode
from engine.library.language import RESERVED, RUN_FIELDS, STEP_FIELDS
from engine.library.nearest import did_you_mean
from engine.library.outline import Definition, Outline, Site
from engine.library.scoping import Unseen, unseen
from engine.library.shapes import Shape
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Severity
from engine.sandbox import NameUse, Reading

METHODS = frozenset({"get", "items", "keys", "values", "copy", "pop", "update", "setdefault"})
"""What texts may call on a mapping, beside reading its keys."""

Readings = Mapping[int, Reading]
"""What the sandbox read at each site, by the site's number."""


def used_names(
    outlined: Outline, readings: Readings, helpers: Collection[str], known: Mapping[str, Shape]
) -> Iterator[Finding]:
    """Names that an author's texts use and that do not exist there."""
    scope = _scope(outlined, helpers, known)
    for site in outlined.sites:
        reading = readings[site.number]
        told = {finding.place for finding in reading.findings}
        for use in reading.uses:
            finding = scope.judge(use, site)
            if finding is not None and finding.place not in told:
                yield finding


def _scope(outlined: Outline, helpers: Collection[str], shapes: Mapping[str, Shape]) -> _Scope:
    return _Scope(
        shapes=shapes,
        outputs=_by_name(outlined.outputs),
        special=_by_name(outlined.special),
        steps=_by_name(outlined.step_names),
        inputs=frozenset(part.name() for part in outlined.skill.listed("inputs")),
        defaults=frozenset(outlined.skill.mapping("defaults")),
        helpers=frozenset(helpers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """Which names exist at which site."""

    shapes: Mapping[str, Shape]
    outputs: Mapping[str, list[Definition]]
    special: Mapping[str, list[Definition]]
    steps: Mapping[str, list[Definition]]
    inputs: frozenset[str]
    defaults: frozenset[str]
    helpers: frozenset[str]

    def judge(self, use: NameUse, site: Site) -> Finding | None:
        """What is wrong with a use of a name, if anything."""
        match use.path:
            case ("inputs" | "defaults" | "run" as owner, name, *_) if name not in METHODS:
                known, noun = self._members(owner)
                return self._member(use, name, known, noun)
            case ("steps", name, *rest) if name not in METHODS:
                return self._step(use, site, name, rest)
            case (name, *rest) if name not in RESERVED - {"result"} and name not in self.helpers:
                return self._output(use, site, name) or self._inside(use, site, name, rest)
            case _:
                return None

    def _members(self, owner: str) -> tuple[Collection[str], str]:
        if owner == "run":
            return RUN_FIELDS, "field of `run`"
        return (self.inputs, "input") if owner == "inputs" else (self.defaults, "default")

    def _member(self, use: NameUse, name: str, known: Collection[str], noun: str) -> Finding | None:
        if name in known:
            return None
        listed = ", ".join(sorted(known))
        hint = did_you_mean(name, known) or (f"there are {listed}" if known else f"there is no {noun} at all")
        return _finding(use, FindingCode.UNKNOWN_NAME, f"there is no {noun} called {name}", hint)

    def _step(self, use: NameUse, site: Site, name: str, rest: list[str]) -> Finding | None:
        if name not in self.steps:
            hint = did_you_mean(name, self.steps) or "`steps` holds the steps by their names"
            return _finding(use, FindingCode.UNKNOWN_NAME, f"there is no step called {name}", hint)
        if not _exists(self.steps[name], site):
            return _misplaced(use, unseen(f"the step {name}", self.steps[name], site))
        if rest and rest[0] not in STEP_FIELDS | METHODS:
            return self._member(use, rest[0], STEP_FIELDS, f"field of `steps.{name}`")
        return None

    def _output(self, use: NameUse, site: Site, name: str) -> Finding | None:
        if _exists(self.outputs.get(name, []), site) or _exists(self.special.get(name, []), site):
            return None
        if name in self.outputs:
            return _misplaced(use, unseen(name, self.outputs[name], site))
        if name == "result":
            hint = "`result` exists in `expect` and `until`, and in `compute` once it is assigned"
            return _finding(use, FindingCode.UNKNOWN_NAME, "the name result does not exist here", hint)
        if name in self.special:
            return _misplaced(use, unseen(name, self.special[name], site))
        return _finding(use, FindingCode.UNKNOWN_NAME, f"nothing defines the name {name}", self._way_out(name))

    def _inside(self, use: NameUse, site: Site, name: str, rest: list[str]) -> Finding | None:
        """A key that the value of a group or of another skill does not have, or that no list has."""
        shape, called = self.shapes.get(name), name
        if name == "result" and site.step is not None:
            called = site.step.output
            shape = Shape(keys=known.keys) if (known := self.shapes.get(called)) else None
        elif _exists(self.special.get(name, []), site):
            return None
        if shape is None or not rest:
            return None
        # An element's undo sees the element's own value by that name, not the list.
        own = site.key == "undo" and site.step is not None and site.step.output == name
        if shape.listed and not own and not rest[0].isdigit():
            hint = f"one of them is {name}[0].{rest[0]}, all are [each.{rest[0]} for each in {name}]"
            message = f"{name} is a list, with a value for each element of the foreach {called}"
            return _finding(use, FindingCode.UNKNOWN_NAME, message, hint)
        key = rest[1:2] if shape.listed else rest[:1]
        if shape.keys is None or not key or key[0] in shape.keys | METHODS:
            return None
        return self._member(use, key[0], shape.keys, f"value in {name}")

    def _way_out(self, name: str) -> str:
        if name in self.inputs:
            return f"it is an input: write inputs.{name}"
        if name in self.defaults:
            return f"it is a default: write defaults.{name}"
        if name in self.steps:
            output = self.steps[name][0].step
            return f"the value of that step is called {output.output}" if output else ""
        near = did_you_mean(name, {*self.outputs, *self.helpers, *RESERVED})
        return near or "give an earlier step this `output`"


def _by_name(definitions: Iterable[Definition]) -> dict[str, list[Definition]]:
    named: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        named[definition.name].append(definition)
    return dict(named)


def _exists(definitions: Iterable[Definition], site: Site) -> bool:
    return any(definition.since <= site.number < definition.until for definition in definitions)


def _misplaced(use: NameUse, why: Unseen) -> Finding:
    return _finding(use, why.code, why.message, why.hint)


def _finding(use: NameUse, code: FindingCode, message: str, hint: str) -> Finding:
    severity = Severity.WARNING if use.guarded else Severity.ERROR
    return Finding(place=use.place, code=code, message=message, hint=hint, severity=severity)
