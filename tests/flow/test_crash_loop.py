"""A run survives its processes: killed at random moments and resumed, it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("SKILL_TEST_KILLS", "60"))
"""Five hundred in the evidence of docs/durability.md; fewer in every run of the tests."""


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_if_undisturbed(tmp_path: Path) -> None:
    """Every write happened exactly once or the run asked; outputs are equal; the database is whole."""
    seed = random.randrange(1 << 30)  # noqa: S311 - a moment to kill at, no secret
    done = subprocess.run(
        [sys.executable, "-m", "tests.flow.crashing", str(tmp_path), str(KILLS), str(seed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["wrong"] == [], f"seed {seed}"
    assert told["kills"] >= KILLS
    assert told["runs"] >= 1
    assert told["resumed"] >= 1
