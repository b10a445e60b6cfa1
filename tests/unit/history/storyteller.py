"""A storyteller that records runs the way the executor does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from engine.history import History
from engine.model.event import Event, EventKind

NOON = 1_795_176_000.0
"""2026-11-20 12:00:00 UTC, a Friday in week 47."""


class Storyteller:
    """Records what an executor would; times move on by a second with every event."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.now = NOON

    def tell(self, run: str, kind: EventKind, step: str = "", /, **fields: Any) -> Event:
        """Records one event and returns it."""
        self.now += 1
        event = Event(kind=kind, run_id=run, at=self.now, step=step, data=fields)
        self.history.record(event)
        return event

    def begin(self, run: str, *, skill: str = "deploy", pid: int | None = None, **fields: Any) -> None:
        """Starts a run of this process."""
        given = {"version": "1", "file": "deploy.yaml", "digest": "d1", "text": "name: deploy\n", "profile": "local"}
        inputs = {"inputs": {"mr_id": 7}, "pid": os.getpid() if pid is None else pid}
        self.tell(run, EventKind.RUN_STARTED, skill=skill, **{**given, **inputs, **fields})

    def end(self, run: str, *, status: str = "ok", duration: float = 2.0, **fields: Any) -> None:
        """Ends a run."""
        given = {"message": "", "outputs": {"url": "x"}, "notes": ["n"], "healed": 0}
        self.tell(run, EventKind.RUN_FINISHED, status=status, duration=duration, **{**given, **fields})

    def attempt(self, run: str, step: str, *, number: int = 1, failure: Mapping[str, Any] | None = None) -> None:
        """One attempt of a step, failed when a failure is given."""
        self.tell(
            run,
            EventKind.ATTEMPT_FINISHED,
            step,
            number=number,
            tool="kubectl_get_pods",
            args={"namespace": "n"},
            ok=failure is None,
            started_at=self.now,
            finished_at=self.now + 0.5,
            failure=failure,
        )

    def fix(self, run: str, step: str, *, ok: bool = True, shared: bool = False, fix: str = "kube_login") -> None:
        """One use of a fix, whose worth is not known yet."""
        self.tell(
            run,
            EventKind.FIX_FINISHED,
            step,
            fix=fix,
            domain="ephemeral",
            ok=ok,
            shared=shared,
            started_at=self.now,
            finished_at=self.now + 1,
            kind="auth_expired",
            signature="kubectl_get_pods:auth_expired:401",
            pattern="unauthorized",
        )

    def failing_step(
        self, run: str, step: str, *, helped: bool | None = True, shared: bool = False, pattern: str = "unauthorized"
    ) -> None:
        """A step that fails, is fixed, and works (`helped`) or fails for good."""
        failure = {"kind": "auth_expired", "message": "401 Unauthorized", "evidence": {"http_status": 401}}
        self.tell(run, EventKind.STEP_STARTED, step, index=0, action="tool", section="steps", call="kubectl_get_pods")
        self.attempt(run, step, failure=failure)
        self.fix(run, step, shared=shared)
        self.attempt(run, step, number=2, failure=None if helped else failure)
        self.tell(
            run,
            EventKind.STEP_FINISHED,
            step,
            status="healed" if helped else "failed",
            duration=1.5,
            attempts=2,
            fixes=["kube_login"],
            reason="",
            failure=None if helped else failure,
            first_failure=failure,
            remediation=[] if helped else ["log in"],
            value={"pods": 3} if helped else None,
            healed_by=[{"fix": "kube_login", "domain": "ephemeral", "shared": shared, "helped": helped}],
            diagnosis={"kind": "auth_expired", "pattern": pattern, "right": helped},
        )
