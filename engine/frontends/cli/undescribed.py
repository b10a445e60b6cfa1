"""Which places a skill needs that nobody has described here: what `skill list` marks it with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import memory_tools
from engine.errors import EngineError
from engine.library.outline import OutlinedStep, outline
from engine.library.part import Part, whole
from engine.library.shelf import SkillEntry, read_skill
from engine.wiring import Engine
from tool_registry.tool import Tool


def undescribed(entries: Sequence[SkillEntry], engine: Engine) -> dict[str, tuple[str, ...]]:
    """The domains that each skill surely asks and that nobody describes, by the skill's name; others are left out.

    What a condition decides, or may fail, is not sure. Of a broken skill, tool or configuration nothing is said.
    """
    paths = {entry.name: entry.path for entry in entries if not entry.error}
    try:
        found = {name: _needed(name, paths, engine, frozenset()) for name in paths}
        return {name: tuple(sorted(needed)) for name, needed in found.items() if needed}
    except (EngineError, ValueError):
        return {}


def _needed(name: str, paths: Mapping[str, Path], engine: Engine, seen: frozenset[str]) -> set[str]:
    if name in seen or name not in paths:
        return set()
    skill = whole(read_skill(paths[name]))
    found: set[str] = set()
    for step in outline(skill).steps:
        if not _is_sure(step):
            continue
        if isinstance(called := step.part.get("skill"), str):
            found |= _needed(called, paths, engine, seen | {name})
        asked = step.part.get("tool")
        if isinstance(asked, str) and asked not in memory_tools.NAMES and asked in engine.registry:
            found |= set(_lacking(step.part, engine.registry[asked], skill, engine))
    return found


def _is_sure(step: OutlinedStep) -> bool:
    """Whether a run that goes well comes to it, and must come through it."""
    return all(
        "condition" not in each.part and each.part.get("on_error") != "continue" for each in (step, *step.around)
    )


def _lacking(part: Part, tool: Tool, skill: Part, engine: Engine) -> Iterator[str]:
    """The domain that the step depends on, where it needs settings and nobody describes it."""
    domain = _named(part, skill, engine) or tool.domain
    if domain and tool.needs.settings and domain not in engine.domains:
        yield domain


def _named(part: Part, skill: Part, engine: Engine) -> str:
    """The domain that the step itself names, as it is when no input is given; empty where it names none."""
    named = part["heal"].text("domain") if "heal" in part else None
    if named is None:
        return ""
    inputs = {each.name(): each.get("default") for each in skill.listed("inputs")}
    names: dict[str, Any] = {"inputs": inputs, "config": engine.config}
    try:
        return str(engine.sandbox.render(named, names) or "")
    except EngineError:
        return ""  # only a run knows it
