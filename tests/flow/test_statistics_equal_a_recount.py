"""Every figure people read is what a recount from the raw events gives, after ten thousand failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.bundle import bundle
from engine.documents import read
from engine.heal.learn import learn
from engine.history import History
from engine.improve.dashboard import dashboard, figures_of, write_dashboard
from engine.memory import Memory
from engine.model.figures import Dimension
from engine.model.secret import Secrets
from tests.flow.generated_failures import Narrator, Recount, recount
from tests.shell import Shell

RUNS, STEPS = 250, 40
NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of live files, with ten thousand failures in its history."""
    folder = tmp_path_factory.mktemp("home")
    with History.open(folder / "history.db", secrets=Secrets()) as history:
        narrator = Narrator(history, seed=4)
        for number in range(RUNS):
            narrator.run(number, STEPS)
    return folder


@pytest.fixture
def history(home: Path) -> Iterator[History]:
    """That history."""
    with History.open(home / "history.db", secrets=Secrets()) as opened:
        yield opened


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A memory without live files."""
    return Memory(tmp_path / "memory", seeds=bundle("memory"), secrets=Secrets(), clock=lambda: NOW)


@pytest.fixture(scope="module")
def counted(home: Path) -> Recount:
    """What the raw events say."""
    return recount(home / "history.db")


def test_there_are_ten_thousand_failures_over_the_turn_of_a_year(counted: Recount) -> None:
    """Days and weeks of both years are among them."""
    assert counted.total == RUNS * STEPS
    assert {week[:4] for week in counted.by["week"]} == {"2026", "2027"}
    assert "2026-W53" in counted.by["week"]
    assert len(counted.by["day"]) > 20


@pytest.mark.parametrize("dimension", ["tool", "kind", "domain", "day", "week"])
def test_failures_by_each_dimension_equal_the_recount(history: History, counted: Recount, dimension: str) -> None:
    """Name by name, how many failed and how many of them a fix repaired."""
    told = history.figures().by(Dimension(dimension))
    assert {name: counts.failures for name, counts in told.items() if counts.failures} == counted.by[dimension]
    assert {name: counts.auto_fixed for name, counts in told.items() if counts.failures} == counted.fixed_by[dimension]


def test_totals_equal_the_recount(history: History, counted: Recount) -> None:
    """Failures, fixes, checks and what was foretold."""
    total = history.figures().total
    assert (total.failures, total.auto_fixed) == (counted.total, counted.fixed)
    assert (total.tried, total.helped) == (counted.tried, counted.helped)
    checks = counted.checks
    assert (total.checked, total.repaired, total.blocked) == (checks.total(), checks["fixed"], checks["blocked"])
    foretold = counted.foretold
    assert (total.fixed_first, total.fixed_failed) == (foretold["fix"], foretold["fix failed"])
    assert (total.shadow, total.shadow_failed) == (foretold["shadow"], foretold["shadow failed"])
    assert (total.noted, total.noted_failed) == (foretold["noted"], foretold["noted failed"])


def test_the_failure_log_equals_the_recount(history: History, memory: Memory, counted: Recount) -> None:
    """Daily and weekly counts of tool_failures.yaml."""
    assert learn(memory, history) == ()
    stats = read(memory.folder / "learned" / "tool_failures.yaml").value["stats"]
    assert (stats["total_failures"], stats["auto_fixed"]) == (counted.total, counted.fixed)
    for name, dimension in (("daily", "day"), ("weekly", "week")):
        expected = {
            key: {"total": count, "auto_fixed": counted.fixed_by[dimension][key]}
            for key, count in counted.by[dimension].items()
        }
        assert stats[name] == expected


def test_the_dashboard_equals_the_recount_and_its_schema(history: History, memory: Memory, counted: Recount) -> None:
    """Every section of auto_heal_dashboard.yaml, and nothing in it that the schema does not know."""
    write_dashboard(memory, history, NOW)
    assert memory.findings() == ()
    told = read(memory.folder / "stats" / "auto_heal_dashboard.yaml").value
    assert (told["totals"]["failures"], told["totals"]["auto_fixed"]) == (counted.total, counted.fixed)
    for section, dimension in (("tools", "tool"), ("kinds", "kind"), ("days", "day"), ("weeks", "week")):
        assert _failures(told[section]) == counted.by[dimension]
    assert told == json.loads(json.dumps(dashboard(figures_of(history), NOW)))


def test_the_command_says_the_same(home: Path, tmp_path: Path, counted: Recount) -> None:
    """`skill heal stats --by week`, as data."""
    done = Shell(tmp_path, home).json("heal", "stats", "--by", "week")
    assert done["failures"] == counted.total
    assert _failures(done["weeks"]) == counted.by["week"]


def _failures(section: dict[str, Any]) -> dict[str, int]:
    return {name: counts["failures"] for name, counts in section.items() if counts["failures"]}


def test_the_command_says_it_in_words_and_writes_the_dashboard(home: Path, tmp_path: Path, counted: Recount) -> None:
    """The totals, a row for each tool, and where the file is; --since leaves the file alone."""
    shell = Shell(tmp_path, home)
    done = shell.run("heal", "stats", "--by", "tool")
    assert f"{counted.total:,} steps failed an attempt" in done.stdout
    assert all(tool in done.stdout for tool in counted.by["tool"])
    path = home / "memory" / "stats" / "auto_heal_dashboard.yaml"
    assert str(path) in done.stderr
    path.unlink()
    assert shell.run("heal", "stats", "--since", "2027-01-01").returncode == 0
    assert not path.exists()


def test_breakers_are_listed_for_every_fix_that_ran(home: Path, tmp_path: Path) -> None:
    """With their state and the reason for it."""
    listed = Shell(tmp_path, home).json("heal", "breakers")
    assert {row["fix"] for row in listed} == {"kube_login", "vpn_connect"}
    assert all(row["state"] in {"closed", "open", "half_open"} and row["because"] for row in listed)
