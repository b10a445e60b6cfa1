"""What a person is told of a run while it happens, in a pipe."""

from __future__ import annotations

from typing import Any

import pytest

from engine.frontends.cli.progress import Progress
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.streaming import UntilGone
from engine.model.event import Event, EventKind
from engine.model.secret import Secrets

FAILURE = {"tool": "look", "kind": "auth_expired", "message": "the server said 401", "evidence": {}}
DONE: dict[str, Any] = {"duration": 0.25, "reason": "", "failure": None, "remediation": [], "value": None}


def event(what: EventKind, step: str = "look", /, **data: Any) -> Event:
    """An event of a run."""
    return Event(kind=what, run_id="r1", at=0.0, step=step, data=data)


def healed() -> list[Event]:
    """A step that fails, is understood, fixed, and works."""
    return [
        event(EventKind.STEP_STARTED),
        event(EventKind.ATTEMPT_FINISHED, number=1, tool="look", failure=FAILURE),
        event(
            EventKind.HEAL_STAGE,
            stage="detect",
            kind="auth_expired",
            answer="HTTP status 401 means auth expired.",
            basis="evidence",
            confidence=0.9,
        ),
        event(EventKind.HEAL_STAGE, stage="decide", answer="log_in may repair that"),
        event(EventKind.FIX_STARTED, fix="log_in"),
        event(EventKind.FIX_FINISHED, fix="log_in", ok=True, shared=False, started_at=1.0, finished_at=1.5),
        event(EventKind.ATTEMPT_FINISHED, number=2, tool="look", failure=None),
        event(EventKind.STEP_FINISHED, **{**DONE, "status": "healed", "reason": "healed by log_in()", "value": "in"}),
    ]


def told(capsys: pytest.CaptureFixture[str], events: list[Event], **screen: Any) -> list[str]:
    """The lines on standard error; standard output must stay empty."""
    progress = Progress(screen=Screen(**screen), names=14, live=False)
    for each in events:
        progress(each)
    output, error = capsys.readouterr()
    assert output == ""
    return str(error).splitlines()


def test_a_heal_is_told_as_failure_diagnosis_fix_and_then_the_step(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order in which it happened."""
    assert told(capsys, healed()) == [
        "  ✗ look            the server said 401",
        "      means    HTTP status 401 means auth expired.",
        "      fixed    log_in  0.50 s",
        "  ✚ look            healed      0.25 s  by log_in()",
    ]


def test_verbose_tells_every_stage_and_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    """What `skill logs` would say, bounded."""
    lines = told(capsys, healed(), verbose=True)
    assert any("decide" in line and "log_in may repair that" in line for line in lines)
    assert any("value" in line and '"in"' in line for line in lines)


def test_a_value_is_bounded_and_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """A large value is cut, and a secret in it never shown."""
    secrets = Secrets()
    secrets.add("hunter2-hunter2")
    value = {"password": "hunter2-hunter2", "rest": "x" * 100_000}
    finished = event(EventKind.STEP_FINISHED, **{**DONE, "status": "ok", "value": value})
    lines = told(capsys, [finished], verbose=True, secrets=secrets)
    assert "hunter2" not in "".join(lines)
    assert max(map(len, lines)) < 600


def test_quiet_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even heals."""
    assert told(capsys, healed(), quiet=True) == []


def test_steps_skipped_in_a_row_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Most of the time nobody asks about them; verbose says why."""
    skipped = [
        event(EventKind.STEP_FINISHED, name, **{**DONE, "status": "skipped", "reason": "condition is false"})
        for name in ("one", "two")
    ]
    ended = event(EventKind.RUN_FINISHED, "", status="ok")
    assert told(capsys, [*skipped, ended]) == ["  · skipped: one, two"]
    assert "condition is false" in told(capsys, skipped, verbose=True)[0]


def test_a_failure_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """The step's line says why it was not healed, and the way out follows numbered."""
    end: dict[str, Any] = {
        "status": "failed",
        "failure": FAILURE,
        "reason": "healing is off",
        "remediation": ["log in", "try again"],
    }
    lines = told(
        capsys,
        [
            event(EventKind.STEP_STARTED),
            event(EventKind.ATTEMPT_FINISHED, number=1, tool="look", failure=FAILURE),
            event(EventKind.STEP_FINISHED, **{**DONE, **end}),
        ],
    )
    assert lines[1] == "  ✗ look            failed      0.25 s  healing is off"
    assert lines[2:] == ["      1. log in", "      2. try again"]


def test_what_a_tool_prints_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a message are left out."""
    failure = {**FAILURE, "message": "\x1b[2J\x1b]0;owned\x07gone"}
    lines = told(capsys, [event(EventKind.ATTEMPT_FINISHED, number=1, tool="look", failure=failure)], color=True)
    assert "\x1b[2J" not in lines[0]
    assert "owned" not in lines[0]


def test_a_listener_nobody_reads_is_not_asked_again() -> None:
    """A closed pipe does not end a run that still has to clean up."""
    heard: list[Event] = []

    def listen(each: Event) -> None:
        heard.append(each)
        raise BrokenPipeError

    listener = UntilGone(listen)
    for each in healed():
        listener(each)
    assert len(heard) == 1
