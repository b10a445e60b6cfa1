"""What authors legitimately write works, and gives what they expect."""

from __future__ import annotations

import copy

import pytest

from engine.model.place import Place, Text
from engine.sandbox import Sandbox
from tests.unit.sandbox.legitimate import COMPUTE, EXPRESSIONS, NAMES, TEMPLATES


def written(text: str) -> Text:
    """`text` as an author wrote it."""
    return Text(text=text, place=Place(file="skill.yaml", line=1, column=1), indent=0)


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_an_expression_gives_its_value(sandbox: Sandbox, text: str, expected: object) -> None:
    """An ordinary expression has no findings, gives its value, and `holds` when that is true."""
    assert sandbox.read_expression(written(text)).findings == ()
    assert sandbox.evaluate(written(text), NAMES) == expected
    assert sandbox.holds(written(text), NAMES) is bool(expected)


@pytest.mark.parametrize(("text", "expected"), TEMPLATES, ids=range(len(TEMPLATES)))
def test_a_template_gives_its_text(sandbox: Sandbox, text: str, expected: object) -> None:
    """An ordinary template has no findings and gives its text; one whole expression keeps its type."""
    assert sandbox.read_template(written(text)).findings == ()
    assert sandbox.render(written(text), NAMES) == expected


@pytest.mark.parametrize(("text", "expected"), COMPUTE, ids=range(len(COMPUTE)))
async def test_a_compute_block_gives_its_result(sandbox: Sandbox, text: str, expected: object) -> None:
    """An ordinary block has no findings, gives what it assigned to result, and changes nothing outside."""
    before = copy.deepcopy(NAMES)
    assert sandbox.read_compute(written(text)).findings == ()
    assert await sandbox.compute(written(text), NAMES) == expected
    assert before == NAMES
