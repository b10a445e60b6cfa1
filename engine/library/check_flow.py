"""Mistakes in where a run goes: steps it never reaches, secrets it would give away, skills that run each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.library.check_names import Readings
from engine.library.codes import FindingCode
from engine.library.outline import Language, Outline, OutlinedStep, Site
from engine.library.part import Part
from engine.model.place import Finding, Severity, Text
from engine.sandbox import NameUse

_FALSE = frozenset({"False", "false", "None", "none", "0", "''", '""', "[]", "{}", "not True", "not true"})
_TRUE = frozenset({"True", "true", "1"})
_LEAVES = frozenset({"value", "message", "question"})
"""Keys whose text leaves the run: outputs, `stop` messages, questions."""


def unreachable_steps(skill: Part) -> Iterator[Finding]:
    """Steps after a `stop` without a condition, and steps whose condition is always false."""
    for section in ("steps", "always"):
        yield from _unreachable(skill, section)


def _unreachable(owner: Part, key: str) -> Iterator[Finding]:
    stopped_at: Part | None = None
    for part in owner.listed(key):
        if stopped_at is not None:
            yield _never(part, f"the step {stopped_at.name()} on line {stopped_at.place.line} always ends the run")
            return
        condition = _constant(part.text("condition"))
        if condition is False:
            yield _never(part["condition"], "its condition is always false")
        elif "stop" in part and condition is True and key != "parallel":
            stopped_at = part
        for inner in ("steps", "parallel"):
            yield from _unreachable(part, inner)


def _never(part: Part, because: str) -> Finding:
    return Finding(
        place=part.place,
        code=FindingCode.UNREACHABLE,
        message=f"this step never runs, for {because}" if "name" in part else f"the step never runs: {because}",
        hint="remove it, or change the condition",
        severity=Severity.WARNING,
    )


def _constant(condition: Text | None) -> bool | None:
    """What a condition always is; None when that depends on the run."""
    if condition is None:
        return True
    text = condition.text.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    return True if text in _TRUE else False if text in _FALSE else None


def leaking_secrets(outlined: Outline, readings: Readings) -> Iterator[Finding]:
    """Secret inputs, values of `secret` steps, and what is computed from them, on their way out of the run."""
    inputs = {part.name() for part in outlined.skill.listed("inputs") if part.get("secret") is True}
    secret = _secret_outputs(outlined, readings, inputs)
    for site in outlined.sites:
        if site.key in _LEAVES:
            for use in readings[site.number].uses:
                source = _source(use, inputs, secret)
                if source:
                    yield _leak(site, use, source)


def _secret_outputs(outlined: Outline, readings: Readings, inputs: set[str]) -> dict[str, str]:
    """The names that hold secrets, and why; steps come in the order of the run, so one pass is enough."""
    secret = {
        step.output: f"the step {step.name} is secret" for step in outlined.steps if step.part.get("secret") is True
    }
    for site in outlined.sites:
        if site.language is Language.COMPUTE and site.step is not None:
            sources = [source for use in readings[site.number].uses if (source := _source(use, inputs, secret))]
            if sources:
                secret.setdefault(site.step.output, f"it is computed from a secret ({sources[0]})")
                _taint_groups(site.step, secret)
    return secret


def _taint_groups(step: OutlinedStep, secret: dict[str, str]) -> None:
    group = step.group
    while group is not None:
        secret.setdefault(group.output, f"it holds {step.output}, which is secret")
        group = group.group


def _source(use: NameUse, inputs: set[str], secret: Mapping[str, str]) -> str:
    """Why the value of this use is secret; empty when it is not."""
    if use.guarded:
        return ""
    match use.path:
        case ("inputs",) | ("inputs", "get" | "items" | "values") if inputs:
            return f"the input {min(inputs)} is secret"
        case ("inputs", name, *_) if name in inputs:
            return f"the input {name} is secret"
        case (name, *_):
            return secret.get(name, "")
        case _:
            return ""


def _leak(site: Site, use: NameUse, source: str) -> Finding:
    where = {"message": "a `stop` message", "question": "a question"}.get(site.key, f"the output {site.output}")
    return Finding(
        place=use.place,
        code=FindingCode.SECRET_LEAK,
        message=f"{'.'.join(use.path)} would leave the run through {where}, and {source}",
        hint="leave it out, or return something that is not secret, such as the name of where it is kept",
    )
