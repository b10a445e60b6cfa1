"""Doing a step's action again: an author's `retry` after failures, `until` its condition holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio

from engine.attempt import failure_of
from engine.errors import SandboxError
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import RetryOption, Step, UntilOption
from engine.run.ending import HALTED, RESTING, Acted
from engine.run.frame import Judge

Act = Callable[[tuple[Healing, ...]], Awaitable[Acted]]
"""Does the action once, after the rounds that came before."""
Holds = Callable[[Any], bool]
"""Whether the author's `until` holds for a value. Raises SandboxError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """The rounds of one step; `deadline` is on anyio's clock, `between` is told of a round that another one follows."""

    step: Step
    act: Act
    judge: Judge | None
    holds: Holds
    deadline: float | None
    between: Callable[[Healing], None]

    async def run(self) -> Acted:
        """What the last round gave, with the attempts, fixes and the first failure of all of them."""
        earlier: tuple[Healing, ...] = ()
        failures = 0
        while True:
            acted = self._judged(await self.act(earlier))
            if acted.ending in (RESTING, HALTED):
                return acted
            acted, pause = self._next(acted, failures)
            if pause is None:
                return replace(acted, healing=joined((*earlier, acted.healing)))
            failures = 0 if acted.healing.ok else failures + 1
            earlier = (*earlier, acted.healing)
            self.between(acted.healing)
            await anyio.sleep(pause)

    def _judged(self, acted: Acted) -> Acted:
        wrong = self.judge(acted.healing.value) if self.judge and acted.healing.ok else None
        if wrong is None or acted.ending is not None:
            return acted
        return Acted(healing=replace(acted.healing, value=None, failure=wrong))

    def _next(self, acted: Acted, failures: int) -> tuple[Acted, float | None]:
        """The round as it counts, and the seconds until the next one; None when it was the last."""
        if not acted.healing.ok:
            return self._after_failure(acted, failures)
        if self.step.until is None or acted.ending is not None:
            return acted, None
        return self._after_value(acted, self.step.until)

    def _after_failure(self, acted: Acted, failures: int) -> tuple[Acted, float | None]:
        retry, failure = self.step.retry, acted.healing.failure
        if retry is None or failure is None or failures + 1 >= retry.attempts:
            return acted, None
        if retry.on and failure.kind not in retry.on:
            return acted, None
        if not acted.healing.repeatable:
            return _with_reason(acted, "`retry` did not repeat it, for it may have had its effect"), None
        pause = max(delay_of(retry, failures), acted.healing.retry_after or 0.0)
        if self.deadline is not None and anyio.current_time() + pause >= self.deadline:
            return _with_reason(acted, f"`retry` had to wait {pause:g} s, longer than the step may take"), None
        return acted, pause

    def _after_value(self, acted: Acted, until: UntilOption) -> tuple[Acted, float | None]:
        try:
            if self.holds(acted.healing.value):
                return acted, None
        except SandboxError as error:
            return _failed(acted, failure_of(error, tool="until")), None
        if self.deadline is not None and anyio.current_time() + until.every >= self.deadline:
            said = f"{until.condition.text} did not become true within {until.timeout:g} s"
            return _failed(acted, Failure(message=said, kind=FailureKind.TIMEOUT)), None
        return acted, until.every


def delay_of(retry: RetryOption, failures: int) -> float:
    """Seconds before the next try after `failures` + 1 failures; `jitter` is the share by which it may be off."""
    delay = retry.delay * retry.backoff**failures
    if not retry.jitter:
        return float(delay)
    import random  # noqa: PLC0415 - late: few skills ask for it

    return float(delay * (1 + retry.jitter * random.uniform(-1, 1)))  # noqa: S311 - spreads load, guards nothing


def joined(rounds: tuple[Healing, ...]) -> Healing:
    """One healing out of several rounds: the last one's end, everything that happened on the way."""
    if len(rounds) == 1:
        return rounds[0]
    first = next((each for each in rounds if each.first_failure or each.failure), None)
    return replace(
        rounds[-1],
        attempts=tuple(attempt for each in rounds for attempt in each.attempts),
        fixes=tuple(fix for each in rounds for fix in each.fixes),
        first_failure=(first.first_failure or first.failure) if first else None,
        diagnosis=first.diagnosis if first else None,
        reason=rounds[-1].reason or ("worked when it was called again" if first and rounds[-1].ok else ""),
    )


def _failed(acted: Acted, failure: Failure) -> Acted:
    return replace(acted, healing=replace(acted.healing, value=None, failure=failure))


def _with_reason(acted: Acted, reason: str) -> Acted:
    said = f"{acted.healing.reason}; {reason}" if acted.healing.reason else reason
    return replace(acted, healing=replace(acted.healing, reason=said))
