"""What the tests of the tool families share: a context, and repositories made by the real git."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.tool import ToolContext


@pytest.fixture
def secrets() -> list[Any]:
    """What a tool asked to keep secret."""
    return []


@pytest.fixture
def contexts(tmp_path: Path, secrets: list[Any]) -> Contexts:
    """Makes a context with the given domain settings."""

    def make(settings: Mapping[str, Any] | None = None, *, timeout: float = 10, **environment: str) -> ToolContext:
        return ToolContext(
            settings=settings or {},
            folder=tmp_path,
            state=tmp_path / "state",
            environment={**os.environ, **environment},
            timeout=timeout,
            run_id="run-1",
            secret=secrets.append,
        )

    return make


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository called `My Shop` with two commits on main."""
    path = tmp_path / "My Shop"
    path.mkdir()
    made = Repository(path=path)
    made.git("init", "--quiet")
    made.commit("Start", {"README.md": "a shop", "Procfile": "web: serve"})
    made.commit("Sell\n\nThings have prices.", {"shop/prices.py": "PRICE = 1"}, day=2)
    return made
