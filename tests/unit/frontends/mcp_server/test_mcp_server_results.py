"""How a run is told, against the schema its tools declare; the key of the seal; pages of a log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine import Engine
from engine.errors import WorkspaceError
from engine.frontends.mcp_server.guarding import KEY, key
from engine.frontends.mcp_server.results import MOST_STEPS, Seen, reply, run_record
from engine.frontends.mcp_server.run_schemas import run_result
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.history.records import RunRecord, StepRecord
from engine.model.outcome import RunStatus, StepStatus
from engine.model.question import Question
from engine.model.remediation import RemedyStep, RootCause

SECRET = "hunter2-correct-horse"


def serving(folder: Path, tier: Tier = Tier.RUN) -> Serving:
    """A server of an empty workspace that knows a secret."""
    engine = Engine.open(folder, home=folder / "home")
    engine.secrets.add(SECRET)
    return Serving(engine=engine, allow=tier)


def run(status: RunStatus, **said: Any) -> RunRecord:
    """A run with that status."""
    return RunRecord(id="20261121-081500-1f3a9c", skill="s", status=status, started_at=1.0, **said)


BROKEN = StepRecord(
    name="deep/inner",
    status=StepStatus.FAILED,
    started_at=1.0,
    section="steps",
    finished_at=2.0,
    failure={"kind": "auth_expired", "message": f"401 for {SECRET}"},
    remediation=("log in",),
    root_cause=RootCause(id="x", because="the token is old", steps=(RemedyStep(text="log in"),)),
)
AROUND = StepRecord(name="deep", status=StepStatus.FAILED, started_at=1.0, section="steps", finished_at=3.0)
ASK = Question(name="sure", text="Sure?", step="sure")
FIX = Question(name="x.fix", text="Run it?", about="fix", step="x")
PIN = Question(name="pin", text="PIN?", secret=True, default="1234", step="pin")

RUNS: list[tuple[Seen, str]] = [
    (Seen(record=run(RunStatus.OK, outputs={"a": SECRET}, duration=1.0), steps=()), ""),
    (Seen(record=run(RunStatus.FAILED, message="it broke"), steps=(AROUND, BROKEN)), "run_logs"),
    (Seen(record=run(RunStatus.BLOCKED, message="blocked"), steps=()), "run_logs"),
    (Seen(record=run(RunStatus.RUNNING, alive=True), steps=(AROUND,)), "run_status"),
    (Seen(record=run(RunStatus.RUNNING, alive=False), steps=()), "answers={}"),
    (Seen(record=run(RunStatus.WAITING, questions=(ASK,)), steps=()), "run_answer"),
    (Seen(record=run(RunStatus.WAITING, questions=(FIX, PIN)), steps=()), "skill answer"),
]


@pytest.mark.parametrize(("seen", "way"), RUNS)
def test_every_run_fits_the_schema_and_says_what_to_call_next(tmp_path: Path, seen: Seen, way: str) -> None:
    """And holds no secret."""
    told = reply(serving(tmp_path), seen)
    jsonschema.validate(told.structured_content, run_result())
    assert way in told.structured_content["next"]
    assert SECRET not in str(told)
    assert told.is_error is (seen.record.status in {RunStatus.FAILED, RunStatus.BLOCKED})


def test_the_innermost_step_is_what_failed(tmp_path: Path) -> None:
    """Those around it failed because of it; what a person can do is told with it."""
    failed = run_record(serving(tmp_path), RUNS[1][0])["failed"]
    assert (failed["step"], failed["kind"], failed["remediation"]) == ("deep/inner", "auth_expired", ["log in"])
    assert failed["root_cause"]["because"] == "the token is old"


def test_a_fix_is_an_agents_to_answer_only_in_the_tier_that_approves(tmp_path: Path) -> None:
    """A secret never, and its default is not shown."""
    waiting = RUNS[6][0]
    low, high = (run_record(serving(tmp_path, tier), waiting) for tier in (Tier.RUN, Tier.APPROVE_FIXES))
    assert "run_answer" not in low["next"]
    assert 'answers={"x.fix": "<string>"}) answers it' in high["next"]
    assert "skill answer" in high["next"]
    assert [question["default"] for question in low["questions"]] == [None, None]


def test_a_long_run_tells_its_last_steps_and_how_many_came_before(tmp_path: Path) -> None:
    """What an agent reads is bounded."""
    steps = tuple(
        StepRecord(name=f"s{n}", status=StepStatus.OK, started_at=1.0, reason="x" * 5_000)
        for n in range(MOST_STEPS + 7)
    )
    told = run_record(serving(tmp_path), Seen(record=run(RunStatus.OK), steps=steps))
    assert (len(told["steps"]), told["steps"][-1]["name"]) == (MOST_STEPS, f"s{MOST_STEPS + 6}")
    assert "7 earlier steps" in told["message"]
    assert len(told["steps"][0]["message"]) < 600


@pytest.mark.parametrize(
    ("record", "called"),
    [
        (run(RunStatus.RUNNING, alive=True), "running"),
        (run(RunStatus.WAITING, questions=(ASK,)), "waiting"),
        (run(RunStatus.RUNNING, alive=False), "stopped"),
        (run(RunStatus.CANCELLED), "stopped"),
    ],
)
def test_a_step_without_an_end_is_as_its_run_is(tmp_path: Path, record: RunRecord, called: str) -> None:
    """One that asks does not look as if it were at work."""
    told = run_record(
        serving(tmp_path), Seen(record=record, steps=(StepRecord(name="s", status=None, started_at=1.0),))
    )
    assert [step["status"] for step in told["steps"]] == [called]


def test_the_key_is_private_and_the_same_for_every_server(tmp_path: Path) -> None:
    """It is made once; one that cannot be a key is refused, not replaced in silence."""
    folder = tmp_path / "state"
    made = key(folder)
    assert (len(made), key(folder)) == (32, made)
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY]
    (folder / KEY).write_bytes(b"short")
    with pytest.raises(WorkspaceError, match="too short"):
        key(folder)
