"""What holds for every document, every value and every change."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents import Editing, dump, parse
from engine.errors import DocumentError
from engine.model.place import Finding, Place, Text

WORDS = ["yes", "no", "on", "off", "0o17", "010", "1_000", "12:30", "2001-01-01", "1e5", ".5", "~", "null", "=", "<<"]
SHAPES = [
    "",
    "a: b",
    "a #b",
    "- x",
    "#x",
    "x:",
    "---",
    "...",
    "[a",
    "{{ x }}",
    "it's",
    'say "no"',
    "\\d+",
    "a,b",
    " a ",
]
LINES = [
    "a\nb",
    "a\nb\n",
    "\na",
    "a\n\n",
    " a\nb",
    "#x\ny",
    "a\n \nb",
    "a\tb\n\tc",
    "a\r\nb",
    "\x85",
    "\u2028",
    "\ufeff",
]
TEXTS = st.sampled_from(WORDS + SHAPES + LINES) | st.text(max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
KEYS = st.sampled_from(["name", "steps", "a b", "on", "1", "x-y", "é"]) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=14
)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)

Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Every path in a value, the root's first."""
    found = [path]
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    for step, inner in steps:
        found += paths(inner, (*path, step))
    return found


def at(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


class Author:
    """Writes a value as people do: in one style here and another there, with comments and blank lines."""

    def __init__(self, draw: Any) -> None:
        self._draw: Callable[[st.SearchStrategy[Any]], Any] = draw
        self.comments: list[str] = []

    def document(self, value: Any) -> str:
        """The text of a document with this value."""
        lines = self._above(0)
        if isinstance(value, dict) and value:
            lines += self._mapping(value, 0)
        elif isinstance(value, list) and value:
            lines += self._list(value, 0)
        else:
            lines.append(dump(value).rstrip("\n") if not isinstance(value, str) else self._quoted(value))
        text: str = "\n".join(lines + self._above(0))
        text += self._draw(st.sampled_from(["\n", "\n\n"] if "|" in text else ["\n", "", "\n\n"]))
        ending: str = self._draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
        return text.replace("\n", ending)

    def _mapping(self, value: dict[str, Any], indent: int) -> list[str]:
        lines: list[str] = []
        for key, inner in value.items():
            lines += self._above(indent)
            lines += self._entry(" " * indent + self._word(key, flow=False) + ":", inner, indent)
        return lines

    def _list(self, value: list[Any], indent: int) -> list[str]:
        lines: list[str] = []
        for inner in value:
            lines += self._above(indent)
            if isinstance(inner, dict | list) and inner and self._draw(st.booleans()):
                nested = self._nested(inner, indent + 2)
                while not nested[0].strip() or nested[0].lstrip().startswith("#"):
                    lines.append(" " * indent + nested.pop(0).lstrip())
                lines += [" " * indent + "- " + nested[0][indent + 2 :], *nested[1:]]
            else:
                lines += self._entry(" " * indent + "-", inner, indent)
        return lines

    def _nested(self, value: Any, indent: int) -> list[str]:
        return self._mapping(value, indent) if isinstance(value, dict) else self._list(value, indent)

    def _entry(self, head: str, value: Any, indent: int) -> list[str]:
        if isinstance(value, dict | list) and value:
            if self._draw(st.integers(0, 3)) == 0:
                return [f"{head} {self._flow(value)}{self._beside()}"]
            deeper = (
                indent if isinstance(value, list) and head.endswith(":") and self._draw(st.booleans()) else indent + 2
            )
            return [head + self._beside(), *self._nested(value, deeper)]
        if isinstance(value, str) and "\n" in value and value.strip() and self._draw(st.booleans()):
            written = dump({"k": value}).split("\n")[:-1]
            if len(written) > 1:
                return [
                    head + written[0][2:] + self._beside(),
                    *(" " * indent + line if line else "" for line in written[1:]),
                ]
        if value is None and self._draw(st.booleans()):
            return [head + self._beside()]
        return [f"{head} {self._word(value, flow=False)}{self._beside()}"]

    def _flow(self, value: Any) -> str:
        if isinstance(value, dict):
            pairs = (f"{self._word(key, flow=True)}: {self._flow(each)}" for key, each in value.items())
            return "{" + ", ".join(pairs) + "}"
        if isinstance(value, list) and value:
            apart: str = self._draw(st.sampled_from([", ", " , ", ",\n        "]))
            end: str = self._draw(st.sampled_from(["", " ", ","]))
            return f"[{apart.join(map(self._flow, value))}{end}]"
        return self._word(value, flow=True)

    def _word(self, value: Any, *, flow: bool) -> str:
        if isinstance(value, str) and self._draw(st.integers(0, 2)) == 0:
            return self._quoted(value)
        written = dump([value]).rstrip("\n").removeprefix("- ") if not flow else dump({"k": [value]})
        if flow or "\n" in written:
            return self._quoted(value) if isinstance(value, str) else dump(value).rstrip("\n")
        return written

    def _quoted(self, value: str) -> str:
        if value.isprintable() and self._draw(st.booleans()):
            return "'" + value.replace("'", "''") + "'"
        written = dump([value + "\r"]).rstrip("\n").removeprefix("- ")
        return written.removesuffix('\\r"') + '"'

    def _above(self, indent: int) -> list[str]:
        kind = self._draw(st.integers(0, 5))
        if kind == 0:
            return [" " * indent + self._comment()]
        return [""] if kind == 1 else []

    def _beside(self) -> str:
        return "  " + self._comment() if self._draw(st.integers(0, 4)) == 0 else ""

    def _comment(self) -> str:
        self.comments.append(f"# comment {len(self.comments)} ends")
        return self.comments[-1]


@st.composite
def authored(draw: Any, values: st.SearchStrategy[Any] = MAPPINGS) -> tuple[str, Any, list[str]]:
    """A text as a person would write it, its value, and the comments in it."""
    value = draw(values)
    author = Author(draw)
    return author.document(value), value, author.comments


def all_there(comments: list[str], text: str) -> bool:
    """Whether each comment stands in the text once."""
    return all(text.count(comment) == 1 for comment in comments)


@given(VALUES)
def test_what_is_dumped_is_read_back(value: Any) -> None:
    """Every JSON-like value survives being written and read, by our reader and by a YAML 1.1 reader."""
    text = dump(value)
    for pure in (False, True):
        assert repr(parse(text, "x", pure=pure).value) == repr(value)
    assert repr(yaml.load(text, yaml.CSafeLoader)) == repr(value)


@given(authored(VALUES))
def test_what_people_write_is_read(written: tuple[str, Any, list[str]]) -> None:
    """Every mixture of styles, comments and blank lines is read as the value it says; both parsers agree on places."""
    text, value, _ = written
    document = parse(text, "x")
    assert repr(document.value) == repr(value)
    pure = parse(text, "x", pure=True)
    assert repr(pure.value) == repr(value)
    assert [document.place(path) for path in paths(value)] == [pure.place(path) for path in paths(value)]


@given(authored(VALUES))
def test_every_character_of_a_string_is_found_in_the_file(written: tuple[str, Any, list[str]]) -> None:
    """`Text.at` leads to the character itself, or to the escape that stands for it."""
    text, _, _ = written
    lines = text.split("\n")
    for found in strings(parse(text, "x").tree()):
        for number, line in enumerate(found.text.split("\n"), 1):
            for column, character in enumerate(line, 1):
                place = found.at(number, column)
                seen = lines[place.line - 1][place.column - 1 : place.column]
                assert seen in {character, "\\"} or character == " "


def strings(tree: Any) -> list[Text]:
    """Every string in a tree."""
    match tree:
        case Text():
            return [tree]
        case dict():
            return [found for inner in tree.values() for found in strings(inner)]
        case list():
            return [found for inner in tree for found in strings(inner)]
        case _:
            return []


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_an_error_with_a_place(text: str) -> None:
    """Nothing but a Document or a DocumentError comes out, and every finding has a place inside the text."""
    for pure in (False, True):
        for finding in mistakes(text, pure=pure):
            assert 1 <= finding.place.line <= text.count("\n") + 2
            assert finding.place.column >= 1


def mistakes(text: str, *, pure: bool = False) -> tuple[Finding, ...]:
    """The findings of a text that is no document; none for one that is."""
    try:
        parse(text, "x", pure=pure)
    except DocumentError as error:
        return error.findings or (Finding(place=Place(file="x", line=0, column=0), code="", message="no finding"),)
    return ()


@given(st.text(alphabet="abAB01:-?[]{},&*#|>'\"%@`!<=~.\n\t \\", max_size=60))
def test_any_text_of_yaml_characters_is_a_document_or_an_error(text: str) -> None:
    """The same for texts made of YAML's own characters; where the C loader reads one, we read one like it."""
    if mistakes(text):
        return
    document = parse(text, "x")
    assert isinstance(document.tree(), Text | dict | list | int | float | None)
    try:
        theirs = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 - the loader that makes nothing but text
    except yaml.YAMLError:
        return
    assert shape(document.value) == shape(theirs)


def shape(value: Any) -> Any:
    """A value without what the kinds of scalars are."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in value.items()}
        case list():
            return [shape(inner) for inner in value]
        case _:
            return "scalar"


@settings(max_examples=120)
@given(st.data(), authored(), SCALARS)
def test_a_word_that_is_set_disturbs_nothing(
    data: st.DataObject, written: tuple[str, Any, list[str]], new: Any
) -> None:
    """After `set` of a scalar the text says the intended value, and every comment is still there."""
    text, value, comments = written
    words = [path for path in paths(value) if path and not isinstance(at(value, path), dict | list)]
    if not words:
        return
    path = data.draw(st.sampled_from(words))
    editing = Editing(parse(text, "x"))
    editing.set(path, new)
    wanted = deepcopy(value)
    at(wanted, path[:-1])[path[-1]] = new
    changed = editing.finished()
    assert repr(changed.value) == repr(wanted)
    assert all_there(comments, changed.text)


@settings(max_examples=120)
@given(st.data(), authored(), VALUES)
def test_what_is_added_disturbs_nothing(data: st.DataObject, written: tuple[str, Any, list[str]], new: Any) -> None:
    """After a new key or a new item the text says the intended value, and every comment is still there."""
    text, value, comments = written
    path = data.draw(st.sampled_from([path for path in paths(value) if isinstance(at(value, path), dict | list)]))
    editing = Editing(parse(text, "x"))
    wanted = deepcopy(value)
    if isinstance(at(wanted, path), list):
        editing.append(path, new)
        at(wanted, path).append(new)
    else:
        key = data.draw(KEYS.filter(lambda each: each not in at(wanted, path)))
        editing.set((*path, key), new)
        at(wanted, path)[key] = new
    changed = editing.finished()
    assert repr(changed.value) == repr(wanted)
    assert all_there(comments, changed.text)


@settings(max_examples=120)
@given(st.data(), authored(), VALUES)
def test_whatever_is_put_somewhere_is_there(data: st.DataObject, written: tuple[str, Any, list[str]], new: Any) -> None:
    """`set` and `replace` of any value at any path give the intended value."""
    text, value, _ = written
    path = data.draw(st.sampled_from(paths(value)))
    whole = data.draw(st.booleans())
    editing = Editing(parse(text, "x"))
    editing.replace(path, new) if whole else editing.set(path, new)
    wanted = deepcopy(value)
    if path:
        at(wanted, path[:-1])[path[-1]] = new
    else:
        wanted = new
    assert editing.finished().value == wanted


@settings(max_examples=120)
@given(st.data(), authored())
def test_what_is_removed_takes_nothing_with_it(data: st.DataObject, written: tuple[str, Any, list[str]]) -> None:
    """After `remove` everything else is still there."""
    text, value, _ = written
    path = data.draw(st.sampled_from(paths(value)[1:]))
    editing = Editing(parse(text, "x"))
    editing.remove(path)
    wanted = deepcopy(value)
    del at(wanted, path[:-1])[path[-1]]
    assert repr(editing.finished().value) == repr(wanted)
