"""What a skill file and a tool's declaration alone say of a step: its plan before anything is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.model.heal import Domain
from engine.model.skill import GroupStep, HealOption, SkillStep, Step, ToolStep, action_of
from engine.run.dry.plan import PlannedStep, Verdict
from tool_registry.tool import Effect, Tool


def outlined(step: Step, section: str, path: str, tool: Tool | None, domains: Mapping[str, Domain]) -> PlannedStep:
    """The step by name, action, tool, and what may be done when it fails."""
    planned = PlannedStep(
        path=path,
        name=step.name,
        action=action_of(step),
        verdict=Verdict.WOULD_RUN,
        place=step.place,
        section=section,
        on_error=step.on_error.value,
        secret=step.secret,
        repeats=_repeats(step),
    )
    match step:
        case SkillStep():
            return replace(planned, skill=step.skill)
        case ToolStep() if tool is not None:
            called = replace(planned, tool=step.tool, effect=tool.effect.value)
            return in_domain(called, step.heal, tool, domains)
        case ToolStep():
            return replace(planned, tool=step.tool)
        case _:
            return planned


def in_domain(planned: PlannedStep, option: HealOption, tool: Tool, domains: Mapping[str, Domain]) -> PlannedStep:
    """The call with the domain it depends on, and which of its fixes may run; with none where it is not known yet."""
    domain = "" if option.domain_text is not None else option.domain or tool.domain or ""
    elsewhere = option.domain is not None and option.domain != tool.domain
    return replace(planned, domain=domain, elsewhere=elsewhere, heal=_heal(option, domains.get(domain)))


def inside(step: Step) -> tuple[Step, ...]:
    """The steps of a group."""
    return step.steps if isinstance(step, GroupStep) else ()


def may_write(step: Step, tools: Mapping[str, Tool]) -> bool:
    """Whether something in the step may change what later reads see; of another skill that is taken for granted."""
    match step:
        case ToolStep():
            tool = tools.get(step.tool)
            return tool is None or tool.effect is not Effect.READ
        case SkillStep():
            return True
        case _:
            return any(may_write(each, tools) for each in inside(step))


def _heal(option: HealOption, domain: Domain | None) -> dict[str, Any]:
    """What healing may do: which of the domain's fixes, and whether the author narrowed that."""
    roles = domain.fixes if domain is not None and option.enabled else {}
    return {
        "enabled": option.enabled,
        "fixes": [role for role in roles if option.fixes is None or role in option.fixes],
        "max_fixes": option.max_fixes,
        "narrowed": replace(option, domain=None, domain_text=None) != HealOption(),
    }


def _repeats(step: Step) -> str:
    """When the step is done again, as a sentence's end; empty when it is not."""
    told = []
    if step.retry is not None:
        kinds = f" of {', '.join(step.retry.on)}" if step.retry.on else ""
        told.append(f"up to {step.retry.attempts} times after a failure{kinds}")
    if step.until is not None:
        until = step.until
        told.append(f"every {until.every:g} s until {until.condition.text.strip()}, for at most {until.timeout:g} s")
    return "; ".join(told)
