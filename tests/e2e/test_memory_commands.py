"""The commands around memory as people type them: edited, tidied, backed up, carried elsewhere, and tools called."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.shell import Shell

FIXES = "# mine\ntool_fixes:\n  - {tool_name: echo, error_pattern: no echo, fix_applied: step back}\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with one fix of a person's."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    made.folder.mkdir()
    fixes_of(made).parent.mkdir(parents=True)
    fixes_of(made).write_text(FIXES)
    return made


def fixes_of(shell: Shell) -> Path:
    """The file of fixes."""
    return shell.home / "memory" / "learned" / "tool_fixes.yaml"


def editor(words: str) -> dict[str, str]:
    """An environment in which that command edits; VISUAL counts before EDITOR."""
    return {"VISUAL": words, "EDITOR": "false"}


def test_an_edit_that_is_right_takes_the_files_place_and_can_be_undone(shell: Shell) -> None:
    """The command that undoes it is shown."""
    done = shell.run("memory", "edit", "fixes", environment=editor("sed -i 's/step back/go nearer/'"))
    assert done.returncode == 0, done.stderr
    assert "go nearer" in fixes_of(shell).read_text()
    undo = re.search(r"undo: skill (memory restore \S+)", done.stderr)
    assert undo is not None
    assert shell.run(*undo[1].split()).returncode == 0
    assert fixes_of(shell).read_text() == FIXES


def test_an_edit_that_is_not_right_is_kept_and_taken_up_again(shell: Shell) -> None:
    """The file stays, the line is shown, and the next edit begins where this one ended."""
    broken = shell.run("memory", "edit", "fixes", environment=editor("sed -i 's/^tool_fixes:/tool_fixes/'"))
    assert broken.returncode == 6
    assert fixes_of(shell).read_text() == FIXES
    assert re.search(r"tool_fixes\.edited\.yaml:\d+:\d+: ", broken.stderr)
    mended = shell.run(
        "memory", "edit", "fixes", environment=editor("sed -i 's/^tool_fixes$/tool_fixes:/;s/back/off/'")
    )
    assert mended.returncode == 0, mended.stderr
    assert "going on with the edit" in mended.stderr
    assert "step off" in fixes_of(shell).read_text()
    assert [path.name for path in fixes_of(shell).parent.glob("*.yaml")] == ["tool_fixes.yaml"]


def test_an_edit_that_changes_nothing_leaves_nothing(shell: Shell) -> None:
    """No copy and no back-up; nor does an editor that fails."""
    assert "nothing was changed" in shell.run("memory", "edit", "fixes", environment=editor("true")).stdout
    assert shell.run("memory", "edit", "fixes", environment=editor("false")).returncode == 1
    assert [path.name for path in fixes_of(shell).parent.glob("*.yaml")] == ["tool_fixes.yaml"]
    assert shell.json("memory", "backups") == []


def test_memory_is_carried_to_another_machine(shell: Shell, tmp_path: Path) -> None:
    """Through a file or a pipe; what is broken changes nothing there."""
    other = Shell(folder=shell.folder, home=tmp_path / "other")
    package = tmp_path / "memory.yaml"
    assert shell.run("memory", "export", "--into", str(package)).returncode == 0
    assert other.json("memory", "import", str(package), "--dry-run")["done"] is False
    assert other.json("memory", "import", str(package))["files"] == {"learned/tool_fixes.yaml": "added"}
    assert fixes_of(other).read_text() == FIXES
    package.write_text(package.read_text().replace("tool_fixes:", "tool_fixes: none #", 1))
    assert other.run("memory", "import", str(package), "--replace").returncode == 6
    assert fixes_of(other).read_text() == FIXES


def test_a_folder_is_made_ready_and_tidied(shell: Shell) -> None:
    """What was there stays."""
    made = shell.json("memory", "init")["made"]
    assert made == ["learned/patterns.yaml", "inbox.md"]
    assert fixes_of(shell).read_text() == FIXES
    assert shell.json("memory", "cleanup", "--dry-run") == {"done": False, "chores": [], "backup": ""}


def test_what_is_known_is_shown_for_a_tool_and_its_words(shell: Shell) -> None:
    """For people, within 80 columns, and as data."""
    shown = shell.run("memory", "check", "echo", "-e", "fatal: No echo").stdout
    assert "step back" in shown
    assert max(map(len, shown.splitlines())) <= 120
    assert [each["fix"] for each in shell.json("memory", "known", "--tool", "echo")] == ["step back"]
    assert shell.run("memory", "check").returncode == 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "learned/../../x", "history.db"])
def test_no_name_leads_out_of_memory(shell: Shell, name: str) -> None:
    """To read it, to change it, to edit it, to restore it."""
    for words in (["view", name], ["append", name, "x"], ["update", name, "a", "b"], ["edit", name]):
        assert shell.run("memory", *words, environment=editor("true")).returncode == 2, words


def test_any_tool_can_be_called_by_name(shell: Shell) -> None:
    """What was typed is read as the tool wants it; the result is alone on standard output with -q."""
    done = shell.run("tools", "exec", "echo", "-i", "value=hello", "-q")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    waited = shell.json("tools", "exec", "wait", "-i", "seconds=0.01")
    assert (waited["status"], waited["tool"]) == ("ok", "wait")
    assert shell.json("history")[0]["run"] == waited["run"]
    assert shell.json("history")[0]["tool"] == "wait"
    assert "wait()" in shell.run("history").stdout
    assert shell.run("status").stdout.startswith("wait()  ")
    assert shell.run("tools", "exec", "wait", "-i", "seconds=soon").returncode == 2
    assert shell.run("tools", "exec", "nobody").returncode == 2
    assert shell.run("tools", "exec", "wait", "-i", "seconds=60", "--timeout", "0.2s").returncode == 124


def test_a_call_that_fails_exits_with_one_and_shows_what_is_known(shell: Shell) -> None:
    """With the reminder on standard error; `skill heal exec` is the same command."""
    shell.run("memory", "learn-fix", "json_*", "not json", "--root-cause", "no", "--fix", "quote it")
    words = ("exec", "json_parse", "-i", "text={")
    done = shell.run("tools", *words)
    assert done.returncode == 1
    assert "quote it" in done.stdout
    assert "learn_tool_fix('json_parse'" in done.stderr
    assert shell.run("heal", *words).returncode == 1


def test_tools_are_listed_and_shown_as_before(shell: Shell) -> None:
    """`list` may be left out, in front of options and of a name."""
    names = {tool["name"] for tool in shell.json("tools")}
    assert {"echo", "tool_exec", "check_known_issues"} <= names
    assert {tool["name"] for tool in shell.json("tools", "list")} == names
    reads = shell.run("tools", "--effect", "read", "-q").stdout.split()
    assert "echo" in reads
    assert "tool_exec" not in reads
    assert shell.json("tools", "echo")["name"] == "echo"
    assert "args" in shell.run("tools", "list", "echo").stdout
    assert shell.run("tools", "nobody").returncode != 0
    assert "debug" in shell.run("tools", "--help").stdout


def test_a_tool_that_fails_is_looked_into(shell: Shell) -> None:
    """With -v its text too."""
    shown = shell.run("tools", "debug", "echo", "-e", "no echo", "-v").stdout
    for words in ("contract", "def echo(", "step back", "what to do", "skill tools exec echo"):
        assert words in shown
    assert json.loads(shell.run("tools", "debug", "echo", "-o", "jsonl").stdout)["tool_name"] == "echo"


def test_a_change_that_is_refused_leaves_no_backup(shell: Shell) -> None:
    """What is refused undoes nothing, and must not push out a back-up that does."""
    assert shell.run("memory", "update", "fixes", "tool_fixes.0.nonsense", "1").returncode == 6
    assert shell.run("memory", "update", "fixes", "tool_fixes.0.times_prevented", ":=9").returncode == 2
    assert shell.run("memory", "remove", "fixes", "tool_fixes.9").returncode == 2
    listed = shell.run("memory", "backups", "--json")
    assert json.loads(listed.stdout) == []
    assert shell.run("memory", "update", "fixes", "tool_fixes.0.fix_applied", "go nearer").returncode == 0
    assert len(json.loads(shell.run("memory", "backups", "--json").stdout)) == 1


def test_a_broken_file_of_fixes_is_told_where_fixes_are_listed(shell: Shell) -> None:
    """The shipped ones are listed all the same."""
    fixes_of(shell).write_text("tool_fixes:\n  - tool_name: [\n")
    listed = shell.run("memory", "known")
    assert listed.returncode == 0
    assert "tool_fixes.yaml:3:1" in listed.stderr
    assert "bonfire_deploy" in listed.stdout


def test_an_export_does_not_overwrite_a_file(shell: Shell, tmp_path: Path) -> None:
    """It says so, and what to do; the file stays."""
    there = tmp_path / "there.yaml"
    there.write_text("mine")
    refused = shell.run("memory", "export", "--into", str(there))
    assert refused.returncode == 2
    assert "there.yaml already" in refused.stderr
    assert there.read_text() == "mine"


@pytest.mark.parametrize("group", ["heal", "health", "memory"])
def test_a_group_without_a_command_shows_its_help(shell: Shell, group: str) -> None:
    """And says that a command is missing; no sentence in the list is cut."""
    told = shell.run(group)
    assert told.returncode == 2
    assert told.stdout == ""
    assert "error: say which command" in told.stderr
    assert "..." not in told.stderr.replace("[ARGS]...", "")


def test_a_time_for_a_timer_without_a_timer_is_refused(shell: Shell) -> None:
    """It would be forgotten silently."""
    refused = shell.run("learn", "--at", "04:15")
    assert refused.returncode == 2
    assert "--install-timer" in refused.stderr


def test_what_memory_knows_is_said_once(shell: Shell) -> None:
    """Several patterns speak on these words and mean the same."""
    told = shell.run("memory", "check", "-e", "connection refused")
    assert told.stdout.count("nothing listens on this port") == 1


def test_a_call_that_the_tool_would_not_take_is_wrong_usage_and_no_run(shell: Shell) -> None:
    """An argument that is missing, unknown or of the wrong form; history stays as it was."""
    shell.run("tools", "exec", "echo", "-i", "value=first")
    for words, said in (
        (["git_rev_parse"], "ref"),
        (["echo", "-i", "value=1", "-i", "valu=2"], "valu"),
        (["wait", "-i", "seconds:=[1]"], "seconds"),
        (["wait", "-i", "seconds=0", "--domain", "nowhere"], "there are ephemeral, forge, registry"),
    ):
        done = shell.run("tools", "exec", *words)
        assert (done.returncode, said in done.stderr, done.stdout) == (2, True, ""), done.stderr
        assert "`skill tools " in done.stderr
    assert len(shell.json("history")) == 1
