"""What the documents promise authors is what the sandbox does: every example is run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.errors import RaisedError, SandboxError
from engine.model.outcome import Absent
from engine.model.place import Place, Text
from engine.sandbox import Sandbox, helper_names
from engine.sandbox.compute_rules import MODULES
from engine.sandbox.expression_text import TESTS
from engine.sandbox.filters import FILTERS
from engine.sandbox.functions import FUNCTIONS, TEXT_HELPERS
from engine.sandbox.stand_ins import STAND_INS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "expressions.md").read_text(encoding="utf-8")
HELPERS = (ROOT / "schemas" / "README.md").read_text(encoding="utf-8")


def fenced(language: str) -> list[str]:
    """The code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


NAMES: dict[str, object] = {
    **json.loads(fenced("json")[0]),
    "skipped": Absent(step="skipped", reason="its condition was false"),
}
LINES = [
    (language, *line.split("  ->  "))
    for language in ("expression", "template")
    for block in fenced(language)
    for line in block.splitlines()
]
BLOCKS = re.findall(r"^```compute\n(.*?)^```\n(gives|raises|fails) `([^\n]*)`$", PAGE, flags=re.MULTILINE | re.DOTALL)


def written(text: str) -> Text:
    """`text` somewhere."""
    return Text(text=text, place=Place(file="skill.yaml", line=1, column=1), indent=0)


@pytest.mark.parametrize(("language", "text", "expected"), LINES, ids=range(len(LINES)))
def test_an_example_gives_what_the_page_says(sandbox: Sandbox, language: str, text: str, expected: str) -> None:
    """An expression or template of the page gives the value, or the error, that stands next to it."""
    evaluate = sandbox.evaluate if language == "expression" else sandbox.render
    if expected.startswith("error: "):
        with pytest.raises(SandboxError) as caught:
            evaluate(written(text), NAMES)
        assert caught.value.message == expected.removeprefix("error: ")
    else:
        assert evaluate(written(text), NAMES) == json.loads(expected)


@pytest.mark.parametrize(("text", "ending", "expected"), BLOCKS, ids=range(len(BLOCKS)))
async def test_a_block_ends_as_the_page_says(sandbox: Sandbox, text: str, ending: str, expected: str) -> None:
    """A compute block of the page gives, raises or fails as the line below it says."""
    if ending == "gives":
        assert await sandbox.compute(written(text), NAMES) == json.loads(expected)
        return
    with pytest.raises(RaisedError if ending == "raises" else SandboxError) as caught:
        await sandbox.compute(written(text), NAMES)
    assert caught.value.message == expected


def test_the_page_has_its_examples() -> None:
    """The patterns above still find what they are for."""
    assert len(LINES) > 60
    assert len(BLOCKS) == len(fenced("compute")) > 5


def test_the_page_lists_everything_there_is() -> None:
    """Functions, filters, tests and modules are all named on the page."""
    words = set(re.findall(r"[\w.]+", PAGE))
    assert words >= {*FILTERS, *TESTS, *MODULES, *STAND_INS}
    assert words >= (helper_names() - set(TEXT_HELPERS))


def test_every_text_helper_is_listed_and_works_everywhere(sandbox: Sandbox) -> None:
    """The list of text helpers is complete, and each is a function of expressions."""
    listed = set(re.findall(r"^\| `(\w+)\(", HELPERS, flags=re.MULTILINE))
    assert listed == {*TEXT_HELPERS, "tojson"} <= FUNCTIONS.keys()
    for name, example, value in re.findall(r"`(\w+)(\(\"[^`]*\))` is `([^`]*)`", HELPERS):
        assert sandbox.evaluate(written(name + example), {}) == value
