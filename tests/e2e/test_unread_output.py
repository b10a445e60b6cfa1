"""Who stops reading ends a command quietly, as with other programs: `skill list | head -1`."""

from __future__ import annotations

import subprocess

import pytest

from tests.e2e.conftest import PlatformShell
from tests.shell import SKILL

SKILLS = SKILL.parent
LONG = "name: long\nsteps:\n  - name: each\n    foreach: range(400)\n    tool: echo\n    args: {value: xxxxxxxxxx}\n"


def piped(shell: PlatformShell, command: str) -> tuple[str, str, str]:
    """What of a pipe comes out, what is said beside it, and the exit status of `skill`."""
    done = subprocess.run(
        ["bash", "-c", f"{command}; echo status ${{PIPESTATUS[0]}} >&2"],
        cwd=shell.folder,
        env={**shell.environment, "PATH": f"{SKILLS}:{shell.environment['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said, _, status = done.stderr.rpartition("status ")
    return done.stdout, said, status.strip()


@pytest.mark.parametrize(
    "words", ["schema skill", "tools -o jsonl", "--help", "run long -o jsonl", "check nobody 2>&1", "run long 2>&1"]
)
def test_a_reader_that_goes_is_no_mistake(shell: PlatformShell, words: str) -> None:
    """Nothing is said of it, whichever stream it was, and no details are kept of a crash."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skill.toml").touch()
    (shell.folder / "skills" / "long.yaml").write_text(LONG)
    _, said, status = piped(shell, f"skill {words} | (exec 0<&-; sleep 0.5)")
    assert "Traceback" not in said
    assert "error" not in said.lower()
    assert status == "141"
    assert not list(shell.home.rglob("skill-crash*"))


def test_the_run_whose_output_nobody_reads_still_ends_as_it_should(shell: PlatformShell) -> None:
    """History has its end."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skill.toml").touch()
    (shell.folder / "skills" / "long.yaml").write_text(LONG)
    out, _, status = piped(shell, "skill run long -o jsonl | head -1")
    assert (len(out.splitlines()), status) == (1, "141")
    assert shell.json("history")[0]["status"] == "ok"
