"""Skills and the examples of the pages are laid out as `skill fmt` lays them out."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from engine.documents.formatting import formatted
from engine.errors import DocumentError
from engine.library.key_order import GROUPS, INPUT, OUTPUT, STEP, UNDO, skill_order
from engine.library.language import KEYS

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("*/README.md"))]
FILES = sorted(
    path
    for folder in ("skills", "tests/rehearsals", "tool_registry/definitions")
    for path in (ROOT / folder).rglob("*.yaml")
)
EXAMPLE = re.compile(r"(?<=^```yaml\n).*?(?=^```)", re.MULTILINE | re.DOTALL)
REPAIR = "FORMAT=1 .venv/bin/python -m pytest tests/house/test_house_layout.py"
"""What lays everything out that these tests look at."""


def laid_out(text: str, name: str) -> str:
    """The text as `skill fmt` writes it; unchanged where it is an example of what cannot be read."""
    try:
        return formatted(text, name, order=skill_order)
    except DocumentError:
        return text


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_is_laid_out(path: Path) -> None:
    """No file of ours is one that `skill fmt` would change, and no example of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        wanted = EXAMPLE.sub(lambda found: laid_out(found.group(), path.name), text)
    else:
        wanted = formatted(text, str(path), order=skill_order)
    if os.environ.get("FORMAT"):
        path.write_text(wanted, encoding="utf-8")
    elif wanted != text:
        # Compared by lines, so that the difference can be read.
        assert text.splitlines() == wanted.splitlines(), f"run {REPAIR}"
        assert text == wanted


def test_every_key_of_the_language_has_its_place() -> None:
    """A key that the order does not know would stay wherever it was written."""
    assert {*STEP, *GROUPS} == KEYS["step"]
    assert set(UNDO) == KEYS["undo"]
    assert set(INPUT) == KEYS["input"]
    assert set(OUTPUT) == KEYS["output"]
