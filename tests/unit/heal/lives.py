"""One call over the lives of several processes: small real tools, a journal that outlives them, deaths on demand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from engine.errors import JournalError
from engine.heal.calls import Calls
from engine.heal.fix import FixRunner
from engine.heal.healer import Healer, Mends
from engine.heal.pipeline import Pipeline
from engine.heal.policy import HealPolicy
from engine.heal.request import HealRequest
from engine.heal.resume import resume
from engine.model.event import EventKind
from engine.model.failure import FailureKind, Pattern
from engine.model.heal import BreakerState, Domain, FixPlan, Healing, KnownIssue, Notice
from engine.model.outcome import Attempt, ToolCall
from engine.model.past import PastAttempt, PastFix, PastStep
from engine.model.secret import Secrets
from engine.model.skill import HealOption
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolError, ToolOutput

UNAUTHORISED = ToolError("the server said 401", http_status=401, sent=True)
RESET = ToolError("the line was cut", errno="ECONNRESET", sent=True)
SPOKEN = ToolError("it failed", exit_status=1, output="unauthorised, it seems")
HEARSAY = Pattern(id="hearsay", expression="^unauthorised", kind=FailureKind.AUTH_EXPIRED, fix="login", seen=4, right=4)
"""Too seldom seen to prove anything."""
DOOR = Domain(name="door", fixes={"login": FixPlan(call=ToolCall(tool="log_in"), cooldown=0.0)})

Act = Callable[[], Any]


class Died(BaseException):
    """The process was killed."""


@dataclass(slots=True)
class Book:
    """The events of one step; what is not durable is lost with its process.

    `dies_before` so many more events the process is killed; `breaks`: nothing can be kept; `shared`: other steps of the
    run make every event durable at once.
    """

    kept: list[tuple[EventKind, dict[str, Any]]] = field(default_factory=list)
    waiting: list[tuple[EventKind, dict[str, Any]]] = field(default_factory=list)
    dies_before: int | None = None
    breaks: bool = False
    shared: bool = False

    def emit(self, kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
        """Keeps an event, or lets it wait for the next durable one."""
        if self.dies_before is not None:
            self.dies_before -= 1
            if self.dies_before < 0:
                raise Died
        self.waiting.append((kind, dict(data)))
        if durable and self.breaks:
            raise JournalError("the disk is full")
        if durable or self.shared:
            self.kept += self.waiting
            self.waiting.clear()

    def dies(self) -> None:
        """The process is gone, and what it had not kept."""
        self.waiting.clear()
        self.dies_before = None

    def told(self, kind: EventKind) -> list[dict[str, Any]]:
        """The data of the kept and waiting events of one kind."""
        return [data for each, data in (*self.kept, *self.waiting) if each is kind]

    @property
    def kinds(self) -> list[str]:
        """The kinds of all events but the stages."""
        return [kind.value for kind, _ in (*self.kept, *self.waiting) if kind is not EventKind.HEAL_STAGE]

    def past(self, *, lost: bool = False) -> PastStep:
        """The step as a resumed run is told of it."""
        attempts: dict[int, PastAttempt] = {}
        fixes: list[PastFix] = []
        for kind, data in self.kept:
            match kind:
                case EventKind.ATTEMPT_STARTED:
                    number = data["number"]
                    attempts[number] = PastAttempt(number=number, tool=data["tool"], started_at=1.0)
                case EventKind.ATTEMPT_FINISHED:
                    names = ("number", "tool", "started_at", "ok", "finished_at", "value", "failure")
                    attempts[data["number"]] = PastAttempt(**{name: data[name] for name in names})
                case EventKind.FIX_STARTED:
                    about = {name: data[name] for name in ("fix", "domain", "call", "kind", "signature", "pattern")}
                    fixes.append(PastFix(**about, after=len(attempts)))
                case EventKind.FIX_FINISHED:
                    ended = {name: data[name] for name in ("ok", "shared", "started_at", "finished_at", "failure")}
                    fixes[-1] = replace(fixes[-1], **ended)
        return PastStep(path="order", attempts=tuple(attempts.values()), fixes=tuple(fixes), lost=lost)


class NothingKnown:
    """Figures and notes of a workspace that is new."""

    def effectiveness(self, fix: str, domain: str) -> tuple[int, int]:
        """Nothing was tried."""
        del fix, domain
        return (0, 0)

    def breaker(self, fix: str, domain: str, signature: str) -> BreakerState:
        """Nothing has opened."""
        del fix, domain, signature
        return BreakerState.CLOSED

    def known(self, tool: str, text: str) -> tuple[KnownIssue, ...]:
        """Nobody has written anything down."""
        del tool, text
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mender:
    """What heals, without what is learnt."""

    pipeline: Pipeline

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:
        """As the engine's."""
        return await self.pipeline.heal(request, first)

    async def resume(self, request: HealRequest) -> Healing:
        """As the engine's."""
        return await resume(self.pipeline, request)

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Nothing."""
        del run_id
        return ()


@dataclass(slots=True, kw_only=True)
class Shop:
    """A tool `order`, its `verify`, a fix `log_in`; `calls` holds what was called, `placed` counts what took effect.

    `acts` are what `order` does, call by call: a value, an error, or a function; when they are used up it works.
    `verdict` is what `was_placed` says: None the truth, else that.
    """

    folder: Path
    effect: Effect = Effect.WRITE
    idempotent: bool = False
    verifies: bool = False
    acts: list[Any] = field(default_factory=list)
    log_in_acts: list[Any] = field(default_factory=list)
    log_in_idempotent: bool = True
    verdict: Any = None
    policy: HealPolicy = field(default_factory=lambda: HealPolicy(pause=0.0))
    calls: list[str] = field(default_factory=list)
    placed: int = 0
    time: float = 100.0
    book: Book = field(default_factory=Book)

    def tools(self) -> tuple[Tool, ...]:
        """The three tools."""
        verify = "was_placed" if self.verifies else None
        order = {"effect": self.effect, "idempotent": self.idempotent, "verify": verify, "domain": "door"}
        fix = {"effect": Effect.WRITE, "idempotent": self.log_in_idempotent, "fix": FixScope.CREDENTIALS}
        return (
            Tool(name="order", call=self._tool("order", self.acts, self.place), **order),  # type: ignore[arg-type]
            Tool(name="was_placed", call=self._tool("was_placed", [], self._look)),
            Tool(name="log_in", call=self._tool("log_in", self.log_in_acts, lambda: "in"), **fix),  # type: ignore[arg-type]
        )

    def _tool(self, name: str, acts: list[Any], usual: Act) -> Callable[..., Awaitable[ToolOutput]]:
        async def call(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
            self.calls.append(name)
            await anyio.lowlevel.checkpoint()
            act = acts.pop(0) if acts else usual
            if isinstance(act, BaseException):
                raise act
            return ToolOutput(value=act() if callable(act) else act)

        return call

    def place(self) -> Any:
        """Places an order."""
        self.placed += 1
        return {"number": self.placed}

    def _look(self) -> Any:
        if isinstance(self.verdict, Exception):
            raise self.verdict
        truth = {"happened": self.placed > 0, "value": {"number": self.placed}}
        return truth if self.verdict is None else self.verdict

    def placed_then(self, error: BaseException) -> Act:
        """An order that is placed, and whose answer is lost."""

        def act() -> Any:
            self.place()
            raise error

        return act

    def clock(self) -> float:
        """Later each time."""
        self.time += 1.0
        return self.time

    def healer(self) -> Healer:
        """What one process calls tools with."""
        calls = Calls(registry=ToolRegistry(*self.tools()), contexts=lambda **_: ToolContext(), clock=self.clock)
        pipeline = Pipeline(
            calls=calls,
            domains={"door": DOOR},
            policy=lambda: self.policy,
            fixes=FixRunner(folder=self.folder, clock=self.clock, secrets=Secrets()),
            facts=NothingKnown(),
            patterns=lambda: (HEARSAY,),
            known_fixes=NothingKnown(),
        )
        mends: Mends = Mender(pipeline=pipeline)
        return Healer(calls=calls, mending=lambda: mends)

    def request(self, **rest: Any) -> HealRequest:
        """The one call."""
        tool = self.tools()[0]
        given = {"narrowing": HealOption(), "timeout": 5.0, **rest}
        call = ToolCall(tool="order", args={})
        return HealRequest(call=call, tool=tool, run_id="run", step="order", emit=self.book.emit, **given)

    async def call(self, **rest: Any) -> Healing:
        """The call in this process."""
        return await self.healer().call(self.request(**rest))

    async def call_and_die(self, **rest: Any) -> None:
        """The call in a process that is killed in it."""
        try:
            await self.call(**rest)
        except Died:
            self.book.dies()
        else:
            raise AssertionError("it did not die")

    async def go_on(self, *, lost: bool = False, **rest: Any) -> Healing:
        """The call in the next process."""
        self.book.dies()
        return await self.call(past=self.book.past(lost=lost), **rest)
