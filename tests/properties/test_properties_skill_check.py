"""Whatever an author writes, `check` ends with findings and `load` with a skill or an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import SkillInvalidError
from engine.library import SkillLibrary
from engine.library.codes import FindingCode
from engine.library.language import KEYS
from engine.model.place import Severity
from engine.sandbox import Sandbox
from tests.unit.library.test_library_parse import FULL
from tool_registry.tool import Tool, ToolContext, ToolOutput


async def _nothing(_args: Mapping[str, Any], _context: ToolContext) -> ToolOutput:
    return ToolOutput()


TOOL = Tool(name="t", call=_nothing, parameters={"type": "object", "additionalProperties": True})
WORDS = sorted(
    {*(key for keys in KEYS.values() for key in keys), "a", "{{ a }}", "{{ inputs.i }}", "{% if", "1 +", "full", ""}
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 100)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


def _routes(value: Any, route: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield route
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _routes(inner, (*route, key))


ROUTES = [route for route in _routes(FULL) if route]


@st.composite
def _skills(draw: st.DrawFn) -> Any:
    """The full skill with a few of its parts replaced by anything."""
    skill: Any = deepcopy(FULL)
    for route in draw(st.lists(st.sampled_from(ROUTES), max_size=4)):
        target = skill
        for step in route[:-1]:
            target = target[step] if _has(target, step) else None
        if _has(target, route[-1]):
            target[route[-1]] = draw(VALUES)
    return skill


NAMES = st.sampled_from(["a", "b", "c", "item"])
READS = st.sampled_from(["a", "item.x", "{{ b }}", "steps.c.status", "result", "inputs.i", "[1, 2]", "1 +"])
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "condition": READS,
    "expect": READS,
    "foreach": READS,
    "as": NAMES,
    "output": NAMES,
    "secret": st.booleans(),
    "heal": st.booleans(),
    "until": st.fixed_dictionaries({"condition": READS, "every": st.just(1), "timeout": st.just(2)}),
    "undo": st.fixed_dictionaries({"tool": st.just("t"), "args": st.dictionaries(NAMES, READS, max_size=2)}),
    "stop": st.fixed_dictionaries({"status": st.just("ok"), "message": READS}),
    "ask": st.fixed_dictionaries({"question": READS}, optional={"choices": st.lists(VALUES), "default": VALUES}),
    "skill": st.sampled_from(["full", "other"]),
    "inputs": st.dictionaries(NAMES, READS, max_size=2),
    "compute": READS.map(lambda text: f"result = {text}"),
}
NESTED = st.recursive(
    st.fixed_dictionaries({"name": NAMES}, optional=OPTIONS),
    lambda inner: st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            **OPTIONS,
            "steps": st.lists(inner | VALUES, max_size=3),
            "parallel": st.lists(inner, max_size=3) | st.integers(0, 3),
        },
    ),
    max_leaves=10,
)
NESTED_SKILLS = st.fixed_dictionaries(
    {"name": st.just("full"), "steps": st.lists(NESTED, max_size=4), "always": st.lists(NESTED, max_size=2)}
)
"""Steps inside steps, with any options and few names, so that many of them meet."""


def _has(target: Any, step: str | int) -> bool:
    return (isinstance(target, dict) and step in target) or (
        isinstance(target, list) and isinstance(step, int) and step < len(target)
    )


@settings(max_examples=120, deadline=None)
@given(_skills() | NESTED_SKILLS)
def test_any_file_is_checked_to_the_end(skill: Any) -> None:
    """Check raises nothing, knows every code it gives, and load agrees with it."""
    text = json.dumps(skill, indent=1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "full.yaml"
        path.write_text(text, encoding="utf-8")
        library = SkillLibrary([Path(folder)], sandbox=Sandbox(), tools={"t": TOOL})
        found = library.check("full")
        assert {finding.code for finding in found} <= set(FindingCode)
        assert all(1 <= finding.place.line <= text.count("\n") + 1 for finding in found)
        errors = tuple(finding for finding in found if finding.severity is Severity.ERROR)
        if errors:
            with pytest.raises(SkillInvalidError) as caught:
                library.load("full")
            assert caught.value.findings == errors
        else:
            library.load("full")
