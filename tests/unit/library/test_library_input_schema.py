"""A skill's inputs as JSON Schema: what the schema takes, the engine takes; what it cannot say, it says in words."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.library import SkillLibrary, bind_inputs
from engine.library.input_schema import input_schema, output_schema
from engine.model.place import Place
from engine.model.skill import Input, InputType, Skill

PLACE = Place(file="example.yaml", line=1, column=1)


def _skill(**rules: Any) -> Skill:
    return Skill(name="s", file="example.yaml", text="", inputs=(Input(name="value", place=PLACE, **rules),))


def _schema(**rules: Any) -> Any:
    return input_schema(_skill(**rules))["properties"]["value"]


def test_every_rule_of_an_input_stands_in_its_schema(library: SkillLibrary) -> None:
    """Types, choices, patterns, bounds, elements, what must be given, defaults, descriptions, and nothing else."""
    skill = library.parse(
        """name: s
description: One of each.
inputs:
  - {name: tag, type: string, pattern: "[a-z]+", required: true, description: The tag.}
  - {name: size, type: integer, minimum: 1, maximum: 9, default: 3}
  - {name: mode, enum: [fast, slow], default: fast}
  - {name: hosts, type: array, items: {type: string, pattern: "^h", description: A host.}}
  - {name: token, type: string, secret: true, default: hidden}
steps:
  - {name: one, compute: "result = inputs.tag"}
""",
        "s.yaml",
    )
    assert input_schema(skill) == {
        "type": "object",
        "properties": {
            "tag": {"type": "string", "pattern": "^(?:[a-z]+)$", "maxLength": 10_000, "description": "The tag."},
            "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
            "mode": {"enum": ["fast", "slow"], "default": "fast"},
            "hosts": {
                "type": "array",
                "items": {"type": "string", "pattern": "^(?:^h)$", "maxLength": 10_000, "description": "A host."},
            },
            "token": {"type": "string", "writeOnly": True, "format": "password"},
        },
        "required": ["tag"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("pattern", [r"(?i)yes", r"\Ayes\Z", r"(?P<word>\w+)", r"a++", r"\-", "a{", "]", r"(?>a)b"])
def test_a_pattern_that_only_python_reads_is_said_in_words(pattern: str) -> None:
    """A client whose regular expressions are JavaScript's would refuse the whole tool over it."""
    schema = _schema(type=InputType.STRING, pattern=pattern)
    assert "pattern" not in schema
    assert pattern in schema["description"]


@pytest.mark.parametrize("pattern", [r"^[\w.-]+$", r"a|b", r"(?:x|y){1,3}", r"(?!no)[^/]+", r"\d{4}-\d{2}", r"x\$"])
def test_a_pattern_both_read_alike_is_given_for_the_whole_text(pattern: str) -> None:
    """JSON Schema looks for a pattern anywhere in the text, the engine wants all of it to match."""
    schema = _schema(type=InputType.STRING, pattern=pattern)
    assert schema["pattern"].startswith("^")
    assert schema["pattern"].endswith("$")


RULES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(InputType),
        "enum": st.lists(st.sampled_from(["a", "b", 1, 2.5, True]), min_size=1, max_size=3).map(tuple),
        "pattern": st.sampled_from(["[ab]+", "^a$", "a|bb", r"\d+", "(?i)a"]),
        "minimum": st.integers(-3, 3),
        "maximum": st.integers(-3, 3),
        "items": st.sampled_from([{"type": "string", "pattern": "a+"}, {"type": "integer", "minimum": 0}, {}]),
        "required": st.booleans(),
    },
)
VALUES = st.recursive(
    st.sampled_from(["a", "A", "ab", "bb", "abb", "7", "", 0, 1, 2, -4, 2.5, 3.0, True, False]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)


@given(rules=RULES, value=VALUES)
def test_the_schema_and_the_engine_agree_on_every_value(rules: dict[str, Any], value: Any) -> None:
    """But for patterns that only Python reads, each takes what the other takes."""
    skill = _skill(**rules)
    taken = jsonschema.Draft202012Validator(input_schema(skill)).is_valid({"value": value})
    try:
        bind_inputs(skill, {"value": value})
        bound = True
    except InputError:
        bound = False
    assert bound == taken or (taken and rules.get("pattern") == "(?i)a")


def test_the_outputs_of_a_skill_have_the_types_its_file_tells(library: SkillLibrary) -> None:
    """An expression may give anything; text around one makes text; a mapping has its keys."""
    skill = library.parse(
        """name: s
description: Outputs.
steps:
  - {name: one, compute: "result = 1"}
outputs:
  - {name: any, value: "{{ one }}", description: What it gave.}
  - {name: text, value: "it gave {{ one }}"}
  - {name: fixed, value: 5}
  - {name: both, value: {left: "{{ one }}", right: [1]}}
""",
        "s.yaml",
    )
    schema = output_schema(skill, complete=True)
    assert schema["properties"] == {
        "any": {"description": "What it gave."},
        "text": {"type": "string"},
        "fixed": {"type": "integer"},
        "both": {
            "type": "object",
            "properties": {"left": {}, "right": {"type": "array"}},
            "required": ["left", "right"],
        },
    }
    assert schema["required"] == ["any", "text", "fixed", "both"]
    assert "required" not in output_schema(skill)
