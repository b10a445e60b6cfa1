"""Disks, databases, clocks and folders at their worst: each run ends clearly, and what was done is recorded or said."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from engine import Engine, RunResult, RunStatus, SkillExecutor, StepStatus
from engine.errors import RunStateError
from engine.history import History
from engine.history.database import Database
from engine.model.event import Event, EventKind
from engine.run.subskill import digest_of
from tests.flow.conftest import Rig
from tests.flow.places import FIRST, TIDY, Standing
from tests.flow.racing import raced, racing
from tests.flow.test_disks_that_refuse import disk
from tests.flow.workshop import TWO_ENTRIES, Workshop, until
from tests.shell import SKILL
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool

ASKS = FIRST + '  - {name: sure, ask: {question: "Sure?", type: boolean}}\n'
LAST = "  - {name: last, tool: enter, args: {name: zoe}}\n"
SECOND = (
    "  - {name: second, tool: enter, args: {name: bob}, undo: {name: second_out, tool: leave, args: {name: bob}}}\n"
)
FILLS = FIRST + "  - {name: fill, tool: fill}\n" + LAST + TIDY
FILLS_IN_A_LIST = (
    FIRST
    + """
  - name: each
    foreach: "list('abc')"
    parallel: 3
    steps:
      - {name: mine, tool: enter, args: {name: "{{ item }}"}, undo: {tool: leave, args: {name: "{{ item }}"}}}
      - {name: fill, tool: fill}
      - {name: more, tool: enter, args: {name: more}}
"""
    + TIDY
)
REFUSE = """
    CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.kind = '{kind}'
    BEGIN SELECT RAISE(ABORT, 'the disk is full'); END
"""


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """Tools that stand still, one that fills the disk, and nothing has happened yet."""
    made = Standing(Workshop(tmp_path / "work", tmp_path / "home"))
    made.furnish()
    made.workshop.home.mkdir()
    made.workshop.tool("fill", f'head -c 100000000 /dev/zero > "{made.workshop.home}/fill-$$" 2> /dev/null\ntrue\n')
    return made


def on_a_small_disk(standing: Standing, *commands: str) -> list[tuple[int, str]]:
    """What shell commands said whose home is a disk of their own, and their exit status; `skill` is the real one."""
    script = "\n".join(f'({command}) 2>&1; echo "<$?>"' for command in commands)
    done = subprocess.run(
        [*disk(standing.workshop, "size=8m"), "sh", "-c", f'skill() {{ {SKILL} "$@"; }}\n{script}'],
        cwd=standing.folder,
        env=standing.workshop.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    told = done.stdout.split(">\n")[:-1]
    assert len(told) == len(commands), done.stdout + done.stderr
    return [(int(said.rpartition("<")[2]), said.rpartition("<")[0]) for said in told]


@pytest.mark.parametrize("text", [FILLS, FILLS_IN_A_LIST], ids=["a step", "a foreach"])
def test_a_run_whose_disk_was_full_is_not_gone_on_with_when_there_is_room_again(standing: Standing, text: str) -> None:
    """It was undone, which history could not be told then: it is as soon as it can, and nothing is undone twice."""
    name = standing.workshop.skill(text)
    room = f"rm {standing.workshop.home}/fill-*"
    run, _, resume, status, cancel = on_a_small_disk(
        standing, f"skill run {name}", room, "skill resume last", "skill status last --json", "skill cancel last"
    )
    assert run[0] == 1
    assert "the disk is full" in run[1]
    assert "Traceback" not in run[1]
    assert resume[0] == 2
    assert "has ended" in resume[1]
    assert '"status": "failed"' in status[1]
    assert '"name": "first_out"' in status[1]
    assert cancel[0] == 2
    standing.assert_undone()
    assert "enter more" not in standing.workshop.log
    assert "enter zoe" not in standing.workshop.log


def test_an_answer_on_a_full_disk_changes_nothing(standing: Standing) -> None:
    """The run still waits, and when there is room the same answer goes on with it."""
    name = standing.workshop.skill(ASKS + LAST)
    home = standing.workshop.home
    run, _, full, _, status, answer = on_a_small_disk(
        standing,
        f"skill run {name}",
        f"head -c 100000000 /dev/zero > {home}/fill",
        "skill answer last sure=yes",
        f"rm {home}/fill",
        "skill status last --json",
        "skill answer last sure=yes",
    )
    assert run[0] == 4
    assert full[0] == 1
    assert "full" in full[1]
    assert "Traceback" not in full[1]
    assert '"status": "waiting"' in status[1]
    assert answer[0] == 0, answer[1]
    assert standing.workshop.log == ["enter ann", "enter zoe"]


@pytest.mark.parametrize("kind", ["run_waiting", "question_asked"])
def test_a_run_that_cannot_be_parked_is_undone(standing: Standing, kind: str) -> None:
    """History breaks while the run parks: it has failed, and history knows that when it can be written again."""
    with refusing(standing, kind):
        (run,) = raced(standing.workshop, ["run", standing.workshop.skill(ASKS + LAST)])
        assert run.status == 1, run.output
        assert "the disk is full" in run.error + run.output
    (resume,) = raced(standing.workshop, ["resume", "last"])
    assert resume.status == 2
    assert "has ended" in resume.error
    assert standing.status == "failed"
    assert standing.workshop.log == ["enter ann", "leave ann"]


@contextmanager
def refusing(standing: Standing, kind: str) -> Iterator[None]:
    """A history that refuses events of that kind."""
    path = standing.workshop.home / "history.db"
    raced(standing.workshop, ["run", standing.workshop.skill(FIRST, "before")])
    standing.clear()
    with sqlite3.connect(path) as database:
        database.execute(REFUSE.format(kind=kind))
    database.close()
    yield
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER refuse")
    database.close()


def test_the_end_of_a_run_that_history_refused_is_told_when_it_can_be(standing: Standing) -> None:
    """Everything worked but the last word: 1 and why; afterwards history knows that the run ended ok."""
    with refusing(standing, "run_finished"):
        (run,) = raced(standing.workshop, ["run", standing.workshop.skill(FIRST + LAST)])
        assert run.status == 1
        assert "history could not be written" in run.output
    assert raced(standing.workshop, ["status", "last"])[0].status == 0
    assert standing.status == "ok"
    assert standing.workshop.log == ["enter ann", "enter zoe"]


def test_a_database_that_is_locked_for_a_while_is_waited_for(standing: Standing) -> None:
    """Two seconds in the middle of a run: it goes on as if nothing had been."""
    with racing(standing.workshop, ["run", standing.workshop.skill(FIRST + "  - {name: s, tool: stand}\n" + LAST)]) as (
        run,
    ):
        until((standing.folder / "begun-somebody").exists)
        lock = sqlite3.connect(standing.workshop.home / "history.db", check_same_thread=False, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        free = threading.Timer(2.0, lock.execute, ("ROLLBACK",))
        free.start()
        standing.go()
        assert run.wait() == 0, run.error
        free.join()
        lock.close()
    assert standing.workshop.log == ["enter ann", "enter zoe"]


@pytest.mark.parametrize(
    ("happens", "kept"),
    [
        ("rm HOME/history.db*", False),
        ("rm HOME/history.db*; echo nothing > HOME/history.db", False),
        ("rm -r HOME", False),
        ("for f in HOME/history.db*; do cp $f $f.new; mv $f.new $f; done", True),
    ],
    ids=["deleted", "replaced by rubbish", "its folder deleted", "replaced by a copy"],
)
def test_a_history_that_is_taken_away_in_mid_run(standing: Standing, happens: str, kept: bool) -> None:
    """What was done is undone, the run says what became of its history, and no new one is begun for it."""
    home = standing.workshop.home
    standing.workshop.tool("breaks", happens.replace("HOME", str(home)), effect="write")
    text = FIRST + "  - {name: breaks, tool: breaks}\n" + LAST + TIDY
    (run,) = raced(standing.workshop, ["run", standing.workshop.skill(text)])
    assert run.status == 1
    assert "was deleted or replaced while a run was writing to it" in run.output
    standing.assert_undone()
    if kept:
        assert standing.status == "failed"
        assert [event.kind for event in standing.events][-1] == "run_finished"
    else:
        assert not (home / "history.db").exists() or (home / "history.db").read_text() == "nothing\n"
        (home / "history.db").unlink(missing_ok=True)
        assert [racer.status for racer in raced(standing.workshop, ["run", standing.workshop.skill(FIRST)])] == [0]
        raced(standing.workshop, ["history"])
        assert not list(home.glob("runs/*"))


async def test_a_database_that_stays_locked_is_given_up(make_rig: Callable[..., Rig], tmp_path: Path) -> None:
    """In mid-run: the run is undone and says who to look for; when the lock is gone, history is told the rest."""
    rig = make_rig(tools=(locker := Locker(tmp_path / "home" / "history.db")).tools)
    vars(rig.engine)["journal"] = History(
        Database(tmp_path / "home" / "history.db", patience=0.05), secrets=rig.engine.secrets, host="here"
    )
    result = await rig.run(TWO_ENTRIES + "  - {name: lock, tool: lock}\n  - {name: never, tool: enter}\n")
    assert (result.status, rig.door.log) == (RunStatus.FAILED, ["enter", "enter", "leave bob", "leave ann"])
    assert "kept busy by another process" in result.message
    assert rig.engine.journal.run("last").status is RunStatus.RUNNING
    locker.unlock()
    with pytest.raises(RunStateError, match="has ended"):
        await rig.executor.resume(result.run_id)
    steps = {step.name: step.status for step in rig.engine.journal.steps("last")}
    assert steps["first_out"] is StepStatus.OK
    assert rig.engine.journal.run("last").message == result.message
    await rig.engine.aclose()


@dataclass
class Locker:
    """Another program that has the database open, and locks it."""

    path: Path
    lock: sqlite3.Connection = field(init=False)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What makes it lock."""

        @tool(effect=Effect.READ, timeout=5)
        async def lock() -> None:
            """Locks the database."""
            self.lock = sqlite3.connect(self.path, isolation_level=None)
            self.lock.execute("BEGIN IMMEDIATE")

        return (tool_of(lock),)

    def unlock(self) -> None:
        """Lets go of it."""
        self.lock.rollback()
        self.lock.close()


def test_a_clock_that_is_set_back_between_two_processes(standing: Standing) -> None:
    """By an hour: the run goes on where it was, and is undone in reverse order; nothing took less than no time."""
    standing.killed("a long call", SECOND + "  - {name: bad, compute: \"raise ValueError('no')\"}\n")

    async def resume() -> RunResult:
        engine = Engine.open(standing.folder, home=standing.workshop.home)
        async with replace(engine, clock=lambda: time.time() - 3600.0) as late:
            return await SkillExecutor(late).resume("last")

    result = anyio.run(resume)
    assert result.status is RunStatus.FAILED
    standing.assert_undone()
    assert result.duration >= 0
    assert all(step.duration >= 0 for step in result.steps)
    with standing.history() as history:
        record, steps = history.run("last"), history.steps("last")
        kinds = [event.kind for _, event in history.events("last")]
    assert record.duration is not None
    assert record.duration >= 0
    assert [step.name for step in steps if step.section == "undo"] == ["second_out", "first_out"]
    assert all((step.duration or 0) >= 0 for step in steps)
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    for words in (["status", "last"], ["watch", "last"], ["history"]):
        (shown,) = raced(standing.workshop, words)
        assert " -" not in shown.output.replace(" --", "")


def test_locks_that_cannot_be_made(standing: Standing) -> None:
    """Nobody may run or resume what he cannot lock; what was done can still be looked at."""
    standing.killed("a long call")
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    disk(standing.workshop, "size=1m")  # skips where a namespace of one's own is not allowed
    prefix = ("unshare", "-rm", "sh", "-c", mount, str(standing.workshop.home / "runs"))
    log = standing.workshop.log
    for words, status in ((["run", "promise"], 1), (["resume", "last"], 1), (["cancel", "last"], 1)):
        done = standing.workshop.run(*words, prefix=prefix)
        assert done.returncode == status, done.stderr
        assert "Read-only file system" in done.stderr
        assert "SKILL_HOME" in done.stderr
    assert standing.workshop.run("status", "last", prefix=prefix).returncode == 0
    assert standing.workshop.log == log


def test_files_of_another_user_are_said_to_be_that(standing: Standing) -> None:
    """Exit status 1, the file, and why; nothing is done."""
    raced(standing.workshop, ["run", standing.workshop.skill(FIRST)])
    home = standing.workshop.home
    standing.clear()
    disk(standing.workshop, "size=1m")  # skips where a namespace of one's own is not allowed
    try:
        os.chown(home, 12345, 12345)
    except PermissionError:
        pytest.skip("only root can give files away")
    home.chmod(0o700)
    for words in (["history"], ["status", "last"], ["run", "promise"], ["resume", "last"]):
        done = standing.workshop.run(*words, prefix=("unshare", "-r"))
        assert done.returncode == 1
        assert "Permission denied" in done.stderr
        assert str(home) in done.stderr
        assert "Traceback" not in done.stderr
    os.chown(home, os.getuid(), os.getgid())
    assert standing.workshop.log == []


@pytest.mark.parametrize("home", [None, "", "/nowhere/at/all"])
def test_without_a_home_there_is_no_history(tmp_path: Path, home: str | None) -> None:
    """HOME unset, empty or gone: asking is answered, and nothing is made."""
    environment = {name: value for name, value in os.environ.items() if name not in {"HOME", "SKILL_HOME"}}
    told = {**environment, "XDG_DATA_HOME": str(tmp_path / "data"), **({} if home is None else {"HOME": home})}
    for words, status in ((["history"], 0), (["status"], 3), (["resume"], 3)):
        done = subprocess.run([SKILL, *words], cwd=tmp_path, env=told, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


BAD_IDS = ("", "../../etc/passwd", "..", "last/..", "a\x1b[2Jb\r\n", "\udcff\udcfe", "x" * 300, "%", "' OR 1=1 --")


@pytest.mark.parametrize(
    "words",
    [["status"], ["watch"], ["logs"], ["resume"], ["retry"], ["cancel"], ["answer"], ["test", "--record"]],
    ids=lambda words: words[0],
)
def test_an_id_that_is_none_leads_nowhere(standing: Standing, words: list[str]) -> None:
    """Exit status 2 or 3, harmless to the terminal; an empty one is not the only run there is."""
    raced(standing.workshop, ["run", standing.workshop.skill(ASKS)])
    more = ["sure=yes"] if words == ["answer"] else []
    for racer, bad in zip(raced(standing.workshop, *([*words, bad, *more] for bad in BAD_IDS)), BAD_IDS, strict=True):
        assert racer.status in {2, 3}, (bad, racer.status, racer.error)
        assert "\x1b" not in racer.error + racer.output
    assert standing.status == "waiting"
    assert not list(standing.workshop.home.glob("crashes/*"))


def test_an_empty_file_is_an_empty_history(standing: Standing) -> None:
    """It is used as one that is not there yet."""
    (standing.workshop.home / "history.db").touch()
    history, status, run = (
        raced(standing.workshop, words)[0]
        for words in (["history"], ["status"], ["run", standing.workshop.skill(FIRST)])
    )
    assert (history.status, status.status, run.status) == (0, 3, 0)
    assert standing.status == "ok"


@pytest.mark.slow
def test_a_hundred_thousand_events_are_no_burden(standing: Standing) -> None:
    """Of a list of 25,000 elements the last five are left: it is shown, and gone on with, which does those five."""
    done, more = 24_995, 5
    each = f'name: each, foreach: "range({done + more})", tool: enter, args: {{name: "{{{{ str(item) }}}}"}}'
    text = f"\nsteps:\n  - {{{each}}}\n"
    path = standing.folder / "skills" / f"{standing.workshop.skill(text)}.yaml"
    with standing.history() as history:
        history.record(*events_of_a_list("huge", path, done, done + more))
    for words in (
        ["history"],
        ["status", "huge"],
        ["logs", "huge", "-q"],
        ["resume", "huge", "-q"],
        ["status", "huge"],
    ):
        (racer,) = raced(standing.workshop, words)
        assert racer.status == 0, racer.error
    assert standing.workshop.log == [f"enter {number}" for number in range(done, done + more)]
    assert standing.status == "ok"


def events_of_a_list(run_id: str, path: Path, done: int, items: int) -> Iterator[Event]:
    """A run that was killed after so many elements of its list, as it would have told it."""
    event = partial(Event, run_id=run_id, at=1.0)
    text = path.read_text()
    skill = {"skill": path.stem, "file": str(path), "digest": digest_of(text), "text": text}
    yield event(kind=EventKind.RUN_STARTED, data={**skill, "inputs": {}, "pid": 1})
    begun = {"index": 0, "action": "tool", "section": "steps"}
    listed = {**begun, "foreach": True, "items": list(range(items))}
    yield event(kind=EventKind.STEP_STARTED, step="each", data=listed)
    for index in range(done):
        step = partial(event, step=f"each[{index}]")
        yield step(kind=EventKind.STEP_STARTED, data=begun)
        yield step(kind=EventKind.ATTEMPT_STARTED, data={"number": 1, "tool": "enter", "args": {"name": str(index)}})
        yield step(kind=EventKind.ATTEMPT_FINISHED, data={"number": 1, "tool": "enter", "ok": True, "value": None})
        yield step(kind=EventKind.STEP_FINISHED, data={"status": "ok", "duration": 0.1, "attempts": 1, "value": ""})
