"""A history in a fresh folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.history import History
from engine.model.secret import Secrets
from tests.unit.history.storyteller import Storyteller


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the history of the test lives."""
    return tmp_path / "home" / "history.db"


@pytest.fixture
def secrets() -> Secrets:
    """The secrets of the test; none yet."""
    return Secrets()


@pytest.fixture
def history(path: Path, secrets: Secrets) -> Iterator[History]:
    """A history without runs."""
    with History.open(path, secrets=secrets) as opened:
        yield opened


@pytest.fixture
def story(history: History) -> Storyteller:
    """Records runs into `history`."""
    return Storyteller(history)
