"""The skill language is one: the schema, the parser and the page that explains it know the same keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.documents import schema
from engine.library import SkillLibrary
from engine.library.codes import FindingCode
from engine.library.language import ACTIONS, KEYS, RESERVED, RUN_FIELDS, STEP_FIELDS
from engine.model.failure import FailureKind
from engine.model.place import Severity
from engine.model.skill import InputType, StopStatus
from engine.sandbox import Sandbox
from tool_registry.registry import default_registry

ROOT = Path(__file__).parents[2]
FORMAT = (ROOT / "docs" / "skill-format.md").read_text(encoding="utf-8")
CHECK = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
SECTIONS = {
    "Top level": "skill",
    "Inputs": "input",
    "Elements": "items",
    "Steps": "step",
    "Stop": "stop",
    "Heal": "heal",
    "Retry": "retry",
    "Undo": "undo",
    "Until": "until",
    "Ask": "ask",
    "Outputs": "output",
}
"""Which section of the page lists the keys of which thing."""


def _definitions() -> Mapping[str, Any]:
    """The schema's parts by the thing they describe, those that are no mappings left out."""
    whole = schema("skill")
    parts = {"skill": whole, **whole["$defs"]}
    return {name: part for name, part in parts.items() if "properties" in part}


def _rows(section: str) -> list[str]:
    """The first cells of the table in a section of the page."""
    body = re.split(r"^#+ ", FORMAT.split(f"# {section}\n", 1)[1], flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE)


def _blocks(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def _called(text: str) -> str:
    return text.split("\n", 1)[0].removeprefix("name: ")


def _described(part: Any, way: str = "") -> Iterator[tuple[str, bool]]:
    """Every key in the schema, and whether it has a description."""
    if isinstance(part, dict):
        for key, rules in part.get("properties", {}).items():
            yield f"{way}.{key}", bool(rules.get("description", "").strip())
        for name, inner in part.items():
            if name not in {"default", "enum"}:
                yield from _described(inner, f"{way}/{name}")


def test_the_schema_knows_the_keys_that_the_parser_knows() -> None:
    """`engine/library/language.py` and `schemas/skill.schema.json` list the same keys."""
    assert {name: frozenset(part["properties"]) for name, part in _definitions().items()} == dict(KEYS)


def test_nothing_else_is_allowed() -> None:
    """Every mapping of the language is closed."""
    assert [name for name, part in _definitions().items() if part.get("additionalProperties") is not False] == []


@pytest.mark.parametrize(("section", "thing"), SECTIONS.items())
def test_the_page_lists_every_key(section: str, thing: str) -> None:
    """Each key has its line on the page, and no line is left over."""
    rows = _rows(section)
    assert len(rows) == len(set(rows))
    assert set(rows) == KEYS[thing]


def test_every_key_is_described_to_editors() -> None:
    """Completion shows a sentence for every key."""
    assert [way for way, described in _described(dict(schema("skill"))) if not described] == []


def test_closed_sets_agree_with_the_model() -> None:
    """Types, kinds of failure and ways to stop are those of the enums."""
    parts = _definitions()
    assert parts["input"]["properties"]["type"]["enum"] == [kind.value for kind in InputType]
    assert parts["stop"]["properties"]["status"]["enum"] == [status.value for status in StopStatus]
    assert parts["retry"]["properties"]["on"]["items"]["enum"] == [kind.value for kind in FailureKind]


def test_the_page_names_what_expressions_can_see() -> None:
    """The names every expression has are those that no step may take."""
    words = {"True", "False", "None", "true", "false", "none"}
    assert set(_rows("Expressions and templates")) == RESERVED - words
    for field in RUN_FIELDS | STEP_FIELDS:
        assert f"`{field}`" in FORMAT.split("# Expressions and templates", 1)[1]


def test_every_action_is_marked_as_one() -> None:
    """The page tells actions from options."""
    assert set(re.findall(r"^\| `(\w+)` \| Action", FORMAT, flags=re.MULTILINE)) == set(ACTIONS)


@pytest.mark.parametrize("text", _blocks(FORMAT), ids=_called)
def test_examples_of_the_page_are_right(text: str, tmp_path: Path) -> None:
    """Every example of the page passes `skill check` with the tools that come with the engine."""
    for each in _blocks(FORMAT):
        (tmp_path / f"{_called(each)}.yaml").write_text(each, encoding="utf-8")
    library = SkillLibrary([tmp_path], sandbox=Sandbox(), tools=default_registry())
    assert library.check(_called(text)) == ()


def test_every_code_has_a_section_of_its_own() -> None:
    """`docs/check.md` explains exactly the codes there are."""
    titles = re.findall(r"^### `([a-z-]+)`$", CHECK, flags=re.MULTILINE)
    assert titles == [code.value for code in FindingCode]


def _examples() -> Iterator[tuple[str, str]]:
    for section in re.split(r"^### ", CHECK, flags=re.MULTILINE)[1:]:
        code = section.split("`")[1]
        yield from ((code, block) for block in _blocks(section))


@pytest.mark.parametrize(("code", "text"), list(_examples()), ids=lambda part: part if "\n" not in part else "")
def test_examples_of_mistakes_are_found(code: str, text: str, tmp_path: Path) -> None:
    """Every example gives the finding it stands under, and no error beside it."""
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    known = partial(getattr, Engine.open(tmp_path), "domains")
    library = SkillLibrary([tmp_path], sandbox=Sandbox(), tools=default_registry(), domains=known)
    found = library.check("example")
    assert code in {finding.code for finding in found}
    assert {finding.code for finding in found if finding.severity is Severity.ERROR} <= {code}


def test_every_code_that_other_rooms_use_is_on_the_list() -> None:
    """What documents and the sandbox find is explained like what the library finds itself."""
    said = set[str]()
    for path in [*(ROOT / "engine" / "documents").glob("*.py"), *(ROOT / "engine" / "sandbox").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        said |= set(re.findall(r"""(?:code=|refuse\([^"]*?|mistake\([^"]*?)"([a-z]+(?:-[a-z]+)*)\"""", text))
    assert said - {code.value for code in FindingCode} == set()
