"""What history tells: runs, steps, attempts and fixes as they were written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus, StepStatus
from engine.model.question import Question
from engine.model.remediation import RootCause


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run; times in seconds since the epoch, `duration` in seconds.

    `alive` is asked of the machine for a run that is running: whether a process still has it; None for one that ended
    or waits, or was begun on another machine. `questions` are those a waiting run has open, `reused_from` the run whose
    outputs it took over.
    """

    id: str
    skill: str
    status: RunStatus
    started_at: float
    version: str = ""
    file: str = ""
    digest: str = ""
    profile: str = ""
    message: str = ""
    finished_at: float | None = None
    duration: float | None = None
    healed: int = 0
    pid: int = 0
    host: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    alive: bool | None = None
    reused_from: str = ""
    cancel_requested: bool = False
    questions: tuple[Question, ...] = ()

    @property
    def tool(self) -> str:
        """The tool, of a run that is a single call of one; empty of any other."""
        return self.file.removeprefix(f"{self.skill} ") if self.file.startswith(f"{self.skill} ") else ""

    @property
    def interrupted(self) -> bool:
        """Whether its process died before the run ended."""
        return self.status is RunStatus.RUNNING and self.alive is False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of a run; `status` None while it runs, `failure` and `first_failure` as the event gave them.

    `name` is its path in the run. `begun` counts the processes that began it; `foreach` says that it is the whole of
    many elements, `reused` that its output was taken over from another run. `value` may be cut.
    """

    name: str
    status: StepStatus | None
    started_at: float
    position: int = 0
    section: str = ""
    action: str = ""
    call: str = ""
    finished_at: float | None = None
    duration: float | None = None
    attempts: int = 0
    fixes: tuple[str, ...] = ()
    reason: str = ""
    failure: Mapping[str, Any] | None = None
    first_failure: Mapping[str, Any] | None = None
    remediation: tuple[str, ...] = ()
    root_cause: RootCause | None = None
    value: Any = None
    begun: int = 1
    foreach: bool = False
    reused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """One look before a run (`step` empty) or a call; `ok` None: not known, `message` what it came to in a sentence."""

    check: str
    domain: str
    ok: bool | None
    action: str
    at: float
    kind: str = ""
    fix: str = ""
    step: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRecord:
    """One use of a fix.

    `ok` says that the fix itself worked, `helped` that the call it was for worked afterwards (None: not known);
    `shared` that the outcome of somebody else's fix was used.
    """

    fix: str
    domain: str
    ok: bool
    helped: bool | None
    shared: bool
    signature: str
    kind: str
    pattern: str
    started_at: float
    finished_at: float
    run_id: str
    step: str
