"""Mistakes with names: taken twice, taken from others, used before they exist or without existing at all."""

from __future__ import annotations

import keyword
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.library.codes import FindingCode
from engine.library.language import RESERVED, RUN_FIELDS, STEP_FIELDS
from engine.library.nearest import did_you_mean
from engine.library.outline import Definition, Outline, OutlinedStep, Site
from engine.library.part import Part
from engine.model.place import Finding, Place, Severity
from engine.sandbox import NameUse, Reading

METHODS = frozenset({"get", "items", "keys", "values"})
"""What expressions may call on a mapping, beside reading its keys."""

Readings = Mapping[int, Reading]
"""What the sandbox read at each site, by the site's number."""


def taken_names(outlined: Outline, helpers: Collection[str]) -> Iterator[Finding]:
    """Names that steps, inputs and outputs may not take, or should not."""
    yield from _twice((part for part in outlined.skill.listed("inputs")), "input")
    yield from _twice((part for part in outlined.skill.listed("outputs")), "output")
    yield from _twice((step.part for step in outlined.steps), "step")
    yield from _outputs_twice(outlined)
    inputs = {part.name() for part in outlined.skill.listed("inputs")}
    names = {step.name: step for step in reversed(outlined.steps)}
    for step in outlined.steps:
        yield from _reserved(step, helpers)
        yield from _shadowing(step, inputs, names)


def _twice(parts: Iterable[Part], noun: str) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for part in parts:
        name = part.name()
        if not name:
            continue
        if name in first:
            yield Finding(
                place=part["name"].place,
                code=FindingCode.DUPLICATE_NAME,
                message=f"another {noun} is already called {name}, on line {first[name].line}",
                hint="give each a name of its own",
            )
        first.setdefault(name, part["name"].place)


def _outputs_twice(outlined: Outline) -> Iterator[Finding]:
    first: dict[str, OutlinedStep] = {}
    for step in outlined.steps:
        other = first.setdefault(step.output, step)
        if other is not step and step.output and other.name != step.name:
            yield Finding(
                place=_output_place(step),
                code=FindingCode.DUPLICATE_OUTPUT,
                message=f"the step {other.name} already binds its value to {step.output}, on line "
                f"{_output_place(other).line}; whichever ends last would hide the other, even when it is skipped",
                hint="give each value a name of its own, and choose between them where they are used",
            )


def _reserved(step: OutlinedStep, helpers: Collection[str]) -> Iterator[Finding]:
    element = step.part.get("as")
    bound = [(step.output, _output_place(step))]
    if isinstance(element, str):
        bound.append((element, step.part["as"].place))
    for name, place in bound:
        if name in RESERVED or name in helpers or keyword.iskeyword(name):
            yield Finding(
                place=place,
                code=FindingCode.RESERVED_NAME,
                message=f"the name {name} already means something else in expressions",
                hint=f"write `output: {name}_value`, or another name" if name == step.output else "choose another name",
            )


def _shadowing(step: OutlinedStep, inputs: Collection[str], names: Mapping[str, OutlinedStep]) -> Iterator[Finding]:
    other = names.get(step.output)
    if step.output in inputs:
        shadowed = f"the input {step.output}, which is read as inputs.{step.output}"
    elif other is not None and other is not step and other.output != step.output:
        shadowed = f"the step {step.output} on line {other.part.place.line}, whose value is {other.output}"
    else:
        return
    yield Finding(
        place=_output_place(step),
        code=FindingCode.SHADOWED_NAME,
        message=f"the value of {step.name} is called like {shadowed}",
        hint="choose another `output`",
        severity=Severity.WARNING,
    )


def _output_place(step: OutlinedStep) -> Place:
    for key in ("output", "name"):
        if key in step.part:
            return step.part[key].place
    return step.part.place


def used_names(outlined: Outline, readings: Readings, helpers: Collection[str]) -> Iterator[Finding]:
    """Names that an author's texts use and that do not exist there."""
    scope = _scope(outlined, helpers)
    for site in outlined.sites:
        reading = readings[site.number]
        told = {finding.place for finding in reading.findings}
        for use in reading.uses:
            finding = scope.judge(use, site)
            if finding is not None and finding.place not in told:
                yield finding


def _scope(outlined: Outline, helpers: Collection[str]) -> _Scope:
    return _Scope(
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
            case (name, *_) if name not in RESERVED - {"result"} and name not in self.helpers:
                return self._output(use, site, name)
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
            return _too_early(use, f"the step {name}", self.steps[name])
        if rest and rest[0] not in STEP_FIELDS | METHODS:
            return self._member(use, rest[0], STEP_FIELDS, f"field of `steps.{name}`")
        return None

    def _output(self, use: NameUse, site: Site, name: str) -> Finding | None:
        if _exists(self.outputs.get(name, []), site) or _exists(self.special.get(name, []), site):
            return None
        if name in self.outputs:
            return _too_early(use, name, self.outputs[name])
        if name in self.special:
            return _finding(use, FindingCode.UNKNOWN_NAME, f"the name {name} does not exist here", _why_not(name))
        return _finding(use, FindingCode.UNKNOWN_NAME, f"nothing defines the name {name}", self._way_out(name))

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


def _why_not(name: str) -> str:
    if name == "result":
        return "`result` exists in `expect` and `until`, and in `compute` once it is assigned"
    return "the element of a `foreach` exists only in its own step"


def _too_early(use: NameUse, what: str, known: list[Definition]) -> Finding:
    step = known[0].step
    where = f" by the step {step.name} on line {step.part.place.line}" if step else ""
    inside = step is not None and step.group is not None
    hint = (
        "move that step up; or, from outside of its group, read it through the group's value"
        if inside
        else ("move that step up, or use the name later")
    )
    return _finding(
        use, FindingCode.USED_TOO_EARLY, f"{what} is used here before it exists: it is defined{where}", hint
    )


def _finding(use: NameUse, code: FindingCode, message: str, hint: str) -> Finding:
    severity = Severity.WARNING if use.guarded else Severity.ERROR
    return Finding(place=use.place, code=code, message=message, hint=hint, severity=severity)
