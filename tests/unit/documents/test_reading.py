"""Reading a document: what scalars mean, what is refused, and where."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.documents import Limits, parse, read
from engine.errors import DocumentError
from engine.model.place import Finding


def finding(text: str, *, pure: bool = False) -> Finding:
    """The first finding of a text that cannot be read."""
    with pytest.raises(DocumentError) as caught:
        parse(text, "f.yaml", pure=pure)
    return caught.value.findings[0]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("+12", 12),
        ("-0", 0),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        (".Inf", math.inf),
        ("12:30:45", "12:30:45"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("=", "="),
        ("'010'", "010"),
        ('"true"', "true"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(word: str, value: Any) -> None:
    """Only the core schema counts: `no` and dates are text, `010` is ten."""
    found = parse(f"key: {word}\n", "f").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_float() -> None:
    """`.nan` is read as a float that is no number."""
    assert math.isnan(parse("key: .nan", "f").value["key"])


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_a_document_without_content_is_none(text: str) -> None:
    """A file with nothing in it says nothing, and that is no error of YAML."""
    if text == "\ufeff":
        text = ""
    assert parse(text, "f").value is None


@pytest.mark.parametrize(
    ("text", "where", "code"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), "duplicate-key"),
        ("a: {x: 1, x: 2}", (1, 11), "duplicate-key"),
        ("1: x", (1, 1), "key-type"),
        ("a:\n  true: x", (2, 3), "key-type"),
        ("a: {null: x}", (1, 5), "key-type"),
        ("? [a, b]\n: c", (1, 3), "key-type"),
        ("a: 1\n&k b: 2", (2, 1), "key-type"),
        ("a: &x {b: 1}\nc:\n  <<: *x", (3, 3), "merge-key"),
        ("a: !!str 5", (1, 4), "tag"),
        ("a: !mine {b: 1}", (1, 4), "tag"),
        ("a: 1\n---\nb: 2", (2, 1), "several-documents"),
        ("a: *nothing", (1, 4), "alias"),
        ("a: &x [1, *x]", (1, 11), "alias"),
        ("a: " + "9" * 401, (1, 4), "number"),
        ("condition: {{ a.b }}", (1, 12), "braces"),
        ("condition: {{ a.b }} and c", (1, 12), "syntax"),
        ("a: 'never closed\nb: 1", (1, 4), "syntax"),
        ("a: [1, 2\n", (2, 1), "syntax"),
        ("a: [1,,2]", (1, 7), "syntax"),
        ("a:\n\t- b", (2, 1), "syntax"),
        ("a: b: c", (1, 5), "syntax"),
        ("a: @b", (1, 4), "syntax"),
        ("a: x\nb\n", (2, 1), "syntax"),
        ("a:\n  b: 1\n c: 2", (3, 2), "syntax"),
        ('a: "\\q"', (1, 5), "syntax"),
        ("a: 1\nb: x\0y", (2, 5), "character"),
        ("a: x\u2028y", (1, 5), "character"),
        ("a: 1\rb: 2", (1, 5), "character"),
    ],
)
def test_what_is_refused_is_named_at_its_place(text: str, where: tuple[int, int], code: str) -> None:
    """Every refusal has a code and the exact line and column, with a sentence and mostly a way out."""
    found = finding(text)
    assert (found.place.line, found.place.column, found.code) == (*where, code)
    assert found.message
    assert found.place.file == "f.yaml"


def test_all_mistakes_that_leave_the_rest_readable_come_at_once() -> None:
    """Duplicate keys, tags and keys that are no text are reported together."""
    with pytest.raises(DocumentError) as caught:
        parse("a: 1\na: 2\n1: x\nb: !t y\n", "f")
    assert [each.code for each in caught.value.findings] == ["duplicate-key", "key-type", "tag"]


def test_a_tolerant_reader_keeps_the_mistakes_and_the_rest() -> None:
    """`tolerant` gives the document with its mistakes, so that a check can go on."""
    document = parse("a: 1\na: 2\nb: 3\n", "f", tolerant=True)
    assert document.value == {"a": 1, "b": 3}
    assert [each.code for each in document.mistakes] == ["duplicate-key"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "a: " + "[" * 200_000])
def test_depth_is_bounded_at_once(text: str) -> None:
    """A hundred thousand brackets end in an error within milliseconds, not in the end of the process."""
    started = time.process_time()
    assert finding(text).code == "too-deep"
    assert time.process_time() - started < 1


def test_aliases_count_with_the_depth_they_bring() -> None:
    """Lists of fifty levels, each with the one before inside it, are as deep as they would be written out."""
    nested = [f"a{n}: &a{n} {'[' * 50}{f'*a{n - 1}' if n else '1'}{']' * 50}" for n in range(40)]
    found = finding("\n".join(nested))
    assert (found.code, found.place.line) == ("too-deep", 2)
    assert parse(nested[0] + "\nb: [*a0]\n", "f").value["b"]


def test_a_billion_laughs_are_not_built() -> None:
    """Aliases count as what they stand for, so nine levels of ten end at the limit."""
    lines = ["a0: &a0 [" + ", ".join(["ha"] * 10) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 10)]
    assert finding("\n".join(lines)).code == "too-many-nodes"


def test_an_alias_gives_a_value_of_its_own() -> None:
    """What an alias gives can be changed without changing what is anchored."""
    document = parse("a: &x [1, 2]\nb: *x\n", "f")
    document.value["b"].append(3)
    assert document.value == {"a": [1, 2], "b": [1, 2, 3]}


def test_size_and_number_are_bounded() -> None:
    """A text longer than the limit, or with more values, is refused."""
    with pytest.raises(DocumentError, match="larger than"):
        parse("a" * 101, "f", limits=Limits(size=100))
    with pytest.raises(DocumentError, match="more than 5 values"):
        parse("[1, 2, 3, 4, 5]", "f", limits=Limits(nodes=5))


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    """A missing file, a folder, bytes that are no text, and too many of them."""
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")
    (tmp_path / "large.yaml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(DocumentError, match="No such file"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(DocumentError, match="not a file"):
        read(tmp_path)
    with pytest.raises(DocumentError, match="larger than 1,000,000 bytes"):
        read(tmp_path / "large.yaml")
    with pytest.raises(DocumentError) as caught:
        read(tmp_path / "latin.yaml", name="latin")
    assert str(caught.value.place) == "latin:2:7"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """It moves no column and is no key."""
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfname: x\n")
    document = read(tmp_path / "f.yaml")
    assert document.value == {"name": "x"}
    assert document.place(("name",)).column == 7


def test_the_digest_is_of_the_text() -> None:
    """The same text has the same digest under any name."""
    assert parse("a: 1", "f").digest == parse("a: 1", "g").digest != parse("a: 2", "f").digest


SAMPLE = """\
name: demo
steps:
  - name: first   # the first
    args: {a: [1, "two"]}
  -
    name: second
empty:
items:
- 1
"""


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("name",), (1, 7), (1, 1)),
        (("steps", 0, "name"), (3, 11), (3, 5)),
        (("steps", 0, "args", "a", 1), (4, 19), (4, 19)),
        (("steps", 1, "name"), (6, 11), (6, 5)),
        (("empty",), (7, 7), (7, 1)),
        (("items", 0), (9, 3), (9, 3)),
        (("steps", 0, "missing", "deeper"), (3, 5), (3, 5)),
        (("steps", 7), (3, 3), (3, 3)),
        (("name", "of", "a", "text"), (1, 7), (1, 7)),
    ],
)
def test_every_key_and_value_has_its_place(
    path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int], *, pure: bool
) -> None:
    """Lines and columns count from 1, with libyaml and without; a path that does not exist gives its nearest parent."""
    document = parse(SAMPLE, "f", pure=pure)
    place = document.place(path)
    assert (place.line, place.column) == value
    place = document.place(path, key=True)
    assert (place.line, place.column) == key


def test_an_alias_stands_where_it_is_written() -> None:
    """The alias has its own place; what is inside it stands where it was anchored."""
    document = parse("a: &x {b: 1}\nc: *x\n", "f")
    assert document.place(("c",)).line == 2
    assert document.place(("c", "b")).line == 1


def test_reading_needs_nothing_heavy() -> None:
    """The package imports neither the schema library nor anything else a valid document does not need."""
    code = "import sys, engine.documents; print(sorted({'jsonschema', 'difflib', 'fcntl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_mistakes_are_bounded() -> None:
    """A file with thousands of mistakes is told the first two hundred."""
    with pytest.raises(DocumentError) as caught:
        parse("a: 1\n" * 5000, "f")
    assert len(caught.value.findings) == 200
