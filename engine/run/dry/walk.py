"""The walk of a dry run: every step in the order of a run, each with its verdict, nothing done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from engine.errors import DocumentError, EngineError, SandboxError
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus, StepStatus
from engine.model.place import Finding, Place, Severity, Text
from engine.model.skill import AskStep, ComputeStep, GroupStep, OnError, SkillStep, Step, StopStep, ToolStep, action_of
from engine.run.dry import acts, groups, skills
from engine.run.dry.calls import Caller
from engine.run.dry.evaluate import Evaluator, ImpossibleError
from engine.run.dry.level import Draft, Level, absent, bind, perhaps, unknown_entry
from engine.run.dry.outline import inside, outlined
from engine.run.dry.plan import PlannedEnd, PlannedStep, Verdict
from engine.run.dry.surroundings import DryParts
from engine.run.dry.unknown import Unknown, is_known, sources_in
from engine.run.scope import all_steps
from tool_registry.tool import ToolError


@dataclass(slots=True, kw_only=True)
class Walk:
    """Walks one skill and those it runs.

    `answers` are given to questions, by path or name, else their defaults when it `takes_defaults`; `elements` is how
    many more elements of lists are planned singly.
    """

    parts: DryParts
    caller: Caller
    evaluator: Evaluator
    answers: Mapping[str, Any] = field(default_factory=dict)
    takes_defaults: bool = False
    elements: int = 1_000

    async def sequence(self, steps: Sequence[Step], level: Level) -> tuple[PlannedStep, ...]:
        """Plans steps in order; past one that would fail too, to find what else is wrong."""
        planned = []
        for step in steps:
            known = len(level.course.failing)
            planned.append(await self.step(step, level))
            if len(level.course.failing) > known:
                level = replace(level, broken=True)
        return tuple(planned)

    async def step(self, step: Step, level: Level) -> PlannedStep:
        """Plans one step, with all its elements."""
        path = f"{level.prefix}{step.name}"
        if level.course.over is not None:
            return self.unreached(step, level, path=path)
        if step.foreach is not None:
            return await groups.each(self, step, step.foreach, level)
        return await self.one(step, level, path=path)

    async def one(self, step: Step, level: Level, *, path: str) -> PlannedStep:
        """Plans a step that is no `foreach`, or one element of it."""
        known = len(self.evaluator.findings)
        ended = await self._one(step, level, path)
        if step.on_error is OnError.CONTINUE:
            self.evaluator.tolerate(known)
        return ended

    async def _one(self, step: Step, level: Level, path: str) -> PlannedStep:
        planned = self.outlined(step, level, path)
        try:
            holds = self.holds(step.condition, level)
        except SandboxError as error:
            return self.ended(step, level, self.failed(planned, error, level))
        if holds is False:
            return self.skipped(step, level, planned)
        doubt = holds.sources if isinstance(holds, Unknown) else ()
        inner = level.doubted(doubt) if isinstance(holds, Unknown) else level
        return self.ended(step, inner, await self._acted(step, inner, planned), doubt=doubt)

    async def _acted(self, step: Step, level: Level, planned: PlannedStep) -> Draft:
        try:
            draft = await self._act(step, level, planned)
        except (EngineError, ToolError) as error:
            return self.failed(planned, error, level)
        try:
            return draft if draft.failure else acts.judged(self, step, level, draft)
        except SandboxError as error:
            return self.failed(draft.planned, error, level)

    async def _act(self, step: Step, level: Level, planned: PlannedStep) -> Draft:
        match step:
            case ToolStep():
                return await acts.call(self, step, level, planned)
            case ComputeStep():
                return acts.known(planned, await self.evaluator.compute(step.source, level.scope.names))
            case StopStep():
                return acts.stop(self, step, level, planned)
            case AskStep():
                return acts.ask(self, step, level, planned)
            case GroupStep():
                return await groups.group(self, step, level, planned)
            case SkillStep():
                return await skills.call(self, step, level, planned)
        raise TypeError(f"nothing plans `{action_of(step)}`")

    def holds(self, condition: Text | None, level: Level) -> bool | Unknown:
        """Whether a step's condition is true."""
        return True if condition is None else self.evaluator.truth(condition, level.scope.names)

    def outlined(self, step: Step, level: Level, path: str) -> PlannedStep:
        """What the file and the tool's declaration say of a step."""
        try:
            tool = self.caller.tool(step.tool) if isinstance(step, ToolStep) else None
        except (ToolError, DocumentError):
            tool = None  # whoever calls it says why
        return outlined(step, level.section, path, tool, self.parts.domains)

    def skipped(self, step: Step, level: Level, planned: PlannedStep) -> PlannedStep:
        """A step whose condition is false."""
        reason = "it was skipped because its condition was false"
        bind(step, level, absent(step, reason), path=planned.path, status=StepStatus.SKIPPED)
        told = f"{step.condition.text.strip()} is false" if step.condition else ""
        return replace(self.unreached(step, level, path=planned.path), verdict=Verdict.SKIPPED, because=told)

    def unreached(self, step: Step, level: Level, *, path: str) -> PlannedStep:
        """A step, with those inside it, that the run does not come to."""
        planned = replace(self.outlined(step, level, path), verdict=Verdict.NOT_REACHED)
        return replace(planned, steps=self._inner(step, level, path), undo=self._no_undo(step, level, path))

    def _inner(self, step: Step, level: Level, path: str) -> tuple[PlannedStep, ...]:
        return tuple(self.unreached(each, level, path=f"{path}/{each.name}") for each in inside(step))

    def _no_undo(self, step: Step, level: Level, path: str) -> PlannedStep | None:
        if step.undo is None:
            return None
        return self.unreached(step.undo, replace(level, section="undo"), path=undo_path(step, path))

    def failed(self, planned: PlannedStep, error: Exception, level: Level) -> Draft:
        """What becomes of a step that an error is known of; of one that perhaps does not run, it is only told."""
        message, place = getattr(error, "message", str(error)), getattr(error, "place", None) or planned.place
        hint = getattr(error, "hint", "")
        if level.doubt and not isinstance(error, ImpossibleError):
            self.tell(place, "may-fail", f"{planned.path} would fail with what is known now: {message}", hint)
            return Draft(planned=planned, value=Unknown(sources=(planned.path,), origin=planned.path))
        harmless = planned.on_error == OnError.CONTINUE or planned.section == "undo"
        severity = Severity.WARNING if harmless else Severity.ERROR
        self.tell(place, "would-fail", f"{planned.path} would fail: {message}", hint, severity)
        return Draft(planned=planned, failure=message)

    def tell(
        self, place: Place, code: str, message: str, hint: str = "", severity: Severity = Severity.WARNING
    ) -> None:
        """Notes a finding, once."""
        finding = Finding(place=place, code=code, message=message, hint=hint, severity=severity)
        if finding not in self.evaluator.findings:
            self.evaluator.findings.append(finding)

    def ended(self, step: Step, level: Level, draft: Draft, *, doubt: tuple[str, ...] = ()) -> PlannedStep:
        """Binds a planned step's value, gives it its verdict, and plans what would undo it."""
        planned, value, status = replace(draft.planned, depends=doubt), draft.value, draft.status
        planned = planned if planned.steps else replace(planned, steps=self._inner(step, level, planned.path))
        if draft.failure:
            return self._would_fail(step, level, planned, draft)
        if doubt or (step.on_error is OnError.CONTINUE and planned.may_fail):
            value, status = perhaps(value, doubt or (planned.path,), path=planned.path), None
        bind(step, level, value, path=planned.path, status=status)
        if doubt and planned.verdict is Verdict.WOULD_RUN:
            planned = replace(planned, verdict=Verdict.DEPENDS)
        return replace(planned, undo=self._undo(step, level, planned)) if step.undo else planned

    def _would_fail(self, step: Step, level: Level, planned: PlannedStep, draft: Draft) -> PlannedStep:
        path, failure = planned.path, draft.failure
        if step.on_error is OnError.CONTINUE:
            bind(step, level, absent(step, f"it would fail ({failure})"), path=path, status=StepStatus.TOLERATED)
            entries = {each.name: unknown_entry(each, path) for each in all_steps(inside(step))}
            level.scope.names["steps"].update(entries)
        else:
            message = f"the step {path} would fail: {failure}"
            if draft.end is not None:
                level.course.over = draft.end
            else:
                level.course.failing.append(PlannedEnd(status=RunStatus.FAILED, step=path, message=message))
            bind(step, level, Unknown(sources=(path,), origin=path), path=path, status=None)
        undo = self._no_undo(step, level, path)
        return replace(planned, verdict=Verdict.WOULD_FAIL, because=failure, undo=undo)

    def _undo(self, step: Step, level: Level, of: PlannedStep) -> PlannedStep | None:
        """What would take the step back, if the run does not end well after it."""
        if step.undo is None:
            return None
        cleaning = level.cleaning("undo")
        planned = self.outlined(step.undo, cleaning, undo_path(step, of.path))
        try:
            holds = self.holds(step.undo.condition, cleaning)
            args = self.evaluator.tree(step.undo.args, cleaning.scope.names)
            planned, _ = acts.placed(self, step.undo, cleaning, planned)
            self.caller.check(step.undo.tool, args)
        except (SandboxError, ToolError, DocumentError) as error:
            draft = self.failed(planned, error, cleaning)
            return replace(planned, verdict=Verdict.WOULD_FAIL, because=draft.failure) if draft.failure else planned
        unknown = {name: sources_in(value) for name, value in args.items() if not is_known(value)}
        planned = replace(planned, args=args, unknown={**planned.unknown, **unknown})
        if isinstance(holds, Unknown):
            return replace(planned, verdict=Verdict.DEPENDS, depends=holds.sources)
        return planned if holds else replace(planned, verdict=Verdict.SKIPPED, because="its condition is false")


def undo_path(step: Step, path: str) -> str:
    """The path of a step's undo: the undo's own name where the step's stands, and the same element."""
    before, slash, segment = path.rpartition("/")
    name = step.undo.name if step.undo else ""
    return f"{before}{slash}{name}{segment[len(step.name) :]}"
