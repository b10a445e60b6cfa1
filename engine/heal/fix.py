"""Running a fix once for everybody who needs it.

A fix is single-flight per (fix, domain) across steps, runs and processes: whoever comes first holds the lock and runs
it, the others wait and use the outcome. The lock is a file held by `flock`, so a killed process never leaves it locked,
and the file itself holds the last outcome, written only while locked.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from engine.errors import WorkspaceError
from engine.model.failure import Failure
from engine.model.heal import FixOutcome, FixPlan
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.secret import Secrets
from engine.model.tracing import Purpose
from engine.workspace import make_private

POLL = 0.05
"""Seconds between looks at a lock or at a readiness check that is not yet true."""

PATIENCE = 600.0
"""Seconds to wait for another process that is running the fix; a stopped process would hold its lock for ever."""

MESSAGE_LIMIT = 2_000
"""Characters of a fix's failure that are kept for those who share its outcome."""

RunCall = Callable[[ToolCall], Awaitable[Attempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRunner:
    """Runs fixes; `folder` holds a lock file per (fix, domain), `clock` gives seconds since the epoch."""

    folder: Path
    clock: Callable[[], float]
    secrets: Secrets
    patience: float = PATIENCE

    async def run(
        self, plan: FixPlan, *, domain: str, failed_since: float, call: RunCall, beforehand: bool = False
    ) -> FixOutcome:
        """The outcome of the fix for a call that began at `failed_since` and failed.

        An outcome that is newer than that call is shared; one that worked less than `cooldown` seconds ago is not
        repeated, unless that was `beforehand` and now something has failed for want of it. Raises WorkspaceError when
        the lock file cannot be written, or another process does not let go of it.
        """
        async with self._locked(plan.call.tool, f"{domain}.{os.getpid()}" if plan.of_process else domain) as kept:
            last = kept.read(self.clock())
            if last and last["finished_at"] >= failed_since:
                failure = None if last["ok"] else Failure(message=last["message"], tool=plan.call.tool)
                return _shared(plan, domain, last, failure)
            foreseen = last is not None and last["beforehand"] and not beforehand
            if last and last["ok"] and not foreseen and self.clock() - last["finished_at"] < plan.cooldown:
                return self._too_soon(plan, domain, last)
            outcome = await self._act(plan, domain, call)
            kept.write(outcome, self.secrets, beforehand=beforehand)
            return outcome

    async def _act(self, plan: FixPlan, domain: str, call: RunCall) -> FixOutcome:
        started = self.clock()
        done = await call(plan.call)
        failure = done.failure or await _not_ready(plan, call)
        return FixOutcome(
            fix=plan.call.tool,
            domain=domain,
            call=plan.call,
            ok=failure is None,
            shared=False,
            started_at=started,
            finished_at=self.clock(),
            failure=failure,
        )

    def _too_soon(self, plan: FixPlan, domain: str, last: dict[str, Any]) -> FixOutcome:
        age = self.clock() - last["finished_at"]
        reason = (
            f"{plan.call.tool} worked {age:.0f} s ago and is not repeated within {plan.cooldown:g} s; "
            f"try again in {plan.cooldown - age:.0f} s"
        )
        return replace(_shared(plan, domain, last, Failure(message=reason, tool=plan.call.tool)), ran=False)

    @asynccontextmanager
    async def _locked(self, fix: str, domain: str) -> AsyncIterator[_Kept]:
        path = self.folder / f"{_slug(fix)}--{_slug(domain)}.json"
        try:
            make_private(self.folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise WorkspaceError(
                f"{path} cannot be written: {error.strerror}", hint="set SKILL_HOME to a folder you may write to"
            ) from error
        try:
            with anyio.move_on_after(self.patience) as waiting:
                await _lock(descriptor)
            if waiting.cancelled_caught:
                raise WorkspaceError(
                    f"another process has been running {fix} for {self.patience:g} s", hint=f"see who holds {path}"
                )
            yield _Kept(descriptor)
        finally:
            os.close(descriptor)


def purpose_of(call: ToolCall, plan: FixPlan) -> Purpose:
    """What a call of a fix is for: the repair itself, or a look whether it is true by now."""
    return Purpose.FIX if call is plan.call else Purpose.LOOK


async def _lock(descriptor: int) -> None:
    """Waits for the lock without blocking the event loop; a cancelled wait leaves nothing behind."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await anyio.sleep(POLL)
        else:
            return


async def _not_ready(plan: FixPlan, call: RunCall) -> Failure | None:
    """Polls the plan's check until it is true; the failure of the last look when it never was."""
    if plan.verify is None:
        return None
    failure: Failure | None = None
    with anyio.move_on_after(plan.ready_within):
        while True:
            look = await call(plan.verify)
            if look.failure is None:
                return None
            failure = look.failure
            await anyio.sleep(POLL * 4)
    said = failure.message if failure else "it gave no answer"
    return Failure(
        message=f"{plan.call.tool} ran, but {plan.verify.tool} was not true within {plan.ready_within:g} s: {said}",
        tool=plan.call.tool,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last outcome, kept in the locked file; anything unreadable counts as none."""

    descriptor: int

    def read(self, now: float) -> dict[str, Any] | None:
        try:
            kept = json.loads(os.pread(self.descriptor, 65_536, 0) or b"null")
            began, ended = float(kept["started_at"]), float(kept["finished_at"])
            last = {"ok": bool(kept["ok"]), "message": str(kept["message"]), "started_at": began, "finished_at": ended}
            last["beforehand"] = bool(kept.get("beforehand"))
        except (ValueError, KeyError, TypeError, RecursionError, OSError):
            return None
        # An outcome from the future (a clock that was set back) would be shared with every failure until then.
        return last if ended <= now else None

    def write(self, outcome: FixOutcome, secrets: Secrets, *, beforehand: bool) -> None:
        kept = {
            "beforehand": beforehand,
            "ok": outcome.ok,
            "started_at": outcome.started_at,
            "finished_at": outcome.finished_at,
            "message": secrets.mask(outcome.failure.message)[:MESSAGE_LIMIT] if outcome.failure else "",
        }
        # On a full disk the fix has run all the same, and this call goes on; others find no outcome and run it again.
        with suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, json.dumps(kept).encode(), 0)


def _shared(plan: FixPlan, domain: str, last: dict[str, Any], failure: Failure | None) -> FixOutcome:
    """An earlier run of the fix as this call sees it; `failure` says why it does not help here."""
    return FixOutcome(
        fix=plan.call.tool,
        domain=domain,
        call=plan.call,
        ok=failure is None,
        shared=True,
        started_at=last["started_at"],
        finished_at=last["finished_at"],
        failure=failure,
    )


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
