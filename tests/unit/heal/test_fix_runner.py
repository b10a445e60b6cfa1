"""A fix runs once for everybody who needs it."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from engine.errors import WorkspaceError
from engine.heal.fix import FixRunner, RunCall
from engine.model.failure import Failure
from engine.model.heal import FixOutcome, FixPlan
from engine.model.outcome import Attempt, ToolCall
from engine.model.secret import Secrets

LOGIN = FixPlan(call=ToolCall(tool="login"), cooldown=0.0)


def caller(calls: list[str], *, fails: Callable[[str], str] = lambda _: "") -> RunCall:
    """Runs calls by noting them; `fails` gives the message with which one fails."""

    async def call(wanted: ToolCall) -> Attempt:
        calls.append(wanted.tool)
        await anyio.sleep(0.02)
        message = fails(wanted.tool)
        failure = Failure(message=message) if message else None
        return Attempt(number=1, call=wanted, started_at=0, finished_at=0, failure=failure)

    return call


@pytest.fixture
def runner(tmp_path: Path) -> FixRunner:
    """A runner with a folder of its own."""
    return FixRunner(folder=tmp_path / "fixes", clock=time.time, secrets=Secrets())


async def test_ten_steps_cause_one_login_and_share_its_outcome(runner: FixRunner) -> None:
    """Whoever comes first runs the fix; the others wait and use what came of it."""
    calls: list[str] = []
    outcomes: list[FixOutcome] = []
    failed_since = time.time()

    async def step() -> None:
        outcomes.append(await runner.run(LOGIN, domain="d", failed_since=failed_since, call=caller(calls)))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(step)
    assert calls == ["login"]
    assert [outcome.ok for outcome in outcomes] == [True] * 10
    assert sum(outcome.shared for outcome in outcomes) == 9


async def test_what_repairs_one_process_is_shared_with_no_other(runner: FixRunner) -> None:
    """Ten steps of a process cause one restart; another process, whose own part is broken too, runs its own."""
    calls: list[str] = []
    plan, began = replace(LOGIN, of_process=True), time.time()
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(lambda: runner.run(plan, domain="d", failed_since=began, call=caller(calls)))
    assert calls == ["login"]
    assert not (runner.folder / "login--d.json").exists()
    assert not (await runner.run(LOGIN, domain="d", failed_since=began, call=caller(calls))).shared


async def test_a_failed_fix_is_shared_as_a_failure(runner: FixRunner) -> None:
    """Those who waited for a login that failed are told so, and do not try it one after another."""
    calls: list[str] = []
    began = time.time()
    refuse = caller(calls, fails=lambda _: "no such user")
    first = await runner.run(LOGIN, domain="d", failed_since=began, call=refuse)
    second = await runner.run(LOGIN, domain="d", failed_since=began, call=refuse)
    assert (first.ok, second.ok, second.shared) == (False, False, True)
    assert second.failure is not None
    assert second.failure.message == "no such user"
    assert calls == ["login"]


async def test_a_later_failure_runs_the_fix_again(runner: FixRunner) -> None:
    """An outcome is only shared with calls that began before it."""
    calls: list[str] = []
    await runner.run(LOGIN, domain="d", failed_since=time.time(), call=caller(calls))
    await runner.run(LOGIN, domain="d", failed_since=time.time() + 0.001, call=caller(calls))
    assert calls == ["login", "login"]


async def test_a_fix_that_just_worked_is_not_repeated(runner: FixRunner) -> None:
    """Within its cool-down a fix that worked and did not help is not tried again, and the outcome says why."""
    plan = FixPlan(call=ToolCall(tool="login"), cooldown=60.0)
    calls: list[str] = []
    await runner.run(plan, domain="d", failed_since=time.time(), call=caller(calls))
    await anyio.sleep(0.002)
    again = await runner.run(plan, domain="d", failed_since=time.time(), call=caller(calls))
    assert calls == ["login"]
    assert not again.ok
    assert again.failure is not None
    assert "is not repeated within 60 s" in again.failure.message


async def test_other_domains_have_their_own_login(runner: FixRunner) -> None:
    """Single-flight is per fix and domain."""
    calls: list[str] = []
    since = time.time()
    await runner.run(LOGIN, domain="stage", failed_since=since, call=caller(calls))
    await runner.run(LOGIN, domain="production", failed_since=since, call=caller(calls))
    assert calls == ["login", "login"]


async def test_readiness_is_polled_until_true(runner: FixRunner) -> None:
    """A fix counts as done only when its check is true, even if that takes a moment."""
    plan = FixPlan(call=ToolCall(tool="start"), verify=ToolCall(tool="ready"), ready_within=5.0)
    calls: list[str] = []
    call = caller(calls, fails=lambda tool: "not yet" if tool == "ready" and calls.count("ready") < 3 else "")
    outcome = await runner.run(plan, domain="d", failed_since=time.time(), call=call)
    assert outcome.ok
    assert calls == ["start", "ready", "ready", "ready"]


async def test_a_fix_that_is_never_ready_failed_and_says_what_was_not_true(runner: FixRunner) -> None:
    """The check's last word is part of the fix's failure."""
    plan = FixPlan(call=ToolCall(tool="start"), verify=ToolCall(tool="ready"), ready_within=0.3)
    call = caller([], fails=lambda tool: "still down" if tool == "ready" else "")
    outcome = await runner.run(plan, domain="d", failed_since=time.time(), call=call)
    assert not outcome.ok
    assert outcome.failure is not None
    assert "still down" in outcome.failure.message


async def test_a_mangled_record_counts_as_none(runner: FixRunner) -> None:
    """Whatever stands in the lock file, the fix can run."""
    runner.folder.mkdir(parents=True)
    (runner.folder / "login--d.json").write_text("{mangled")
    assert (await runner.run(LOGIN, domain="d", failed_since=time.time(), call=caller([]))).ok


async def test_a_folder_that_cannot_be_written_says_the_way_out(tmp_path: Path) -> None:
    """No lock, no fix: the error names the path and SKILL_HOME."""
    (tmp_path / "file").write_text("")
    runner = FixRunner(folder=tmp_path / "file" / "fixes", clock=time.time, secrets=Secrets())
    with pytest.raises(WorkspaceError, match="SKILL_HOME"):
        await runner.run(LOGIN, domain="d", failed_since=time.time(), call=caller([]))


async def test_secrets_in_a_fix_failure_are_masked_on_disk(tmp_path: Path) -> None:
    """The record others read never holds a secret value."""
    secrets = Secrets()
    secrets.add("hunter2-secret")
    runner = FixRunner(folder=tmp_path, clock=time.time, secrets=secrets)
    call = caller([], fails=lambda _: "bad password hunter2-secret")
    await runner.run(LOGIN, domain="d", failed_since=time.time(), call=call)
    assert "hunter2" not in (tmp_path / "login--d.json").read_text()


async def test_an_outcome_from_the_future_is_not_believed(runner: FixRunner) -> None:
    """A clock that was set back must not make every failure until then share one old login."""
    calls: list[str] = []
    runner.folder.mkdir(parents=True)
    kept = {"ok": True, "message": "", "started_at": time.time() + 3600, "finished_at": time.time() + 3600}
    (runner.folder / "login--d.json").write_text(json.dumps(kept))
    assert not (await runner.run(LOGIN, domain="d", failed_since=time.time(), call=caller(calls))).shared
    assert calls == ["login"]


async def test_nobody_waits_for_ever_for_a_lock(runner: FixRunner) -> None:
    """A process that was stopped with the lock in its hand holds it for ever; the error names the file."""
    runner.folder.mkdir(parents=True)
    with (runner.folder / "login--d.json").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceError, match=r"login for 0.2 s.*login--d.json"):
            await replace(runner, patience=0.2).run(LOGIN, domain="d", failed_since=0.0, call=caller([]))
