"""An export writes all of its folders or none, and never over what it did not write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.agent_skills.standing import Change
from engine.agent_skills.writing import write_all
from engine.errors import WorkspaceError
from tests.agent_skills import validated
from tests.shell import SKILL, Shell

ONE = "name: one_skill\ndescription: The first.\nsteps:\n  - {name: a, tool: echo, args: {value: 1}}\n"
TWO = "name: two_skill\ndescription: The second.\ntags: [b]\nsteps:\n  - {name: a, skill: one_skill}\n"
ROOT = os.geteuid() == 0


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A workspace with two skills, one of which runs the other."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    (made.folder / "skills").mkdir(parents=True)
    (made.folder / "skill.toml").touch()
    (made.folder / "skills" / "one_skill.yaml").write_text(ONE)
    (made.folder / "skills" / "two_skill.yaml").write_text(TWO)
    return made


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def export(shell: Shell, *words: str) -> subprocess.CompletedProcess[str]:
    """`skill export` into `out`."""
    return shell.run("export", "--format", "agent-skills", "out", *words)


def test_every_shipped_skill_and_ones_own_are_valid_folders(shell: Shell) -> None:
    """The reference validator takes all of them, and reads their names."""
    assert export(shell).returncode == 0
    says = validated(sorted((shell.folder / "out").iterdir()))
    assert {"one-skill", "two-skill", "test-mr-ephemeral", "build-local-image"} <= set(says)
    assert str(says["two-skill"]["description"]).startswith("The second. Use it when asked for: two skill, b.")


def test_exporting_the_same_twice_changes_nothing(shell: Shell) -> None:
    """Neither a byte nor the time of a file, and it is said."""
    export(shell)
    before = {path: path.stat().st_mtime_ns for path in (shell.folder / "out").rglob("*")}
    done = export(shell, "--json")
    assert {each["is"] for each in json.loads(done.stdout)} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in (shell.folder / "out").rglob("*")} == before


def test_a_changed_skill_is_exported_over_its_old_folder(shell: Shell) -> None:
    """What an export wrote and nobody changed is replaced; a skill that is not run any more goes from `references/`."""
    export(shell, "two_skill")
    (shell.folder / "out" / "two-skill" / "notes.md").write_text("mine")
    (shell.folder / "skills" / "two_skill.yaml").write_text(ONE.replace("one_skill", "two_skill"))
    assert export(shell, "two_skill").returncode == 0
    assert set(tree(shell.folder / "out" / "two-skill")) == {"SKILL.md", "references/two_skill.yaml", "notes.md"}


@pytest.mark.parametrize("name", ["one-skill/SKILL.md", "one-skill/references/one_skill.yaml"])
def test_what_a_person_wrote_is_left_alone_and_with_it_everything(shell: Shell, name: str) -> None:
    """A changed file stops the whole export; the other folder is not made either. Force replaces it."""
    export(shell, "one_skill")
    path = shell.folder / "out" / name
    path.write_text(path.read_text() + "# mine\n")
    (shell.folder / "skills" / "one_skill.yaml").write_text(ONE.replace("first", "newest"))
    before = tree(shell.folder / "out")
    done = export(shell)
    assert (done.returncode, tree(shell.folder / "out")) == (2, before)
    assert "was changed since it was exported" in done.stderr
    assert "--force" in done.stderr
    assert export(shell, "--force").returncode == 0
    assert b"# mine" not in path.read_bytes()


def test_a_folder_of_somebody_elses_is_left_alone(shell: Shell) -> None:
    """A SKILL.md that no export wrote is not replaced."""
    (shell.folder / "out" / "one-skill").mkdir(parents=True)
    (shell.folder / "out" / "one-skill" / "SKILL.md").write_text("---\nname: one-skill\ndescription: mine\n---\n")
    done = export(shell)
    assert done.returncode == 2
    assert "was not written by an export" in done.stderr
    assert set(tree(shell.folder / "out")) == {"one-skill/SKILL.md"}


def test_a_claim_to_be_ours_leads_nowhere_else(shell: Shell) -> None:
    """Names of files in a forged front matter are not followed out of the folder, and nothing is removed."""
    (shell.folder / "out" / "one-skill").mkdir(parents=True)
    (shell.folder / "precious.yaml").write_text("x")
    forged = "---\nname: one-skill\ndescription: d\nmetadata:\n  generator: skill-engine\n"
    forged += "  files: ../../precious.yaml=2d711642b726b044 references/../../../precious.yaml=2d711642b726b044\n"
    (shell.folder / "out" / "one-skill" / "SKILL.md").write_text(forged + "  page: 0123456789abcdef\n---\n")
    assert export(shell, "--force").returncode == 0
    assert (shell.folder / "precious.yaml").exists()


@pytest.mark.parametrize("where", ["one-skill", "one-skill/references", "one-skill/SKILL.md"])
def test_links_are_not_followed(shell: Shell, where: str) -> None:
    """A link in the place of a folder or a file is refused, with force too, and what it leads to stays."""
    path = shell.folder / "out" / where
    path.parent.mkdir(parents=True, exist_ok=True)
    (shell.folder / "elsewhere").mkdir()
    path.symlink_to(shell.folder / "elsewhere")
    done = export(shell, "--force")
    assert done.returncode == 2
    assert "links are not followed" in done.stderr
    assert tree(shell.folder / "elsewhere") == {}


def test_a_file_where_a_folder_should_be_is_refused(shell: Shell) -> None:
    """With force too."""
    (shell.folder / "out").mkdir()
    (shell.folder / "out" / "one-skill").write_text("x")
    assert "is no folder" in export(shell, "--force").stderr


def test_a_read_only_file_is_left_alone(shell: Shell) -> None:
    """Who took the right to write it away meant that."""
    export(shell)
    (shell.folder / "out" / "one-skill" / "SKILL.md").chmod(0o444)
    (shell.folder / "skills" / "one_skill.yaml").write_text(ONE.replace("first", "newest"))
    assert "is read-only" in export(shell).stderr


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_read_only_folder_gets_nothing(shell: Shell) -> None:
    """The folder is named, and nothing is half done."""
    (shell.folder / "out").mkdir(mode=0o555)
    done = export(shell)
    assert done.returncode == 2
    assert "nothing was written" in done.stderr


def test_where_one_file_cannot_be_written_those_before_it_are_taken_back(tmp_path: Path) -> None:
    """New files and folders are gone again, and replaced ones say what they said."""
    (tmp_path / "old").write_text("before")
    (tmp_path / "file").write_text("x")
    changes = [
        Change(path=tmp_path / "old", text="after", was=b"before"),
        Change(path=tmp_path / "new" / "deep" / "a", text="a", was=None),
        Change(path=tmp_path / "file" / "b", text="b", was=None),
    ]
    with pytest.raises(WorkspaceError, match=r"cannot be (written|made)|not a directory"):
        write_all(changes)
    assert tree(tmp_path) == {"old": b"before", "file": b"x"}
    assert not (tmp_path / "new").exists()


def test_names_that_become_one_and_broken_skills_stop_everything(shell: Shell) -> None:
    """Both skills are named; a skill with errors is shown with its place."""
    (shell.folder / "skills" / "one-skill.yaml").write_text(ONE.replace("one_skill", "one-skill"))
    done = export(shell)
    assert (done.returncode, "one-skill and one_skill would both be called one-skill" in done.stderr) == (2, True)
    (shell.folder / "skills" / "one-skill.yaml").write_text("name: one-skill\nsteps: 5\n")
    assert export(shell).returncode == 6
    assert not (shell.folder / "out").exists()


def test_tags_choose_and_a_dry_run_writes_nothing(shell: Shell) -> None:
    """Only skills with one of the tags; what would be written is said."""
    done = export(shell, "--tags", "b,nothing", "--dry-run", "--json")
    assert [(each["skill"], each["is"], each["written"]) for each in json.loads(done.stdout)] == [
        ("two_skill", "new", False)
    ]
    assert not (shell.folder / "out").exists()
    assert export(shell, "--tags", "nothing").returncode == 2
    assert export(shell, "no_such_skill").returncode == 3


@pytest.mark.parametrize("written", [1, 20, 41])
def test_an_export_that_is_killed_is_finished_by_the_next(shell: Shell, written: int) -> None:
    """Whatever was replaced by then is known as an export's own, so that no force is needed."""
    skills = [shell.folder / "skills" / f"many_{number:02}.yaml" for number in range(30)]
    for skill in skills:
        skill.write_text(ONE.replace("one_skill", skill.stem))
    export(shell)
    for skill in skills:
        skill.write_text(skill.read_text().replace("first", "newest"))
    running = subprocess.Popen(
        [SKILL, "export", "out"],
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while running.poll() is None and _newest(shell) < written:
        time.sleep(0.001)
    running.kill()
    running.wait()
    assert export(shell).returncode == 0
    assert _newest(shell) == 2 * len(skills)
    assert len(validated(sorted((shell.folder / "out").iterdir()))) >= len(skills)


def _newest(shell: Shell) -> int:
    """How many of the files have been replaced."""
    return sum(b"newest" in path.read_bytes() for path in (shell.folder / "out").glob("many-*/**/[Sm]*.*"))


def test_a_skill_comes_back_byte_for_byte_in_another_workspace(shell: Shell, tmp_path: Path) -> None:
    """With the skill it runs; the same again changes nothing; that a page was changed by hand is said."""
    export(shell, "two_skill")
    other = Shell(folder=tmp_path / "other", home=tmp_path / "home2")
    other.folder.mkdir()
    (other.folder / "skill.toml").touch()
    given = str(shell.folder / "out" / "two-skill")
    assert other.run("import", given, "--dry-run").returncode == 0
    assert tree(other.folder) == {"skill.toml": b""}
    assert other.json("import", given)["manual"] is False
    assert tree(other.folder / "skills") == {"one_skill.yaml": ONE.encode(), "two_skill.yaml": TWO.encode()}
    assert other.json("import", given)["written"] is False
    page = shell.folder / "out" / "two-skill" / "SKILL.md"
    page.write_text(page.read_text() + "\nmine\n")
    assert "was changed since it was exported" in other.json("import", given)["notes"][0]
    assert other.json("import", given, "--as", "third")["files"] == [str(other.folder / "skills" / "third.yaml")]
    assert other.run("check").returncode == 0


def test_what_was_put_into_references_is_checked_before_it_is_taken_in(shell: Shell) -> None:
    """A broken YAML, one that is a link, one that is missing: nothing is written."""
    export(shell, "one_skill")
    kept = shell.folder / "out" / "one-skill" / "references" / "one_skill.yaml"
    (shell.folder / "skills" / "one_skill.yaml").unlink()
    kept.write_text(ONE.replace("echo", "no_such_tool"))
    done = shell.run("import", "out/one-skill")
    assert (done.returncode, "no_such_tool" in done.stderr) == (6, True)
    kept.unlink()
    assert shell.run("import", "out/one-skill").returncode == 2
    kept.symlink_to(shell.folder / "skills" / "two_skill.yaml")
    assert "links are not followed" in shell.run("import", "out/one-skill").stderr
    assert not (shell.folder / "skills" / "one_skill.yaml").exists()


def test_neither_command_is_imported_by_another() -> None:
    """A plain `skill list` pays nothing for them."""
    imports = "import sys, engine.frontends.cli.library, engine.frontends.cli.run"
    code = f"{imports}; print([name for name in sys.modules if 'agent_skills' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
