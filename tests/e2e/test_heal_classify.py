"""`skill heal classify` as people and scripts call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.shell import Shell

WGET = "wget: unable to resolve host address 'db1.prod.local': Name or service not known\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    made.folder.mkdir()
    return made


def test_a_text_is_read_with_its_reason(shell: Shell) -> None:
    """The kind comes first, then the words it was read from."""
    (shell.folder / "failure.txt").write_text(WGET)
    done = shell.run("heal", "classify", "failure.txt", "--program", "wget", "--exit-status", "4")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dns_failure\n")
    assert "Name or service not known" in done.stdout


def test_what_nothing_speaks_on_is_unknown(shell: Shell) -> None:
    """A word that could stand in a success is no diagnosis."""
    (shell.folder / "failure.txt").write_text("something went wrong (401 files)\n")
    answer = json.loads(shell.run("heal", "classify", "failure.txt", "--json").stdout)
    assert (answer["kind"], answer["confidence"], answer["pattern"]) == ("unknown", 0.0, None)


def test_many_failures_are_read_line_by_line(shell: Shell) -> None:
    """Each line of JSON is answered with one, in the same order; an exit status can decide."""
    rows = [
        {"text": WGET, "source": "wget", "exit_code": 4},
        {"text": "", "program": "curl", "exit_status": 6},
        {"text": "hm", "program": "x", "exit_status": 1},
    ]
    (shell.folder / "many.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    done = shell.run("heal", "classify", "--jsonl", "many.jsonl")
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["dns_failure", "dns_failure", "unknown"]


def test_a_line_that_is_no_failure_is_told_with_its_number(shell: Shell) -> None:
    """And what it should look like."""
    (shell.folder / "many.jsonl").write_text('{"text": "x"}\n[1]\n')
    done = shell.run("heal", "classify", "--jsonl", "many.jsonl")
    assert done.returncode == 2
    assert "line 2 is no failure" in done.stderr
