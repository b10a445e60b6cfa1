"""`DryRunner`: says what a run would do, as far as that can be known, without doing any of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from engine.errors import JournalError
from engine.library import bind_inputs
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus
from engine.model.place import Finding, Place, Severity
from engine.model.secret import MASK
from engine.model.skill import Skill
from engine.run.dry import checks, needs, skills, tokens
from engine.run.dry.calls import Caller
from engine.run.dry.evaluate import Evaluator
from engine.run.dry.level import Course, Level
from engine.run.dry.plan import Expected, Plan
from engine.run.dry.showing import masked, sources_of
from engine.run.dry.surroundings import DryParts
from engine.run.dry.unknown import THE_RUN, Unknown
from engine.run.dry.walk import Walk

RECENT = 20
"""Good runs whose mean is expected of the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunner:
    """Plans runs.

    With `reads`, tools that only read are really called, without healing. `answers` are given to questions, by the
    step's path or its name; a question without one is answered by its default, if it has one and `takes_defaults`.
    """

    parts: DryParts
    reads: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)
    takes_defaults: bool = False

    async def plan(
        self, skill: str | Skill, inputs: Mapping[str, Any] | None = None, *, from_text: Collection[str] = ()
    ) -> Plan:
        """What a run of a skill, by name, path or value, would do.

        Writes nothing, and calls nothing without `reads`. Raises SkillNotFoundError, SkillInvalidError and InputError
        as a run does; what else would go wrong stands in the plan.
        """
        parts = self.parts
        loaded = parts.library.load(skill) if isinstance(skill, str) else skill
        bound = bind_inputs(loaded, inputs or {}, from_text=from_text)
        for declared in loaded.inputs:
            if declared.secret:
                parts.secrets.add(bound[declared.name])
        walk = Walk(
            parts=parts,
            caller=Caller(parts=parts, reads=self.reads),
            evaluator=Evaluator(sandbox=parts.sandbox),
            answers=self.answers,
            takes_defaults=self.takes_defaults,
        )
        scope = skills.scope_of(parts, loaded, bound, self._run(loaded))
        found = await skills.whole(walk, loaded, Level(skill=loaded, scope=scope, course=Course()))
        return await self._plan(walk, loaded, bound, found)

    async def _plan(self, walk: Walk, skill: Skill, bound: Mapping[str, Any], found: skills.Planned) -> Plan:
        expected = self._expected(walk, skill)
        every = (*found.steps, *found.always)
        needed = needs.look_at(self.parts, every, walk.caller.tool)
        looked = await checks.look_at(self.parts, walk.caller, needed, expected, reads=self.reads)
        held = (*looked, *await tokens.look_at(self.parts, walk.caller, needed, expected, reads=self.reads))
        missing = needs.lacks((*needed, *held))
        hidden = {declared.name for declared in skill.inputs if declared.secret}
        plan = Plan(
            skill=skill.name,
            file=skill.file,
            profile=self.parts.profile,
            reads=self.reads,
            inputs={name: MASK if name in hidden and value is not None else value for name, value in bound.items()},
            steps=needs.cannot(found.steps, missing),
            always=needs.cannot(found.always, missing),
            outputs=found.outputs,
            needs=(*needed, *held),
            sources=sources_of(every, found.outputs),
            findings=tuple(walk.evaluator.findings),
            expected=expected,
            end=found.end,
        )
        return masked(plan, self.parts.secrets)

    def _run(self, skill: Skill) -> dict[str, Any]:
        """What `run` says: as if it began now, but for the id, which every run makes anew."""
        return {
            "id": Unknown(sources=(THE_RUN,), origin=THE_RUN, trail=("id",), schema={"type": "string"}),
            "name": skill.name,
            "started_at": self.parts.clock(),
            "status": RunStatus.RUNNING.value,
            "message": "",
        }

    def _expected(self, walk: Walk, skill: Skill) -> Expected | None:
        """How long such runs took; a history that cannot be read keeps nobody from planning."""
        try:
            past = self.parts.journal.runs(limit=RECENT, skill=skill.name, status=RunStatus.OK)
        except JournalError as error:
            walk.evaluator.findings.append(_unreadable(skill, error))
            return None
        took = [run.duration for run in past if run.duration is not None]
        return Expected(seconds=sum(took) / len(took), runs=len(took)) if took else None


def _unreadable(skill: Skill, error: JournalError) -> Finding:
    place = Place(file=skill.file, line=1, column=1)
    message = f"how long the run takes is not known: {error.message}"
    return Finding(place=place, code="no-history", message=message, hint=error.hint, severity=Severity.WARNING)
