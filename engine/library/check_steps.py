"""Mistakes in what a step says it does: its action, options that go with it, questions, and what `always` may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator

from engine.library.codes import FindingCode
from engine.library.language import ACTIONS, BELONGS_TO, NO_USE_FOR
from engine.library.outline import Outline, OutlinedStep, holds_template
from engine.library.part import Part
from engine.library.values import UnfitError, Wanted, fit
from engine.model.place import Finding, Severity
from engine.model.skill import InputType

LONGEST_SHOWN = 80
"""A choice is quoted up to this many characters."""


def step_findings(outlined: Outline) -> Iterator[Finding]:
    """Everything wrong with single steps that the schema cannot say."""
    for step in outlined.steps:
        yield from _actions(step)
        yield from _companions(step)
        yield from _useless(step)
        if step.section == "always":
            yield from _in_always(step)
        if "ask" in step.part:
            yield from _question(step.part["ask"])


def _actions(step: OutlinedStep) -> Iterator[Finding]:
    if len(step.actions) > 1:
        yield Finding(
            place=step.part[step.actions[1]].key_place,
            code=FindingCode.SEVERAL_ACTIONS,
            message=f"the step {step.name} asks for {len(step.actions)} actions: {', '.join(step.actions)}",
            hint="make each of them a step of its own",
        )
    if not step.actions:
        yield Finding(
            place=step.part.place,
            code=FindingCode.NO_ACTION,
            message=f"the step {step.name} does nothing",
            hint=f"give it one of {', '.join(ACTIONS)}",
        )


def _companions(step: OutlinedStep) -> Iterator[Finding]:
    """Keys without the key they belong to."""
    part = step.part
    for key, owner in (*BELONGS_TO.items(), *_count_of(step)):
        if key in part and owner not in part:
            message = f"`{key}` means nothing without `{owner}`"
            yield _misplaced(part, key, message, f"add `{owner}`, or remove `{key}`")


def _count_of(step: OutlinedStep) -> tuple[tuple[str, str], ...]:
    is_count = "parallel" in step.part and "parallel" not in step.actions
    return (("parallel", "foreach"),) if is_count else ()


def _useless(step: OutlinedStep) -> Iterator[Finding]:
    """Options that mean nothing beside the action; a step of several actions has its own finding."""
    if len(step.actions) != 1:
        return
    action = step.actions[0]
    for key, way_out in NO_USE_FOR.get(action, {}).items():
        if key in step.part:
            yield _misplaced(step.part, key, f"`{key}` means nothing beside `{action}`", way_out)


def _misplaced(part: Part, key: str, message: str, hint: str) -> Finding:
    return Finding(place=part[key].key_place, code=FindingCode.MISPLACED_KEY, message=message, hint=hint)


def _in_always(step: OutlinedStep) -> Iterator[Finding]:
    part = step.part
    if "undo" in part:
        message = "`undo` means nothing in `always`: what there was to undo has been undone by then"
        yield _misplaced(part, "undo", message, "remove it, or make the call a step of its own")
    if "stop" in part:
        yield Finding(
            place=part["stop"].key_place,
            code=FindingCode.STOP_IN_ALWAYS,
            message=f"the step {step.name} cannot stop the run: when `always` begins, the run has ended",
            hint="move it to the end of `steps`",
        )
    if "ask" in part:
        yield Finding(
            place=part["ask"].key_place,
            code=FindingCode.ASK_IN_ALWAYS,
            message=f"the question of {step.name} fails when nobody is there to answer: `always` waits for nobody",
            hint="ask in `steps`, and use the answer here",
            severity=Severity.WARNING,
        )


def _question(ask: Part) -> Iterator[Finding]:
    """Choices that are not of the type, and a default that would be no answer."""
    try:
        wanted = Wanted(type=InputType(ask.get("type", "string")))
    except ValueError:
        return  # the schema has said so
    choices = ask.get("choices")
    unfit = dict(_unfit(choices, wanted)) if isinstance(choices, list) else {}
    for index, how in unfit.items():
        yield Finding(
            place=ask["choices"][index].place,
            code=FindingCode.BAD_CHOICE,
            message=f"the choice {_shown(choices[index])} {how}: the answer is {wanted}",
            hint="change the choice, or say in `type` what the answer is",
        )
    if "default" in ask and ask.value["default"] is not None and not unfit:
        yield from _default(ask, Wanted(type=wanted.type, enum=tuple(choices) if isinstance(choices, list) else ()))


def _shown(choice: object) -> str:
    text = json.dumps(choice, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _unfit(choices: list[object], wanted: Wanted) -> Iterator[tuple[int, str]]:
    for index, choice in enumerate(choices):
        try:
            fit(choice, wanted)
        except UnfitError as error:
            yield index, str(error)


def _default(ask: Part, wanted: Wanted) -> Iterator[Finding]:
    default = ask.value["default"]
    if holds_template(default):
        return
    try:
        fit(default, wanted)
    except UnfitError as error:
        yield Finding(
            place=ask["default"].place,
            code=FindingCode.BAD_DEFAULT,
            message=f"the default {error}: the question wants {wanted}",
            hint="change the default, or the rules",
        )
