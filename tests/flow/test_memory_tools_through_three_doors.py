"""The nine memory tools answer the same as Python functions, as steps of a skill, and as commands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import engine
from engine import Engine, RunStatus, SkillExecutor
from engine.documents import dump
from engine.memory_tools import NAMES
from engine.memory_tools.results import as_json
from tests.shell import Shell

FIXES = """\
# mine
tool_fixes:
  - tool_name: echo
    error_pattern: no such echo
    root_cause: the wall is too near
    fix_applied: step back
    date_learned: "2026-11-01"
    times_prevented: 0
"""
NOTES = "# deployments\nseen:\n  - web   # the first\nlast: {name: web, count: 1}\n"
VARYING = {"run": r"\d{8}-\d{6}-[0-9a-f]{6}", "backup": r"\d{8}-\d{6}-[a-z]+"}
"""Fields that name one moment, and what they look like."""


@dataclass(slots=True)
class Doors:
    """Three workspaces that are alike, one behind each door."""

    folder: Path

    def __post_init__(self) -> None:
        for door in ("python", "skill", "command"):
            learned = self.folder / door / "home" / "memory" / "learned"
            learned.mkdir(parents=True)
            (learned / "tool_fixes.yaml").write_text(FIXES)
            (learned.parent / "notes").mkdir()
            (learned.parent / "notes" / "deployments.yaml").write_text(NOTES)
            (self.folder / door / "work" / "skills").mkdir(parents=True)

    def opened(self, door: str) -> Engine:
        """An engine in one of them."""
        return Engine.open(self.folder / door / "work", home=self.folder / door / "home")

    def text(self, door: str, name: str) -> str:
        """A memory file of one of them."""
        return (self.folder / door / "home" / "memory" / name).read_text()

    async def ask(self, name: str, args: dict[str, Any], words: list[str]) -> dict[str, Any]:
        """The answer, which is the same through all three."""
        answers = [await self.python(name, args), await self.skill(name, args), self.command(words)]
        python, skill, command = map(_steady, answers)
        assert python == skill
        assert python == command
        return python

    async def python(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """The function's answer."""
        async with self.opened("python") as opened:
            answer = await getattr(engine, name)(**args, engine=opened)
        return json.loads(json.dumps(as_json(answer)))  # type: ignore[no-any-return]

    async def skill(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """What a step that calls the tool gives."""
        step = {"name": "ask", "tool": name, **({"args": args} if args else {})}
        text = dump({"name": "asks", "description": "Asks memory.", "steps": [step]})
        (self.folder / "skill" / "work" / "skills" / "asks.yaml").write_text(text)
        async with self.opened("skill") as opened:
            result = await SkillExecutor(opened).run("asks")
        assert result.status is RunStatus.OK, result.message
        value: dict[str, Any] = result.step("ask").value
        return value

    def command(self, words: list[str]) -> dict[str, Any]:
        """What the command prints as JSON."""
        shell = Shell(folder=self.folder / "command" / "work", home=self.folder / "command" / "home")
        value: dict[str, Any] = shell.json(*words)
        return value


def _steady(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what names a moment; that it has the right form is looked at."""
    steady = {**answer, "duration": 0.0} if "duration" in answer else dict(answer)
    for name, form in VARYING.items():
        if steady.get(name):
            assert re.fullmatch(form, steady[name])
            steady[name] = name
    return steady


def lines_of(report: dict[str, Any]) -> str:
    """The lines of the file that a report names."""
    lines = Path(report["file"]).read_text().splitlines(keepends=True)
    return "".join(lines[report["first_line"] - 1 : report["last_line"]])


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    """Three workspaces nothing has happened in."""
    return Doors(folder=tmp_path)


def test_there_are_nine_and_all_are_exported() -> None:
    """`from engine import ...` gives each of them."""
    assert len(NAMES) == 9
    assert set(NAMES) <= set(engine.__all__)


async def test_check_known_issues(doors: Doors) -> None:
    """By tool and words: the fix of a person, before what the words mean."""
    args = {"tool_name": "echo", "error_text": "fatal: No such\n echo"}
    known = await doors.ask("check_known_issues", args, ["memory", "check", "echo", "-e", args["error_text"]])
    assert [(each["root_cause"], each["fix"]) for each in known["issues"]] == [("the wall is too near", "step back")]


async def test_learn_tool_fix(doors: Doors) -> None:
    """What was learnt stands in the file, and is known the next time."""
    args = {"tool_name": "git_push", "error_pattern": "stale info", "root_cause": "old", "fix_description": "fetch"}
    words = ["memory", "learn-fix", "git_push", "stale info", "--root-cause", "old", "--fix", "fetch"]
    learned = await doors.ask("learn_tool_fix", args, words)
    assert (learned["changed"], learned["file"]) == (True, "learned/tool_fixes.yaml")
    texts = {doors.text(door, "learned/tool_fixes.yaml") for door in ("python", "skill", "command")}
    assert len(texts) == 1
    assert texts.pop().startswith(FIXES)
    assert (await doors.ask("learn_tool_fix", args, words))["changed"] is False


async def test_debug_tool(doors: Doors) -> None:
    """The tool's own text, its contract, what is known, and the reminder."""
    args = {"tool_name": "echo", "error_message": "no such echo"}
    report = await doors.ask("debug_tool", args, ["tools", "debug", "echo", "-e", "no such echo"])
    assert Path(report["file"]).name == "general.py"
    assert "def echo(" in report["code"]
    assert (report["contract"]["effect"], report["contract"]["idempotent"]) == ("read", True)
    assert report["known"]["issues"][0]["fix"] == "step back"
    assert "learn_tool_fix('echo'" in report["reminder"]
    assert lines_of(report) == report["code"]


async def test_tool_exec(doors: Doors) -> None:
    """What the tool gave, in a run of one step."""
    args = {"name": "echo", "args": {"value": "hello"}}
    done = await doors.ask("tool_exec", args, ["tools", "exec", "echo", "-i", "value=hello"])
    assert (done["status"], done["value"], done["attempts"]) == ("ok", "hello", 1)
    with doors.opened("python").journal as history:
        assert [run.skill for run in history.runs()] == ["tool_exec"]


async def test_memory_read(doors: Doors) -> None:
    """At a path, and that nothing stands there is no failure of a function or step."""
    args = {"file": "notes/deployments", "path": "last.name"}
    read = await doors.ask("memory_read", args, ["memory", "view", "notes/deployments", "last.name"])
    assert (read["file"], read["value"], read["found"]) == ("notes/deployments.yaml", "web", True)
    listed = await doors.ask("memory_read", {}, ["memory", "view"])
    assert "notes/deployments.yaml" in listed["files"]


async def test_memory_append(doors: Doors) -> None:
    """Behind what is there; the comment stays."""
    args = {"file": "notes/deployments", "path": "seen", "value": {"name": "api"}}
    words = ["memory", "append", "notes/deployments", ':={"name": "api"}', "--path", "seen"]
    assert (await doors.ask("memory_append", args, words))["value"] == {"name": "api"}
    assert "  - web   # the first\n  - name: api\n" in doors.text("skill", "notes/deployments.yaml")


async def test_memory_update(doors: Doors) -> None:
    """After a back-up, which says what it was."""
    args = {"file": "notes/deployments", "path": "last.count", "value": 2}
    words = ["memory", "update", "notes/deployments", "last.count", ":=2"]
    changed = await doors.ask("memory_update", args, words)
    assert (changed["value"], changed["backup"]) == (2, "backup")
    assert doors.text("command", "notes/deployments.yaml") == NOTES.replace("count: 1", "count: 2")


async def test_memory_remove(doors: Doors) -> None:
    """It gives what it took out."""
    args = {"file": "notes/deployments", "path": "last"}
    removed = await doors.ask("memory_remove", args, ["memory", "remove", "notes/deployments", "last"])
    assert removed["value"] == {"name": "web", "count": 1}
    assert doors.text("python", "notes/deployments.yaml") == NOTES[: NOTES.index("last")]


async def test_memory_session_log(doors: Doors) -> None:
    """One line with the time, in the file of the day."""
    answers = [
        await doors.python("memory_session_log", {"action": "deployed", "details": "web"}),
        await doors.skill("memory_session_log", {"action": "deployed", "details": "web"}),
        doors.command(["memory", "log", "deployed", "web"]),
    ]
    for answer in answers:
        assert re.fullmatch(r"- \d\d:\d\d:\d\dZ deployed: web", answer["value"])
        assert re.fullmatch(r"sessions/\d{4}-\d\d-\d\d\.md", answer["file"])


async def test_a_tool_that_fails_fails_the_step_that_calls_it_and_names_its_run(doors: Doors) -> None:
    """The function tells it in its answer, the command by its exit status; each has the failure's kind."""
    async with doors.opened("python") as opened:
        done = await engine.tool_exec("git_rev_parse", {"repo": "nowhere", "ref": "HEAD"}, engine=opened)
        step = {
            "name": "ask",
            "tool": "tool_exec",
            "args": {"name": "git_rev_parse", "args": {"repo": "nowhere", "ref": "HEAD"}},
        }
        skills = doors.folder / "python" / "work" / "skills"
        (skills / "asks.yaml").write_text(dump({"name": "asks", "description": "A.", "steps": [step]}))
        result = await SkillExecutor(opened).run("asks")
    assert done.status == "failed"
    assert done.failure is not None
    failure = result.step("ask").failure
    assert failure is not None
    assert failure.kind.value == done.failure["kind"]
    assert re.search(r"\(run \d{8}-\d{6}-[0-9a-f]{6}\)", failure.message)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("check_known_issues", {}),
        ("debug_tool", {"tool_name": "nobody"}),
        ("tool_exec", {"name": "tool_exec"}),
        ("tool_exec", {"name": "nobody"}),
        ("memory_read", {"file": "nothing"}),
        ("memory_append", {"file": "../x", "value": 1}),
        ("memory_update", {"file": "failures", "path": "stats", "value": 1}),
    ],
)
async def test_what_a_function_refuses_a_step_refuses_too(doors: Doors, name: str, args: dict[str, Any]) -> None:
    """As a usage error, in the same words."""
    async with doors.opened("python") as opened:
        with pytest.raises(engine.InputError) as refused:
            await getattr(engine, name)(**args, engine=opened)
        step = {"name": "ask", "tool": name, **({"args": args} if args else {})}
        skills = doors.folder / "python" / "work" / "skills"
        (skills / "asks.yaml").write_text(dump({"name": "asks", "description": "A.", "steps": [step]}))
        failure = (await SkillExecutor(opened).run("asks")).step("ask").failure
    assert failure is not None
    assert (failure.kind.value, failure.message) == ("usage_error", str(refused.value))
