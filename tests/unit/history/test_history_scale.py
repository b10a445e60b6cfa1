"""History stays quick when it is long, and says in its document what it holds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine.history import History
from engine.history.database import Database, Row, Value
from engine.history.migrations import MIGRATIONS
from engine.model.event import Event, EventKind
from engine.model.secret import Secrets
from tests.unit.history.storyteller import Storyteller

DOCUMENT = Path(__file__).parents[3] / "docs" / "history.md"
QUESTIONS: dict[str, Callable[[History], object]] = {
    "a run": lambda history: history.run("r1"),
    "a waiting run": lambda history: history.run("waiting"),
    "past": lambda history: history.past("r1"),
    "cancel": lambda history: history.cancel_requested("r1"),
    "runs of a skill": lambda history: history.runs(skill="deploy"),
    "steps": lambda history: history.steps("r1"),
    "events": lambda history: history.events("r1", after=1),
    "failures": lambda history: history.failures(),
    "totals": lambda history: history.totals(),
    "patterns": lambda history: history.pattern_counts(),
    "fixes": lambda history: history.fixes("kube_login", "ephemeral"),
    "last fix": lambda history: history.last_fix("kube_login", "ephemeral"),
}


class Explaining(Database):
    """A database that keeps how it went about each question."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.plans: list[str] = []
        self.asked = 0

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """The rows, as ever."""
        self.asked += 1
        self.plans += [str(row[-1]) for row in super().read(f"EXPLAIN QUERY PLAN {sql}", values)]
        return super().read(sql, values)


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_whole_table(path: Path, name: str) -> None:
    """Every one follows an index, so that ten thousand runs answer like ten."""
    database = Explaining(path)
    with History(database, secrets=Secrets(), host="here") as history:
        Storyteller(history).begin("r1")
        Storyteller(history).begin("waiting")
        Storyteller(history).tell("waiting", EventKind.RUN_WAITING)
        QUESTIONS[name](history)
    assert database.plans
    assert [line for line in database.plans if re.fullmatch(r"SCAN \w+", line)] == []


def test_the_last_of_many_steps_costs_what_the_first_did(history: History, story: Storyteller) -> None:
    """Two thousand steps in one run; the last quarter against the first."""
    story.begin("r1")

    def quarter(begin: int) -> float:
        started = time.process_time()
        for number in range(begin, begin + 500):
            step = f"step_{number}"
            history.record(Event(kind=EventKind.STEP_STARTED, run_id="r1", at=1.0, step=step, data={"index": number}))
            ended = {"status": "ok", "attempts": 1, "duration": 0.1}
            history.record(Event(kind=EventKind.STEP_FINISHED, run_id="r1", at=2.0, step=step, data=ended))
        return time.process_time() - started

    costs = [quarter(begin) for begin in range(0, 2_000, 500)]
    assert costs[-1] < 6.0 * min(costs)


def test_the_document_names_every_table_and_column() -> None:
    """A column nobody can look up is a column nobody may rely on."""
    text = DOCUMENT.read_text()
    for statement in (statement for migration in MIGRATIONS for statement in migration.statements):
        table = re.search(r"CREATE TABLE (\w+) \((.*)\)\s*$", statement, re.DOTALL)
        table = table or re.search(r"ALTER TABLE (\w+) ADD COLUMN (.*)", statement)
        if table is None:
            continue
        assert f"**`{table[1]}`**" in text
        section = text.split(f"**`{table[1]}`**")[1].split("\n**`")[0]
        for column in re.findall(r"^\s*(\w+) (?:TEXT|INTEGER|DOUBLE)", table[2].replace(", ", "\n"), re.MULTILINE):
            assert f"`{column}`" in section, f"{table[1]}.{column}"


@pytest.mark.parametrize("steps", [1, 500])
def test_the_past_of_a_long_run_is_read_in_as_many_questions_as_that_of_a_short_one(path: Path, steps: int) -> None:
    """One pass over its events, however many there are."""
    database = Explaining(path)
    with History(database, secrets=Secrets(), host="here") as history:
        story = Storyteller(history)
        story.begin("r1")
        for number in range(steps):
            story.failing_step("r1", f"s{number}")
        database.asked = 0
        assert len(history.past("r1").steps) == steps
    assert database.asked == 4
