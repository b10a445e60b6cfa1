"""What memory says is what happened: figures after outcomes, comments kept, and breakers whose changes are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import EventKind
from engine.documents import read
from tool_registry.tool import ToolError

LOOK = "steps:\n  - name: look\n    tool: look\n"
SPOKEN = ToolError("failed", output="error: You must be logged in to the server (Unauthorized)", exit_status=1)
PATTERNS = """\
# mine: the first line
patterns:
  # about the door
  - id: door-unauthorized   # keep this
    pattern: '^error: You must be logged in'
    kind: auth_expired
    fix: login  # the role
    untouched: true
    seen: 60
    right: 60
# the end
"""


class Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """A little later each time it is asked."""
        self.now += 0.001
        return self.now


@pytest.fixture
async def timed(make_rig: Callable[..., Any]) -> AsyncIterator[Any]:
    """A rig whose clock a test moves on."""
    rig = make_rig()
    rig.engine = replace(rig.engine, clock=Clock())
    yield rig
    await rig.engine.aclose()


def inbox(rig: Any) -> str:
    """What stands in the inbox."""
    path: Path = rig.folder / "home" / "memory" / "inbox.md"
    return path.read_text() if path.exists() else ""


def said(path: Path) -> str:
    """What stands in a file."""
    return path.read_text()


def notices(rig: Any) -> list[str]:
    """The notices of all runs so far."""
    return [event.data["text"] for event in rig.stages(EventKind.NOTICE)]


@pytest.fixture
def patterns(rig: Any) -> Path:
    """A pattern file that a person wrote, and a door that fails in words only."""
    path: Path = rig.folder / "home" / "memory" / "learned" / "patterns.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(PATTERNS)
    return path


async def test_figures_change_only_after_the_outcome(rig: Any, patterns: Path) -> None:
    """While the fix runs nothing is written; after the retry, one observation more, and every comment is there."""
    seen_by_fix: list[str] = []
    rig.door.failure = SPOKEN

    def listen(event: Any) -> None:
        if event.kind is EventKind.FIX_FINISHED:
            seen_by_fix.append(said(patterns))
            rig.door.failure = None

    executor = replace(rig.executor, listeners=(listen,))
    result = await executor.run(rig.write(LOOK))
    assert (result.status, result.healed) == ("ok", 1)
    assert seen_by_fix == [PATTERNS]
    (row,) = read(patterns).value["patterns"]
    assert (row["seen"], row["observations"], row["confirmed"]) == (60, 61, 61)
    added = {"observations", "confirmed", "confidence"}
    kept = [line for line in said(patterns).splitlines() if line.strip().split(":")[0] not in added]
    assert kept == PATTERNS.splitlines()


async def test_a_wrong_diagnosis_counts_against_its_pattern(rig: Any, patterns: Path) -> None:
    """The fix for it worked and did not help: observed once more, not confirmed."""
    rig.door.failure = SPOKEN
    assert (await rig.run(LOOK)).status == "failed"
    (row,) = read(patterns).value["patterns"]
    assert (row["observations"], row["confirmed"]) == (61, 60)


async def test_a_run_without_a_failure_writes_nothing(rig: Any, patterns: Path) -> None:
    """No outcome, no figures."""
    assert (await rig.run(LOOK)).status == "ok"
    assert said(patterns) == PATTERNS
    assert [path.name for path in patterns.parent.iterdir()] == ["patterns.yaml"]


async def test_a_pattern_whose_truth_is_not_known_is_not_counted(rig: Any, patterns: Path) -> None:
    """Nobody may fix it here, so nobody knows whether the diagnosis was right."""
    rig.door.failure = SPOKEN
    assert (await rig.run(LOOK + "    heal: false\n")).status == "failed"
    assert said(patterns) == PATTERNS


async def test_a_breaker_that_opens_is_told_once(timed: Any) -> None:
    """The third fruitless login opens it: an event, and a line in the inbox; the fourth run only suggests."""
    timed.door.token = timed.door.login_helps = False
    for _ in range(2):
        await timed.run(LOOK)
    assert (notices(timed), inbox(timed)) == ([], "")
    await timed.run(LOOK)
    (told,) = notices(timed)
    assert "breaker of log_in in door has opened" in told
    assert "0 of the last 3 cases" in told
    assert inbox(timed).count("has opened") == 1
    await timed.run(LOOK)
    assert len(notices(timed)) == 1
    assert timed.door.called("log_in") == 3


async def test_a_breaker_that_closes_is_told(timed: Any) -> None:
    """Rested, it lets one probe through; the probe helps, and it is closed again."""
    timed.door.token = timed.door.login_helps = False
    for _ in range(3):
        await timed.run(LOOK)
    timed.engine.clock.now += 400
    timed.door.login_helps = True
    assert (await timed.run(LOOK)).healed == 1
    assert "has closed" in notices(timed)[-1]
    assert "has closed" in inbox(timed)


async def test_a_probe_that_fails_opens_it_again(timed: Any) -> None:
    """Half open, tried once, no help: open, and said so."""
    timed.door.token = timed.door.login_helps = False
    for _ in range(3):
        await timed.run(LOOK)
    timed.engine.clock.now += 400
    assert (await timed.run(LOOK)).status == "failed"
    assert [("has opened" in told) for told in notices(timed)] == [True, True]
    assert inbox(timed).count("has opened") == 2


async def test_an_inbox_that_cannot_be_written_is_a_notice(timed: Any) -> None:
    """The change is told all the same."""
    (timed.folder / "home" / "memory" / "inbox.md").mkdir(parents=True)
    timed.door.token = timed.door.login_helps = False
    for _ in range(3):
        await timed.run(LOOK)
    assert any("has opened" in told for told in notices(timed))
    assert any("inbox.md cannot be written" in told for told in notices(timed))
