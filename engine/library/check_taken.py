"""Mistakes with names that are given: taken twice, taken from others, or misleading."""

from __future__ import annotations

import keyword
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from engine.library.codes import FindingCode
from engine.library.language import RESERVED
from engine.library.outline import Definition, Outline, OutlinedStep
from engine.library.part import Part
from engine.model.place import Finding, Place, Severity


def taken_names(outlined: Outline, helpers: Collection[str]) -> Iterator[Finding]:
    """Names that steps, inputs and outputs may not take, or should not."""
    yield from _twice((part for part in outlined.skill.listed("inputs")), "input")
    yield from _twice((part for part in outlined.skill.listed("outputs")), "output")
    yield from _twice(_steps_and_undos(outlined), "step")
    yield from _outputs_twice(outlined)
    yield from _elements(outlined)
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


def _steps_and_undos(outlined: Outline) -> Iterator[Part]:
    """What has a name of its own in a run: steps, however deep, and undos that were given one."""
    for step in outlined.steps:
        yield step.part
        if "undo" in step.part and "name" in step.part["undo"]:
            yield step.part["undo"]


def _reserved(step: OutlinedStep, helpers: Collection[str]) -> Iterator[Finding]:
    for name, place in ((step.output, _output_place(step)), (step.bound, _element_place(step))):
        if name in RESERVED or name in helpers or keyword.iskeyword(name):
            yield Finding(
                place=place,
                code=FindingCode.RESERVED_NAME,
                message=f"the name `{name}` already means something else in expressions",
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


def _elements(outlined: Outline) -> Iterator[Finding]:
    """Elements of a `foreach` that are called like something else that exists there."""
    values = _by_name(outlined.outputs)
    elements = _by_name(known for known in outlined.special if known.step and known.name == known.step.bound)
    inputs = {part.name() for part in outlined.skill.listed("inputs")}
    for element in (known for several in elements.values() for known in several):
        step = element.step
        if step is None:
            continue
        near = [value for value in values.get(element.name, ()) if _overlap(value, element)]
        inner = [value.step for value in near if value.step is step or (value.step and step in value.step.around)]
        outer = [other for other in elements[element.name] if other.step in step.around]
        if inner:
            yield _element_twice(step, inner[0])
        elif near or outer:
            yield _element_hides(step, near[0] if near else outer[0])
        elif element.name in inputs:
            yield _shadowed_by_element(step, f"the input {element.name}, which is read as inputs.{element.name}")


def _overlap(one: Definition, other: Definition) -> bool:
    return one.since < other.until and other.since < one.until


def _element_twice(step: OutlinedStep, inner: OutlinedStep | None) -> Finding:
    whose = f"the value of {inner.name}" if inner else "another value"
    return Finding(
        place=_element_place(step),
        code=FindingCode.DUPLICATE_OUTPUT,
        message=f"the element of the foreach {step.name} and {whose} are both called {step.bound}",
        hint="name the element with `as`, or give that value another `output`",
    )


def _element_hides(step: OutlinedStep, hidden: Definition) -> Finding:
    owner = hidden.step
    if owner is None:
        return _shadowed_by_element(step, hidden.name)
    noun = "the element of" if owner.bound == hidden.name else "the value of"
    return _shadowed_by_element(step, f"{noun} {owner.name} on line {owner.part.place.line}, and hides it")


def _shadowed_by_element(step: OutlinedStep, other: str) -> Finding:
    return Finding(
        place=_element_place(step),
        code=FindingCode.SHADOWED_NAME,
        message=f"the element of the foreach {step.name} is called like {other}",
        hint="name the element with `as`",
        severity=Severity.WARNING,
    )


def _by_name(definitions: Iterable[Definition]) -> dict[str, list[Definition]]:
    named: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        named[definition.name].append(definition)
    return dict(named)


def _element_place(step: OutlinedStep) -> Place:
    for key in ("as", "foreach"):
        if key in step.part:
            return step.part[key].place
    return step.part.place


def _output_place(step: OutlinedStep) -> Place:
    for key in ("output", "name"):
        if key in step.part:
            return step.part[key].place
    return step.part.place
