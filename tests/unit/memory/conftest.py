"""A memory in a fresh folder, over small seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.memory import Memory
from engine.model.secret import Secrets

NOON = 1_795_176_000.0
"""2026-11-20 12:00:00 UTC."""

PATTERNS = """\
# Kept by people.
auth_patterns:
  - id: token-expired   # the usual one
    pattern: 'token (?:has )?expired'
    kind: auth_expired
    meaning: "The token has expired"
    fix: login
    commands: ["kube_login(cluster='e')"]
    untouched: true
    seen: 40
    right: 39

network_patterns:
  - {id: refused, pattern: 'connection refused$', kind: connection_refused, seen: 20, right: 20}
"""

FIXES = """\
# Fixes that worked.
tool_fixes:
  - tool_name: bonfire_deploy
    error_pattern: "manifest unknown"
    root_cause: "Short SHA"
    fix_applied: "Use the full SHA"
    date_learned: "2026-01-03"
    times_prevented: 0
  - tool_name: "git_*"
    error_pattern: "no upstream"
    fix_applied: "Push it"

common_mistakes:   # seen by everyone
  missing_flags:
    description: "No terminal"
    examples:
      - glab: "--yes"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the live files; not there yet."""
    return tmp_path / "home" / "memory"


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """The folder of the shipped files."""
    learned = tmp_path / "seeds" / "learned"
    learned.mkdir(parents=True)
    (learned / "patterns.yaml").write_text(PATTERNS)
    (learned / "tool_fixes.yaml").write_text(FIXES)
    return learned.parent


@pytest.fixture
def secrets() -> Secrets:
    """The secrets of the test; none yet."""
    return Secrets()


@pytest.fixture
def memory(folder: Path, seeds: Path, secrets: Secrets) -> Memory:
    """A memory whose clock stands at noon."""
    return Memory(folder, seeds=seeds, secrets=secrets, clock=lambda: NOON)
