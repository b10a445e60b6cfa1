"""Findings: one sentence for each mistake, at its place, with the nearest known key."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.bundle import bundle
from engine.documents import findings, parse, schema
from engine.errors import DocumentError

STEP = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "description": {"type": "string"}},
    "oneOf": [
        {"required": ["tool"], "properties": {"tool": {"type": "string"}, "args": {"type": "object"}}},
        {"required": ["compute"], "properties": {"compute": {"type": "string"}}},
    ],
    "unevaluatedProperties": False,
}
CHORE: dict[str, Any] = {
    "type": "object",
    "required": ["name", "steps"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z_]+$", "x-hint": "small letters"},
        "version": {"type": "string"},
        "dry": {"type": "boolean"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 9},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "kind": {"enum": ["string", "integer"]},
        "heal": {
            "oneOf": [
                {"const": False},
                {"type": "object", "additionalProperties": False, "properties": {"domain": {"type": "string"}}},
            ]
        },
        "timeout": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[0-9]+[smh]$"}]},
        "note": {"not": {"const": "todo"}, "x-message": "this is not a note", "x-hint": "write one"},
        "until": {"type": "string"},
        "every": {"type": "number"},
        "marks": {"propertyNames": {"pattern": "^[0-9]+$", "x-message": "a mark is a number"}},
        "shared": {"$ref": "shared.schema.json#/$defs/word"},
        "steps": {"type": "array", "items": STEP},
    },
    "dependentRequired": {"until": ["every"]},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two schemas, one referring to the other."""
    (tmp_path / "chore.schema.json").write_text(json.dumps(CHORE))
    (tmp_path / "shared.schema.json").write_text(json.dumps({"$defs": {"word": {"type": "string"}}}))
    return tmp_path


def said(text: str, folder: Path) -> list[str]:
    """The findings of a chore, without the file's name."""
    return [str(each).removeprefix("f:") for each in findings(parse(text, "f"), "chore", folder=folder)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nmae: x", "1:1: unknown-key the key `nmae` is not known here (did you mean `name`?)"),
        ("version: 1.0", "1:10: wrong-type `version` must be text, but is the number 1.0 (put it in quotes)"),
        ("version:", "1:9: wrong-type `version` must be text, but is empty (give it a value, or remove the key)"),
        ("dry: yes", "1:6: wrong-type `dry` must be true or false, but is the text 'yes' (write true)"),
        ('limit: "5"', "1:8: wrong-type `limit` must be a whole number, but is the text '5' (remove the quotes)"),
        ("limit: 0", "1:8: out-of-range `limit` must be at least 1"),
        ("limit: 10", "1:8: out-of-range `limit` must be at most 9"),
        ("tags: x", "1:7: wrong-type `tags` must be a list, but is the text 'x' (write a list: [one, two])"),
        ("tags: []", "1:7: out-of-range `tags` must not be empty"),
        ("tags: [a, b, a]", "1:14: given-twice `tags` names the text 'a' twice"),
        ("tags: [a, 1]", "1:11: wrong-type item 2 of `tags` must be text, but is the number 1 (put it in quotes)"),
        (
            "kind: strnig",
            "1:7: not-allowed `kind` must be one of string, integer, but is the text 'strnig' (did you mean string?)",
        ),
        ("heal: {doman: x}", "1:8: unknown-key the key `doman` is not known here (did you mean `domain`?)"),
        ("heal: {domain: 1}", "1:16: wrong-type `domain` must be text, but is the number 1 (put it in quotes)"),
        ("heal: soon", "1:7: no-choice `heal` must be false or a mapping, but is the text 'soon'"),
        ("timeout: [1]", "1:10: no-choice `timeout` must be a number or text, but is a list"),
        ("timeout: 5x", "1:10: wrong-form `timeout` is the text '5x', which does not have the form ^[0-9]+[smh]$"),
        ("note: todo", "1:7: not-allowed this is not a note (write one)"),
        ("until: x", "1:1: missing-key `until` needs `every` beside it"),
        ("marks: {a: 1}", "1:9: key-name a mark is a number"),
        ("shared: 1", "1:9: wrong-type `shared` must be text, but is the number 1 (put it in quotes)"),
    ],
)
def test_each_mistake_is_one_sentence_at_its_place(line: str, sentence: str, folder: Path) -> None:
    """What is wrong, where exactly, and the way out."""
    rest = "steps: []\n" if line.startswith("nmae") else "name: x\nsteps: []\n"
    assert said(f"{line}\n{rest}", folder) == [sentence]


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("{name: a}", "3:5: no-choice one of `tool`, `compute` is needed here"),
        ("{tool: t}", "3:5: missing-key the key `name` is missing in item 1 of `steps`"),
        ("{name: a, tol: t}", "3:15: unknown-key the key `tol` is not known here (did you mean `tool`?)"),
        ("{name: a, tool: t, arg: 1}", "3:24: unknown-key the key `arg` is not known here (did you mean `args`?)"),
        ("{name: a, tool: t, args: 1}", "3:30: wrong-type `args` must be a mapping, but is the number 1"),
        ("{name: a, tool: t, compute: c}", "3:24: no-choice only one of `tool`, `compute` may stand here"),
        ("just text", "3:5: wrong-type item 1 of `steps` must be a mapping, but is the text 'just text'"),
    ],
)
def test_of_several_forms_the_one_that_was_meant_is_reported(step: str, sentence: str, folder: Path) -> None:
    """A step that is almost a tool step gets the tool step's mistakes, not those of every kind of step."""
    assert said(f"name: x\nsteps:\n  - {step}\n", folder) == [sentence]


def test_every_mistake_of_a_file_comes_at_once_in_order(folder: Path) -> None:
    """Several mistakes give several findings, sorted by place."""
    text = "version: 1\nname: X\nsteps:\n  - name: a\n  - tool: b\nlimit: 0\n"
    assert [each.split(" ")[0] for each in said(text, folder)] == ["1:10:", "2:7:", "4:5:", "5:5:", "6:8:"]


def test_an_empty_file_is_one_finding(folder: Path) -> None:
    """A file without content is said to be empty."""
    assert len(said("# nothing\n", folder)) == 1


def test_what_was_found_valid_is_not_looked_at_again(folder: Path) -> None:
    """A zero-byte marker stands for a valid text; another text, or another schema, is looked at anew."""
    cache = folder / "cache"
    good = parse("name: x\nsteps: []\n", "f")
    assert findings(good, "chore", folder=folder, cache=cache) == ()
    (marker,) = cache.iterdir()
    assert marker.stat().st_size == 0
    assert findings(good, "chore", folder=folder, cache=cache) == ()
    assert findings(parse("name: X\nsteps: []\n", "f"), "chore", folder=folder, cache=cache)
    assert list(cache.iterdir()) == [marker]


def test_a_cache_that_cannot_be_written_changes_nothing(folder: Path) -> None:
    """Where the marker cannot be kept the answer is the same."""
    blocked = folder / "file"
    blocked.write_text("not a folder")
    assert findings(parse("name: x\nsteps: []\n", "f"), "chore", folder=folder, cache=blocked / "cache") == ()


def test_the_cache_stays_small(folder: Path) -> None:
    """Old markers make room for new ones."""
    cache = folder / "cache"
    cache.mkdir()
    for number in range(1000):
        (cache / f"{number}.valid").touch()
    assert findings(parse("name: x\nsteps: []\n", "f"), "chore", folder=folder, cache=cache) == ()
    assert len(list(cache.iterdir())) <= 501


def test_a_schema_that_does_not_exist_is_named(folder: Path) -> None:
    """The error lists the schemas there are; a path is no name."""
    with pytest.raises(DocumentError, match=r"no schema called 'chroe'.*chore, shared"):
        schema("chroe", folder=folder)
    with pytest.raises(DocumentError):
        schema("../secret", folder=folder)


@pytest.mark.parametrize("path", sorted(bundle("schemas").glob("*.schema.json")), ids=lambda path: path.name)
def test_every_shipped_schema_is_a_schema(path: Path) -> None:
    """Each file in `schemas/` is a valid JSON Schema, and readable by everyone."""
    Draft202012Validator.check_schema(json.loads(path.read_text()))
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRUSR
