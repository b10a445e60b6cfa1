"""A world to run skills in for a month: tokens that expire, a network that a sleeping laptop loses, and other faults.

All of it is drawn by seed. What does not depend on what the runs do (when the machine sleeps, which call meets a random
fault) is the same in every month of that seed, so that two months differ only by what the engine did in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Literal

import anyio

from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolError

HOUR, DAY = 3_600.0, 86_400.0
TOKEN_LASTS = 11 * HOUR
"""A login in the morning holds for the day, and is over the next morning."""
LOST_AFTER_SLEEP = 0.85
"""How often the network is gone after a sleep."""
DROPS = 1 / (60 * HOUR)
"""How often the network goes while the machine is awake, and how often a token is revoked, per second."""
LOGIN, CONNECT, CONNECTED = 7.0, 10.0, 2.0
"""Seconds: of a login (needed or not), of connecting, and of seeing that there is nothing to connect."""
REFUSED, UNREACHABLE = 3.0, 8.0
"""Seconds until a call without a valid token has failed, and one without the network."""
FAULTS: Sequence[tuple[str, float]] = (
    ("timeout", 0.006),
    ("server_error", 0.008),
    ("restarting", 0.004),
    ("code_error", 0.004),
    ("image_not_found", 0.003),
)
"""Faults with other causes, per call."""
MAINTENANCE = (8.0, 9.0, 0.2)
"""On Mondays between these hours so many calls to a cluster answer 503: at the time of the expired token, and for
another cause."""

Cause = Literal["", "token", "revoked", "network", "dropped", "other"]
"""Why a call failed: its token had run out or was revoked, the network was lost in a sleep or dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """The machine slept from `begin` to `end`, in seconds since the epoch."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What really happened in one call or fix: `cause` is why a call failed, `needed` whether a fix was."""

    run: str
    step: str
    tool: str
    at: float
    seconds: float
    cause: Cause = ""
    fix: bool = False
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """When the machine sleeps and when somebody runs something; drawn from the seed alone."""

    start: datetime
    end: datetime
    sleeps: tuple[Sleep, ...]
    runs: tuple[tuple[float, str], ...]

    @classmethod
    def drawn(cls, seed: int, number: int, *, runs: int, days: int, skills: Sequence[tuple[str, float]]) -> Month:
        """Month `number` (0, 1, ...), of `days` days, with `runs` runs of the skills by their shares."""
        random = Random(f"{seed} {number}")  # noqa: S311 - drawn the same every time
        start = datetime.fromisoformat("2026-11-02T00:00:00+00:00") + number * timedelta(days=days)
        awake = [span for day in range(days) for span in _awake(random, start + timedelta(days=day))]
        lengths = [end - begin for begin, end in awake]
        spans = random.choices(awake, weights=lengths, k=runs)
        times = sorted(random.uniform(begin, end) for begin, end in spans)
        names, shares = zip(*skills, strict=True)
        first = start.timestamp()
        last = start + timedelta(days=days)
        edges = [first, *(edge for span in awake for edge in span), last.timestamp()]
        sleeps = tuple(Sleep(begin=begin, end=end) for begin, end in zip(edges[::2], edges[1::2], strict=True))
        drawn = tuple((at, random.choices(names, weights=shares)[0]) for at in times)
        return cls(start=start, end=last, sleeps=sleeps, runs=drawn)


def _awake(random: Random, day: datetime) -> list[tuple[float, float]]:
    """When the machine is awake on one day: working days with or without a lunch and an evening, some week-ends."""
    midnight = day.timestamp()

    def span(begin: float, end: float) -> tuple[float, float]:
        return midnight + begin * HOUR, midnight + end * HOUR

    weekend, evening = day.weekday() >= 5, random.random() < 0.25  # noqa: PLR2004 - Saturday
    if weekend:
        return [span(random.uniform(9.5, 11), random.uniform(12, 14))] if random.random() < 0.3 else []  # noqa: PLR2004
    begin, noon, back = random.uniform(7.8, 8.8), random.uniform(12, 12.5), random.uniform(12.9, 13.5)
    end = random.uniform(17, 18.5)
    spans = [span(begin, noon), span(back, end)] if random.random() < 0.7 else [span(begin, end)]  # noqa: PLR2004
    return [*spans, span(random.uniform(20, 21), random.uniform(21.5, 22.8))] if evening else spans


@dataclass(slots=True)
class World:
    """What the tools meet.

    `clock` gives seconds since the epoch, `gone` is why there is no network, `log` what really happened.
    """

    seed: int
    months: Sequence[Month]
    clock: Callable[[], float]
    log: list[Touched] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    gone: Cause = ""
    _settled: float = 0.0
    _calls: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def sleeps(self) -> tuple[Sleep, ...]:
        """When the machine slept, or will."""
        return tuple(sleep for month in self.months for sleep in month.sleeps)

    def asleep(self) -> float:
        """Seconds the machine has slept until now."""
        now = self.clock()
        return sum(max(0.0, min(now, sleep.end) - sleep.begin) for sleep in self.sleeps if sleep.begin < now)

    def settle(self) -> None:
        """Lets happen what has happened since the last look: sleeps, drops of the network, revoked tokens."""
        before, now = self._settled or self.months[0].start.timestamp(), self.clock()
        self._settled = now
        for number, sleep in enumerate(self.sleeps):
            if before < sleep.end <= now and self._drawn("lost", number) < LOST_AFTER_SLEEP:
                self.gone = self.gone or "network"
        for minute in range(int(before // 60) + 1, int(now // 60) + 1):
            if not self.gone and self._drawn("drop", minute) < DROPS * 60:
                self.gone = "dropped"
            for name in [name for name in self.tokens if self._drawn("revoked", name, minute) < DROPS * 60]:
                self.tokens[name] = -1.0

    async def call(
        self, context: ToolContext, name: str, *, network: bool, token: bool, cluster: bool
    ) -> dict[str, Any]:
        """One call: it takes its time, and fails if it must."""
        begun = self.clock()
        self.settle()
        number = self._calls[context.run_id, context.step] = self._calls.get((context.run_id, context.step), 0) + 1
        cause: Cause = (self.gone if network else "") or (self._spent(context) if token else "")
        fault = "" if cause else self._fault(context, number, cluster=cluster)
        try:
            await self._act(context, cause, fault)
        finally:
            found: Cause = cause or ("other" if fault else "")
            took = self.clock() - begun
            self.log.append(
                Touched(run=context.run_id, step=context.step, tool=name, at=begun, seconds=took, cause=found)
            )
        return {"answer": name}

    async def _act(self, context: ToolContext, cause: Cause, fault: str) -> None:
        match cause or fault:
            case "network" | "dropped":
                await anyio.sleep(UNREACHABLE)
                raise ToolError("connect: No route to host", errno="EHOSTUNREACH", sent=False)
            case "token" | "revoked":
                await anyio.sleep(REFUSED)
                raise ToolError("the server said 401", http_status=401, output="error: Unauthorized", sent=True)
            case "timeout":
                await anyio.sleep(20.0)
                raise ToolError("no answer", errno="ETIMEDOUT")
            case "server_error":
                await anyio.sleep(1.0)
                raise ToolError("the server said 503", http_status=503, sent=True)
            case "restarting":
                await anyio.sleep(0.1)
                raise ToolError("connect: Connection refused", errno="ECONNREFUSED", sent=False)
            case "code_error":
                raise ToolError("KeyError: 'items'", kind="code_error")
            case "image_not_found":
                raise ToolError("manifest unknown", kind="image_not_found")
            case _:
                await anyio.sleep(1.0 + 4.0 * self._drawn("takes", context.run_id, context.step))

    async def log_in(self, context: ToolContext) -> str:
        """Gets a token, needed or not."""
        begun = self.clock()
        self.settle()
        needed = bool(self._spent(context))
        await anyio.sleep(LOGIN)
        self.tokens[str(context.settings["token"])] = self.clock() + TOKEN_LASTS
        self._fixed(context, "log_in", begun, needed=needed)
        return "logged in"

    async def connect(self, context: ToolContext) -> str:
        """Connects the network, if that is needed."""
        begun = self.clock()
        self.settle()
        needed = bool(self.gone)
        await anyio.sleep(CONNECT if needed else CONNECTED)
        self.gone = ""
        self._fixed(context, "connect", begun, needed=needed)
        return "connected"

    def _fixed(self, context: ToolContext, name: str, begun: float, *, needed: bool) -> None:
        took = self.clock() - begun
        self.log.append(
            Touched(run=context.run_id, step=context.step, tool=name, at=begun, seconds=took, fix=True, needed=needed)
        )

    def _spent(self, context: ToolContext) -> Cause:
        """Why the token of the call's domain is not good; empty when it is."""
        ends = self.tokens.get(str(context.settings.get("token")), 0.0)
        if ends > self.clock():
            return ""
        return "revoked" if ends < 0 else "token"

    def _fault(self, context: ToolContext, number: int, *, cluster: bool) -> str:
        """A fault with another cause that this call meets; a repeat of a call meets one of its own."""
        now = datetime.fromtimestamp(self.clock(), self.months[0].start.tzinfo)
        begin, end, share = MAINTENANCE
        drawn = self._drawn("fault", context.run_id, context.step, number)
        if cluster and now.weekday() == 0 and begin <= now.hour < end and drawn < share:
            return "server_error"
        for name, chance in FAULTS:
            if drawn < chance:
                return name
            drawn -= chance
        return ""

    def _drawn(self, *what: object) -> float:
        """A number from 0 to 1 that belongs to these words and the seed."""
        text = "\0".join(map(str, (self.seed, *what)))
        return int.from_bytes(sha256(text.encode()).digest()[:8], "big") / 2.0**64


def tools(world: World) -> list[Tool]:
    """The tools of that world: reads and writes in three domains, and the two fixes."""

    @tool(effect=Effect.READ, domain="cluster", timeout=30)
    async def list_namespaces(context: ToolContext) -> Any:
        """Lists namespaces; needs the token."""
        return await world.call(context, "list_namespaces", network=False, token=True, cluster=True)

    @tool(effect=Effect.READ, domain="cluster", timeout=30)
    async def list_pods(context: ToolContext) -> Any:
        """Lists pods; needs the token."""
        return await world.call(context, "list_pods", network=False, token=True, cluster=True)

    @tool(effect=Effect.WRITE, idempotent=True, domain="stage", timeout=30)
    async def deploy(context: ToolContext) -> Any:
        """Deploys; needs the network and the token."""
        return await world.call(context, "deploy", network=True, token=True, cluster=True)

    @tool(effect=Effect.READ, domain="forge", timeout=30)
    async def fetch(context: ToolContext) -> Any:
        """Fetches a merge request; needs the network."""
        return await world.call(context, "fetch", network=True, token=False, cluster=False)

    @tool(effect=Effect.WRITE, domain="forge", timeout=30)
    async def comment(context: ToolContext) -> Any:
        """Writes a comment; needs the network."""
        return await world.call(context, "comment", network=True, token=False, cluster=False)

    @tool(effect=Effect.READ, timeout=30)
    async def find_image(context: ToolContext) -> Any:
        """Finds an image; needs nothing."""
        return await world.call(context, "find_image", network=False, token=False, cluster=False)

    @tool(effect=Effect.WRITE, idempotent=True, fix=FixScope.CREDENTIALS, timeout=60)
    async def log_in(context: ToolContext) -> str:
        """Logs in at the cluster."""
        return await world.log_in(context)

    @tool(effect=Effect.WRITE, idempotent=True, fix=FixScope.CONNECTIVITY, timeout=60)
    async def connect(context: ToolContext) -> str:
        """Connects the network."""
        return await world.connect(context)

    return [tool_of(made) for made in (list_namespaces, list_pods, deploy, fetch, comment, find_image, log_in, connect)]
