"""What a healed call needs: the call itself, and what healing asks of the rooms around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Protocol

import anyio

from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import BreakerState, KnownIssue
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.past import PastStep
from engine.model.question import Ask
from engine.model.skill import HealOption
from tool_registry.tool import Tool, ToolContext


class Repeats(Protocol):
    """Says whether a step is called once more after a failure of that kind, which may be `repeatable`."""

    def __call__(self, kind: FailureKind, *, repeatable: bool) -> bool:
        """Whether it is."""


def never_repeats(kind: FailureKind, *, repeatable: bool) -> bool:  # noqa: ARG001 - the same for all
    """It is not."""
    return False


class Emit(Protocol):
    """Puts an event of the running step into the journal; durable before it returns when `durable`."""

    def __call__(self, kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
        """Sends one event."""


class Where(Protocol):
    """In which run and step a call is made."""

    @property
    def run_id(self) -> str:
        """The run."""

    @property
    def step(self) -> str:
        """The step's path; empty for the run itself."""


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

    `cleaning`: it takes back or ends what was done, so that nothing foreseen may keep it from being tried.
    `repeats` tells whether its `retry` will call once more: then a failure is not looked into yet.
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
    cleaning: bool = False
    repeats: Repeats = never_repeats

    @property
    def time_left(self) -> float | None:
        """Seconds until the step's deadline; None when it has none."""
        return None if self.deadline is None else max(0.0, self.deadline - anyio.current_time())

    @property
    def domain(self) -> str | None:
        """The domain whose credentials and network this call uses."""
        return self.narrowing.domain or self.tool.domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A call that a run will come to; `args` are those that are known before it begins.

    `named`: its step names the domain, which must be described then.
    """

    step: str
    tool: Tool
    domain: str | None
    args: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A run before its first step: the calls it will come to, in order. History tells how long its `skill` takes.

    It is in no step yet, and has no deadline of its own.
    """

    run_id: str
    skill: str
    emit: Emit
    calls: tuple[Upcoming, ...]
    step: str = ""
    time_left: float | None = None
