"""A plan as it may be shown: a mark for each unknown, every secret masked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.model.secret import MASK, Secrets
from engine.run.dry.plan import Plan, PlannedOutput, PlannedStep, Source, Verdict
from engine.run.dry.unknown import marked


def masked(plan: Plan, secrets: Secrets) -> Plan:
    """The plan as JSON can hold it, secrets masked by value; done last, when all that were read are known."""

    def shown(value: Any) -> Any:
        return secrets.mask(marked(value))

    return replace(
        plan,
        inputs=shown(plan.inputs),
        steps=tuple(_step(step, shown) for step in plan.steps),
        always=tuple(_step(step, shown) for step in plan.always),
        outputs=tuple(replace(output, value=shown(output.value)) for output in plan.outputs),
        findings=tuple(
            replace(finding, message=shown(finding.message), hint=shown(finding.hint)) for finding in plan.findings
        ),
        end=replace(plan.end, message=shown(plan.end.message)) if plan.end else None,
    )


def _step(step: PlannedStep, shown: Any) -> PlannedStep:
    look = replace(step.look, failure=shown(step.look.failure)) if step.look else None
    question = step.question
    if question is not None:
        question = replace(question, text=shown(question.text), default=shown(question.default))
    return replace(
        step,
        args=shown(step.args),
        value=MASK if step.secret and step.value is not None else shown(step.value),
        because=shown(step.because),
        message=shown(step.message),
        question=question,
        look=look,
        steps=tuple(_step(inner, shown) for inner in step.steps),
        undo=_step(step.undo, shown) if step.undo else None,
    )


def sources_of(steps: Iterable[PlannedStep], outputs: Iterable[PlannedOutput]) -> tuple[Source, ...]:
    """Everything unknown that something hangs on, in the order of the plan."""
    every = {each.path: each for step in steps for each in step.walk()}
    waiting: dict[str, list[str]] = {}
    for path, step in every.items():
        for source in dict.fromkeys((*step.depends, *(each for hung in step.unknown.values() for each in hung))):
            waiting.setdefault(source, []).append(path)
    for output in outputs:
        for source in output.unknown:
            waiting.setdefault(source, []).append(f"outputs.{output.name}")
    order = [*every, *(source for source in waiting if source not in every)]
    return tuple(_source(name, every.get(name), waiting[name]) for name in order if name in waiting)


def _source(name: str, step: PlannedStep | None, waiting: Iterable[str]) -> Source:
    if step is None:
        return Source(name=name, given_by="the run", why="every run has another", steps=tuple(waiting))
    words = {"ask": "the answer", "compute": "computed"}
    given_by = step.tool or words.get(step.action, step.skill or "its steps")
    return Source(name=name, given_by=given_by, why=_why(step), steps=tuple(waiting))


def _why(step: PlannedStep) -> str:
    if step.verdict is Verdict.WOULD_FAIL:
        return "the step would fail"
    if step.look is not None and step.look.failure:
        return "the call failed now"
    if step.look is not None:
        return "in the run, a write comes before it"
    if step.action == "ask":
        return "nobody has answered"
    return "it was not called" if step.tool else "it hangs on other values"
