"""What holds for every skill file that is formatted, however its author laid it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents import dump, parse
from engine.documents.formatting import formatted
from engine.documents.plain import same
from engine.errors import DocumentError
from engine.library.key_order import INPUT, OUTPUT, UNDO, skill_order
from tests.properties.test_documents import SCALARS, VALUES, authored

WORDS = st.sampled_from(["a", "it's", "{{ x.y }}", "no", "5", "a b", "x: y", "- z", "# none", "a #b", "", "é"])
LINES = st.sampled_from(["a\nb\n", "a\n  b\nc", "\n a\n", "a\n\n\nb\n", "# no comment\nx\n", "if a:\n    b = 1\n\n"])
PLAIN = st.none() | st.booleans() | st.integers(-3, 99) | WORDS | LINES
ARGUMENTS = st.dictionaries(st.sampled_from(["path", "steps", "name", "on", "a b"]), PLAIN | VALUES, max_size=3)


def _shuffled(keys: dict[str, st.SearchStrategy[Any]], needed: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with some of the keys, in any order."""
    some = st.lists(st.sampled_from(sorted(keys)), min_size=needed, max_size=6, unique=True)
    return some.flatmap(lambda names: st.fixed_dictionaries({name: keys[name] for name in names}))


UNDOS = _shuffled({"tool": WORDS, "args": ARGUMENTS, "condition": WORDS, "name": WORDS})
_LEAF = {
    "name": WORDS,
    "description": PLAIN,
    "condition": WORDS,
    "tool": WORDS,
    "args": ARGUMENTS,
    "compute": LINES,
    "output": WORDS,
    "parallel": st.integers(1, 9),
    "on_error": WORDS,
    "undo": UNDOS,
    "unknown": SCALARS,
}
STEPS = st.recursive(
    _shuffled(_LEAF),
    lambda inner: _shuffled({**_LEAF, "steps": st.lists(inner, max_size=2), "parallel": st.lists(inner, max_size=2)}),
    max_leaves=4,
)
SKILLS = st.fixed_dictionaries(
    {"name": WORDS, "steps": st.lists(STEPS, min_size=1, max_size=3)},
    optional={
        "description": PLAIN,
        "inputs": st.lists(_shuffled(dict.fromkeys(INPUT, PLAIN)), max_size=2),
        "always": st.lists(STEPS, max_size=2),
        "outputs": st.lists(_shuffled(dict.fromkeys(OUTPUT, PLAIN)), max_size=2),
    },
)


class Hand:
    """Writes a value as somebody in a hurry does: any indentation, any spaces, comments and blank lines anywhere."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw
        self.comments: list[str] = []

    def written(self, value: Any) -> str:
        """The text of a whole file."""
        lines = [*self._between(), *self._block(value, self._draw(st.integers(0, 2))), *self._between()]
        text: str = self._draw(st.sampled_from(["\n", "\n", "\r\n"])).join(lines)
        end: str = self._draw(st.sampled_from(["", "\n", "\n\n\n"]))
        return text + end

    def _block(self, value: Any, column: int) -> list[str]:
        entries = value.items() if isinstance(value, dict) else [(None, inner) for inner in value]
        lines = []
        for key, inner in entries:
            colon = self._draw(st.sampled_from([":", ":", " :"]))
            head = " " * column + ("-" if key is None else dump([key]).removeprefix("- ").rstrip("\n") + colon)
            lines += [*self._between(), *self._entry(head, inner, column, key is None)]
        return lines

    def _entry(self, head: str, value: Any, column: int, is_item: bool) -> list[str]:
        if isinstance(value, dict | list) and value:
            if is_item and self._draw(st.booleans()):
                gap = " " * self._draw(st.integers(1, 3))
                inner = self._block(value, len(head + gap))
                first = next(number for number, line in enumerate(inner) if line.strip() and line.strip()[0] != "#")
                return [*inner[:first], head + gap + inner[first].lstrip(), *inner[first + 1 :]]
            least = 0 if isinstance(value, list) and not is_item else 1
            deeper = column + self._draw(st.integers(least, 5))
            return [head + self._beside(), *self._block(value, deeper)]
        return self._plain(head, value, column)

    def _plain(self, head: str, value: Any, column: int) -> list[str]:
        if isinstance(value, str) and "\n" in value and len(block := dump({"k": value}).split("\n")[:-1]) > 1:
            deep = " " * (column + self._draw(st.integers(1, 6)))
            return [head + block[0][2:] + self._beside(), *(deep + line[2:] if line else "" for line in block[1:])]
        gap = " " * self._draw(st.integers(1, 4))
        below = self._draw(st.integers(0, 9)) == 9
        word = dump([value]).removeprefix("- ").rstrip("\n") if not isinstance(value, str) else self._text(value)
        return (
            [head + self._beside(), *self._between(), " " * (column + 3) + word]
            if below
            else [head + gap + word + self._beside()]
        )

    def _text(self, value: str) -> str:
        quoted = dump([value + "\r"]).removeprefix("- ").rstrip("\n").removesuffix('\\r"') + '"'
        return quoted if "\n" in value or self._draw(st.booleans()) else dump([value]).removeprefix("- ").rstrip("\n")

    def _between(self) -> list[str]:
        lines = []
        while self._draw(st.integers(0, 4)) == 4:
            comment = self._draw(st.booleans())
            lines.append(" " * self._draw(st.integers(0, 9)) + (self._comment() if comment else ""))
        return lines

    def _beside(self) -> str:
        kind: str = self._draw(st.sampled_from(["", "", "", " ", "   ", "comment"]))
        return " " + self._comment() if kind == "comment" else kind

    def _comment(self) -> str:
        self.comments.append(f"#comment {len(self.comments)} ends")
        return self.comments[-1]


@st.composite
def scribbled(draw: Any) -> tuple[str, Any, list[str]]:
    """A skill in somebody's hand, its value, and its comments."""
    value = draw(SKILLS)
    hand = Hand(draw)
    return hand.written(value), value, hand.comments


def laid_out(text: str) -> str:
    """The text as `skill fmt` writes it."""
    return formatted(text, "x", order=skill_order)


@settings(max_examples=150)
@given(scribbled())
def test_formatting_keeps_what_a_skill_says_and_every_comment(written: tuple[str, Any, list[str]]) -> None:
    """Values and their types are the same, each comment stands there once, and no file is refused."""
    text, value, comments = written
    if not same(parse(text, "x").value, value):  # a comment fell into a text; then that is what the file says
        value, comments = parse(text, "x").value, []
    result = laid_out(text)
    assert same(parse(result, "x").value, value)
    assert Counter(comment for comment in comments if comment in result) == Counter(comments)


@settings(max_examples=150)
@given(scribbled() | authored(VALUES.filter(lambda value: isinstance(value, dict | list))))
def test_formatting_twice_is_formatting_once(written: tuple[str, Any, list[str]]) -> None:
    """The second time nothing changes."""
    once = laid_out(written[0])
    assert laid_out(once) == once


@given(scribbled())
def test_formatted_files_look_alike(written: tuple[str, Any, list[str]]) -> None:
    """No blank line at either end, line ends of one kind, and no indentation that two columns do not explain."""
    result = laid_out(written[0])
    assert result.endswith("\n")
    assert not result.endswith("\n\n") or "|+" in result
    assert not result.startswith(("\n", "\r", " "))
    assert ("\r\n" in result) == ("\r\n" in written[0])
    assert result.count("\r\n") in {0, result.count("\n")}


@given(scribbled())
def test_keys_of_steps_come_in_their_order(written: tuple[str, Any, list[str]]) -> None:
    """Known keys as on the list; an unknown one stays behind the key it followed."""
    whole = parse(laid_out(written[0]), "x").value
    for section in ("steps", "always"):
        for number, step in enumerate(whole.get(section, [])):
            in_order(step, skill_order(whole, (section, number)))
            in_order(step.get("undo", {}), UNDO)


def in_order(mapping: dict[str, Any], wanted: Sequence[str]) -> None:
    """Asserts that the keys of the list come as there."""
    known = [key for key in mapping if key in wanted]
    assert known == sorted(known, key=wanted.index)


SCRAPS = st.sampled_from(
    [
        *("a:", "b: 1", "c: |", "c: |+", "d: >-", "d: |2", "text # no", "- x", "- y: 1", "- - z", "-", "- |", "  # c"),
        *("# d", "", "e: [1,", "  2]", "f: {a: b} # z", "g: &q", "h: *q", "- &r", "&s", 'i: "a\\', '  b"', "j: 'a"),
        *("  '", "k: w  # end", "l:  # beside", "- # dash", "name: a", "tool: t", "steps:", "  q", "? k", "---", "..."),
    ]
)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.integers(0, 5), SCRAPS), max_size=14))
def test_any_file_is_formatted_or_refused_with_a_place(scraps: list[tuple[int, str]]) -> None:
    """Scraps of YAML in any order: what is a document says the same afterwards, or is refused; never broken."""
    text = "".join(f"{' ' * deep}{scrap}\n" for deep, scrap in scraps)
    try:
        before = parse(text, "x")
    except DocumentError:
        return
    result, refusal = outcome(text)
    if refusal:
        assert "without changing" not in refusal.message
        assert refusal.place is not None
        assert 1 <= refusal.place.line <= text.count("\n") + 1
    else:
        assert same(parse(result, "x").value, before.value)
        assert laid_out(result) == result


def outcome(text: str) -> tuple[str, DocumentError | None]:
    """The formatted text, or why there is none."""
    try:
        return laid_out(text), None
    except DocumentError as error:
        return "", error
