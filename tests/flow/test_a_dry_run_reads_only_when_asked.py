"""`--dry-run=reads`: what only reads is really called, without healing; nothing else is, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.model.heal import HealMode
from engine.model.outcome import RunStatus
from engine.run.dry import DryRunner, Plan
from tests.flow.conftest import SETTINGS, Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, ToolContext, ToolError

SKILL = """
steps:
  - {name: before, tool: look}
  - {name: there, condition: before == 'inside', tool: enter}
  - {name: gone, condition: before == 'outside', tool: enter}
  - {name: after, tool: look}
  - {name: seen, condition: after == 'inside', tool: leave}
"""


def left_in(folder: Path) -> dict[str, bytes]:
    """Every file and what it holds."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def step(found: Plan, path: str) -> Any:
    """The planned step at a path."""
    return next(each for each in found.walk() if each.path == path)


@pytest.fixture
async def dry(make_rig: Callable[..., Rig]) -> AsyncIterator[Rig]:
    """A rig whose engine keeps nothing."""
    rig = make_rig()
    rig.engine.workspace = replace(rig.engine.workspace, remembers=False)
    yield rig
    await rig.engine.aclose()


async def test_a_plain_dry_run_calls_nothing_and_leaves_no_file(dry: Rig) -> None:
    """Not even a database, or a note that the file was valid."""
    name = dry.write(SKILL)
    before = left_in(dry.folder)
    found = await DryRunner(parts=dry.engine).plan(name)
    assert (dry.door.log, left_in(dry.folder)) == ([], before)
    assert [step(found, path).verdict.value for path in ("there", "gone")] == ["depends", "depends"]


async def test_reads_are_called_once_and_decide(dry: Rig) -> None:
    """Their values flow on; a write that stands before a read makes its value one that the run may not see."""
    name = dry.write(SKILL)
    before = left_in(dry.folder)
    found = await DryRunner(parts=dry.engine, reads=True).plan(name)
    assert (dry.door.log, dry.door.entered, left_in(dry.folder)) == (["look", "look"], 0, before)
    assert (step(found, "before").value, step(found, "before").look.believed) == ("inside", True)
    assert [step(found, path).verdict.value for path in ("there", "gone")] == ["would_run", "would_be_skipped"]
    assert (step(found, "after").value, step(found, "after").look.believed) == ("inside", False)
    assert (step(found, "seen").verdict.value, step(found, "seen").depends) == ("depends", ("after",))


async def test_a_read_that_fails_is_told_and_not_healed(dry: Rig) -> None:
    """Nothing logs in; what hangs on it is unknown, and the run could still heal it."""
    dry.door.token = False
    found = await DryRunner(parts=dry.engine, reads=True).plan(dry.write(SKILL))
    assert dry.door.log == ["look", "look"]
    assert step(found, "before").look.failure == "the server said 401"
    assert step(found, "there").verdict.value == "depends"
    assert [finding.code for finding in found.findings] == ["read-failed", "read-failed"]
    assert "in a run, healing could try login, connect" in found.findings[0].hint
    assert found.status is RunStatus.OK


async def test_what_is_doubtful_writes_or_mends_is_never_called(make_rig: Callable[..., Rig]) -> None:
    """A read whose arguments or turn are unknown, a write, and a fix that calls itself a read."""
    called: list[str] = []

    @tool(effect=Effect.READ)
    async def peek(what: str = "") -> str:
        """Looks at something."""
        called.append(what)
        return what

    rig = make_rig(tools=(tool_of(peek),))
    text = """
steps:
  - {name: enter, tool: enter}
  - {name: a, tool: peek, args: {what: "{{ enter.name }}"}}
  - {name: b, condition: enter.name, tool: peek, args: {what: b}}
  - name: each
    foreach: enter.names
    as: one
    tool: peek
    args: {what: c}
  - {name: d, tool: peek, args: {what: d}}
  - {name: e, tool: log_in}
"""
    await DryRunner(parts=rig.engine, reads=True).plan(rig.write(text))
    assert (called, rig.door.log) == (["d"], [])
    await rig.engine.aclose()


async def test_a_read_beside_a_write_is_not_believed(dry: Rig) -> None:
    """In a parallel group, and in a list: the write may come first."""
    found = await DryRunner(parts=dry.engine, reads=True).plan(
        dry.write("""
steps:
  - name: both
    parallel:
      - {name: a, tool: look}
      - {name: b, tool: enter}
""")
    )
    assert step(found, "both/a").look.believed is False


async def test_a_secret_that_a_read_gives_is_masked_in_what_was_planned_before(make_rig: Callable[..., Rig]) -> None:
    """The plan is masked when all is known."""

    @tool(effect=Effect.READ)
    async def secret(context: ToolContext) -> str:
        """Gives a secret."""
        context.secret("hunter2-hunter2")
        return "hunter2-hunter2"

    rig = make_rig(tools=(tool_of(secret),))
    text = """
steps:
  - {name: a, compute: "result = 'hunter2-' + 'hunter2'"}
  - {name: b, tool: secret}
  - {name: c, tool: enter, args: {name: "{{ b }}"}}
"""
    found = await DryRunner(parts=rig.engine, reads=True).plan(rig.write(text))
    assert "hunter2-hunter2" not in repr(found)
    assert step(found, "c").args == {"name": "•••"}
    await rig.engine.aclose()


EXPIRY = """
[domains.door.expiry]
tool = "token_time"
offline = {offline}
"""


@pytest.mark.parametrize(
    ("gives", "heal", "there", "told"),
    [
        (
            {"expires_in": 40.0},
            HealMode.AUTO,
            True,
            "expires in 40 s, and the run takes about 60 s: pre-flight will renew it",
        ),
        ({"expires_in": 40.0}, HealMode.OFF, True, "expires in 40 s, and the run takes about 60 s: log in first"),
        ({"expires_at": 5000.0}, HealMode.AUTO, True, "expires in 67 min, and the run takes about 60 s"),
        ({"expires_in": -5}, HealMode.AUTO, True, "it has expired; pre-flight will log in (log_in)"),
        ({"expires_in": -5}, HealMode.SUGGEST, False, "it has expired"),
        ({}, HealMode.AUTO, True, "there is none; pre-flight will log in (log_in)"),
        (None, HealMode.OFF, False, "there is none"),
        ("failure", HealMode.AUTO, True, "how long it holds could not be read: no token file"),
    ],
)
async def test_a_token_is_held_against_how_long_runs_take(
    make_rig: Callable[..., Rig], gives: Any, heal: HealMode, there: bool, told: str
) -> None:
    """By the domain's own reader of its expiry, and the mean of the good runs in history."""

    @tool(effect=Effect.READ)
    async def token_time() -> Any:
        """Says how long the token holds."""
        if not seeded:
            return {"expires_in": 7200.0}
        if gives == "failure":
            raise ToolError("no token file")
        return gives

    seeded: list[bool] = []
    now = [940.0]
    settings = SETTINGS + EXPIRY.format(offline="true")
    rig = make_rig(tools=(tool_of(token_time), tool_of(_pass_time(now))), settings=settings, heal=heal)
    rig.engine.clock = lambda: now[0]
    name = rig.write("steps: [{name: a, tool: pass_time}, {name: b, tool: look}]\n")
    assert (await rig.executor.run(name)).status is RunStatus.OK
    now[0] = 1000.0
    seeded.append(True)
    found = await DryRunner(parts=rig.engine).plan(name)
    token = next(need for need in found.needs if need.kind == "token")
    assert (token.there, told in token.found) == (there, True), token.found
    assert (found.expected.seconds, found.expected.runs) == (60.0, 1) if found.expected else False
    assert found.status is (RunStatus.OK if there else RunStatus.BLOCKED)
    await rig.engine.aclose()


def _pass_time(now: list[float]) -> Any:
    @tool(effect=Effect.READ)
    async def pass_time() -> None:
        """Lets a minute pass."""
        now[0] += 60.0

    return pass_time


async def test_a_token_that_only_a_server_knows_of_is_asked_with_reads(make_rig: Callable[..., Rig]) -> None:
    """A plain dry run leaves this machine for nothing."""
    asked: list[str] = []

    @tool(effect=Effect.READ)
    async def token_time() -> dict[str, float]:
        """Says how long the token holds."""
        asked.append("token_time")
        return {"expires_in": 7200.0}

    rig = make_rig(tools=(tool_of(token_time),), settings=SETTINGS + EXPIRY.format(offline="false"))
    name = rig.write("steps: [{name: b, tool: look}]\n")
    plain = await DryRunner(parts=rig.engine).plan(name)
    assert (asked, plain.needs[-1].found) == ([], "how long it holds is asked with --dry-run=reads")
    read = await DryRunner(parts=rig.engine, reads=True).plan(name)
    assert (asked, read.needs[-1].found) == (
        ["token_time"],
        "it expires in 2 h; how long the run takes is not known yet",
    )
    await rig.engine.aclose()
