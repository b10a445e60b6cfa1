"""Where a walk stands: in which skill, under which path, with which names, and whether it may begin anything new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from engine.heal.request import HealRequest
from engine.model.failure import Failure
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import StepResult
from engine.model.past import PastStep
from engine.model.skill import Skill, Step, ToolStep
from engine.run.ending import Ended, Ending
from engine.run.running import Running
from engine.run.scope import Scope


@dataclass(slots=True)
class Gate:
    """Whether something new may begin; closing one closes those inside it."""

    outer: Gate | None = None
    shut: bool = False

    @property
    def closed(self) -> bool:
        """Whether this gate or one around it is closed."""
        return self.shut or (self.outer is not None and self.outer.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A step to take back: the call that does so, and the names it sees.

    `of` is the path of the step, `output` the name of its value, `order` when it ended; `unsure` is its call, when
    nobody knows whether it had its effect.
    """

    step: ToolStep
    scope: Scope
    path: str
    of: str
    output: str
    order: int = 0
    unsure: HealRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One level of a walk.

    `prefix` is the path of what the steps stand in, with its slash; `at` the path of the skill's own step, "" for the
    run's skill. `undo` and `resting` belong to the skill: what to take back, and sub-skills that wait for an answer.
    `replaying`: everything here has ended before and is only read again. `skills` are those this one was called by.
    """

    skill: Skill
    scope: Scope
    gate: Gate
    prefix: str = ""
    at: str = ""
    section: str = "steps"
    replaying: bool = False
    undo: list[Undo] = field(default_factory=list)
    resting: list[Frame] = field(default_factory=list)
    skills: tuple[str, ...] = ()


class Walks(Protocol):
    """The walk as seen by the steps that hold others."""

    @property
    def running(self) -> Running:
        """The run."""

    async def sequence(self, steps: Sequence[Step], frame: Frame) -> Ending | None:
        """Performs steps in order until one ends them."""

    async def step(self, step: Step, frame: Frame, *, index: int) -> Ending | None:
        """Performs one step, with all its elements."""

    async def one(self, step: Step, frame: Frame, *, path: str, index: int) -> Ended:
        """Performs a step that is no `foreach`, or one element."""

    def ended(
        self,
        step: Step,
        frame: Frame,
        result: StepResult,
        event: Mapping[str, Any],
        *,
        ending: Ending | None = None,
        past: PastStep | None = None,
        repeatable: bool = True,
    ) -> Ended:
        """Notes a step's end."""

    def cut_off(self, step: Step, frame: Frame, path: str, *, started: float) -> None:
        """Notes the end of a step that was cut off from outside."""


Judge = Callable[[Any], Failure | None]
"""Says what is wrong with a value; None when it is what the author expected."""
