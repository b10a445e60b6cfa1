"""Skills as tools of their own: exact schemas of inputs and outputs, and how much a run may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.frontends.mcp_server import runs
from engine.frontends.mcp_server.offers import Act, Context, Offer, Reply
from engine.frontends.mcp_server.run_schemas import run_result
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.library import SkillLibrary
from engine.library.input_schema import input_schema, output_schema
from engine.model.skill import GroupStep, Skill, SkillStep, Step, ToolStep
from tool_registry.tool import Effect, Tool

LONGEST_NAME = 64
"""Characters of a tool's name that every host takes."""


def offer_of(skill: Skill, name: str, *, effect: Effect) -> Offer:
    """The skill as a tool called `name`."""
    return Offer(
        name=name,
        title=skill.name,
        description=_described(skill),
        parameters=input_schema(skill),
        result=run_result(output_schema(skill)),
        needs=Tier.RUN,
        act=_running(skill.name),
        effect=effect,
    )


def names_of(skills: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """The name of each skill's tool: its own, unless a general tool has it or some host would refuse it."""
    used, named = set(taken), {}
    for skill in sorted(skills):
        name, number = skill[:LONGEST_NAME], 1
        while name in used:
            number += 1
            end = "_skill" if number == 2 else f"_skill_{number}"  # noqa: PLR2004 - the second of that name
            name = f"{skill[: LONGEST_NAME - len(end)]}{end}"
        used.add(name)
        named[skill] = name
    return named


def worst_effect(skill: Skill, library: SkillLibrary, tools: Mapping[str, Tool]) -> Effect:
    """The worst that a run of the skill may do by its own steps; what heals them is no part of it."""
    order = list(Effect)
    return max(_effects(skill, library, tools, set()), key=order.index, default=Effect.READ)


def _effects(skill: Skill, library: SkillLibrary, tools: Mapping[str, Tool], seen: set[str]) -> Iterator[Effect]:
    seen.add(skill.name)
    for step in _steps((*skill.steps, *skill.always)):
        match step:
            case ToolStep() if step.tool in tools:
                yield tools[step.tool].effect
            case SkillStep() if step.skill not in seen:
                yield from _effects(library.load(step.skill), library, tools, seen)


def _steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, GroupStep):
            yield from _steps(step.steps)


def _described(skill: Skill) -> str:
    first = skill.description.strip() or f"Runs the skill {skill.name}."
    return f"{first}\n\nA skill: its steps heal themselves and each is done once; see the server's instructions."


def _running(skill: str) -> Act:
    async def act(ctx: Context, serving: Serving, arguments: Mapping[str, Any]) -> Reply:
        return await runs.call_skill(ctx, serving, skill, arguments)

    return act
