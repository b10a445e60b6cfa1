"""Whatever skill is drawn, the engine does what the reference model says, also when its processes die meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine import Engine, Event, EventKind, RunResult, SkillExecutor
from engine.model.heal import HealMode
from tests.properties.drawn_skills import Calls, Drawn, drawn_skills, free, write
from tests.properties.reference_model import Reference

ENDED = {"ok", "failed", "blocked"}


def in_order(calls: list[str], drawn: Drawn) -> list[str]:
    """The calls whose order is promised; what is undone of branches comes in the order in which they ended."""
    loose = tuple(free((*drawn.steps, *drawn.always)))
    return [call for call in calls if not call.startswith(loose)] if loose else calls


def statuses(result: RunResult) -> dict[str, str]:
    """The status of every step by its path."""
    return {step.path: step.status.value for step in result.steps}


@given(drawn=drawn_skills())
@settings(max_examples=80, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
def test_a_run_does_what_the_reference_model_says(drawn: Drawn) -> None:
    """The calls in their order, how every step ends, and how the run ends."""
    folder = Path(mkdtemp())
    try:
        write(drawn, folder)
        calls, model = Calls(folder), Reference()
        ending, _ = model.run(drawn.steps, drawn.always)
        result = anyio.run(live, folder, lambda executor: executor.run("main"))
        assert (result.status, statuses(result)) == (ending, model.statuses)
        assert in_order(calls.made, drawn) == in_order(model.calls, drawn)
        assert sorted(calls.made) == sorted(model.calls)
    finally:
        shutil.rmtree(folder)


async def live(folder: Path, act: Callable[[SkillExecutor], Any], *, die_after: int | None = None) -> RunResult:
    """Does something with an engine of its own; a process that is to die does so once history has so many events."""
    seen = 0

    def count(event: Event) -> None:
        nonlocal seen
        seen += 1
        # Once history has the end of the run there is nothing to go on with.
        if seen == die_after and event.kind is not EventKind.RUN_FINISHED:
            os.kill(os.getpid(), signal.SIGKILL)

    tools = Calls(folder).tools()
    async with Engine.open(folder, home=folder / "home", tools=tools, heal=HealMode.OFF) as engine:
        result: RunResult = await act(SkillExecutor(engine, listeners=(count,)))
        return result


class Survival(RuleBasedStateMachine):
    """One run of one drawn skill, whose processes are killed now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.result: RunResult | None = None
        self.deaths = 0

    @initialize(drawn=drawn_skills(), after=st.integers(1, 60))
    def begin(self, drawn: Drawn, after: int) -> None:
        """The first process, which may die or come to the end."""
        self.drawn = drawn
        write(drawn, self.folder)
        self.live(lambda executor: executor.run("main"), after)

    @precondition(lambda self: self.result is None and self.deaths < 4)
    @rule(after=st.integers(1, 40))
    def resume_and_die(self, after: int) -> None:
        """Another process goes on with it, and may die too."""
        self.live(self.going_on(), after)

    @precondition(lambda self: self.result is None)
    @rule()
    def resume(self) -> None:
        """A process goes on with it to its end."""
        self.result = anyio.run(live, self.folder, self.going_on())

    @precondition(lambda self: self.result is not None)
    @rule()
    def stay(self) -> None:
        """A run that has ended stays as it is."""

    @invariant()
    def what_was_done_is_what_the_model_does(self) -> None:
        """No write worked twice, ever; once it has ended, it ended as if no process had died."""
        if not hasattr(self, "drawn"):
            return
        model = Reference()
        ending, _ = model.run(self.drawn.steps, self.drawn.always)
        expected = {call for call in model.calls if model.statuses.get(call) in {"ok", "healed"}}
        made = Calls(self.folder).made
        assert set(made) <= set(model.calls)
        if self.result is not None:
            assert (self.result.status, calmer(statuses(self.result))) == (ending, calmer(model.statuses))
            assert set(made) == set(model.calls)
        once = [call for call in expected if "healed" not in model.statuses[call]]
        assert all(made.count(call) <= 1 for call in once)

    def teardown(self) -> None:
        """Nothing is left behind."""
        shutil.rmtree(self.folder)

    def going_on(self) -> Callable[[SkillExecutor], Any]:
        """Resumes the run, or begins it if its process died before that was known."""
        newest = anyio.run(_newest, self.folder)
        return lambda executor: executor.resume(newest) if newest else executor.run("main")

    def live(self, act: Callable[[SkillExecutor], Any], die_after: int) -> None:
        """A process that dies after so many events, unless it comes to the end before."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                anyio.run(dying, self.folder, act, die_after)
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or status == 0, "a process broke"
        self.deaths += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status):
            self.result = anyio.run(_kept, self.folder)


async def dying(folder: Path, act: Callable[[SkillExecutor], Any], die_after: int) -> RunResult:
    """As `live`, by position."""
    return await live(folder, act, die_after=die_after)


def calmer(told: dict[str, str]) -> dict[str, str]:
    """A step whose failed try was in a process that died before it could tell is ok, not healed."""
    return {path: "ok" if status == "healed" else status for path, status in told.items()}


async def _newest(folder: Path) -> str:
    async with Engine.open(folder, home=folder / "home") as engine:
        return next((run.id for run in engine.journal.runs(limit=1)), "")


async def _kept(folder: Path) -> RunResult:
    """The run's end as history has it."""
    async with Engine.open(folder, home=folder / "home") as engine:
        run = engine.journal.runs(limit=1)[0]
        steps = tuple(step_of(step.name, step.status) for step in engine.journal.steps(run.id))
        return RunResult(run_id=run.id, skill=run.skill, status=run.status, steps=steps)


def step_of(path: str, status: Any) -> Any:
    """A step of history as a result."""
    from engine import StepResult  # noqa: PLC0415 - only here

    return StepResult(name=path, path=path, status=status)


TestSurvival = Survival.TestCase
TestSurvival.settings = settings(
    max_examples=15, stateful_step_count=5, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
