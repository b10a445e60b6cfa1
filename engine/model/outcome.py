"""How calls, steps and runs end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from engine.model.call import ToolCall
from engine.model.failure import Failure
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place
from engine.model.prevention import CheckResult
from engine.model.question import Question
from engine.model.remediation import RootCause

__all__ = ["Absent", "Attempt", "RunResult", "RunStatus", "StepResult", "StepStatus", "ToolCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one call; times are seconds since the epoch, `failure` None when it worked."""

    number: int
    call: ToolCall
    started_at: float
    finished_at: float
    value: Any = None
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether the call worked."""
        return self.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Stands for the output of a step that has none; author's text sees None, errors say `reason`."""

    step: str
    reason: str


class StepStatus(StrEnum):
    """How a step ends."""

    OK = "ok"
    HEALED = "healed"
    SKIPPED = "skipped"
    TOLERATED = "tolerated"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """A finished step; `duration` in seconds, `place` where it stands in the skill file, `path` where in the run."""

    name: str
    status: StepStatus
    value: Any = None
    failure: Failure | None = None
    first_failure: Failure | None = None
    attempts: int = 0
    fixes: tuple[str, ...] = ()
    duration: float = 0.0
    remediation: tuple[str, ...] = ()
    root_cause: RootCause | None = None
    reason: str = ""
    place: Place | None = None
    path: str = ""


class RunStatus(StrEnum):
    """How a run ends, or rests (`waiting`)."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A finished run, or one that waits for the answers to `questions`.

    `steps` holds every step in the order it ended, the steps inside of others too. `message` says in a sentence why it
    did not end ok; `timed_out` is true when its own deadline ended it;
    `notes` are things worth a person's eye (an output that did not render, an undo that failed); `preflight` is what
    was looked at, and repaired, before the first step.
    """

    run_id: str
    skill: str
    status: RunStatus
    steps: tuple[StepResult, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    notes: tuple[str, ...] = ()
    duration: float = 0.0
    timed_out: bool = False
    questions: tuple[Question, ...] = ()
    preflight: tuple[CheckResult, ...] = ()

    @property
    def healed(self) -> int:
        """How many steps failed, were fixed, and worked."""
        return sum(step.status is StepStatus.HEALED for step in self.steps)

    def step(self, name: str) -> StepResult:
        """The result of the step with that path, else of the first called `name`; KeyError if it did not run."""
        for step in (*(each for each in self.steps if each.path == name), *self.steps):
            if name in {step.path, step.name}:
                return step
        raise KeyError(name)
