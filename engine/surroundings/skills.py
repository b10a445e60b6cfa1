"""What a skill calls, and which of it surely: what must be there for it to work at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from engine.errors import EngineError
from engine.library import SkillLibrary
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Text
from engine.model.skill import GroupStep, OnError, Skill, SkillStep, Step, ToolStep
from tool_registry.tool import Tool

Render = Callable[[Text, Mapping[str, Any]], Any]
"""What gives the value of a text for the names that it may use; EngineError where only a run can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A tool that a skill calls, in that domain; not `surely` where a condition decides, or the failure is tolerated.

    `domain` is None where the tool depends on none, or on one that only the run names: by an input without a default.
    """

    tool: Tool
    domain: str | None
    surely: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads skills; `config` and what inputs are unless they are given say which domain a step names."""

    library: SkillLibrary
    tools: Mapping[str, Tool]
    render: Render
    config: Mapping[str, Any]

    def calls(self, name: str, *, surely: bool, seen: frozenset[str], given: frozenset[str]) -> Iterator[Called]:
        """What that skill and the skills inside it call, where `given` are the inputs that the run gives it."""
        try:
            skill = self.library.load(name)
        except EngineError:
            return
        for step, certain in _steps((*skill.steps, *skill.always), surely=surely):
            match step:
                case ToolStep() if step.tool in self.tools:
                    tool = self.tools[step.tool]
                    yield Called(tool=tool, domain=self._domain(step, tool, skill, given), surely=certain)
                case SkillStep() if step.skill not in seen:
                    inner = frozenset(step.inputs)
                    yield from self.calls(step.skill, surely=certain, seen=seen | {name}, given=inner)

    def _domain(self, step: ToolStep, tool: Tool, skill: Skill, given: frozenset[str]) -> str | None:
        if step.heal.domain_text is None:
            return step.heal.domain or tool.domain
        inputs = {each.name: each.default for each in skill.inputs if each.name not in given}
        try:
            named = self.render(step.heal.domain_text, {"inputs": inputs, "config": dict(self.config)})
        except EngineError:
            return None  # only a run knows it
        return str(named or "").strip() or tool.domain


def called(
    name: str, library: SkillLibrary, tools: Mapping[str, Tool], render: Render, config: Mapping[str, Any]
) -> tuple[Called, ...]:
    """What the skill and the skills that it runs call; what heals them is no part of it.

    A skill that cannot be read calls nothing: `skill check` tells of it.
    """
    reader = _Reader(library=library, tools=tools, render=render, config=config)
    calls = reader.calls(name, surely=True, seen=frozenset(), given=frozenset())
    return tuple({(call.tool.name, call.domain, call.surely): call for call in calls}.values())


def _steps(steps: Iterable[Step], *, surely: bool) -> Iterator[tuple[Step, bool]]:
    """The steps and those inside them, each with whether a run that goes well comes to it."""
    for step in steps:
        certain = surely and step.condition is None and step.on_error is not OnError.CONTINUE
        yield step, certain
        if isinstance(step, GroupStep):
            yield from _steps(step.steps, surely=certain)
