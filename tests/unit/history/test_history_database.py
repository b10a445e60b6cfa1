"""What the database does when the world is unkind: broken files, full disks, others at work."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import JournalError
from engine.history import History
from engine.history.database import Cursor, Database
from engine.history.migrations import MIGRATIONS, Migration
from engine.history.mishaps import explained
from engine.model.event import Event, EventKind
from engine.model.outcome import RunStatus, StepStatus
from engine.model.secret import Secrets
from tests.unit.history.storyteller import Storyteller


def refusal(path: Path) -> JournalError:
    """The error that recording into `path` ends in."""
    with History.open(path, secrets=Secrets()) as history, pytest.raises(JournalError) as caught:
        Storyteller(history).begin("r1")
    assert caught.value.hint
    return caught.value


def test_opening_costs_nothing_until_it_is_used(history: History, path: Path) -> None:
    """No file, no folder, no connection."""
    assert history
    assert not path.parent.exists()


def test_the_file_is_private(history: History, story: Storyteller, path: Path) -> None:
    """Arguments and answers of a run are nobody else's business."""
    story.begin("r1")
    assert history.run("r1")
    assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


def test_a_damaged_file_is_reported_and_left_alone(path: Path) -> None:
    """Nothing is moved or overwritten; the message says how to go on."""
    path.parent.mkdir()
    path.write_bytes(b"this was a database once" * 100)
    error = refusal(path)
    assert "damaged" in error.message
    assert "mv " in error.hint
    assert path.read_bytes().startswith(b"this was a database once")


def test_a_page_damaged_in_the_middle_is_reported(history: History, story: Storyteller, path: Path) -> None:
    """Reading a page that makes no sense is an error with a way out, not a wrong answer."""
    story.begin("r1")
    for number in range(50):
        story.tell("r1", EventKind.PROGRESS, text="x" * 2000, number=number)
    history.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(JournalError, match="damaged"):
        history.events("r1")


def test_a_folder_in_its_place_is_named(path: Path) -> None:
    """Not just `unable to open`."""
    path.mkdir(parents=True)
    assert "it is a folder" in refusal(path).message


def test_a_file_in_place_of_its_folder_is_named(path: Path) -> None:
    """The folder cannot be made."""
    path.parent.write_text("a file")
    assert str(path) in refusal(path).message


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    """Its tables are not ours to add to."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    assert "another program" in refusal(path).message


def test_a_history_of_a_newer_program_is_left_alone(history: History, story: Storyteller, path: Path) -> None:
    """It says which number it knows."""
    story.begin("r1")
    history.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("INSERT INTO migrations (number, name) VALUES (99, 'the future')")
        newer.commit()
    error = refusal(path)
    assert "newer skill-engine" in error.message
    assert "99" in error.message


def test_an_older_history_is_brought_up_to_date(history: History, story: Storyteller, path: Path) -> None:
    """Only the missing migrations run, and what was recorded stays."""
    story.begin("r1")
    history.close()
    number = MIGRATIONS[-1].number + 1
    later = Migration(number=number, name="a mood", statements=("ALTER TABLE runs ADD COLUMN mood TEXT",))
    database = Database(path, migrations=(*MIGRATIONS, later))
    assert database.read("SELECT id, mood FROM runs") == [("r1", None)]
    assert database.read("SELECT number FROM migrations ORDER BY number") == [(each + 1,) for each in range(number)]
    database.close()


def _as_it_once_was(cursor: Cursor) -> None:
    """A run of the first version, cut off in its second step."""
    cursor.execute("""
        INSERT INTO runs VALUES (1, 'old', 's', '1', 'f', 'd', 'p', 'running', '', 1.0, NULL, NULL, 0, 7, 'h', 1, NULL)
    """)
    cursor.execute("INSERT INTO skill_texts VALUES ('d', 'name: s')")
    inputs = '{"a":1,"token":"•••","both":["x•••y"]}'
    for row in (
        (1, "run_started", "", f'{{"skill":"s","digest":"d","text":"","inputs":{inputs}}}'),
        (2, "step_started", "a", '{"index":0,"action":"tool","section":"steps"}'),
        (3, "attempt_finished", "a", '{"number":1,"tool":"t","ok":true,"value":null}'),
        (4, "step_finished", "a", '{"status":"ok","value":"•••"}'),
        (5, "step_started", "b", '{"index":1,"action":"tool","section":"steps"}'),
    ):
        cursor.execute("INSERT INTO events (run, at, number, kind, step, body) VALUES (1, 1.0, ?, ?, ?, ?)", row)
    cursor.execute("""
        INSERT INTO steps (run, name, start_event, end_event, position, section, action, call, status, started_at)
        VALUES (1, 'a', 2, 4, 0, 'steps', 'tool', '', 'ok', 1.0)
    """)


def test_a_history_of_the_first_version_loses_nothing(path: Path) -> None:
    """Made by the first migration alone: every row stays, the new columns say what was true then, and it goes on."""
    first = Database(path, migrations=MIGRATIONS[:1])
    first.write(_as_it_once_was)
    first.close()
    with History.open(path, secrets=Secrets(), host="h") as history:
        record, past = history.run("old"), history.past("old")
        assert (record.alive, record.reused_from, record.cancel_requested, record.pid) == (False, "", False, 7)
        assert [(each.name, each.begun, each.foreach) for each in history.steps("old")] == [("a", 1, False)]
        assert (past.text, past.inputs["a"], past.masked_inputs) == ("name: s", 1, frozenset({"token", "both"}))
        assert [(each.status, each.lost, len(each.attempts)) for each in past.steps.values()] == [
            (StepStatus.OK, True, 1),
            (None, False, 0),
        ]
        history.claim("old")
        history.record(Event(kind=EventKind.RUN_RESUMED, run_id="old", at=2.0, data={"pid": os.getpid()}))
        assert [number for number, _ in history.events("old")] == [1, 2, 3, 4, 5, 6]
        assert history.run("old").alive is True


def test_a_database_deleted_in_mid_run_is_noticed(history: History, story: Storyteller, path: Path) -> None:
    """What comes after would go to a file nobody sees: the run is told, and a new run finds a new history."""
    story.begin("r1")
    path.unlink()
    with pytest.raises(JournalError, match="deleted or replaced"):
        story.tell("r1", EventKind.NOTICE, text="a")
    with pytest.raises(JournalError, match="deleted or replaced"):
        story.tell("r1", EventKind.NOTICE, text="b")
    story.begin("r2")
    assert [run.id for run in history.runs()] == ["r2"]


def test_a_folder_deleted_in_mid_run_is_noticed_after_a_question(
    history: History, story: Storyteller, path: Path
) -> None:
    """A question finds nothing, rather than what is gone; the run itself is told all the same."""
    story.begin("r1")
    shutil.rmtree(path.parent)
    assert history.cancel_requested("r1") is False
    assert history.runs() == ()
    with pytest.raises(JournalError, match="deleted or replaced") as caught:
        story.tell("r1", EventKind.NOTICE, text="a")
    assert caught.value.hint


def test_a_database_replaced_in_mid_run_is_noticed_and_left_alone(story: Storyteller, path: Path) -> None:
    """Not one event of this run ends up in the other file, and that one is not damaged by closing ours."""
    story.begin("r1")
    (path.parent / "before").mkdir()
    for file in path.parent.glob("history.db*"):
        file.rename(path.parent / "before" / file.name)
    with History.open(path, secrets=Secrets()) as other:
        Storyteller(other).begin("r2")
        with pytest.raises(JournalError, match="deleted or replaced"):
            story.tell("r1", EventKind.NOTICE, text="a")
        Storyteller(other).end("r2")
        assert [(run.id, run.status) for run in other.runs()] == [("r2", RunStatus.OK)]
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_clock_that_is_set_back_changes_no_order(history: History, story: Storyteller) -> None:
    """Events and runs are in the order they were written, whatever time it was."""
    story.begin("r1")
    story.now -= 86_400
    story.failing_step("r1", "a")
    story.now -= 86_400
    story.end("r1")
    story.begin("r2")
    assert [event.kind for _, event in history.events("r1")][-1] is EventKind.RUN_FINISHED
    assert [run.id for run in history.runs()] == ["r2", "r1"]
    assert history.run("last").id == "r2"
    assert history.past("r1").finished


def test_a_migration_that_breaks_changes_nothing(history: History, story: Storyteller, path: Path) -> None:
    """All of it, or none."""
    story.begin("r1")
    history.close()
    statements = ("CREATE TABLE extra (a TEXT)", "CREATE TABLE runs (a TEXT)")
    broken = Migration(number=MIGRATIONS[-1].number + 1, name="x", statements=statements)
    database = Database(path, migrations=(*MIGRATIONS, broken))
    with pytest.raises(JournalError):
        database.read("SELECT 1")
    database.close()
    assert history.run("r1").id == "r1"
    history.close()
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)


def test_events_are_kept_all_or_none(history: History, story: Storyteller) -> None:
    """The second event belongs to a run that never began, so the first is not kept either."""
    story.begin("r1")
    good = Event(kind=EventKind.NOTICE, run_id="r1", at=1.0, data={"text": "a"})
    with pytest.raises(JournalError, match="before its start"):
        history.record(good, Event(kind=EventKind.NOTICE, run_id="unknown", at=1.0))
    assert len(history.events("r1")) == 1
    history.record(good)
    assert [number for number, _ in history.events("r1")] == [1, 2]


def test_two_processes_may_write_to_one_run(path: Path) -> None:
    """A resume or a cancel continues the numbers of the first."""
    with History.open(path, secrets=Secrets()) as first, History.open(path, secrets=Secrets()) as second:
        Storyteller(first).begin("r1")
        for history in (second, first, second):
            history.record(Event(kind=EventKind.NOTICE, run_id="r1", at=1.0))
        assert [number for number, _ in first.events("r1")] == [1, 2, 3, 4]


def test_a_run_can_be_recorded_and_asked_from_several_threads(history: History, story: Storyteller) -> None:
    """Memory's projection asks from a thread while the run writes."""
    story.begin("r1")

    def work() -> None:
        for _ in range(50):
            history.record(Event(kind=EventKind.NOTICE, run_id="r1", at=1.0))
            history.totals()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history.events("r1")) == 201


def test_full_synchronous_is_passed_on(path: Path) -> None:
    """`full` survives a power cut."""
    for setting, value in (("full", 2), ("normal", 1)):
        database = Database(path, synchronous="full" if setting == "full" else "normal")
        assert database.write(lambda cursor: cursor.execute("PRAGMA synchronous").fetchall()) == [(value,)]
        database.close()


def test_a_writer_that_never_ends_is_reported(path: Path) -> None:
    """SQLite's own word for it, explained."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = "SQLITE_BUSY"
    assert "kept busy" in explained(error, path).message


CHILD = """
    import sys
    from pathlib import Path
    from engine.errors import JournalError
    from engine.history import History
    from engine.model.event import Event, EventKind
    from engine.model.secret import Secrets

    history = History.open(Path(sys.argv[1]), secrets=Secrets())
    try:
        history.record(Event(kind=EventKind.RUN_STARTED, run_id="r1", at=1.0, data={"skill": "s"}))
        for _ in range(3000):
            history.record(Event(kind=EventKind.NOTICE, run_id="r1", at=1.0, data={"text": "x" * 9000}))
    except JournalError as error:
        print(error)
        sys.exit(9)
"""


def in_namespace(folder: Path, mount: str, child: str = CHILD) -> subprocess.CompletedProcess[str]:
    """Runs `child` (records 30 MB) in a mount namespace after `mount`; skips where namespaces are not allowed."""
    script = folder / "child.py"
    script.write_text(textwrap.dedent(child))
    inside = f"{mount} && exec {sys.executable} {script} {folder}/disk/history.db"
    (folder / "disk").mkdir()
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", inside], capture_output=True, text=True, check=False)
    if done.returncode not in {0, 9}:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()[:200]}")
    return done


CLAIMER = """
    import sys
    from pathlib import Path
    from engine.errors import JournalError
    from engine.history import History
    from engine.model.secret import Secrets

    history = History.open(Path(sys.argv[1]), secrets=Secrets())
    try:
        history.claim("r1")
    except JournalError as error:
        print(error)
        sys.exit(9)
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [("ro", "Read-only file system (make its folder writable"), ("nr_inodes=2", "the disk is full (free some space")],
)
def test_a_run_that_cannot_be_locked_is_a_clear_error(tmp_path: Path, options: str, said: str) -> None:
    """On a read-only disk, and on one where no file has room any more."""
    done = in_namespace(tmp_path, f"mount -t tmpfs -o {options} none {tmp_path}/disk", CLAIMER)
    assert done.returncode == 9, done.stderr
    assert "history cannot be" in done.stdout
    assert said in done.stdout


def test_a_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    """A real one: a file system of one megabyte."""
    done = in_namespace(tmp_path, f"mount -t tmpfs -o size=1m none {tmp_path}/disk")
    assert "the disk is full (free some space" in done.stdout


def test_a_read_only_disk_is_a_clear_error(tmp_path: Path) -> None:
    """A real one, too."""
    done = in_namespace(tmp_path, f"mount -t tmpfs -o ro none {tmp_path}/disk")
    assert "history cannot be kept in" in done.stdout
    assert "Read-only file system (make its folder writable" in done.stdout


def test_an_existing_history_on_a_read_only_disk_is_a_clear_error(
    history: History, story: Storyteller, path: Path
) -> None:
    """The file is there, but SQLite may not write beside it."""
    story.begin("r1")
    history.close()
    disk = path.parent / "disk"
    put = f"mount -t tmpfs none {disk} && cp {path} {disk}/history.db && mount -o remount,ro {disk}"
    done = in_namespace(path.parent, put)
    assert "cannot be opened for writing" in done.stdout


def test_a_folder_of_another_user_is_a_clear_error(tmp_path: Path) -> None:
    """Permissions refuse it, where this process is not root."""
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    assert "make its folder writable" in refusal(tmp_path / "home" / "history.db").hint


RUNS = """
    import os, sys
    from pathlib import Path
    from engine.history import History
    from engine.model.event import Event, EventKind
    from engine.model.secret import Secrets

    with History.open(Path(sys.argv[1]), secrets=Secrets()) as history:
        for number in range(50):
            run = f"{sys.argv[2]}-{number}"
            begin = {"skill": "s", "pid": os.getpid()}
            history.record(Event(kind=EventKind.RUN_STARTED, run_id=run, at=1.0, data=begin))
            history.record(Event(kind=EventKind.STEP_STARTED, run_id=run, at=1.0, step="a", data={"index": 0}))
            history.record(Event(kind=EventKind.STEP_FINISHED, run_id=run, at=1.0, step="a", data={"status": "ok"}))
            history.record(Event(kind=EventKind.RUN_FINISHED, run_id=run, at=1.0, data={"status": "ok"}))
"""


def test_eight_processes_record_fifty_runs_each(tmp_path: Path) -> None:
    """On a file none of them found: created once, nothing lost, every run with its own events."""
    path = tmp_path / "history.db"
    command = [sys.executable, "-c", textwrap.dedent(RUNS), str(path)]
    children = [subprocess.Popen([*command, str(number)]) for number in range(8)]
    assert [child.wait() for child in children] == [0] * 8
    with History.open(path, secrets=Secrets()) as history:
        runs = history.runs(limit=1000)
        assert len({run.id for run in runs}) == len(runs) == 400
        assert {run.status for run in runs} == {"ok"}
        assert [len(history.events(run.id)) for run in runs] == [4] * 400
