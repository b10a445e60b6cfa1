"""`skill doctor` where the configuration, or the installation itself, is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.shell import Shell

HALF = """
import sys
sys.modules["tool_registry.functions.prometheus"] = None  # as Python keeps a module that must not be imported
from engine.frontends.cli import main
main()
"""


def place(tmp_path: Path, settings: str) -> Shell:
    """A workspace with these settings."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    made.folder.mkdir()
    (made.folder / "skill.toml").write_text(settings)
    return made


def test_a_profile_that_cannot_be_read_is_told_whatever_was_asked_for(tmp_path: Path) -> None:
    """Else an empty answer would say that all is well, or the name of a domain would be called misspelt."""
    work = place(tmp_path, '[services.gitlab]\nurl = "gitlab"\n')
    for name in ("domains", "gitlab", "stage"):
        done = work.run("doctor", "--offline", "--only", name)
        assert (done.returncode, "is not valid" in done.stdout) == (1, True), done.stdout + done.stderr


def test_the_embedded_platform_is_no_rung_of_another_profile(tmp_path: Path) -> None:
    """Nothing would be run there."""
    work = place(tmp_path, 'profile = "nightly"\n')
    (work.folder / "config").mkdir()
    (work.folder / "config" / "nightly_profile.yaml").write_text("profile: nightly\ndescription: Its own.\n")
    done = work.run("doctor", "--offline", "--only", "ladder", "-o", "json")
    rung = next(each for each in json.loads(done.stdout) if each["name"] == "local profile")
    assert (rung["state"], rung["found"]) == (
        "idle",
        "the embedded platform, which is not used: the profile is nightly",
    )


def test_tools_that_cannot_be_imported_are_told_and_not_the_end(tmp_path: Path) -> None:
    """The doctor is asked when something is broken, and that may be the engine's own installation."""
    work = place(tmp_path, "")
    for arguments, status, told in (
        (["doctor", "--offline"], 1, "install skill-engine anew"),
        (["list"], 0, "test_mr_ephemeral"),
    ):
        command = [sys.executable, "-c", HALF, "-C", str(work.folder), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=work.folder, env=work.environment
        )
        assert (done.returncode, told in done.stdout) == (status, True), done.stdout + done.stderr
