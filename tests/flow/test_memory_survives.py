"""Memory survives many writers and sudden death: no broken file, no lost comment, counts equal history's."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from engine.documents import read
from engine.heal.learn import learn
from engine.history import History
from engine.memory import Memory
from engine.model.secret import Secrets
from tests.unit.history.storyteller import Storyteller

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]

SEEDS = Path(__file__).parents[2] / "memory"
FORK = multiprocessing.get_context("fork")
"""Children begin warm, so that they die in the middle of writing and not in the middle of an import."""

KILLS = 60
WRITERS = 8
STATISTICS = re.compile(r"^ +(?:observations|confirmed|confidence): .*\n", re.MULTILINE)


class Home:
    """A home folder whose memory a person has written remarks into."""

    def __init__(self, folder: Path) -> None:
        self.history_file = folder / "history.db"
        self.memory = Memory(folder / "memory", seeds=SEEDS, secrets=Secrets())
        self.patterns = folder / "memory" / "learned" / "patterns.yaml"
        self.failures = folder / "memory" / "learned" / "tool_failures.yaml"
        self.patterns.parent.mkdir(parents=True)
        self.patterns.write_text(_remarked((SEEDS / "learned" / "patterns.yaml").read_text()))
        self.failures.write_text(
            "# mine: look here\nfailures: []\n# and here\nstats: {total_failures: 0, auto_fixed: 0}\n"
        )
        self.written = self.patterns.read_text()
        self.names = [pattern.id for pattern in self.memory.patterns.all()][:10]

    def work(self, rounds: int | None) -> None:
        """Runs that fail and heal, each followed by learning; without end when `rounds` is None."""
        with History.open(self.history_file, secrets=Secrets()) as history:
            story = Storyteller(history)
            for number in itertools.count() if rounds is None else range(rounds):
                run = f"{os.getpid()}-{number}"
                story.begin(run)
                story.failing_step(run, "pods", helped=number % 3 != 0, pattern=self.names[number % len(self.names)])
                story.end(run)
                undone = learn(self.memory, history)
                if undone:
                    raise AssertionError(undone)

    def assert_whole(self) -> None:
        """Every file fits its schema, and a person's file is theirs but for the statistics."""
        assert self.memory.findings() == ()
        assert STATISTICS.sub("", self.patterns.read_text()) == STATISTICS.sub("", self.written)
        log = self.failures.read_text()
        assert log.startswith("# mine: look here\n")
        assert "\n# and here\nstats:" in log

    def assert_counts_equal(self) -> None:
        """What the files say is what history counts."""
        with History.open(self.history_file, secrets=Secrets()) as history:
            totals, counts, last = history.totals(), history.pattern_counts(), history.failures(100)
        log = read(self.failures).value
        assert (log["stats"]["total_failures"], log["stats"]["auto_fixed"]) == (totals.total, totals.auto_fixed)
        days = {day: (each["total"], each["auto_fixed"]) for day, each in log["stats"]["daily"].items()}
        assert days == totals.daily
        assert [(each["run"], each["success"]) for each in log["failures"]] == [
            (each.run_id, each.success) for each in reversed(last)
        ]
        shipped = {row["id"]: (row["seen"], row["right"]) for row in _pattern_rows(SEEDS / "learned" / "patterns.yaml")}
        for row in _pattern_rows(self.patterns):
            seen, right = counts.get(row["id"], (0, 0))
            written = (row.get("observations", row["seen"]), row.get("confirmed", row["right"]))
            assert written == (shipped[row["id"]][0] + seen, shipped[row["id"]][1] + right)
        assert sum(seen for seen, _ in counts.values()) == totals.total

    def assert_database_whole(self) -> None:
        """SQLite's own examination finds nothing."""
        with closing(sqlite3.connect(self.history_file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _remarked(text: str) -> str:
    """The file with remarks where people put them: at the end of lines, between entries, in the middle of one."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.lstrip().startswith("- id:")]
    for number in starts[:40:4]:
        lines[number] += f"   # remark {number}"
        lines.insert(number + 1, f"    # inside {number}")
        starts = [each + 1 for each in starts]
    return "\n".join([*lines, "# the end"]) + "\n"


def _pattern_rows(path: Path) -> list[dict[str, Any]]:
    return [row for section in read(path).value.values() for row in section]


def _started(work: Callable[[int | None], None], rounds: int | None) -> BaseProcess:
    child = FORK.Process(target=work, args=(rounds,))
    child.start()
    return child


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home."""
    return Home(tmp_path)


def test_eight_processes_write_at_once(home: Home) -> None:
    """The last of them leaves the newest figures: nothing is projected again afterwards."""
    children = [_started(home.work, 12) for _ in range(WRITERS)]
    while any(child.is_alive() for child in children):
        home.assert_whole()
        time.sleep(0.05)  # whoever looks without a pause takes a processor from those who write
    assert [child.exitcode for child in children] == [0] * WRITERS
    home.assert_whole()
    home.assert_counts_equal()


def test_memory_survives_being_killed_at_any_moment(home: Home) -> None:
    """Sixty deaths among four writers; then one projection brings the files up to date."""
    chance = random.Random(20261120)  # noqa: S311 - a repeatable choice of moments
    children = [_started(home.work, None) for _ in range(4)]
    for death in range(KILLS):
        time.sleep(chance.uniform(0.0, 0.06))
        victim = children.pop(chance.randrange(len(children)))
        assert victim.is_alive()
        victim.kill()
        victim.join()
        children.append(_started(home.work, None))
        if death % 10 == 0:
            home.assert_whole()
    for child in children:
        child.kill()
        child.join()
    home.assert_whole()
    home.assert_database_whole()
    home.work(1)
    home.assert_whole()
    home.assert_counts_equal()
