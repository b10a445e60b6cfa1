"""The actions of a dry run that hold no other steps: a tool call, a stop, a question; and what is expected of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from engine.errors import SandboxError
from engine.library.inputs import coerced_answer
from engine.model.outcome import RunStatus, StepStatus
from engine.model.place import Place
from engine.model.question import Question
from engine.model.secret import MASK
from engine.model.skill import AskStep, OnError, Step, StopStep, ToolStep
from engine.run.domain import named
from engine.run.dry.calls import Caller, unlikely
from engine.run.dry.evaluate import Evaluator
from engine.run.dry.level import Draft, Level
from engine.run.dry.outline import in_domain
from engine.run.dry.plan import PlannedEnd, PlannedStep, Verdict
from engine.run.dry.unknown import Unknown, is_known, marked, sources_in
from tool_registry.tool import ToolError

SHOWN = 200
"""Characters of a value in a sentence."""


class Acting(Protocol):
    """The walk, as an action sees it."""

    @property
    def caller(self) -> Caller:
        """Plans and makes calls."""

    @property
    def evaluator(self) -> Evaluator:
        """Evaluates texts."""

    @property
    def answers(self) -> Mapping[str, Any]:
        """Answers to questions, by path or name."""

    @property
    def takes_defaults(self) -> bool:
        """Whether a question without an answer is answered by its default."""

    def tell(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Notes a finding."""

    def failed(self, planned: PlannedStep, error: Exception, level: Level) -> Draft:
        """What becomes of a step that an error is known of."""


def known(planned: PlannedStep, value: Any) -> Draft:
    """A step whose value came out, or hangs on what is unknown."""
    if isinstance(value, Unknown):
        return Draft(planned=replace(planned, unknown={"value": value.sources}), value=_named(value, planned.path))
    return Draft(planned=replace(planned, known=True, value=value), value=value, status=StepStatus.OK)


def _named(value: Unknown, path: str) -> Unknown:
    return replace(value, origin=path, trail=(), shown="")


async def call(walk: Acting, step: ToolStep, level: Level, planned: PlannedStep) -> Draft:
    """A tool call, made only when it reads and that was asked for."""
    args = walk.evaluator.tree(step.args, level.scope.names)
    planned = replace(planned, args=args, unknown=unknown_in(args))
    level.course.doubts.append(planned.path)
    try:
        planned, level = placed(walk, step, level, planned)
        draft = await walk.caller.call(step, planned, args, level)
    except ToolError as error:
        return walk.failed(planned, error, level)
    for sentence in unlikely(walk.caller.tool(step.tool), args):
        walk.tell(step.place, "unlikely-type", f"{planned.path}: {sentence}")
    look = draft.planned.look
    if look is not None and look.failure:
        fixes = ", ".join(planned.heal.get("fixes", ()))
        hint = f"in a run, healing could try {fixes}" if fixes else ""
        walk.tell(step.place, "read-failed", f"{planned.path}: {step.tool} failed now: {look.failure}", hint)
    return draft


def placed(walk: Acting, step: ToolStep, level: Level, planned: PlannedStep) -> tuple[PlannedStep, Level]:
    """The call with the domain that the step names; where that is not known or not described, nothing is really read.

    Raises SandboxError, UnknownToolError, and ToolError for what is no name.
    """
    if step.heal.domain_text is None and step.heal.domain is None:
        return planned, level
    domains, value = walk.caller.parts.domains, None
    if step.heal.domain_text is not None:
        value = walk.evaluator.tree(step.heal.domain_text, level.scope.names)
        if isinstance(value, Unknown):
            unknown = {**planned.unknown, "heal.domain": value.sources}
            return replace(planned, unknown=unknown), replace(level, broken=True)
    option = named(step.heal, lambda _: value)
    planned = in_domain(planned, option, walk.caller.tool(step.tool), domains)
    lost = option.domain is not None and option.domain not in domains
    return planned, replace(level, broken=level.broken or lost)


def stop(walk: Acting, step: StopStep, level: Level, planned: PlannedStep) -> Draft:
    """The end of the skill; not certain where it hangs on what is unknown whether the step runs."""
    message = walk.evaluator.tree(step.message, level.scope.names)
    planned = replace(
        planned, message=str(marked(message)), unknown=unknown_in({"message": message}), stops=step.status.value
    )
    if not is_known(message):
        level.course.doubts.append(planned.path)  # a message that cannot be rendered would fail the step
    if level.doubt or (not is_known(message) and step.on_error is OnError.CONTINUE):
        level.course.doubts.append(planned.path)
        return Draft(planned=replace(planned, verdict=Verdict.MAY_STOP), value=Unknown(sources=level.doubt))
    if not level.broken:
        status = RunStatus(step.status.value)
        level.course.over = PlannedEnd(status=status, step=planned.path, message=planned.message)
    value = {"status": step.status.value, "message": str(message) if is_known(message) else message}
    return Draft(planned=replace(planned, verdict=Verdict.WOULD_STOP), value=value, status=StepStatus.OK)


def ask(walk: Acting, step: AskStep, level: Level, planned: PlannedStep) -> Draft:
    """A question, with the answer that was given beforehand, if one was. Raises InputError when that does not fit."""
    if level.section != "steps":
        raise SandboxError("a question cannot wait for its answer while the run is cleaned up", place=step.place)
    text = walk.evaluator.tree(step.question, level.scope.names)
    default = walk.evaluator.tree(step.default, level.scope.names)
    question = Question(
        name=planned.path,
        text=str(marked(text)),
        type=step.answer_type,
        choices=step.choices,
        default=marked(default),
        step=planned.path,
    )
    planned = replace(planned, question=question, unknown=unknown_in({"question": text, "default": default}))
    level.course.doubts.append(planned.path)
    for name in (planned.path, step.name):
        if name in walk.answers:
            given = walk.answers[name]
            return known(planned, coerced_answer(question, given, from_text=isinstance(given, str), secret=step.secret))
    if walk.takes_defaults and default is not None and is_known(default):
        return known(planned, coerced_answer(question, default, from_text=False))
    schema = {"type": step.answer_type.value, **({"enum": list(step.choices)} if step.choices else {})}
    origin = f"answer to {planned.path}"
    return Draft(planned=planned, value=Unknown(sources=(planned.path,), origin=origin, schema=schema))


def judged(walk: Acting, step: Step, level: Level, draft: Draft) -> Draft:
    """The draft after `expect` and `until`, as far as they can be decided. Raises SandboxError when it would fail."""
    names = {**level.scope.names, "result": draft.value}
    believed = draft.planned.look is None or draft.planned.look.believed
    if step.expect is not None and walk.evaluator.truth(step.expect, names) is False and believed:
        said = MASK if step.secret else _short(marked(draft.value))
        raise SandboxError(f"expected {step.expect.text.strip()}, but the result is {said}", place=step.expect.place)
    if step.until is not None and walk.evaluator.truth(step.until.condition, names) is not True:
        path = draft.planned.path
        schema = draft.value.schema if isinstance(draft.value, Unknown) else None
        return replace(draft, value=Unknown(sources=(path,), origin=path, schema=schema), status=None)
    return draft


def unknown_in(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """For each value that is not known, what it hangs on."""
    return {name: sources_in(value) for name, value in values.items() if not is_known(value)}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
