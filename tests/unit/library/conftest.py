"""What the tests of the library share: a folder to write skills into, a few real tools, and a library over both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.library import SkillLibrary
from engine.model.place import Finding
from engine.sandbox import Sandbox
from tests.unit.library.skill_texts import Check
from tool_registry.tool import Tool, ToolContext, ToolOutput


async def _echo(args: Mapping[str, Any], _: ToolContext) -> ToolOutput:
    return ToolOutput(value=dict(args))


GET_PODS = Tool(
    name="get_pods",
    call=_echo,
    parameters={
        "type": "object",
        "properties": {
            "namespace": {"type": "string", "description": "Where to look."},
            "limit": {"type": "integer", "minimum": 1},
            "labels": {"type": "array", "items": {"type": "string"}},
            "options": {"type": "object", "properties": {"wide": {"type": "boolean"}}, "additionalProperties": False},
        },
        "required": ["namespace"],
        "additionalProperties": False,
    },
)
ANYTHING = Tool(
    name="anything", call=_echo, parameters={"type": "object", "properties": {}, "additionalProperties": True}
)


@pytest.fixture(name="tools")
def _tools() -> Mapping[str, Tool]:
    return {tool.name: tool for tool in (GET_PODS, ANYTHING)}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "skills"
    folder.mkdir()
    return folder


@pytest.fixture(name="library")
def _library(folder: Path, tools: Mapping[str, Tool]) -> SkillLibrary:
    return SkillLibrary([folder], sandbox=Sandbox(), tools=tools)


@pytest.fixture(name="check")
def _check(folder: Path, library: SkillLibrary) -> Check:
    """Checks a text as the skill `example`."""

    def check(text: str) -> tuple[Finding, ...]:
        (folder / "example.yaml").write_text(text, encoding="utf-8")
        return library.check("example")

    return check
