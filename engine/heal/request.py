"""What a healed call needs: the call itself, and what healing asks of the rooms around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio

from engine.model.event import EventKind
from engine.model.failure import Failure
from engine.model.heal import BreakerState, KnownIssue
from engine.model.outcome import ToolCall
from engine.model.past import PastStep
from engine.model.question import Ask
from engine.model.skill import HealOption
from tool_registry.tool import Tool, ToolContext


class Emit(Protocol):
    """Puts an event of the running step into the journal; durable before it returns when `durable`."""

    def __call__(self, kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
        """Sends one event."""


class Contexts(Protocol):
    """Makes the context a tool is called with: the settings of its domain, the time it has."""

    def __call__(self, *, domain: str | None, run_id: str, step: str, timeout: float) -> ToolContext:
        """The context for one call."""


class Facts(Protocol):
    """What history says about fixes; the figures behind every decision."""

    def effectiveness(self, fix: str, domain: str) -> tuple[int, int]:
        """How often the fix was tried and how often it helped."""

    def breaker(self, fix: str, domain: str, signature: str) -> BreakerState:
        """The state of the fix's circuit breaker for this error signature."""


class KnownFixes(Protocol):
    """What people and the engine have written down about a tool's failures."""

    def known(self, tool: str, text: str) -> tuple[KnownIssue, ...]:
        """The issues recorded for that tool whose error pattern is in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealRequest:
    """One call to be made and healed; `deadline` is on anyio's clock, `judge` turns a wrong value into a failure.

    `step` is the step's path, which questions are named by. `answers` are those known already, by question name; `ask`
    asks somebody, and where there is nobody, `parks` says that the step may wait for the answer. `secret`: what the
    call gives must not be shown.

    `past` is what an earlier process did of this step: the call goes on where it was cut off. A step that calls several
    times (`retry`, `until`) says which of it belongs to its finished calls: `attempts_before` is the number of their
    newest attempt, `fixes_before` counts their fixes. Numbers go on from there, and the rest of `past` is this call's.
    """

    call: ToolCall
    tool: Tool
    run_id: str
    step: str
    emit: Emit
    timeout: float
    deadline: float | None = None
    narrowing: HealOption = field(default_factory=HealOption)
    judge: Callable[[Any], Failure | None] | None = None
    ask: Ask | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    parks: bool = False
    secret: bool = False
    past: PastStep | None = None
    attempts_before: int = 0
    fixes_before: int = 0

    @property
    def time_left(self) -> float | None:
        """Seconds until the step's deadline; None when it has none."""
        return None if self.deadline is None else max(0.0, self.deadline - anyio.current_time())

    @property
    def domain(self) -> str | None:
        """The domain whose credentials and network this call uses."""
        return self.narrowing.domain or self.tool.domain
