"""What a skill calls, and which of it surely: what must be there for it to work at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.errors import EngineError
from engine.library import SkillLibrary
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import GroupStep, OnError, SkillStep, Step, ToolStep
from tool_registry.tool import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A tool that a skill calls, in that domain; not `surely` where a condition decides, or the failure is tolerated.

    `domain` is None where the tool depends on none, or on one that only the run names.
    """

    tool: Tool
    domain: str | None
    surely: bool


def called(name: str, library: SkillLibrary, tools: Mapping[str, Tool]) -> tuple[Called, ...]:
    """What the skill and the skills that it runs call; what heals them is no part of it.

    A skill that cannot be read calls nothing: `skill check` tells of it.
    """
    calls = _skill(name, library, tools, surely=True, seen=frozenset())
    return tuple({(call.tool.name, call.domain, call.surely): call for call in calls}.values())


def _skill(
    name: str, library: SkillLibrary, tools: Mapping[str, Tool], *, surely: bool, seen: frozenset[str]
) -> Iterator[Called]:
    try:
        skill = library.load(name)
    except EngineError:
        return
    for step, certain in _steps((*skill.steps, *skill.always), surely=surely):
        match step:
            case ToolStep() if step.tool in tools:
                tool = tools[step.tool]
                domain = None if step.heal.domain_text is not None else step.heal.domain or tool.domain
                yield Called(tool=tool, domain=domain, surely=certain)
            case SkillStep() if step.skill not in seen:
                yield from _skill(step.skill, library, tools, surely=certain, seen=seen | {name})


def _steps(steps: Iterable[Step], *, surely: bool) -> Iterator[tuple[Step, bool]]:
    """The steps and those inside them, each with whether a run that goes well comes to it."""
    for step in steps:
        certain = surely and step.condition is None and step.on_error is not OnError.CONTINUE
        yield step, certain
        if isinstance(step, GroupStep):
            yield from _steps(step.steps, surely=certain)
