"""Files that people edit survive the engine: no line lost, no comment lost, nothing half written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.documents import edit, read, write_whole
from engine.documents.files import locked
from engine.errors import DocumentError

TEXT = """\
# written by a person, line 1
items: []   # the list

count: 0  # how many
notes: |
  kept as it is
# the last line
"""
COMMENTS = ["# written by a person, line 1", "# the list", "# how many", "# the last line"]
APPENDING = """\
import sys
from pathlib import Path
from engine.documents import edit
path, who, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(times):
    with edit(path) as editing:
        editing.append(("items",), f"{who} {number}")
        editing.set(("count",), editing.value["count"] + 1)
"""
KILLING = """\
import os, random, signal, sys, time
from pathlib import Path
from engine.documents import edit, read
path, times = Path(sys.argv[1]), int(sys.argv[2])
for number in range(times):
    child = os.fork()
    if child == 0:
        while True:
            with edit(path) as editing:
                if len(editing.value["items"]) > 40:
                    editing.set(("items",), [])
                editing.append(("items",), number)
                editing.set(("count",), editing.value["count"] + 1)
    time.sleep(random.uniform(0.001, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    text = path.read_text()
    document = read(path)
    assert all(comment in text for comment in sys.argv[3:]), text
    assert document.value["notes"] == "kept as it is\\n"
print(read(path).value["count"])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with comments."""
    found = tmp_path / "file.yaml"
    found.write_text(TEXT)
    return found


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own that runs the code."""
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_eight_processes_lose_nothing(path: Path) -> None:
    """Eight processes append fifty times each: four hundred items, each once, every comment, the right count."""
    processes = [started(APPENDING, str(path), str(number), "50") for number in range(8)]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 8
    value = read(path).value
    assert sorted(value["items"]) == sorted(f"{who} {number}" for who in range(8) for number in range(50))
    assert value["count"] == 400
    assert all(path.read_text().count(comment) == 1 for comment in COMMENTS)


@pytest.mark.slow
def test_two_hundred_kills_leave_a_whole_file(path: Path) -> None:
    """A writer killed at random moments, two hundred times: the file can always be read, with every comment."""
    process = started(KILLING, str(path), "200", *COMMENTS)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    assert int(output) > 50
    assert {each.name for each in path.parent.iterdir()} <= {"file.yaml", ".file.yaml.lock", ".file.yaml.new"}


def test_threads_of_one_process_take_turns(path: Path) -> None:
    """The lock holds between threads too."""

    def append() -> None:
        for number in range(10):
            with edit(path) as editing:
                editing.append(("items",), number)

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read(path).value["items"]) == 40


def test_readers_never_wait(path: Path) -> None:
    """While a file is held for changing it can be read, as it was."""
    with edit(path) as editing:
        editing.set(("count",), 1)
        assert read(path).value["count"] == 0
    assert read(path).value["count"] == 1


def test_a_writer_does_not_wait_for_ever(path: Path) -> None:
    """Whoever finds a file held for too long says so."""
    with locked(path), pytest.raises(DocumentError, match="has been writing"), locked(path, patience=0.05):
        pass


def test_an_error_in_the_block_changes_nothing(path: Path) -> None:
    """What was asked for before the error is not written."""

    def fail_halfway() -> None:
        with edit(path) as editing:
            editing.set(("count",), 5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert path.read_text() == TEXT


def test_nothing_to_change_writes_nothing(path: Path) -> None:
    """The file is not touched when it says already what is wanted."""
    before = path.stat()
    with edit(path) as editing:
        editing.set(("count",), 0)
    assert path.stat().st_ino == before.st_ino


def test_rights_stay(path: Path) -> None:
    """A file others may not read stays so."""
    path.chmod(0o640)
    with edit(path) as editing:
        editing.set(("count",), 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """Through a symbolic link its target is changed."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link.yaml"
    link.symlink_to(path)
    with edit(link) as editing:
        editing.set(("count",), 1)
    assert link.is_symlink()
    assert read(path).value["count"] == 1


def test_a_byte_order_mark_stays(path: Path) -> None:
    """What an editor of another system put before the text is kept."""
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    with edit(path) as editing:
        editing.set(("count",), 1)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf# written")


def test_a_read_only_file_is_left_alone(path: Path) -> None:
    """Who took the right to write meant it; the way out is named."""
    path.chmod(0o444)
    with pytest.raises(DocumentError, match="read-only") as caught, edit(path) as editing:
        editing.set(("count",), 1)
    assert "chmod" in caught.value.hint
    assert path.read_text() == TEXT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_error(path: Path) -> None:
    """Where nothing can be written the error says so, and nothing is half done."""
    path.parent.chmod(0o555)
    try:
        with pytest.raises(DocumentError, match="cannot be written"), edit(path) as editing:
            editing.set(("count",), 1)
    finally:
        path.parent.chmod(0o755)
    assert path.read_text() == TEXT


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A folder that does not exist, and one that is a file."""
    (tmp_path / "file").write_text("")
    for folder in ("missing", "file"):
        with pytest.raises(DocumentError, match="cannot be written"):
            write_whole(tmp_path / folder / "new.yaml", {"a": 1})


def test_a_disk_without_room_leaves_the_file(path: Path) -> None:
    """When the new text cannot be written out (here by a limit on its size), the old one stays."""
    lines = f"""
import resource, signal, sys
from pathlib import Path
from engine.documents import edit
from engine.errors import DocumentError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    with edit(Path({str(path)!r})) as editing:
        editing.set(("notes",), "x" * 1000)
except DocumentError as error:
    print(error.message)
"""
    output, _ = started(lines).communicate(timeout=30)
    assert "cannot be written" in output
    assert path.read_text() == TEXT
    assert not path.with_name(".file.yaml.new").exists()


def test_a_broken_file_is_never_overwritten(path: Path) -> None:
    """Neither an edit nor a whole write touches a file that cannot be read."""
    path.write_text("a: [1, 2\n# mine\n")
    with pytest.raises(DocumentError), edit(path):
        pass
    with pytest.raises(DocumentError):
        write_whole(path, {"a": 1})
    assert path.read_text() == "a: [1, 2\n# mine\n"


def test_a_file_that_breaks_its_schema_is_not_written(path: Path) -> None:
    """Neither when it did before the change nor when it would after."""
    path.write_text("name: x\ncommand: {argv: [ls]}\n")
    with pytest.raises(DocumentError, match="argv"), edit(path, "tool") as editing:
        editing.set(("command", "argv"), [])
    assert read(path).value["command"] == {"argv": ["ls"]}
    path.write_text("name: x\ncomand: {argv: [ls]}\n")
    with pytest.raises(DocumentError, match="comand"), edit(path, "tool") as editing:
        editing.set(("name",), "y")


def test_a_file_can_begin_from_a_text(tmp_path: Path) -> None:
    """`start` is the text of a file that does not exist yet; without it that is an error."""
    path = tmp_path / "new.yaml"
    with pytest.raises(DocumentError, match="No such file"), edit(path):
        pass
    with edit(path, start="# seeds\nitems: []\n") as editing:
        editing.append(("items",), 1)
    assert path.read_text() == "# seeds\nitems:\n  - 1\n"
    with edit(path, start="# other\n") as editing:
        editing.append(("items",), 2)
    assert read(path).value == {"items": [1, 2]}


def test_a_whole_write_keeps_what_a_person_noted(tmp_path: Path) -> None:
    """The header, and comments between and beside the top keys, stay when all values change."""
    path = tmp_path / "whole.yaml"
    write_whole(
        path, {"stats": {"total": 1}, "failures": [{"a": 1}], "gone": 1}, header="Written by the engine.\n\nTwice."
    )
    assert path.read_text().startswith("# Written by the engine.\n#\n# Twice.\n\nstats:\n")
    noted = path.read_text().replace("failures:", "# look here first\nfailures:  # newest last")
    path.write_text(noted)
    write_whole(path, {"stats": {"total": 2}, "failures": [{"a": 2}, {"b": "no"}], "new": []}, header="another")
    text = path.read_text()
    assert read(path).value == {"stats": {"total": 2}, "failures": [{"a": 2}, {"b": "no"}], "new": []}
    assert text.startswith("# Written by the engine.\n#\n# Twice.\n\nstats:\n")
    assert "# look here first\nfailures:  # newest last\n" in text
    inode = path.stat().st_ino
    write_whole(path, read(path).value)
    assert path.stat().st_ino == inode


def test_a_whole_write_can_empty_and_fill_a_file(tmp_path: Path) -> None:
    """From nothing to something and back."""
    path = tmp_path / "whole.yaml"
    for value in ({}, {"a": 1}, {"b": [1]}, {}):
        write_whole(path, value)
        assert read(path).value == value
