"""Disks that are read-only, full, damaged or mangled: clear sentences, nothing half done, what was done is undone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.flow.workshop import TWO_ENTRIES, Workshop

LOOK = "\nsteps:\n  - {name: look, tool: look}\n"
UNDONE = ["enter ann", "enter bob", "leave bob", "leave ann"]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Tools and a lock, and nothing has happened yet."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.home.mkdir()
    return made


def disk(workshop: Workshop, options: str) -> tuple[str, ...]:
    """Words that run a command with a disk of its own in place of the home folder; skips where that is not allowed."""
    mount = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"'
    words = ("unshare", "-rm", "sh", "-c", mount, str(workshop.home))
    try:
        allowed = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("this machine allows no mounts in a namespace of one's own")
    return words


def test_memory_that_cannot_be_written_does_not_stop_a_run(workshop: Workshop) -> None:
    """The step is healed, the run is ok, and a notice says what was not written and the way out."""
    (workshop.home / "memory").write_text("a file where a folder should be")
    done = workshop.run("run", workshop.skill(LOOK))
    assert done.returncode == 0, done.stderr
    assert "memory was not brought up to date" in done.stderr
    assert "SKILL_HOME" in done.stderr
    assert "tool_failures.yaml" in done.stderr
    assert workshop.json("status", "last")["status"] == "ok"


def test_a_read_only_disk_is_said_before_anything_is_done(workshop: Workshop) -> None:
    """No history, no run: exit status 1, the path, and the way out; no tool was called."""
    name = workshop.skill(TWO_ENTRIES)
    done = workshop.run("run", name, prefix=disk(workshop, "ro"))
    assert done.returncode == 1
    assert "history" in done.stderr
    assert str(workshop.home) in done.stderr
    assert "SKILL_HOME" in done.stderr
    assert "Traceback" not in done.stderr
    assert workshop.log == []


def test_a_full_disk_is_said_before_anything_is_done(workshop: Workshop) -> None:
    """A disk too small for the history: the same, and it says that it is full."""
    done = workshop.run("run", workshop.skill(TWO_ENTRIES), prefix=disk(workshop, "size=16k"))
    assert done.returncode == 1
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr
    assert workshop.log == []


def test_a_night_on_a_full_disk_says_that_it_is_full(workshop: Workshop) -> None:
    """Not a byte is left, not even for who holds the job's lock: the parts that write say so, with the way out."""
    filled = ("sh", "-c", 'head -c 99999 /dev/zero > "$0/fill"; exec "$@"', str(workshop.home))
    done = workshop.run("learn", prefix=(*disk(workshop, "size=16k"), *filled))
    assert done.returncode == 1
    assert "free some space" in done.stderr
    assert "engine itself" not in done.stderr


def test_a_disk_that_fills_in_mid_run_does_not_stop_the_undo(workshop: Workshop) -> None:
    """History breaks after two entries; both are taken back, the run has failed, and it says why."""
    workshop.tool("fill", f'head -c 100000000 /dev/zero > "{workshop.home}/fill" 2> /dev/null\ntrue\n')
    name = workshop.skill(TWO_ENTRIES + "  - {name: fill, tool: fill}\n  - {name: never, tool: enter}\n")
    done = workshop.run("run", name, prefix=disk(workshop, "size=8m"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert workshop.log == UNDONE
    assert "history could not be written" in done.stdout + done.stderr
    assert "full" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_just_done_is_undone_too(workshop: Workshop) -> None:
    """The very step after which history breaks has an undo, and it runs."""
    workshop.tool("enter", f'echo "enter $1" >> log\nhead -c 100000000 /dev/zero > "{workshop.home}/fill"\ntrue\n')
    done = workshop.run("run", workshop.skill(TWO_ENTRIES), prefix=disk(workshop, "size=8m"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert workshop.log == ["enter ann", "leave ann"]


def test_a_damaged_history_is_not_touched(workshop: Workshop) -> None:
    """Exit status 1, how to begin a new one, nothing done, and the file as it was."""
    path = workshop.home / "history.db"
    path.write_bytes(b"this was a database once" * 1000)
    done = workshop.run("run", workshop.skill(TWO_ENTRIES))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert f"mv {path}" in done.stderr
    assert path.read_bytes() == b"this was a database once" * 1000
    assert workshop.log == []


def test_a_folder_where_the_history_should_be(workshop: Workshop) -> None:
    """It is said as it is."""
    (workshop.home / "history.db").mkdir()
    done = workshop.run("run", workshop.skill(TWO_ENTRIES))
    assert done.returncode == 1
    assert "it is a folder" in done.stderr
    assert workshop.log == []


def test_a_fix_that_cannot_be_locked_is_not_run(workshop: Workshop) -> None:
    """Nobody may run it twice at once, so nobody runs it; the tool's own failure stands, and the reason beside it."""
    (workshop.home / "state").mkdir()
    (workshop.home / "state" / "fixes").write_text("a file where a folder should be")
    result = workshop.json("run", workshop.skill(LOOK), status=1)
    (step,) = result["steps"]
    assert step["failure"]["message"] == "the door is locked"
    assert "cannot be written" in step["reason"]
    assert workshop.log == []


@pytest.mark.parametrize(
    "mangled", ["patterns:\n  - id: x\n   pattern: [\n", "patterns: {a: 1, a: 2}\n", "\x00", "[" * 200_000]
)
def test_a_mangled_pattern_file_is_reported_and_left_alone(workshop: Workshop, mangled: str) -> None:
    """The run heals by what is shipped, says which line is wrong, and changes nothing in the file."""
    path = workshop.home / "memory" / "learned" / "patterns.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(mangled)
    done = workshop.run("run", workshop.skill(LOOK))
    assert done.returncode == 0, done.stderr
    assert f"goes on without {path}:" in done.stderr
    assert path.read_text() == mangled
    assert workshop.log == ["log_in"]


def test_a_folder_where_the_pattern_file_should_be(workshop: Workshop) -> None:
    """As any other broken file."""
    path = workshop.home / "memory" / "learned" / "patterns.yaml"
    path.mkdir(parents=True)
    done = workshop.run("run", workshop.skill(LOOK))
    assert done.returncode == 0, done.stderr
    assert f"goes on without {path}" in done.stderr
