"""Who has a run: one process at a time, found out without asking it, and nobody's once it is dead."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.errors import JournalError, OwnershipLostError, RunBusyError, RunNotFoundError
from engine.history import History
from engine.history.claims import Claims, unlockable
from engine.model.event import Event, EventKind
from engine.model.outcome import RunStatus
from engine.model.secret import Secrets
from tests.unit.history.storyteller import NOON, Storyteller

HOLDER = """
    import os, sys
    from pathlib import Path
    from engine.history import History
    from engine.model.event import Event, EventKind
    from engine.model.secret import Secrets

    history = History.open(Path(sys.argv[1]), secrets=Secrets())
    history.claim("r1")
    history.record(Event(kind=EventKind.RUN_STARTED, run_id="r1", at=1.0, data={"skill": "s", "pid": os.getpid()}))
    print("claimed", flush=True)
    sys.stdin.readline()
    history.release("r1")
"""
RACER = """
    import sys
    from pathlib import Path
    from engine.errors import RunBusyError
    from engine.history import History
    from engine.model.secret import Secrets

    history = History.open(Path(sys.argv[1]), secrets=Secrets())
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        history.claim("r1")
    except RunBusyError as error:
        print(error.message, flush=True)
    else:
        print("won", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Claims]:
    """The claims of one journal."""
    made = Claims(tmp_path / "runs", host="here", clock=lambda: NOON)
    yield made
    made.release_all()


@contextmanager
def process(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has a history open; killed in the end."""
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def line(child: subprocess.Popen[str]) -> str:
    """The next line the process says."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


def go(child: subprocess.Popen[str]) -> None:
    """Lets the process go on."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def test_a_run_that_another_process_has_says_who_that_is(history: History, path: Path) -> None:
    """Process, machine, since when, and what to do about it; it is free once that process lets go."""
    with process(HOLDER, path) as holder:
        assert line(holder) == "claimed"
        assert history.run("r1").alive is True
        with pytest.raises(RunBusyError, match=rf"process {holder.pid} on .+ since 20\d\d-") as caught:
            history.claim("r1")
        assert "skill watch r1" in caught.value.hint
        go(holder)
        assert holder.wait(timeout=20) == 0
    assert not list(path.parent.glob("runs/*"))
    history.claim("r1")
    assert history.run("r1").pid == os.getpid()


def test_a_run_is_free_the_moment_its_process_is_killed(history: History, path: Path) -> None:
    """Nothing has to be cleaned up first, and what the dead process left behind is in nobody's way."""
    with process(HOLDER, path) as holder:
        assert line(holder) == "claimed"
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=20)
    assert list(path.parent.glob("runs/*"))
    assert history.run("r1").interrupted
    history.claim("r1")
    assert history.run("r1").alive is True
    history.record(Event(kind=EventKind.RUN_RESUMED, run_id="r1", at=2.0, data={"pid": os.getpid()}))


def test_of_processes_that_claim_at_once_exactly_one_wins(path: Path) -> None:
    """The others name the winner."""
    with process(RACER, path) as first, process(RACER, path) as second, process(RACER, path) as third:
        racers = (first, second, third)
        assert [line(racer) for racer in racers] == ["ready"] * 3
        for racer in racers:
            go(racer)
        said = [line(racer) for racer in racers]
        winner = racers[said.index("won")]
        assert sum(each == "won" for each in said) == 1
        assert sum(f"process {winner.pid} " in each for each in said) == 2


def test_threads_that_take_and_let_go_never_have_a_run_together(tmp_path: Path) -> None:
    """Letting go removes the file that others are just about to lock: they must not lock what is no longer there."""
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        mine = Claims(tmp_path / "runs", host="here", clock=lambda: NOON)
        for _ in range(60):
            try:
                mine.take("r1")
            except RunBusyError:
                continue
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)
            mine.release("r1")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert not list((tmp_path / "runs").iterdir())


def test_asking_whether_a_run_lives_takes_it_from_nobody(tmp_path: Path) -> None:
    """Who only looks holds the lock for a moment; a claim that meets it there waits for that."""
    looker, claimer = (Claims(tmp_path / "runs", host="here", clock=lambda: NOON) for _ in range(2))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "r1.lock").touch()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            looker.taken("r1")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(200):
            claimer.take("r1")
            claimer.release("r1")
    finally:
        over.set()
        thread.join()


def test_a_claim_excludes_another_in_the_same_process(claims: Claims, tmp_path: Path) -> None:
    """Of the same journal, and of another."""
    claims.take("r1")
    other = Claims(tmp_path / "runs", host="here", clock=lambda: NOON)
    for each in (claims, other):
        with pytest.raises(RunBusyError, match=f"process {os.getpid()} on here since 2026-11-"):
            each.take("r1")
        assert each.taken("r1") is True
    other.take("r2")
    other.release_all()


def test_every_claim_has_a_token_of_its_own(claims: Claims) -> None:
    """And none once it is let go."""
    assert claims.token("r1") == ""
    first = claims.take("r1")
    assert claims.token("r1") == first != ""
    claims.release("r1")
    claims.release("r1")
    assert claims.token("r1") == ""
    assert claims.take("r1") != first


def test_letting_go_leaves_no_file_and_no_open_descriptor(claims: Claims, tmp_path: Path) -> None:
    """A long-lived process runs a great many skills."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        claims.take(f"r{number}")
    claims.release_all()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not list((tmp_path / "runs").iterdir())


def test_programs_that_a_step_starts_do_not_keep_a_run_alive(claims: Claims) -> None:
    """The lock is not theirs to hold, however long they outlive us."""
    claims.take("r1")
    with subprocess.Popen(["sleep", "30"], close_fds=False) as child:
        claims.release("r1")
        assert claims.taken("r1") is False
        claims.take("r1")
        child.kill()


def test_letting_go_does_not_remove_the_lock_of_another(claims: Claims, tmp_path: Path) -> None:
    """The file was deleted by hand and another process has the run now: its lock stays."""
    claims.take("r1")
    (tmp_path / "runs" / "r1.lock").unlink()
    other = Claims(tmp_path / "runs", host="there", clock=lambda: NOON)
    other.take("r1")
    claims.release("r1")
    assert claims.taken("r1") is True
    other.release("r1")
    assert claims.taken("r1") is False


@pytest.mark.parametrize("run_id", ["../../etc/passwd", "a/b", "", ".", "a b", "x" * 201, "ü", "r1.lock", "r1\n"])
def test_what_is_no_id_leads_nowhere(history: History, path: Path, run_id: str) -> None:
    """It comes from a command line; no path is made of it."""
    with pytest.raises(RunNotFoundError):
        history.claim(run_id)
    history.release(run_id)
    assert not path.parent.exists()


def test_the_locks_are_private(history: History, path: Path) -> None:
    """What runs here is nobody else's business."""
    history.claim("r1")
    (lock,) = path.parent.glob("runs/*")
    assert {lock.stat().st_mode & 0o077, lock.parent.stat().st_mode & 0o077} == {0}
    assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_a_lock_that_leads_elsewhere_is_not_followed(claims: Claims, tmp_path: Path) -> None:
    """Nothing is written to where a link points."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "runs" / "r1.lock").symlink_to(tmp_path / "mine")
    with pytest.raises(JournalError, match="history cannot be kept"):
        claims.take("r1")
    assert claims.taken("r1") is None
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_a_clear_error(claims: Claims, tmp_path: Path) -> None:
    """Before anything of the run is done."""
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(JournalError) as caught:
        claims.take("r1")
    assert "SKILL_HOME" in caught.value.hint


def test_too_many_open_files_are_a_clear_error(claims: Claims) -> None:
    """Many runs in one process need as many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 4, hard))
    try:
        with pytest.raises(JournalError, match="too many files are open") as caught:
            [claims.take(f"r{number}") for number in range(used + 10)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "ulimit -n" in caught.value.hint


def test_whose_signature_cannot_be_read_is_somebody_all_the_same(claims: Claims, tmp_path: Path) -> None:
    """The lock counts, not what stands in the file."""
    (tmp_path / "runs").mkdir()
    lock = tmp_path / "runs" / "r1.lock"
    lock.write_text('{"pid": 1')
    descriptor = os.open(lock, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(RunBusyError, match="in the hands of another process"):
        claims.take("r1")
    os.close(descriptor)
    claims.take("r1")


def test_who_lost_a_run_writes_no_more_of_it(history: History, story: Storyteller, path: Path) -> None:
    """Not even together with events of a run it still has; the new owner's events are the only ones."""
    for run in ("r1", "r2"):
        history.claim(run)
        story.begin(run)
    (path.parent / "runs" / "r1.lock").unlink()
    with History.open(path, secrets=Secrets(), host="there") as other:
        other.claim("r1")
        with pytest.raises(OwnershipLostError, match=r"taken over by process \d+ on there") as caught:
            history.record(
                Event(kind=EventKind.NOTICE, run_id="r2", at=1.0), Event(kind=EventKind.NOTICE, run_id="r1", at=1.0)
            )
        assert "skill watch r1" in caught.value.hint
        story.tell("r2", EventKind.NOTICE)
        other.record(Event(kind=EventKind.RUN_RESUMED, run_id="r1", at=1.0))
        assert [len(other.events(run)) for run in ("r1", "r2")] == [2, 2]
        assert other.run("r1").host == "there"


def test_closing_lets_go_of_everything(history: History, story: Storyteller, path: Path) -> None:
    """And a run that has no owner any more can be claimed by the next."""
    history.claim("r1")
    story.begin("r1")
    history.close()
    with History.open(path, secrets=Secrets()) as other:
        assert other.run("r1").interrupted
        other.claim("r1")
        with pytest.raises(OwnershipLostError):
            story.tell("r1", EventKind.NOTICE)


def test_a_claim_that_cannot_be_written_down_is_let_go(history: History, story: Storyteller, path: Path) -> None:
    """The database is broken: the error says so, and nobody is kept out by a claim that failed."""
    story.begin("r1")
    history.close()
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(JournalError, match="damaged"):
        history.claim("r1")
    assert not list(path.parent.glob("runs/*"))


def test_claiming_a_new_run_makes_no_database(history: History, path: Path) -> None:
    """There is nothing to sign yet."""
    history.claim("r1")
    assert [each.name for each in path.parent.iterdir()] == ["runs"]


def test_a_claim_takes_no_notice_of_what_was_asked_of_the_process_before(history: History, story: Storyteller) -> None:
    """Somebody cancelled, the process died first, and somebody resumes: that is what they want now."""
    story.begin("r1")
    history.request_cancel("r1")
    history.claim("r1")
    assert not history.cancel_requested("r1")
    history.request_cancel("r1")
    assert history.cancel_requested("r1")
    assert history.run("r1").cancel_requested
    assert history.run("r1").status is RunStatus.RUNNING


def test_no_lock_on_this_file_system_is_a_clear_error() -> None:
    """Some network disks have none."""
    error = unlockable(Path("x.lock"), OSError(errno.ENOLCK, "No locks available"))
    assert "knows no locks" in error.message
    assert "SKILL_HOME" in error.hint
