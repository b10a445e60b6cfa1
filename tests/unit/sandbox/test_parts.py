"""Texts taken apart: every part is an expression of its own, in its own place, and nothing is evaluated."""

from __future__ import annotations

import pytest

from engine.model.place import Place, Text
from engine.sandbox import Sandbox
from engine.sandbox.parts import Joint, filled, holes, take_apart

HERE = Place(file="f", line=3, column=7)


def text(source: str) -> Text:
    """A text at line 3, column 7."""
    return Text(text=source, place=HERE)


@pytest.mark.parametrize(
    ("source", "joint", "parts"),
    [
        ("a and (b or c)", Joint.AND, ["a", "b or c"]),
        ("{{ inputs.sha or mr.sha }}", Joint.OR, ["inputs.sha", "mr.sha"]),
        ("not a.b", Joint.NOT, ["a.b"]),
        ("x if a is defined else y | default(1)", Joint.CHOICE, ["a is defined", "x", "y | default(1)"]),
        ("names | join(', ') and b", Joint.AND, ["names | join(', ')", "b"]),
        ("[a, b.c]", Joint.LIST, ["a", "b.c"]),
        ("{'x': a}", Joint.MAPPING, ["a"]),
        ("a ~ b and c", Joint.WHOLE, []),
        ("a == b", Joint.WHOLE, []),
        ("lst[-1].a", Joint.WHOLE, []),
        ("a and", Joint.WHOLE, []),
        ("", Joint.WHOLE, []),
        ("(" * 500, Joint.WHOLE, []),
    ],
)
def test_an_expression_comes_apart_at_what_decides(source: str, joint: Joint, parts: list[str]) -> None:
    """At and, or, not, if, lists and mappings; anything else is left whole, and nothing breaks."""
    found = take_apart(text(source))
    assert (found.joint, [each.text for each in found.texts]) == (joint, parts)


def test_a_path_is_its_name_and_keys() -> None:
    """Dots and constant keys alike; a word that means a constant is no path."""
    assert take_apart(text("a.b['c'][0]")).path == ("a", "b", "c", "0")
    assert take_apart(text("{{ a }}")).path == ("a",)
    assert take_apart(text("none")).joint is Joint.WHOLE


def test_every_part_knows_its_place() -> None:
    """An error in a part is told where the author wrote it, after letters of two bytes too."""
    found = take_apart(text("'ä' == x and\n  later.part"))
    assert [str(each.place) for each in found.texts] == ["f:3:7", "f:3:7"]
    block = Text(text="'ä' == x and\n  later.part", place=HERE, indent=4)
    assert [str(each.place) for each in take_apart(block).texts] == ["f:3:5", "f:4:7"]


def test_a_template_with_its_holes_filled_keeps_its_shape() -> None:
    """Signs, tags, quotes and places stay; only what stands in the holes is replaced."""
    source = text("a {{ b.c }}{% if x == '%}' or '{{' %}\n {{- d ~\n'}}' -}} {% endif %}e")
    found = holes(source)
    assert found is not None
    assert [each.expression.text for each in found] == ["{{ b.c }}", "{{- d ~\n'}}' -}}"]
    marked, names = filled(source, [(each, f"<{index}>") for index, each in enumerate(found)], {"x": "%}"})
    assert len(marked.text) == len(source.text)
    assert marked.text.count("\n") == source.text.count("\n")
    assert Sandbox().render(marked, {"x": "%}", **names}) == "a <0><1>e"


@pytest.mark.parametrize("source", ["{# {{ a }} #}", "{% raw %}{{ a }}{% endraw %}", "{{ a", "{% if a"])
def test_a_template_in_which_braces_mean_something_else_has_no_holes(source: str) -> None:
    """Rather none than a wrong one."""
    assert holes(text(source)) is None
