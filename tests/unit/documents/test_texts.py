"""`Text`: from a line and column of a string to the line and column of the file."""

from __future__ import annotations

import pytest

from engine.documents import parse
from engine.model.place import Text

SAMPLE = r"""# head
literal: |  # a comment after the indicator
  one
    two

  three
steps:
  - compute: |-
      a = 1
      b = oops
  - - |2
         lead
        x
folded: >
  alpha beta
  gamma

  delta
condition: first.thing and
  second.thing
late: |


    after blank lines
quoted: "line one
  line \"two\" é \u00e9 end \
  joined"
single: 'it''s here'
anchored: &name hello
anchored_block: &block
  |
   abc
   def
"""


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "word", "line"),
    [
        (("literal",), "one", 3),
        (("literal",), "two", 4),
        (("literal",), "three", 6),
        (("steps", 0, "compute"), "a = 1", 9),
        (("steps", 0, "compute"), "oops", 10),
        (("steps", 1, 0), "lead", 12),
        (("steps", 1, 0), "x", 13),
        (("folded",), "beta", 15),
        (("folded",), "gamma", 16),
        (("folded",), "delta", 18),
        (("condition",), "thing and", 19),
        (("condition",), "second", 20),
        (("late",), "after", 24),
        (("quoted",), "one", 25),
        (("quoted",), "two", 26),
        (("quoted",), "end", 26),
        (("quoted",), "joined", 27),
        (("single",), "here", 28),
        (("anchored",), "hello", 29),
        (("anchored_block",), "def", 33),
    ],
)
def test_a_word_in_a_string_is_found_in_the_file(
    path: tuple[str | int, ...], word: str, line: int, ending: str, *, pure: bool
) -> None:
    """Whatever the style, the indentation and the line ends, a word stands where `at` says."""
    text = parse(SAMPLE.replace("\n", ending), "f", pure=pure).text_at(path)
    place = text.at(*where(text, word))
    assert place.line == line
    assert SAMPLE.split("\n")[line - 1][place.column - 1 :].startswith(word)


def where(text: Text, word: str) -> tuple[int, int]:
    """Line and column, from 1, of a word in a text."""
    before = text.text[: text.text.index(word)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_the_tree_has_texts_for_strings_and_leaves_the_rest() -> None:
    """Strings become `Text`, at any depth; numbers, truth values and null stay; keys stay text."""
    tree = parse("a: [x, 1, true, null, {b: y}]", "f").tree()
    assert [str(each) for each in tree["a"] if isinstance(each, Text)] == ["x"]
    assert tree["a"][1:4] == [1, True, None]
    assert isinstance(tree["a"][4]["b"], Text)


def test_a_part_of_the_tree_can_be_asked_for() -> None:
    """`tree(path)` gives the part; a path that leads nowhere is a KeyError, one to no string a TypeError."""
    document = parse("a: {b: [x]}", "f")
    assert str(document.tree(("a", "b"))[0]) == "x"
    with pytest.raises(KeyError):
        document.tree(("a", "c"))
    with pytest.raises(TypeError):
        document.text_at(("a",))


def test_an_empty_document_has_no_tree() -> None:
    """Nothing is None."""
    assert parse("", "f").tree() is None
