"""Mistakes in the shape of a skill file: what the schema says, and what a schema cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from engine.documents import findings as schema_findings
from engine.library.codes import FindingCode
from engine.library.language import action_keys
from engine.library.outline import Outline
from engine.library.part import Part
from engine.library.values import UnfitError, Wanted, fit
from engine.model.place import Finding, Place


def shape_findings(outlined: Outline, *, cache: Path | None) -> Iterator[Finding]:
    """Everything wrong with the shape of the file, YAML's own mistakes included."""
    skill = outlined.skill
    misplaced = tuple(part for part in skill.listed("outputs") if action_keys(part.value))
    yield from skill.document.mistakes
    yield from _from_schema(skill, misplaced, cache)
    yield from (_step_in_outputs(part) for part in misplaced)
    yield from _name(skill)
    for part in skill.listed("inputs"):
        yield from _input(part)


def _from_schema(skill: Part, misplaced: tuple[Part, ...], cache: Path | None) -> Iterator[Finding]:
    """The schema's findings, without those where another says it all: steps under `outputs`, YAML's mistakes."""
    told: set[Place] = {mistake.place for mistake in skill.document.mistakes}
    for part in misplaced:
        told |= {part.place, *(part[key].key_place for key in part.value), *(part[key].place for key in part.value)}
    for finding in schema_findings(skill.document, "skill", cache=cache):
        if finding.place not in told:
            yield finding


def _step_in_outputs(part: Part) -> Finding:
    action = action_keys(part.value)[0]
    return Finding(
        place=part[action].key_place,
        code=FindingCode.STEP_IN_OUTPUTS,
        message=f"this is a step ({action}), and a step under `outputs` never runs",
        hint="move it to `steps`, or to `always`, and give its value here: {name, value}",
    )


def _name(skill: Part) -> Iterator[Finding]:
    stem = PurePath(skill.document.name).stem
    if skill.name() and skill.name() != stem:
        yield Finding(
            place=skill["name"].place,
            code=FindingCode.NAME_MISMATCH,
            message=f"the skill is called {skill.name()}, and its file {PurePath(skill.document.name).name}",
            hint=f"call the file {skill.name()}.yaml, or write `name: {stem}`",
        )


def _input(part: Part) -> Iterator[Finding]:
    if (bad := _pattern(part)) is not None:
        yield bad
    elif "default" in part and part.value["default"] is not None:
        yield from _default(part)


def _pattern(part: Part) -> Finding | None:
    try:
        re.compile(part.get("pattern") or "")
    except (re.error, OverflowError, RecursionError) as error:
        return Finding(
            place=part["pattern"].place,
            code=FindingCode.BAD_PATTERN,
            message=f"this is no regular expression: {error}",
            hint="the rules are those of Python's `re`",
        )
    except TypeError:
        return None
    return None


def _default(part: Part) -> Iterator[Finding]:
    try:
        refusal = _refusal_of_default(part)
    except (TypeError, ValueError, AttributeError, OverflowError, re.error):
        return  # the rules themselves are wrong, and the schema has said so
    if refusal:
        yield Finding(
            place=part["default"].place,
            code=FindingCode.BAD_DEFAULT,
            message=refusal,
            hint="change the default, or the rules",
        )


def _refusal_of_default(part: Part) -> str:
    wanted = Wanted.written(part.value)
    try:
        fit(part.value["default"], wanted)
    except UnfitError as error:
        return f"the default of {part.name()} {error}: the input wants {wanted}"
    return ""
