"""A `tools/call` that passes through: a run of one step, healed and journaled, while its answer stays what it was.

The call and its answer go beside the run, untouched; the run sees what of them history may keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import field
from functools import partial
from typing import Any

from mcp.shared.exceptions import MCPError

from engine.errors import EngineError, JournalError
from engine.frontends.mcp_server.proxy_kept import kept
from engine.frontends.mcp_server.proxy_upstream import Params, Result, Upstream, UpstreamError
from engine.mcp_servers.restarting import RESTART, ROLE
from engine.memory_tools.executing import NAME, one_step, step_of
from engine.model.heal import HealMode
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, StepResult, StepStatus
from engine.model.skill import Skill
from engine.run.executor import SkillExecutor
from engine.wiring import Engine
from tool_registry.sources.mcp import refuse_failed, text_of, tool_of_listing
from tool_registry.tool import Tool, ToolContext, ToolOutput

MOST_SKILLS = 1_000


@dataclass(slots=True, kw_only=True)
class Carried:
    """One call on its way: what the client sent, and what the server said last. `tried` counts how often it left."""

    upstream: Upstream
    params: Params
    tried: int = 0
    result: Result | None = None
    refused: MCPError | None = None

    async def ask(self) -> Result:
        """Sends it and keeps the answer, whatever it is. Raises UpstreamError."""
        self.tried += 1
        self.result = self.refused = None
        try:
            self.result = await self.upstream.call(self.params)
        except UpstreamError as error:
            self.refused = error.wire
            raise
        return self.result


CARRIED: ContextVar[Carried | None] = ContextVar("proxied call", default=None)
"""The call that the run of this task makes."""


@dataclass(slots=True, kw_only=True)
class HealedCalls:
    """Makes calls healed; `say` tells the person at the terminal, in one line, `explains` adds to answers that failed.

    `domains` are what the servers' tools depend on, by server, where nothing more particular is known, and `settings`
    what the workspace says of the tools, by server and tool.
    """

    engine: Engine
    say: Callable[[str], None]
    domains: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    explains: bool = False
    unhistoried: bool = False
    _known: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _skills: dict[tuple[str, tuple[str, ...]], Skill] = field(default_factory=dict)

    def learn(self, upstream: Upstream, listing: Mapping[str, Any]) -> str:
        """Makes a tool of what a server lists; its name in the registry and in history."""
        name = f"{upstream.name}.{listing.get('name')}"
        if self._known.get(name) != listing:
            self.engine.registry.add(self._tool(upstream, listing, name), replace=True)
            self._known[name] = listing
        return name

    async def make(self, upstream: Upstream, tool: str, params: Params) -> Result:
        """The answer to a call, after all that healing could do. Raises MCPError."""
        carried = Carried(upstream=upstream, params=params)
        token = CARRIED.set(carried)
        try:
            step = await self._run(tool, carried)
        finally:
            CARRIED.reset(token)
        if not carried.tried:
            # Something beside the call kept the run from making it; the client asked the server, not us.
            await self._directly(carried)
        if carried.result is None:
            raise carried.refused or MCPError(code=-32603, message=f"{tool} was not answered")
        return self._explained(carried.result, step)

    async def _run(self, tool: str, carried: Carried) -> StepResult | None:
        arguments = carried.params.get("arguments")
        args = dict(kept(arguments)) if isinstance(arguments, Mapping) else {}
        try:
            skill = self._skill(tool, args)
            result = await SkillExecutor(self.engine, parks=False).run(skill, {"args": args})
        except JournalError as error:
            self._without_history(error)
            return None
        except EngineError as error:
            self.say(f"{tool} passes through unhealed: {error.message}")
            return None
        self.unhistoried = False
        step = next((each for each in result.steps if each.path == step_of(tool)), None)
        self._tell(tool, result, step)
        return step

    async def _directly(self, carried: Carried) -> None:
        try:
            await carried.upstream.started()
            await carried.ask()
        except UpstreamError as error:
            carried.refused = error.wire

    def _without_history(self, error: JournalError) -> None:
        if not self.unhistoried:
            self.unhistoried = True
            self.say(f"history cannot be written, so calls pass through unhealed: {error.message}")

    def _skill(self, tool: str, args: dict[str, Any]) -> Skill:
        """The run's skill: made once for each tool and set of arguments, for reading one takes longer than a call."""
        for name in [name for name in args if not re.fullmatch(NAME, name)]:
            del args[name]
        key = (tool, tuple(args))
        if key not in self._skills:
            if len(self._skills) >= MOST_SKILLS:
                self._skills.clear()
            self._skills[key] = one_step(self.engine, tool, args)
        return self._skills[key]

    def _tell(self, tool: str, result: RunResult, step: StepResult | None) -> None:
        if step is None or step.status is not StepStatus.HEALED or step.first_failure is None:
            return
        fixes = " and ".join(step.fixes) or "calling again"
        failed = step.first_failure
        self.say(f"healed {tool}: {failed.kind.value.replace('_', ' ')}, by {fixes} (skill status {result.run_id})")

    def _explained(self, answer: Result, step: StepResult | None) -> Result:
        """The answer; of one that is an error, with why and what to do as one more text, if that was asked for."""
        if not self.explains or answer.get("isError") is not True or step is None:
            return answer
        said = [step.root_cause.because] if step.root_cause else []
        said += [f"- {line}" for line in step.remediation]
        content = answer.get("content")
        if not said or not isinstance(content, list):
            return answer
        text = self.engine.secrets.mask("\n".join(["skill-engine looked into this failure.", *said]))
        return {**answer, "content": [*content, {"type": "text", "text": text}]}

    def _tool(self, upstream: Upstream, listing: Mapping[str, Any], name: str) -> Tool:
        called = str(listing.get("name"))
        return tool_of_listing(
            partial(self._call, upstream, called),
            listing,
            name=name,
            domain=self.domains[upstream.name],
            settings={"timeout": upstream.server.timeout, **self.settings.get(upstream.name, {}).get(called, {})},
            checked=False,
            location=f"the MCP server {upstream.name}",
        )

    async def _call(self, upstream: Upstream, tool: str, arguments: Mapping[str, Any], _: ToolContext) -> ToolOutput:
        """Makes the call that this task carries: its arguments here are only what history keeps of them.

        Any other (what a remedy asks, what verifies a write) is made with the arguments it is given.
        """
        carried = CARRIED.get()
        if carried is None or carried.upstream is not upstream or carried.params.get("name") != tool:
            carried = Carried(upstream=upstream, params={"name": tool, "arguments": dict(arguments)})
        try:
            if not upstream.is_there and (upstream.starts == 0 or self._starts_by_itself(upstream)):
                await upstream.started()
            result = await carried.ask()
        except UpstreamError as error:
            raise error.failure from error
        refuse_failed(result, upstream.name, tool)
        return ToolOutput(value=kept(result), text=text_of(result))

    def _starts_by_itself(self, upstream: Upstream) -> bool:
        """Whether a server is started by the next call: where no fix may do it, which would be told."""
        domain = self.engine.domains.get(self.domains[upstream.name])
        plan = domain.fixes.get(ROLE) if domain else None
        is_repaired = plan is not None and plan.call.tool == RESTART
        return not is_repaired or self.engine.healing(self.domains[upstream.name]) is not HealMode.AUTO
