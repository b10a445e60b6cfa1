"""Where a dry run stands: in which skill, with which names, and what it has found out on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Absent, RunStatus, StepStatus
from engine.model.skill import Skill, Step
from engine.run.dry.plan import PlannedEnd, PlannedStep
from engine.run.dry.unknown import THE_RUN, Unknown
from engine.run.scope import Scope

ENTRY_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "status": {"type": "string", "enum": [status.value for status in StepStatus]},
    "error": {"type": ["string", "null"]},
    "kind": {"type": ["string", "null"]},
    "attempts": {"type": "integer"},
    "healed": {"type": "boolean"},
    "duration": {"type": "number"},
}
"""What `steps.NAME` holds of a step that will have run."""

UNSURE_END: Mapping[str, Unknown] = {
    name: Unknown(sources=(THE_RUN,), origin=THE_RUN, trail=(name,), schema={"type": "string"})
    for name in ("status", "message")
}
"""What `run` says of its end where nobody knows that yet."""


@dataclass(slots=True)
class Course:
    """How far one skill surely comes.

    `over` is where it surely ends before its last step. `failing` are the steps that would end it by failing, as far as
    can be known; the walk goes on past them, to find what else is wrong. `doubts` are those that may end it.
    """

    over: PlannedEnd | None = None
    failing: list[PlannedEnd] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def branch(self) -> Course:
        """The course of a branch, whose end does not keep the other branches from beginning."""
        return Course(doubts=self.doubts)

    @property
    def end(self) -> PlannedEnd | None:
        """The first end that is known."""
        return self.failing[0] if self.failing else self.over


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the walk.

    `prefix` is the path of what the steps stand in, with its slash. `doubt` is what it hangs on whether they run at
    all; `broken` that a step before would fail, so that the run does not come this far. `skills` are those this one was
    called by.
    """

    skill: Skill
    scope: Scope
    course: Course
    prefix: str = ""
    section: str = "steps"
    doubt: tuple[str, ...] = ()
    broken: bool = False
    skills: tuple[str, ...] = ()

    def doubted(self, sources: Sequence[str]) -> Level:
        """The same level, for steps that perhaps do not run."""
        return replace(self, doubt=tuple(dict.fromkeys((*self.doubt, *sources))))

    def cleaning(self, section: str, end: PlannedEnd | None = None, *, surely: bool = False) -> Level:
        """The same level once its steps are over: `run` says how they ended, when that is sure; without `end`, well."""
        ended = {"status": (end.status if end else RunStatus.OK).value, "message": end.message if end else ""}
        run = {**self.scope.names["run"], **(ended if surely else UNSURE_END)}
        return replace(self, section=section, scope=Scope(names={**self.scope.names, "run": run}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step as planned so far, and its value; `failure` is why it would fail, `status` how it would end otherwise.

    `end` is how the run would end with it, where that is not simply as failed.
    """

    planned: PlannedStep
    value: Any = None
    failure: str = ""
    status: StepStatus | None = None
    end: PlannedEnd | None = None


def bind(step: Step, level: Level, value: Any, *, path: str, status: StepStatus | None) -> None:
    """Makes the value and the `steps.NAME` entry of a planned step known to later texts; `status` None: not known."""
    level.scope.names[step.output] = value
    entry = unknown_entry(step, path)
    if status is not None:
        entry |= {"status": status.value, "healed": False}
    if status in {StepStatus.OK, StepStatus.SKIPPED}:
        entry |= {"error": None, "kind": None}
    level.scope.names["steps"][step.name] = entry


def unknown_entry(step: Step, path: str) -> dict[str, Any]:
    """The `steps.NAME` entry of a step of which nobody knows how it will end."""
    return {
        name: Unknown(sources=(path,), origin=f"steps.{step.name}", trail=(name,), schema=schema)
        for name, schema in ENTRY_SCHEMAS.items()
    }


def perhaps(value: Any, sources: Sequence[str], *, path: str) -> Any:
    """The value of a step that perhaps does not run; of one that is unknown anyway, more hangs on it."""
    if isinstance(value, Unknown):
        return replace(value, sources=tuple(dict.fromkeys((*value.sources, *sources))))
    return Unknown(sources=tuple(dict.fromkeys(sources)), origin=path)


def absent(step: Step, reason: str) -> Absent:
    """Stands for the value of a step that has none."""
    return Absent(step=step.name, reason=reason)
