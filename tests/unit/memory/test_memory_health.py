"""The health book: what the last look found, kept for people and for the next look."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DocumentError
from engine.memory import Memory
from engine.memory.health import FILE
from engine.model.health import HealthCheck, HealthReport, Part, PredictedIssue, Remembered, Wellbeing
from engine.model.secret import Secrets

NOON = 1_795_176_000.0


@pytest.fixture
def secrets() -> Secrets:
    """What must not be written."""
    found = Secrets()
    found.add("hunter2-hunter2")
    return found


@pytest.fixture
def memory(tmp_path: Path, secrets: Secrets) -> Memory:
    """A memory without files."""
    return Memory(tmp_path / "memory", seeds=tmp_path / "seeds", secrets=secrets, clock=lambda: NOON)


def report(state: Wellbeing = Wellbeing.WELL, message: str = "", at: float = NOON) -> HealthReport:
    """A domain with two parts, and a skill."""
    token = Part(
        name="token", state=state, at=at, message=message, expires_at=at + 480, user="ann", since=at, told=state
    )
    road = Part(name="road", state=Wellbeing.WELL, at=at, since=at, told=Wellbeing.WELL)
    skill = Part(name="", state=Wellbeing.UNKNOWN, at=at, message="no answer", since=at)
    return HealthReport(
        at=at,
        checks=(
            HealthCheck(name="door", parts=(road, token)),
            HealthCheck(name="health/space", parts=(skill,)),
        ),
        issues=(
            PredictedIssue(type="auth_expiry", domain="door", probability=1.0, left=480, proactive_fix="log_in()"),
        ),
    )


def text(memory: Memory) -> str:
    """The live file."""
    return (memory.folder / FILE).read_text()


def test_what_is_written_is_what_the_schema_promises_and_what_is_read_back(memory: Memory) -> None:
    """A part that is not known is null; the issue is said in words."""
    memory.health.update(lambda _: report(Wellbeing.ENDING, "the token holds 8 min"))
    assert memory.findings() == ()
    content = memory.health.content()
    door = content["health_checks"]["door"]
    assert (door["healthy"], door["user"], door["expires"]) == (True, "ann", "2026-11-20T12:08:00Z")
    assert door["details"]["token"]["valid"] is True
    assert content["health_checks"]["health/space"]["healthy"] is None
    assert content["predicted_issues"][0]["time_to_failure"] == "8 minutes"
    assert memory.health.remembered()["door/token"] == Remembered(
        state=Wellbeing.ENDING, since=NOON, told=Wellbeing.ENDING
    )
    assert memory.health.remembered()["health/space"] == Remembered(state=Wellbeing.UNKNOWN, since=NOON, told=None)


def test_comments_stay_and_what_was_changed_by_hand_is_written_anew(memory: Memory) -> None:
    """Both people and the monitor may write."""
    memory.health.update(lambda _: report())
    path = memory.folder / FILE
    path.write_text("# ours\n" + text(memory).replace("  door:", "  # the front door\n  door:"))
    memory.health.update(lambda _: report(Wellbeing.UNWELL, "expired", at=NOON + 300))
    assert text(memory).startswith("# ours\n")
    assert "# the front door" in text(memory)
    assert memory.health.content()["health_checks"]["door"]["healthy"] is False


def test_a_domain_that_is_gone_is_gone(memory: Memory) -> None:
    """Only what was looked at stands there."""
    memory.health.update(lambda _: report())
    memory.health.update(lambda _: HealthReport(at=NOON, checks=report().checks[1:]))
    assert list(memory.health.content()["health_checks"]) == ["health/space"]
    assert memory.health.content()["predicted_issues"] == []


@pytest.mark.parametrize(
    ("mangled", "line"),
    [
        ("health_checks: [1, 2\n", 2),
        ("# mine\nhealth_checks: nothing\n", 2),
        ("health_checks:\n  door:\n    healthy: maybe\n", 3),
        ("health_checks:\n  door: {healthy: true, told: fine}\n", 2),
    ],
)
def test_a_file_with_a_mistake_is_reported_with_its_line_and_left_as_it_is(
    memory: Memory, mangled: str, line: int
) -> None:
    """Broken YAML, and YAML that says something else than it should."""
    path = memory.folder / FILE
    path.parent.mkdir(parents=True)
    path.write_text(mangled)
    with pytest.raises(DocumentError) as caught:
        memory.health.update(lambda _: report())
    assert caught.value.place is not None
    assert (Path(caught.value.place.file).name, caught.value.place.line) == ("environment_health.yaml", line)
    assert path.read_text() == mangled
    assert memory.health.remembered() == {}
    assert [finding.place.line for finding in memory.findings()] == [line]


def test_secrets_are_masked(memory: Memory) -> None:
    """A failing login may print one."""
    memory.health.update(lambda _: report(Wellbeing.UNWELL, "the password hunter2-hunter2 is wrong"))
    assert "hunter2" not in text(memory)


def test_more_than_fits_is_cut_and_still_valid(memory: Memory) -> None:
    """A message of a megabyte, and two hundred domains."""
    checks = tuple(
        HealthCheck(name=f"d{n}", parts=(Part(name="p", state=Wellbeing.UNWELL, at=NOON, message="x" * 9_999),))
        for n in range(200)
    )
    memory.health.update(lambda _: HealthReport(at=NOON, checks=checks))
    assert memory.findings() == ()
    assert len(memory.health.content()["health_checks"]) == 100
