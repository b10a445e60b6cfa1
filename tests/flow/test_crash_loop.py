"""A run survives its processes: killed at random moments and resumed, it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KILLS = int(os.environ.get("SKILL_TEST_KILLS", "30"))
"""Five hundred in the evidence of docs/durability.md; fewer in every run of the tests."""
CANCELS = 12


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_if_undisturbed(tmp_path: Path) -> None:
    """Every write happened exactly once or the run asked; outputs are equal; the database is whole."""
    told = looped("tests.flow.crashing", tmp_path, KILLS)
    assert told["kills"] >= KILLS
    assert told["runs"] >= 1
    assert told["resumed"] >= 1


@pytest.mark.slow
def test_a_killed_run_is_undone_by_whoever_cancels_it_however_often_that_is_killed(tmp_path: Path) -> None:
    """Every write that has an undo was undone, none was done twice, and each `always` ran."""
    told = looped("tests.flow.cancel_loop", tmp_path, CANCELS)
    assert told["runs"] >= CANCELS


def looped(module: str, folder: Path, times: int) -> dict[str, Any]:
    """What a loop of crashes told, which found nothing wrong."""
    seed = random.randrange(1 << 30)  # noqa: S311 - a moment to kill at, no secret
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder), str(times), str(seed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["wrong"] == [], f"seed {seed}"
    return told
