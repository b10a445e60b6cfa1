"""The pages that are written from what there is are what would be written now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.pages import pages

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def written() -> Mapping[str, str]:
    """What `make pages` would write."""
    return pages()


@pytest.mark.parametrize("name", ["tools.md", "skills.md"])
def test_a_page_that_is_written_by_a_program_is_up_to_date(name: str, written: Mapping[str, str]) -> None:
    """Whoever changes a tool or a skill writes its page anew: `make pages`."""
    kept = (DOCS / name).read_text(encoding="utf-8")
    assert kept == written[name], "run `make pages`"
