"""One sandbox at a fixed time for all tests of a file, and its event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.sandbox import Sandbox
from tests.unit.sandbox.legitimate import NOW


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for all blocks of a file, so that they share one interpreter."""
    return "asyncio"


@pytest.fixture(scope="module")
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:  # noqa: ARG001 - the loop it lives in
    """A sandbox at a fixed time, whose workers are stopped in the end."""
    sandbox = Sandbox(now=lambda: NOW)
    yield sandbox
    await sandbox.aclose()
