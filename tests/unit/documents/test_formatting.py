"""The formatter: one layout, every comment where it belongs, and no file that says something else afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.documents import parse
from engine.documents.files import exchange
from engine.documents.formatting import format_file, formatted
from engine.errors import DocumentError

SCRIBBLED = """\


# top

name:   demo   # the name
version : '1.0'
steps:   # steps
- tool: a
  # about the condition
  condition:   x
  args: {a: 1,   b: [2,3]}   # flow



- # a dash with a comment
  name: b
-
    # above the name
    name: c
    list:
    - 1
    -   - 2
        - 3
    # under the list

# above the item
- name: d
  compute: |   # code
        if x:
            y = 1


  empty:
    # - what it had once
  text: one
    two
  quoted: "one
    two \\
    three"
  last: [
    1,   # one
    2
  ]
# the end


"""
LAID_OUT = """\
# top

name: demo   # the name
version: '1.0'
steps:   # steps
  - tool: a
    # about the condition
    condition: x
    args: {a: 1,   b: [2,3]}   # flow

  -  # a dash with a comment
    name: b
  # above the name
  - name: c
    list:
      - 1
      - - 2
        - 3
    # under the list

  # above the item
  - name: d
    compute: |   # code
      if x:
          y = 1

    empty:
      # - what it had once
    text: one
      two
    quoted: "one
      two \\
      three"
    last: [
      1,   # one
      2
    ]
# the end
"""


def test_one_layout() -> None:
    """Two columns a level, lists indented, single blank lines; comments, quotes and brackets as they are."""
    assert formatted(SCRIBBLED, "x") == LAID_OUT
    assert formatted(LAID_OUT, "x") == LAID_OUT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: |2\n    x\n   y\n", "a: |2\n    x\n   y\n"),
        ("a:\n    b: |2\n         x\n        y\n", "a:\n  b: |2\n       x\n      y\n"),
        ("a: |+\n      x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
        ("a: |\n x", "a: |-\n  x\n"),
        ("a: >+\n x", "a: >-\n  x\n"),
        ("- |\n     x\n   \n     y\n\n\n- z", "- |\n  x\n\n  y\n\n- z\n"),
        ("a: |\n   x  \n", "a: |\n  x  \n"),
        ("a: |-\n   x\n     \n", "a: |-\n  x\n    \n"),
        ("a:\n  |\n  x\n", "a:\n  |\n  x\n"),
        ("a: &b\n    c: 1\nd: *b   \n", "a: &b\n  c: 1\nd: *b\n"),
        ("a: &b   # c\n    - 1\n", "a: &b   # c\n  - 1\n"),
        ("a:   # c\n    &b   # d\n    - 1\n", "a: &b   # c\n  # d\n  - 1\n"),
        ("- &b\n  c: 1\n- *b\n", "- &b\n  c: 1\n- *b\n"),
        ("---\na:  1\n...\n# after\n\n", "---\na: 1\n...\n# after\n"),
        ("# before\n\n---   # here\n\n\na: 1\n", "# before\n\n---   # here\n\na: 1\n"),
        ("  a: 1\n  b:\n  - c\n", "a: 1\nb:\n  - c\n"),
        ("{a: 1,\n b: 2}   # c\n\n\n", "{a: 1,\n b: 2}   # c\n"),
        ("# nothing\n\n\n# at all", "# nothing\n\n# at all\n"),
        ("", ""),
        ("a:\n  # c\n  b\n", "a:\n  # c\n  b\n"),
        ("a:\tb\t# c\n", "a: b  # c\n"),
        ('"a b" :  "c"\n', '"a b": "c"\n'),
        ("a: 'x\n\n  y'\n", "a: 'x\n\n  y'\n"),
        ('a: "x \\  \n  y"\n', 'a: "x \\  \n  y"\n'),
        ("a: [\n1\n]\n", "a: [\n1\n]\n"),
        ("a:\n      b: [1,\n          2]\n", "a:\n  b: [1,\n      2]\n"),
        ("a: 1\n   # deeper\nb: 2\n", "a: 1\n# deeper\nb: 2\n"),
        ("a:\n  b: 1\n # between\nc: 2\n", "a:\n  b: 1\n# between\nc: 2\n"),
        (
            "a:\n  b: 1\n  # inside\n# outside\n  # stays outside\nc: 2\n",
            "a:\n  b: 1\n  # inside\n# outside\n# stays outside\nc: 2\n",
        ),
        (
            "a:\n- b:\n    c: 1\n    # of c\n  # of b\n# of a\n",
            "a:\n  - b:\n      c: 1\n      # of c\n    # of b\n# of a\n",
        ),
        ("a: 1\r\nb:\r\n- 2   \r\n", "a: 1\r\nb:\r\n  - 2\r\n"),
        ("a: 1\nb:\r\n- |\r\n   x\n", "a: 1\r\nb:\r\n  - |\r\n    x\r\n"),
    ],
)
def test_corners_of_yaml(before: str, after: str) -> None:
    """Blocks of text with their signs, anchors, markers, comments at any depth, and ends of lines."""
    assert formatted(before, "x") == after
    assert formatted(after, "x") == after
    assert parse(after, "x").value == parse(before, "x").value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n? b\n: c\n", 2, "announced with `?`"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("--- {a: 1}\n", 1, "on the line of `---`"),
        ("%YAML 1.2\n---\na: 1\n", 1, "beginning with %"),
        ("a: 1\nb: !!str 2\n", 2, "tag"),
        ("a: 1\na: 2\n", 2, "already"),
        ("only a word\n", 1, "one piece of text"),
        ("&a\nb: 1\n", 1, "has an anchor"),
        ("a: &b\n  |\n   x\n", 1, "cannot be moved"),
        ("a: [1\n", 2, ""),
    ],
)
def test_what_cannot_be_formatted_is_refused_with_its_place(text: str, line: int, words: str) -> None:
    """A sentence, the line, and a way out."""
    with pytest.raises(DocumentError) as caught:
        formatted(text, "x.yaml")
    assert words in caught.value.message
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == ("x.yaml", line)
    assert caught.value.hint


def test_keys_move_with_their_comments() -> None:
    """What stands above a key and beside it goes along; above the first key of an item, it goes above the dash.

    A key that is not on the list stays behind the one it followed.
    """
    text = "- c: 3  # three\n  # about b\n  b: 2\n\n  # about a\n  a: 1\n  d: 4\n  # at the end\n"
    after = "# about a\n- a: 1\n  d: 4\n  # about b\n  b: 2\n  c: 3  # three\n  # at the end\n"
    assert formatted(text, "x", order=lambda _, path: ("a", "b", "c") if path else ()) == after


def test_keys_that_would_mean_something_else_stay() -> None:
    """An alias before its anchor would be no YAML; a blank line below a block with `+` would be part of it."""
    for text in (
        "- b: 1\n\n  a: |+\n    x\n",
        "- b: &x 1\n  a: *x\n",
        "- b: {c: &x 1}\n  a: 2\n",
        "- b:\n    - &x 1\n  a: 2\n",
    ):
        assert formatted(text, "x", order=lambda *_: ("a", "b")) == text


def test_a_file_is_replaced_only_when_something_changes(tmp_path: Path) -> None:
    """Rights stay, a link stays a link, the mark at the beginning stays, and nothing is left beside the file."""
    path, link = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_bytes(b"\xef\xbb\xbfa:   1\r\n")
    path.chmod(0o640)
    link.symlink_to(path)
    assert format_file(link, write=False) == ("a:   1\r\n", "a: 1\r\n")
    assert path.read_bytes() == b"\xef\xbb\xbfa:   1\r\n"
    format_file(link)
    assert path.read_bytes() == b"\xef\xbb\xbfa: 1\r\n"
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o640)
    before = path.stat()
    format_file(path)
    assert path.stat().st_ino == before.st_ino
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    """Replacing it would go around what a person wanted."""
    path = tmp_path / "a.yaml"
    path.write_text("a:   1\n")
    path.chmod(0o444)
    with pytest.raises(DocumentError, match="read-only"):
        format_file(path)
    assert path.read_text() == "a:   1\n"


def test_a_file_that_somebody_else_changed_is_left_alone(tmp_path: Path) -> None:
    """What was read is not there any more, so what was made of it is not written."""
    path = tmp_path / "a.yaml"
    path.write_text("a: theirs\n")
    with pytest.raises(DocumentError, match="somebody else changed"):
        exchange(path, "a: ours\n", was=b"a: before\n")
    with pytest.raises(DocumentError, match="of this name already"):
        exchange(path, "a: ours\n", was=None)
    with pytest.raises(DocumentError, match="cannot be written"):
        exchange(tmp_path / "gone" / "a.yaml", "a: ours\n", was=None)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "a: theirs\n"


def test_the_parser_without_libyaml_is_not_needed() -> None:
    """A long file takes a moment, not seconds: the work grows with the length."""
    text = "steps:\n" + "- name: a  # c\n\n\n  args: {b: 1}\n" * 3000
    assert formatted(text, "x").count("\n") == 1 + 3 * 3000
