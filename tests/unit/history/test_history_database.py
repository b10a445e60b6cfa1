"""What the database does when the world is unkind: broken files, full disks, others at work."""

from __future__ import annotations

import os
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
from engine.history.database import Database, explained
from engine.history.migrations import MIGRATIONS, Migration
from engine.model.event import Event, EventKind
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
    later = Migration(number=2, name="a mood", statements=("ALTER TABLE runs ADD COLUMN mood TEXT",))
    database = Database(path, migrations=(*MIGRATIONS, later))
    assert database.read("SELECT id, mood FROM runs") == [("r1", None)]
    assert database.read("SELECT number FROM migrations ORDER BY number") == [(1,), (2,)]
    database.close()


def test_a_migration_that_breaks_changes_nothing(history: History, story: Storyteller, path: Path) -> None:
    """All of it, or none."""
    story.begin("r1")
    history.close()
    broken = Migration(number=2, name="x", statements=("CREATE TABLE extra (a TEXT)", "CREATE TABLE runs (a TEXT)"))
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


def in_namespace(folder: Path, mount: str) -> subprocess.CompletedProcess[str]:
    """Records 30 MB in a mount namespace of its own, after `mount`; skips where namespaces are not allowed."""
    script = folder / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    inside = f"{mount} && exec {sys.executable} {script} {folder}/disk/history.db"
    (folder / "disk").mkdir()
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", inside], capture_output=True, text=True, check=False)
    if done.returncode not in {0, 9}:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()[:200]}")
    return done


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
