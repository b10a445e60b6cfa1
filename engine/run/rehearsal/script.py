"""What is left of a rehearsal while it is played: answers, failures to inject, crashes to come; and what was called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import anyio

from engine.model.event import Event, EventKind
from engine.model.rehearsal import CallEnd, CrashPoint, Difference, Injection, PlayedCall, Rehearsal
from engine.run.rehearsal.answers import Canned, Cue, canned
from engine.run.rehearsal.matching import was_called
from tool_registry.sources.python import within
from tool_registry.tool import Tool, ToolContext, ToolError, ToolOutput


class CutError(BaseException):
    """The process of a rehearsed run has died; not even cleaning up goes on after it."""


class Script:
    """One rehearsal under way; it outlives the processes that die in it, as the world does."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.calls: list[PlayedCall] = []
        self.run_id = ""
        self.is_cut = False
        self._rehearsal = rehearsal
        self._cues: dict[str, Cue] = {}
        self._own_tools: dict[str, str] = {}
        self._seen: Counter[int] = Counter()
        self._injected: set[int] = set()
        self._crashes = list(rehearsal.crashes)

    def begin_again(self) -> None:
        """Another process goes on after a crash."""
        self.is_cut = False

    def recorded(self, events: Sequence[Event]) -> None:
        """Notes what the journal has kept. Raises CutError when the process dies now."""
        self.run_id = events[0].run_id if events else self.run_id
        ended = {event.step for event in events if event.kind is EventKind.STEP_FINISHED}
        for point in self._crashes:
            if not point.during and point.step in ended:
                self._die(point)

    def alive(self) -> None:
        """Raises CutError when the process has died."""
        if self.is_cut:
            raise CutError

    async def call(self, tool: Tool, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        """What a call of `tool` gives here; ToolError for a canned failure, and where nothing is canned."""
        self.alive()
        index = len(self.calls)
        self.calls.append(PlayedCall(tool=tool.name, step=context.step, args=dict(arguments), end=CallEnd.CUT))
        own = self._is_own(tool, context.step)
        for point in self._crashes:
            if point.during and point.step == context.step and own:
                self._die(point)
        try:
            output = await self._answered(tool, arguments, context, own=own)
        except _UnansweredError as error:
            self.calls[index] = replace(self.calls[index], end=CallEnd.UNANSWERED, why=error.why)
            raise ToolError(f"the rehearsal: {error.why}", kind="usage_error", sent=False) from error
        except ToolError:
            self.calls[index] = replace(self.calls[index], end=CallEnd.FAILURE)
            raise
        self.calls[index] = replace(self.calls[index], end=CallEnd.VALUE)
        return output

    def unmet(self) -> Iterator[Difference]:
        """Injections and crashes that never came to pass: a rehearsal that prepares one wants to see it."""
        for number, injection in enumerate(self._rehearsal.injections):
            if number not in self._injected:
                called = f"{_what(injection)} {was_called(self._seen[number])}"
                message = f"call {injection.call} was to fail, but {called}"
                yield Difference(place=injection.answer.place, way=f"inject[{number}]", message=message)
        for point in self._crashes:
            way = "crash_during" if point.during else "crash_after"
            when = f"{'in' if point.during else 'after'} the step {point.step}"
            message = f"the process was to die {when}, and the run never came to that"
            yield Difference(place=point.place, way=way, message=message)

    def _die(self, point: CrashPoint) -> None:
        self._crashes.remove(point)
        self.is_cut = True
        raise CutError

    def _is_own(self, tool: Tool, step: str) -> bool:
        """Whether this is the call that the step itself makes: the first in it that repairs nothing."""
        if tool.fix is None:
            self._own_tools.setdefault(step, tool.name)
        return self._own_tools.get(step) == tool.name

    async def _answered(
        self, tool: Tool, arguments: Mapping[str, Any], context: ToolContext, *, own: bool
    ) -> ToolOutput:
        injected = self._injection(tool, context.step, own=own)
        if injected is not None and (delay := injected.answer.delay):
            await within(context.timeout, tool.name, partial(anyio.sleep, delay))
        chosen = injected if injected is not None and _says_something(injected) else self._cued(tool, arguments)
        if chosen.answer.delay and chosen is not injected:
            await within(context.timeout, tool.name, partial(anyio.sleep, chosen.answer.delay))
        return chosen.give(context)

    def _injection(self, tool: Tool, step: str, *, own: bool) -> Canned | None:
        """The failure that is injected into this call; every injection it might be for counts it."""
        found: Canned | None = None
        for number, injection in enumerate(self._rehearsal.injections):
            of_step = not injection.step or (injection.step == step and (own or bool(injection.tool)))
            if not of_step or injection.tool not in {"", tool.name}:
                continue
            self._seen[number] += 1
            if self._seen[number] == injection.call and found is None:
                self._injected.add(number)
                found = canned(injection.answer, tool)
        return found

    def _cued(self, tool: Tool, arguments: Mapping[str, Any]) -> Canned:
        written = self._rehearsal.tools.get(tool.name)
        if written is None:
            raise _UnansweredError(f"`tools` has no answers of {tool.name}")
        if tool.name not in self._cues:
            self._cues[tool.name] = Cue(tool, written)
        try:
            return self._cues[tool.name].take(arguments)
        except ToolError as error:
            raise _UnansweredError(f"none of the answers of {tool.name} is for these arguments") from error


class _UnansweredError(Exception):
    """Nothing is canned for a call."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _says_something(injected: Canned) -> bool:
    """Whether an injection answers itself; one with nothing but a delay only makes the answer late."""
    return injected.answer.failure is not None or injected.answer.value is not None or injected.raw is not None


def _what(injection: Injection) -> str:
    if not injection.step:
        return injection.tool
    return f"{injection.tool or 'its tool'} in the step {injection.step}"
