"""`skill new` and `skill fmt`, as an author uses them."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.shell import SKILL

ROOT = Path(__file__).resolve().parents[2]
MESSY = "name:   messy\nsteps:\n- tool: echo   # says\n  # its name\n  name: said\n\n\n\n  args: {value: 1}\n"
NEAT = "name: messy\nsteps:\n  # its name\n  - name: said\n    tool: echo   # says\n\n    args: {value: 1}\n"
BROKEN = "name: broken\nsteps: [\n"


def files(folder: Path) -> set[str]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def skill(shell: Any, name: str, text: str) -> Path:
    """A skill file in the workspace."""
    (shell.folder / "skills").mkdir(exist_ok=True)
    path = Path(shell.folder / "skills" / f"{name}.yaml")
    path.write_bytes(text.encode())
    return path


def test_a_new_skill_is_right_and_runs(shell: Any) -> None:
    """Nothing has to be filled in: it passes every check, is laid out, and runs."""
    done = shell.run("new", "greet", "--description", "Greets: you & me.")
    assert (done.returncode, done.stdout) == (0, "wrote skills/greet.yaml\n")
    assert files(shell.folder) == {"skills/greet.yaml", "schemas/skill.schema.json"}
    assert "skill run greet" in done.stderr
    checked = shell.run("check", "greet")
    assert (checked.returncode, checked.stdout) == (0, "")
    assert "0 errors, 0 warnings" in checked.stderr
    assert shell.run("fmt", "--check").returncode == 0
    assert shell.json("run", "greet", "-i", "who=Ada")["outputs"] == {"greeting": "hello Ada", "words": 2}
    assert shell.json("show", "greet")["description"] == "Greets: you & me."


def test_tools_become_steps(shell: Any) -> None:
    """What they must be given is what the skill must be given, and the way to run it says so."""
    done = shell.run("new", "look", "--tool", "git_rev_parse", "--tool", "wait", "--tool", "wait")
    assert done.returncode == 0, done.stderr
    assert "skill run look -i ref=... -i seconds=..." in done.stderr
    assert shell.run("check", "look").returncode == 0
    assert [step["name"] for step in shell.json("show", "look")["steps"]] == ["git_rev_parse", "wait", "wait_2"]
    refused = shell.run("run", "look")
    assert refused.returncode == 2
    assert "ref is missing" in refused.stderr


def test_a_skill_can_be_copied(shell: Any) -> None:
    """A shipped one by name, one's own by its file; comments stay."""
    done = shell.run("new", "mine", "--from", "build_local_image")
    assert done.returncode == 0, done.stderr
    text, original = (shell.folder / "skills" / "mine.yaml").read_text(), ROOT / "skills" / "build_local_image.yaml"
    assert text == original.read_text().replace("name: build_local_image\n", "name: mine\n", 1)
    assert shell.run("check", "mine").returncode == 0
    again = shell.run("new", "ours", "--from", "skills/mine.yaml", "--description", "Ours.")
    assert again.returncode == 0, again.stderr
    assert shell.json("show", "ours")["description"] == "Ours."


def test_a_skill_elsewhere_is_called_by_its_path(shell: Any) -> None:
    """The line for editors leads back to the workspace, and the commands shown work as they are."""
    done = shell.run("new", "far", "--folder", "team/far off")
    assert (
        (shell.folder / "team" / "far off" / "far.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=../../schemas/skill.schema.json\n")
    )
    assert "skill check 'team/far off/far.yaml'" in done.stderr
    assert shell.run("check", "team/far off/far.yaml").returncode == 0


def test_a_shipped_name_is_hidden_with_a_word(shell: Any) -> None:
    """It is allowed, and said."""
    done = shell.run("new", "test_mr_ephemeral")
    assert done.returncode == 0
    assert "hides the shipped skill" in done.stderr


def test_a_checkout_keeps_its_own_schema(shell: Any) -> None:
    """In the project itself nothing is written beside the skill; its schema is there already."""
    done = shell.run("-C", str(ROOT), "new", "far", "--folder", str(shell.folder / "far"))
    assert done.returncode == 0, done.stderr
    assert files(shell.folder) == {"far/far.yaml"}
    line = (shell.folder / "far" / "far.yaml").read_text().split("\n")[0]
    assert (shell.folder / "far" / line.partition("$schema=")[2]).samefile(ROOT / "schemas" / "skill.schema.json")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (
            ["My Skill"],
            2,
            "'My Skill' is no name for a skill\n  use letters, digits, _ and -, and begin with a letter or digit: My-",
        ),
        (["-x"], 2, "no such option"),
        (["--", "-x"], 2, "is no name for a skill"),
        (["a" * 101], 2, "is no name for a skill"),
        (["skills/x.yaml"], 2, "give a name, and say with --folder where it goes: x"),
        (["../x"], 2, "is no name for a skill"),
        (["é"], 2, "is no name for a skill"),
        (["there"], 2, "skills/there.yaml is there already\n  take another name, or replace it with --force"),
        (["x", "--tool", "ecko"], 2, "there is no tool called ecko; did you mean echo"),
        (["x", "--from", "ther"], 3, "there is no skill called ther\n  did you mean there?"),
        (["x", "--from", "broken"], 6, "broken.yaml:3:1"),
        (["x", "--from", "there", "--tool", "echo"], 2, "--from copies a whole skill"),
        (["x", "--folder", "skills/there.yaml"], 2, "is a file, not a folder"),
        (["x", "--folder", "/proc/x"], 2, "cannot be made"),
        (["x", "--from", "gone.yaml"], 3, "there is no file gone.yaml"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_written(
    shell: Any, words: list[str], status: int, told: str
) -> None:
    """What is wrong, and the way out."""
    skill(shell, "there", "name: there\nsteps:\n  - {name: a, tool: echo, args: {value: 1}}\n")
    skill(shell, "broken", BROKEN)
    done = shell.run("new", *words)
    assert done.returncode == status, done.stderr
    assert told.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert files(shell.folder) == {"skills/there.yaml", "skills/broken.yaml"}


def test_force_replaces_and_says_so(shell: Any) -> None:
    """The file's rights stay; a link is never followed."""
    path = skill(shell, "there", "old\n")
    path.chmod(0o600)
    done = shell.run("new", "there", "--force")
    assert (done.returncode, done.stdout) == (0, "replaced skills/there.yaml\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (shell.folder / "secret").write_text("keep\n")
    (shell.folder / "skills" / "link.yaml").symlink_to(shell.folder / "secret")
    refused = shell.run("new", "link", "--force")
    assert refused.returncode == 2
    assert "is no plain file" in refused.stderr
    assert (shell.folder / "secret").read_text() == "keep\n"


def test_a_folder_that_cannot_be_written_is_said(shell: Any) -> None:
    """One sentence with the folder and the reason, and status 2."""
    (shell.folder / "skills").mkdir()
    mount = 'mount -t tmpfs -o ro tmpfs "$0" && exec "$@"'
    words = ("unshare", "-rm", "sh", "-c", mount, str(shell.folder / "skills"))
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no mounts in a namespace of one's own")
    done = shell.run("new", "x", prefix=words)
    assert done.returncode == 2
    assert "skills/x.yaml: this file cannot be written: Read-only file system" in done.stderr
    assert files(shell.folder) == set()


def test_the_schema_beside_the_skills_follows_the_tools(shell: Any) -> None:
    """It is renewed when a tool came, left when nothing did, and never touched when somebody else wrote it."""
    shell.run("new", "a")
    path = shell.folder / "schemas" / "skill.schema.json"
    assert json.loads(path.read_text()) == json.loads(shell.run("schema", "skill", "--tools").stdout)
    (shell.folder / "tools").mkdir()
    (shell.folder / "tools" / "up.yaml").write_text("name: up\neffect: read\ncommand:\n  argv: [uptime]\n")
    done = shell.run("new", "b", "--tool", "up")
    assert "renewed schemas/skill.schema.json" in done.stderr
    assert "args of up" in path.read_text()
    assert "schemas/" not in shell.run("new", "b", "--tool", "up", "--force").stderr
    path.write_text('{"title": "ours"}\n')
    shell.run("new", "c")
    assert path.read_text() == '{"title": "ours"}\n'


def test_new_tells_scripts_what_it_did(shell: Any) -> None:
    """As data, or only the file's name."""
    told = shell.json("new", "a", "--tool", "wait")
    assert (told["file"], told["replaced"]) == (str(shell.folder / "skills" / "a.yaml"), False)
    assert told["next"][-1] == "skill run a -i seconds=..."
    quiet = shell.run("new", "b", "-q")
    assert (quiet.stdout, quiet.stderr) == ("skills/b.yaml\n", "")


def test_fmt_lays_out_every_skill_of_the_workspace(shell: Any) -> None:
    """It names what it changed, says how many it left, and leaves nothing else behind."""
    messy = skill(shell, "messy", MESSY)
    skill(shell, "neat", NEAT)
    done = shell.run("fmt")
    assert (done.returncode, done.stdout) == (0, "formatted skills/messy.yaml\n")
    assert done.stderr == "1 file changed, 1 already as they should be\n"
    assert messy.read_text() == NEAT
    assert files(shell.folder) == {"skills/messy.yaml", "skills/neat.yaml"}


def test_fmt_check_and_diff_change_nothing(shell: Any) -> None:
    """--check has a status for CI, --diff shows the change; -q only names the files."""
    messy = skill(shell, "messy", MESSY)
    checked = shell.run("fmt", "--check")
    assert (checked.returncode, checked.stdout) == (1, "would change skills/messy.yaml\n")
    shown = shell.run("fmt", "--diff", "messy")
    assert shown.returncode == 0
    assert shown.stdout.startswith("--- skills/messy.yaml\n+++ skills/messy.yaml\n@@")
    assert shell.run("fmt", "--check", "--diff").returncode == 1
    assert shell.run("fmt", "--check", "-q").stdout == "skills/messy.yaml\n"
    [told] = shell.json("fmt", "--check", status=1)
    assert (told["changed"], told["errors"]) == (True, [])
    assert messy.read_text() == MESSY
    # What --diff shows is a patch.
    subprocess.run(["git", "apply", "-p0", "-"], cwd=shell.folder, input=shown.stdout, text=True, check=True)
    assert messy.read_text() == NEAT


def test_fmt_reads_standard_input_for_editors(shell: Any) -> None:
    """`-` gives the text back, with the mark and the ends of lines it had; a mistake gives nothing back."""

    def through(text: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = [str(SKILL), "fmt", "-", *words]
        return subprocess.run(
            command, input=text, cwd=shell.folder, env=shell.environment, capture_output=True, check=False
        )

    assert through(MESSY.encode()).stdout == NEAT.encode()
    windows = b"\xef\xbb\xbf" + MESSY.replace("\n", "\r\n").encode()
    assert through(windows).stdout == b"\xef\xbb\xbf" + NEAT.replace("\n", "\r\n").encode()
    checked = through(MESSY.encode(), "--check")
    assert (checked.returncode, checked.stdout) == (1, b"")
    broken = through(BROKEN.encode())
    assert (broken.returncode, broken.stdout) == (6, b"")
    assert b"standard input:3:1" in broken.stderr
    assert through(MESSY.encode(), "other").returncode == 2


def test_fmt_leaves_alone_what_it_cannot_format_and_goes_on(shell: Any) -> None:
    """Each with its place; the others are formatted all the same, and the status is 6."""
    broken, asked = skill(shell, "broken", BROKEN), skill(shell, "asked", "? name\n: asked\nsteps: []\n")
    messy = skill(shell, "messy", MESSY)
    done = shell.run("fmt")
    assert done.returncode == 6
    assert "skills/broken.yaml:3:1: syntax" in done.stderr
    assert "skills/asked.yaml:1:1: cannot-format a key that is announced with `?`" in done.stderr
    assert "2 cannot be formatted" in done.stderr
    assert (broken.read_text(), messy.read_text()) == (BROKEN, NEAT)
    assert asked.read_text().startswith("? name")


def test_fmt_takes_names_files_and_folders(shell: Any) -> None:
    """A shipped skill is left to the engine, with the way to have one's own."""
    skill(shell, "a", MESSY), skill(shell, "b", MESSY)
    assert shell.run("fmt", "a", "skills/a.yaml", "-q").stdout == "skills/a.yaml\n"
    assert shell.run("fmt", "skills", "-q").stdout == "skills/b.yaml\n"
    refused = shell.run("fmt", "test_mr_ephemeral")
    assert refused.returncode == 2
    assert "skill new my_test_mr_ephemeral --from test_mr_ephemeral" in refused.stderr
    assert shell.run("fmt", "nothing").returncode == 3
    empty = shell.run("fmt", "-C", str(shell.home.parent))
    assert (empty.returncode, empty.stderr) == (0, "there are no skill files here; `skill new NAME` writes one\n")


def test_many_formatters_at_once_leave_a_whole_file(shell: Any) -> None:
    """Whoever loses says so or finds nothing to do; nothing is left beside the file."""
    messy = skill(shell, "messy", MESSY)
    running = [shell.start("fmt", "messy") for _ in range(6)]
    for each in running:
        said = each.communicate(timeout=60)[1]
        assert each.returncode == 0 or "somebody else changed this file just now" in said
    assert messy.read_text() == NEAT
    assert files(shell.folder) == {"skills/messy.yaml"}


def test_names_are_completed(shell: Any) -> None:
    """Skills after `fmt` and `--from`, tools after `--tool`."""
    skill(shell, "mine", NEAT)

    def complete(line: str) -> list[str]:
        words = line.split(" ")
        told = {"_SKILL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        return [answer.partition(",")[2] for answer in shell.run(environment=told).stdout.splitlines() if answer]

    assert complete("skill fmt mi") == ["mine"]
    assert complete("skill new x --from mi") == ["mine"]
    assert complete("skill new x --tool kube_l") == ["kube_login"]
    assert complete("skill fm") == ["fmt"]
