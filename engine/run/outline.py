"""Which calls a run will come to, as far as the skill alone tells before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from engine.errors import DocumentError, EngineError, SandboxError
from engine.heal.preflight.arguments import fits
from engine.heal.request import Upcoming
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import GroupStep, HealOption, OnError, SkillStep, Step, StopStep, ToolStep
from engine.run.domain import named
from engine.run.running import Running
from engine.run.subskill import skill_of
from tool_registry.registry import requirements
from tool_registry.tool import Needs, Tool, ToolError

KNOWN = ("inputs", "defaults", "config", "env")
"""Names that have their values before the first step."""

DEEPEST = 8
"""Skills inside of skills that are looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where the outline stands; `names` are None in a skill whose inputs are only known when it is called."""

    prefix: str = ""
    names: Mapping[str, Any] | None = None
    depth: int = 0


def upcoming(running: Running, steps: Iterable[Step], level: Level) -> Iterator[Upcoming]:
    """The tool calls of steps that surely run and whose failure would fail the run, in order.

    Left out is what stands under a condition, is tolerated, repeats over a list (which may be empty), is not to be
    healed, or has ended in an earlier process. A conditional `stop` is taken for one that lets the run go on.
    """
    for step in steps:
        path = f"{level.prefix}{step.name}"
        past = running.past_step(path)
        if step.condition or step.foreach or step.on_error is OnError.CONTINUE or not step.heal.enabled:
            continue
        if past is not None and past.status is not None:
            continue
        inner = replace(level, prefix=f"{path}/")
        match step:
            case StopStep():
                return
            case ToolStep():
                yield from _call(running, step, path, level)
            case GroupStep():
                yield from upcoming(running, step.steps, inner)
            case SkillStep() if level.depth < DEEPEST:
                yield from _skill(running, step, path, inner)


def _call(running: Running, step: ToolStep, path: str, level: Level) -> Iterator[Upcoming]:
    """The call, if it depends on anything or cannot be made; a tool that cannot be read is the step's own business."""
    try:
        tool = running.healer.calls.registry.get_tool(step.tool)
    except (ToolError, DocumentError):
        return
    option, args = _narrowed(running, step, level), _known(running, step, level)
    # Of a domain that is only known in the run nothing is looked at: neither it nor the tool's own.
    domain = None if option.domain_text is not None else option.domain or tool.domain
    if domain or _lacks(running, tool) or not fits(tool, args, whole=False):
        yield Upcoming(step=path, tool=tool, domain=domain, args=args, named=option.domain is not None)


def _narrowed(running: Running, step: ToolStep, level: Level) -> HealOption:
    """What `heal` says, with the domain's name where that is made of nothing but what is known."""
    if level.names is not None:
        with suppress(SandboxError, ToolError):
            return named(step.heal, lambda text: running.sandbox.render(text, level.names or {}))
    return step.heal


def _lacks(running: Running, tool: Tool) -> bool:
    """Whether something that a tool without a domain needs is missing on this machine, or may be too old."""
    if tool.needs == Needs():
        return False
    contexts = running.healer.calls.contexts
    context = contexts(domain=None, run_id=running.run_id, step="", timeout=tool.timeout)
    return any(each.found is None or each.minimum for each in requirements(tool, context.environment))


def _known(running: Running, step: ToolStep, level: Level) -> dict[str, Any]:
    """The arguments that are made of nothing but what is known before the first step."""
    found: dict[str, Any] = {}
    for name, value in step.args.items() if level.names is not None and not step.secret else ():
        with suppress(SandboxError):
            found[name] = running.sandbox.render(value, level.names or {})
    return found


def _skill(running: Running, step: SkillStep, path: str, inner: Level) -> Iterator[Upcoming]:
    with suppress(EngineError):  # calling it says what is wrong
        skill = skill_of(running, step, path)
        yield from upcoming(running, skill.steps, replace(inner, names=None, depth=inner.depth + 1))
