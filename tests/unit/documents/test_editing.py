"""Editing: exactly the characters that must change do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from engine.documents import Editing, dump, parse
from engine.errors import DocumentError

SAMPLE = """\
# top comment

name: demo   # the name
version: '1.0'
quoted: "a b"  # q
empty:
noted:   # note
text: |  # lit
  one
  two

# about the list
list:
  # first
  - a   # A
  -
  - key: 1   # k
    # between
    other: 2
  - - x
    - y
level:
- 1
- 2   # two
flow: [1, 2, {a: b}]   # flow
multi: [
  one,   # 1
  two    # 2
]
none: {}
deep:
  deeper:
    # inside
    x: 1
  y: 2
last:
  z: 3   # end
# final
"""


def changed(change: Callable[[Editing], object], text: str = SAMPLE) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came."""
    editing = Editing(parse(text, "f"))
    change(editing)
    before, after = text.split("\n"), editing.finished().text.split("\n")
    while before and after and before[0] == after[0]:
        before.pop(0), after.pop(0)
    while before and after and before[-1] == after[-1]:
        before.pop(), after.pop()
    return before, after


@pytest.mark.parametrize(
    ("path", "value", "went", "came"),
    [
        (("name",), "other", ["name: demo   # the name"], ["name: other   # the name"]),
        (("name",), "no", ["name: demo   # the name"], ['name: "no"   # the name']),
        (("name",), "2026-11-20", ["name: demo   # the name"], ['name: "2026-11-20"   # the name']),
        (("name",), "a\nb\n", ["name: demo   # the name"], ["name: |   # the name", "  a", "  b"]),
        (
            ("name",),
            [1, {"a": 2, "b": []}],
            ["name: demo   # the name"],
            ["name:   # the name", "  - 1", "  - a: 2", "    b: []"],
        ),
        (("version",), "it's", ["version: '1.0'"], ["version: 'it''s'"]),
        (("quoted",), 'say "x"', ['quoted: "a b"  # q'], ['quoted: "say \\"x\\""  # q']),
        (("quoted",), 5, ['quoted: "a b"  # q'], ["quoted: 5  # q"]),
        (("empty",), "x", ["empty:"], ["empty: x"]),
        (("noted",), "x", ["noted:   # note"], ["noted: x   # note"]),
        (("noted",), {"a": 1}, [], ["  a: 1"]),
        (("text",), "short", ["text: |  # lit", "  one", "  two"], ["text: short  # lit"]),
        (("text",), "one\ntwo\nthree\n", [], ["  three"]),
        (("list", 0), {"p": 1, "q": 2}, ["  - a   # A"], ["  - p: 1   # A", "    q: 2"]),
        (("list", 1), "w", ["  -"], ["  - w"]),
        (("list", 2, "key"), 9, ["  - key: 1   # k"], ["  - key: 9   # k"]),
        (("list", 2, "new"), 9, [], ["    new: 9"]),
        (("list", 3, 0), "z", ["  - - x"], ["  - - z"]),
        (("flow", 2, "c"), "d, e", ["flow: [1, 2, {a: b}]   # flow"], ['flow: [1, 2, {a: b, c: "d, e"}]   # flow']),
        (("none", "k"), "v", ["none: {}"], ["none:", "  k: v"]),
        (("deep", "deeper"), 5, ["  deeper:", "    # inside", "    x: 1"], ["  deeper: 5", "    # inside"]),
        (("deep", "way", "down"), 1, [], ["  way:", "    down: 1"]),
        (("last",), {"z": 3, "a": 1}, [], ["  a: 1"]),
        (("level",), [2, 3], ["- 1", "- 2   # two"], ["- 2   # two", "- 3"]),
        (("brand",), "new", [], ["brand: new"]),
        (("multi", 1), 2, ["  two    # 2"], ["  2    # 2"]),
    ],
)
def test_set_changes_these_lines_and_no_other(
    path: tuple[str | int, ...], value: Any, went: list[str], came: list[str]
) -> None:
    """Comments, quotes, brackets and blank lines stay; what YAML would misread is quoted."""
    assert changed(lambda editing: editing.set(path, value)) == (went, came)


@pytest.mark.parametrize(
    ("path", "value", "went", "came"),
    [
        (("list",), {"a": 1, "b": [2]}, [], ["  - a: 1", "    b:", "      - 2"]),
        (("level",), 3, [], ["- 3"]),
        (("flow",), "a: b", ["flow: [1, 2, {a: b}]   # flow"], ['flow: [1, 2, {a: b}, "a: b"]   # flow']),
        (("multi",), "three", ["  two    # 2"], ["  two, three    # 2"]),
        (("empty",), "x", [], ["  - x"]),
        (("missing", "list"), "x", [], ["missing:", "  list:", "    - x"]),
        (("list", 3), "z", [], ["    - z"]),
    ],
)
def test_append_adds_lines_and_takes_none(
    path: tuple[str | int, ...], value: Any, went: list[str], came: list[str]
) -> None:
    """A list grows at its end in its own style; where there is none yet, one is made."""
    assert changed(lambda editing: editing.append(path, value)) == (went, came)


@pytest.mark.parametrize(
    ("path", "went", "came"),
    [
        (("name",), ["name: demo   # the name"], []),
        (("text",), ["text: |  # lit", "  one", "  two"], []),
        (("list", 0), ["  - a   # A"], []),
        (("list", -1), ["  - - x", "    - y"], []),
        (("list", 2, "key"), ["  - key: 1   # k"], ["  -    # k"]),
        (("list", 3, 0), ["  - - x", "    - y"], ["  - - y"]),
        (("flow", 0), ["flow: [1, 2, {a: b}]   # flow"], ["flow: [2, {a: b}]   # flow"]),
        (("flow", 2), ["flow: [1, 2, {a: b}]   # flow"], ["flow: [1, 2]   # flow"]),
        (("multi", 1), ["  one,   # 1", "  two    # 2"], ["  one   # 1", "      # 2"]),
        (("last", "z"), ["last:", "  z: 3   # end"], ["last: {}"]),
        (("deep", "y"), ["  y: 2"], []),
    ],
)
def test_remove_takes_what_it_names(path: tuple[str | int, ...], went: list[str], came: list[str]) -> None:
    """The lines of a value go with their own comments; a collection left empty says so."""
    assert changed(lambda editing: editing.remove(path)) == (went, came)


def test_several_changes_in_one_editing_all_count() -> None:
    """Later changes see the earlier ones, whatever their order."""
    editing = Editing(parse(SAMPLE, "f"))
    editing.set(("name",), "one")
    editing.set(("version",), "2")
    editing.set(("name",), "two")
    editing.append(("level",), 3)
    editing.remove(("empty",))
    editing.set(("quoted",), "q")
    assert editing.value["level"] == [1, 2, 3]
    document = editing.finished()
    assert document.value == editing.value
    assert [document.value[key] for key in ("name", "version", "quoted")] == ["two", "2", "q"]
    assert "empty" not in document.value


def test_setting_what_is_there_changes_nothing() -> None:
    """An equal value leaves every character; another type is another value."""
    assert changed(lambda editing: editing.set(("list",), parse(SAMPLE, "f").value["list"])) == ([], [])
    assert changed(lambda editing: editing.set(("level", 0), True)) == (["- 1"], ["- true"])


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "a: 1\n"), ("# only\n", "# only\na: 1\n"), ("# no end", "# no end\na: 1\n"), ("{}\n", "a: 1\n")],
)
def test_a_file_without_content_can_be_filled(text: str, said: str) -> None:
    """The first key goes below the comments."""
    editing = Editing(parse(text, "f"))
    editing.set(("a",), 1)
    assert editing.finished().text == said


def test_line_ends_stay_as_they_are() -> None:
    """A file with carriage returns keeps them, in new lines too."""
    editing = Editing(parse("a: 1\r\nb:\r\n  - x\r\n", "f"))
    editing.append(("b",), {"k": 1, "l": "m\nn"})
    text = editing.finished().text
    assert text.count("\n") == text.count("\r\n") == 7


def test_an_alias_is_not_changed_from_afar() -> None:
    """What is written as an alias is changed where it is anchored; the error says which line."""
    editing = Editing(parse("a: &x\n  b: 1\nc: *x\n", "f"))
    with pytest.raises(DocumentError, match="alias") as caught:
        editing.set(("c", "b"), 2)
    assert "line 1" in caught.value.hint


def test_a_change_that_would_change_more_is_refused() -> None:
    """Changing an anchored value would change its alias too: that is refused, and said so."""
    editing = Editing(parse("a: &x\n  b: 1\nc: *x\n", "f"))
    editing.set(("a", "b"), 2)
    with pytest.raises(DocumentError, match="disturbing"):
        editing.finished()


def test_what_does_not_fit_is_refused() -> None:
    """An item beyond a list's end, a key inside a word, an append to a word, a removal of nothing."""
    editing = Editing(parse(SAMPLE, "f"))
    with pytest.raises(DocumentError):
        editing.set(("level", 7), 1)
    with pytest.raises(DocumentError):
        editing.set(("name", "first"), 1)
    with pytest.raises(DocumentError):
        editing.append(("name",), 1)
    with pytest.raises(DocumentError):
        editing.set(("name",), {1: 2})
    with pytest.raises(DocumentError):
        editing.set(("name",), object())
    with pytest.raises(KeyError):
        editing.remove(("nothing",))
    with pytest.raises(KeyError):
        editing.replace(("nothing",), 1)
    assert editing.finished().text == SAMPLE


class _Colour(StrEnum):
    RED = "red"


def test_values_of_the_engine_become_plain() -> None:
    """Enumerations, dates, tuples and mappings of any kind are written as what they stand for."""
    editing = Editing(parse("a: 1\n", "f"))
    editing.set(("a",), (_Colour.RED, dt.date(2026, 11, 20), 1.5))
    assert editing.finished().value == {"a": ["red", "2026-11-20", 1.5]}


@pytest.mark.parametrize("value", ["\ud800", 10**500, {1: 2}, object()])
def test_what_yaml_cannot_hold_is_an_error(value: Any) -> None:
    """Half a surrogate pair, an endless number, a key that is no text, a thing of another kind."""
    with pytest.raises(DocumentError):
        dump([value])


def test_a_value_within_itself_is_an_error() -> None:
    """A list that contains itself ends in an error, not in a crash."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(DocumentError):
        dump(endless)
