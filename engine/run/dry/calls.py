"""A tool step in a dry run: its arguments against the tool's schema, and its call when it may really be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.heal.request import HealRequest
from engine.model.event import EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, StepStatus, ToolCall
from engine.model.skill import HealOption, ToolStep
from engine.run.dry.level import Draft, Level
from engine.run.dry.plan import Look, PlannedStep
from engine.run.dry.schema import types_of
from engine.run.dry.surroundings import DryParts
from engine.run.dry.unknown import Unknown, is_known
from tool_registry.arguments import accepted
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect, Tool

RUN_ID = "dry-run"
"""What tools that are really called are told as the run's id."""
READ_PATIENCE = 30.0
"""Seconds a read may take in a dry run, which somebody waits for."""
FITTING = {"number": {"integer"}}


@dataclass(slots=True, kw_only=True)
class Caller:
    """Plans tool calls; makes those that only read, when `reads`.

    `changed` says that a write stands before: what a read sees now, it need not see in the run.
    """

    parts: DryParts
    reads: bool
    changed: bool = False

    def tool(self, name: str) -> Tool:
        """The tool of that name. Raises UnknownToolError, and DocumentError when its definition is broken."""
        return self.registry.get_tool(name)

    @property
    def registry(self) -> ToolRegistry:
        """Every tool."""
        return self.parts.healer.calls.registry

    def check(self, name: str, args: Mapping[str, Any]) -> Tool:
        """The tool, which takes these arguments as far as they are known. Raises ToolError when it does not."""
        tool = self.tool(name)
        known = {each: value for each, value in args.items() if is_known(value)}
        needed = [each for each in tool.parameters.get("required", ()) if each not in args or each in known]
        accepted(replace(tool, parameters={**tool.parameters, "required": needed}), known)
        return tool

    async def call(self, step: ToolStep, planned: PlannedStep, args: Mapping[str, Any], level: Level) -> Draft:
        """The step as far as its arguments tell; with its value when it was really called.

        Raises ToolError when the arguments do not fit the tool.
        """
        tool = self.check(step.tool, args)
        draft = Draft(planned=planned, value=_promised(tool, planned))
        if self._may_look(tool, args, level):
            draft = await self._looked(step, tool, draft)
        self.changed = self.changed or tool.effect is not Effect.READ
        return draft

    async def look(
        self, call: ToolCall, *, domain: str | None, step: str = "", within: float = READ_PATIENCE, secret: bool = False
    ) -> Attempt:
        """Really calls a tool, without healing and without a trace in history; what it gives may be `secret`."""
        tool = self.tool(call.tool)
        request = HealRequest(
            call=call,
            tool=tool,
            run_id=RUN_ID,
            step=step,
            emit=_tell_nobody,
            timeout=within,
            narrowing=HealOption(enabled=False),
        )
        return await self.parts.healer.calls.beside(request, call, domain=domain, within=within, secret=secret)

    def _may_look(self, tool: Tool, args: Mapping[str, Any], level: Level) -> bool:
        reading = tool.effect is Effect.READ and tool.fix is None
        return self.reads and reading and is_known(args) and not level.doubt and not level.broken

    async def _looked(self, step: ToolStep, tool: Tool, draft: Draft) -> Draft:
        """The step with what its read gives now; that is its value unless a write stands before it."""
        limit = min(step.timeout or tool.timeout, READ_PATIENCE)
        call = ToolCall(tool=tool.name, args=draft.planned.args)
        domain = draft.planned.domain or None
        tried = await self.look(call, domain=domain, step=draft.planned.path, within=limit, secret=step.secret)
        seconds = max(0.0, tried.finished_at - tried.started_at)
        if tried.failure is not None:
            look = Look(seconds=seconds, failure=tried.failure.message, believed=False)
            return replace(draft, planned=replace(draft.planned, look=look))
        look = Look(seconds=seconds, believed=not self.changed)
        planned = replace(draft.planned, look=look, value=tried.value, known=True)
        if self.changed:
            return replace(draft, planned=planned)
        return Draft(planned=planned, value=tried.value, status=StepStatus.OK)


def _tell_nobody(kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
    del kind, data, durable


def _promised(tool: Tool, planned: PlannedStep) -> Unknown:
    schema = dict(tool.result) if tool.result else None
    return Unknown(sources=(planned.path,), origin=planned.path, schema=schema)


def unlikely(tool: Tool, args: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each unknown argument whose promised type is none that the tool takes."""
    rules = tool.parameters.get("properties", {})
    for name, value in args.items():
        if isinstance(value, Unknown) and name in rules:
            promised, taken = types_of(value.schema), types_of(rules[name])
            wide = taken | {kind for each in taken for kind in FITTING.get(each, ())}
            if promised and taken and not promised & wide:
                kinds = " or ".join(sorted(promised)), " or ".join(sorted(taken))
                yield f"the argument {name} of {tool.name} is {kinds[1]}, and {str(value).strip('<>')} is {kinds[0]}"
