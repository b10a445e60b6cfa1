"""One simulated month through the real engine: its runs, its nights of learning, and what came of it.

Runs, history, memory, healing, prediction and learning are the shipped ones; only the clocks, the run ids and the tools
are those of the simulated world. Time is virtual: nothing waits.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path

import anyio

from bench.simulated_world import DAY, HOUR, Cause, Month, Touched, World, tools
from engine import Engine, SkillExecutor
from engine.heal.predict.effect import alike
from engine.history import History
from engine.improve.dashboard import figures_of, write_dashboard
from engine.improve.sequences import learn_sequences
from engine.memory import Memory
from engine.model.failure import FailureKind
from engine.model.figures import Counts, Rate
from engine.model.prevention import Sequence as Foresight
from engine.model.secret import Secrets
from engine.run.rehearsal.virtual_time import run_in_virtual_time, virtual_clock
from engine.workspace import find_workspace

NIGHT = 0.5 * HOUR
"""When the nightly job learns, in seconds before midnight."""
CAUSES: Sequence[Cause] = ("token", "network", "revoked", "dropped", "other")
FORESEEABLE = frozenset({"token", "network"})
"""Causes that something beforehand tells of; the others strike by chance."""
REPAIRED: tuple[Cause, ...] = ("token", "network", "revoked", "dropped")
"""Causes that a fix repairs."""
PATIENCE = 3_600.0
"""Real seconds a month may take."""
SETTINGS = """\
[heal]
preflight = false
predict = {predict}
shadow = {shadow}

[domains.cluster]
description = "Needs a token."
settings = {{token = "cluster"}}
fixes.login = {{call = {{tool = "log_in"}}}}

[domains.forge]
description = "Lies behind a network that has to be connected."
fixes.connect = {{call = {{tool = "connect"}}}}

[domains.stage]
description = "Needs both."
settings = {{token = "stage"}}
fixes.login = {{call = {{tool = "log_in"}}}}
fixes.connect = {{call = {{tool = "connect"}}}}
"""
_FAILED = "SELECT coalesce(sum(finished_at - started_at), 0) FROM attempts WHERE ok = 0 AND finished_at >= ?"
_FIXES = """
    SELECT count(*), coalesce(sum(finished_at - started_at), 0) FROM fixes WHERE shared = 0 AND finished_at >= ?
"""
_RUNS = "SELECT sum(CASE WHEN status <> 'ok' THEN 1 ELSE 0 END), sum(duration) FROM runs WHERE started_at >= ?"
_PREDICTIONS = """
    SELECT r.id, p.step, p.fix, p.action, p.kind, coalesce(p.came, '') FROM predictions p
    JOIN runs r ON r.number = p.run WHERE p.sequence <> '' AND p.at >= ?
"""
SKILLS: Mapping[str, tuple[float, Sequence[str]]] = {
    "look": (0.40, ("list_namespaces", "list_pods")),
    "review": (0.30, ("fetch", "comment")),
    "images": (0.15, ("find_image", "fetch")),
    "ship": (0.15, ("fetch", "find_image", "deploy", "list_pods")),
}
"""Skills, the share of runs each has, and the tools it calls in turn."""


@dataclass
class SimulatedEngine(Engine):
    """An engine whose run ids follow from the number of the run."""

    run_number: int = field(default=0, kw_only=True)

    def new_run_id(self) -> str:
        """The same in every month of a seed, for chance (which calls are left without the fix) hangs on it."""
        return f"run-{self.run_number:05}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """How good prediction was, by what really was the case.

    `hits` are predictions whose failure came, or would have come without the fix; `alarms` those that were wrong;
    `missed` the failures of the two causes that nothing foretold. `hit_seconds` and `alarm_seconds` are what the fixes
    of right and of wrong predictions took.
    """

    hits: int = 0
    alarms: int = 0
    missed: int = 0
    hit_seconds: float = 0.0
    alarm_seconds: float = 0.0

    @property
    def precision(self) -> Rate:
        """How many of the predictions were right."""
        return Rate(count=self.hits, of=self.hits + self.alarms)

    @property
    def recall(self) -> Rate:
        """How many of the failures of the two causes were foretold."""
        return Rate(count=self.hits, of=self.hits + self.missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a month.

    `failed` counts steps that failed an attempt, by cause. Seconds are those that failed
    attempts took, that fixes took, and that all runs took. `counts` are the engine's own figures.
    """

    runs: int
    failed_runs: int
    failed: dict[Cause, int]
    failed_seconds: float
    fix_seconds: float
    fixes: int
    run_seconds: float
    counts: Counts
    foretold: Foretold
    sequences: tuple[Foresight, ...]

    @property
    def repaired(self) -> int:
        """Steps that failed an attempt for a cause that a fix repairs."""
        return sum(self.failed[cause] for cause in REPAIRED)

    @property
    def lost(self) -> float:
        """Seconds that failed attempts and fixes took."""
        return self.failed_seconds + self.fix_seconds


ADDED = ("runs", "failed_runs", "failed_seconds", "fix_seconds", "fixes", "run_seconds", "counts")
"""Fields of outcomes that are simply added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be simulated: `months` one after another, `runs` in each; `shadow` is the setting of that name."""

    seed: int = 1
    months: int = 1
    runs: int = 2_000
    days: int = 30
    predict: bool = True
    shadow: float = 0.1


def simulate(plan: Plan, folder: Path) -> tuple[Outcome, ...]:
    """What came of each month, lived in a new workspace in `folder`."""
    _furnish(folder, plan)
    shares = [(name, share) for name, (share, _) in SKILLS.items()]
    months = [
        Month.drawn(plan.seed, number, runs=plan.runs, days=plan.days, skills=shares) for number in range(plan.months)
    ]
    return run_in_virtual_time(partial(_lived, plan, folder, months), within=PATIENCE)


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """The same month of several worlds, added up; sequences are those of the first."""
    first, *others = outcomes
    for other in others:
        first = replace(
            first,
            **{name: getattr(first, name) + getattr(other, name) for name in ADDED},
            failed={cause: count + other.failed[cause] for cause, count in first.failed.items()},
            foretold=Foretold(
                **{
                    each.name: getattr(first.foretold, each.name) + getattr(other.foretold, each.name)
                    for each in fields(Foretold)
                }
            ),
        )
    return first


def _furnish(folder: Path, plan: Plan) -> None:
    (folder / "skills").mkdir(parents=True)
    settings = SETTINGS.format(predict=str(plan.predict).lower(), shadow=plan.shadow)
    (folder / "skill.toml").write_text(settings, encoding="utf-8")
    for name, (_, called) in SKILLS.items():
        steps = "".join(f"  - name: {tool}\n    tool: {tool}\n" for tool in called)
        text = f"name: {name}\ndescription: What somebody does every day.\nsteps:\n{steps}"
        (folder / "skills" / f"{name}.yaml").write_text(text, encoding="utf-8")


async def _lived(plan: Plan, folder: Path, months: Sequence[Month]) -> tuple[Outcome, ...]:
    world = World(seed=plan.seed, months=months, clock=virtual_clock(months[0].start))
    told: list[Outcome] = []
    begun = 0
    for month in months:
        waiting = deque(enumerate(month.runs, start=begun))
        begun += len(waiting)
        for day in range(plan.days):
            await _day(folder, world, waiting, until=month.start.timestamp() + (day + 1) * DAY)
        told.append(_told(folder, month, world))
    return tuple(told)


async def _day(folder: Path, world: World, waiting: deque[tuple[int, tuple[float, str]]], *, until: float) -> None:
    """The runs of a day, each when it is due, and the night's job after them; a new process's worth of engine each."""
    async with _engine(folder, world) as engine:
        while waiting and waiting[0][1][0] < until:
            engine.run_number, (at, skill) = waiting.popleft()
            await anyio.sleep(max(0.0, at - world.clock()))
            await SkillExecutor(engine, parks=False).run(skill)
        await anyio.sleep(max(0.0, until - NIGHT - world.clock()))
        learn_sequences(engine.journal, engine.memory, world.clock())
        write_dashboard(engine.memory, engine.journal, world.clock())


def _engine(folder: Path, world: World) -> SimulatedEngine:
    workspace = find_workspace(folder, home=folder / "home")
    made = tuple(tools(world))
    return SimulatedEngine(
        workspace, extra_tools=made, clock=world.clock, uptime=world.clock, suspended=world.asleep, run_number=0
    )


def _told(folder: Path, month: Month, world: World) -> Outcome:
    """What came of a month, from its history and from what really happened."""
    since, path = month.start.timestamp(), folder / "home" / "history.db"
    log = [each for each in world.log if each.at >= since]
    with History.open(path, secrets=Secrets()) as history:
        counts = figures_of(history, since).total
    memory = Memory(folder / "home" / "memory", seeds=folder, secrets=Secrets())
    with closing(sqlite3.connect(path)) as database:
        (failed_seconds,), (fixes, fix_seconds), (failed_runs, run_seconds) = (
            database.execute(question, (since,)).fetchone() for question in (_FAILED, _FIXES, _RUNS)
        )
        rows = database.execute(_PREDICTIONS, (since,)).fetchall()
    return Outcome(
        runs=len(month.runs),
        failed_runs=failed_runs,
        failed=_counted(_causes(log).values()),
        failed_seconds=failed_seconds,
        fix_seconds=fix_seconds,
        fixes=fixes,
        run_seconds=run_seconds,
        counts=counts,
        foretold=_foretold(rows, log),
        sequences=memory.contexts.live(),
    )


def _causes(log: Sequence[Touched]) -> dict[tuple[str, str], Cause]:
    """Of each step that failed an attempt, why the first such attempt did."""
    found: dict[tuple[str, str], Cause] = {}
    for each in log:
        if each.cause:
            found.setdefault((each.run, each.step), each.cause)
    return found


def _counted(causes: Iterable[Cause]) -> dict[Cause, int]:
    counted = Counter(causes)
    return {cause: counted[cause] for cause in CAUSES}


def _foretold(rows: Sequence[tuple[str, str, str, str, str, str]], log: Sequence[Touched]) -> Foretold:
    """Every prediction against what really was the case, which the engine cannot know and the world can."""
    fixed = {(each.run, each.step, each.tool): each for each in reversed(log) if each.fix}
    judged: list[tuple[bool, float]] = []
    for run, step, fix, action, kind, came in rows:
        done = fixed.get((run, step, fix)) if action == "fix" else None
        judged.append((done.needed, done.seconds) if done else (came in alike(FailureKind(kind)), 0.0))
    spoken = {(run, step) for run, step, *_ in rows}
    missed = [place for place, cause in _causes(log).items() if cause in FORESEEABLE and place not in spoken]
    return Foretold(
        hits=sum(right for right, _ in judged),
        alarms=sum(not right for right, _ in judged),
        missed=len(missed),
        hit_seconds=sum(seconds for right, seconds in judged if right),
        alarm_seconds=sum(seconds for right, seconds in judged if not right),
    )
