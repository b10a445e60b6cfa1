"""What history tells: runs, steps, attempts and fixes as they were written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.model.outcome import RunStatus, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run; times in seconds since the epoch, `duration` in seconds.

    `alive` is asked of the machine for a run without an end: whether the process that ran it still does; None when it
    ended, or ran on another machine.
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

    @property
    def interrupted(self) -> bool:
        """Whether its process died before the run ended."""
        return self.status is RunStatus.RUNNING and self.alive is False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of a run; `status` None while it runs, `failure` and `first_failure` as the event gave them."""

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
    value: Any = None


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
