"""When a fix is not trusted any more: a circuit breaker per fix and domain, computed from what the fix did.

Nothing is stored: the state follows from the outcomes in history, so every process sees the same breaker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from math import comb
from typing import Protocol

from engine.heal.detect import normalise, told_line
from engine.model.failure import Diagnosis
from engine.model.heal import BreakerState
from engine.model.lazy_dataclass import dataclass

WINDOW = 20
"""Outcomes the posterior looks at (HEALING, "Circuit breaker")."""

ACCEPTABLE = 0.70
"""A fix should help in at least this share of cases (HEALING; the reference's threshold)."""

CERTAINTY = 0.95
"""How sure the posterior must be that it does not, before the breaker opens (HEALING)."""

FRUITLESS = 3
"""Attempts at one error signature without any success that open the breaker (HEALING; the reference's number). Fewer
never open it: two unlucky first attempts would be enough for the posterior, and at a true rate of 85 % that alone trips
3.5 % of breakers within 50 attempts instead of 1.9 % (40,000 simulated)."""

STRICT_WINDOW = 10
STRICT_LEAST = 7
"""The reference's literal rule, `strict`: open when fewer than 7 of the last 10 helped. At a true rate of 85 % it trips
41 % of breakers within 50 attempts (40,000 simulated), which is why it is not the default."""

COOLDOWN = 300.0
"""Seconds an open breaker rests before it lets one probe through."""


class Outcome(Protocol):
    """One run of a fix as history knows it; times are seconds since the epoch."""

    @property
    def ok(self) -> bool:
        """Whether the fix itself worked."""

    @property
    def helped(self) -> bool | None:
        """Whether the failed call worked afterwards; None until the retry tells."""

    @property
    def shared(self) -> bool:
        """Whether another step's run of the fix was used."""

    @property
    def signature(self) -> str:
        """What kind of error it was run against."""

    @property
    def finished_at(self) -> float:
        """When it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerVerdict:
    """The breaker's state, why, and when it changed last (seconds since the epoch; None: never)."""

    state: BreakerState
    because: str
    since: float | None = None


@dataclass(slots=True, kw_only=True)
class _Replay:
    """A breaker while its outcomes are replayed; only `state` sees one."""

    signature: str | None
    strict: bool
    counted: list[Outcome] = field(default_factory=list)
    opened_at: float | None = None
    reason: str = ""

    def take(self, outcome: Outcome) -> None:
        helped = _helped(outcome)
        if self.opened_at is not None and helped:
            # the probe worked: the count begins again, or the old failures would open it at once
            self.opened_at, self.counted = None, []
        self.counted = [*self.counted, outcome][-WINDOW:]
        if self.opened_at is not None:
            self.opened_at = outcome.finished_at
            return
        self.reason = self._reason_to_open()
        self.opened_at = outcome.finished_at if self.reason else None

    def _reason_to_open(self) -> str:
        worked = [_helped(outcome) for outcome in self.counted]
        if self.strict:
            return _strict_reason(worked)
        return _posterior_reason(sum(worked), len(worked)) or self._fruitless_reason()

    def _fruitless_reason(self) -> str:
        tried: dict[str, list[bool]] = {}
        for outcome in self.counted:
            tried.setdefault(outcome.signature, []).append(_helped(outcome))
        for signature, worked in tried.items():
            if len(worked) >= FRUITLESS and not any(worked) and self.signature in {None, signature}:
                return f"it was tried {len(worked)} times against the same error and never helped"
        return ""


def state(
    outcomes: Sequence[Outcome],
    now: float,
    *,
    signature: str | None = None,
    cooldown: float = COOLDOWN,
    strict: bool = False,
) -> BreakerVerdict:
    """The state of one fix's breaker in one domain, from its outcomes in any order.

    Opens when the posterior (uniform prior) says with 95 % that the fix helps in fewer than 70 % of cases, window of
    20, or after 3 attempts at one error signature without success: at `signature` only, if one is given. After
    `cooldown` seconds it is half open, for one probe: its success closes the breaker and starts a fresh count, its
    failure opens it again. Outcomes not yet known to have helped, and those shared with another step, do not count.
    """
    replay = _Replay(signature=signature, strict=strict)
    for outcome in _countable(outcomes):
        replay.take(outcome)
    if replay.opened_at is None:
        return BreakerVerdict(state=BreakerState.CLOSED, because=_closed_because(replay.counted))
    # It cannot have opened in the future: the clock was set back since, and nobody knows how long it has rested.
    rested = now - replay.opened_at if replay.opened_at <= now else cooldown
    if rested >= cooldown:
        because = f"It was switched off because {replay.reason}; it has rested {rested:.0f} s and may be tried once."
        return BreakerVerdict(state=BreakerState.HALF_OPEN, because=because, since=replay.opened_at)
    because = f"It is switched off because {replay.reason}; it may be tried again in {cooldown - rested:.0f} s."
    return BreakerVerdict(state=BreakerState.OPEN, because=because, since=replay.opened_at)


def posterior_below(helped: int, tried: int) -> float:
    """The probability that the true rate is below ACCEPTABLE, after `helped` of `tried`, from a uniform prior.

    The posterior is Beta(helped + 1, tried - helped + 1), whose distribution function is a binomial tail.
    """
    draws = tried + 1
    return sum(
        comb(draws, hits) * ACCEPTABLE**hits * (1 - ACCEPTABLE) ** (draws - hits)
        for hits in range(helped + 1, draws + 1)
    )


def signature(tool: str, diagnosis: Diagnosis, text: str) -> str:
    """A short text that is the same for the same error: times, ids, hashes, paths and numbers in it are levelled."""
    line = told_line(text, diagnosis.pattern) if diagnosis.pattern else _last_line(text)
    for expression, name in LEVELLED:
        line = expression.sub(name, line)
    return f"{tool}:{diagnosis.kind}:{line[:160].strip().lower()}"


LEVELLED: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(?:sha256:)?(?=[0-9a-f]{0,63}\d)[0-9a-f]{7,64}\b"), "<hash>"),
    (re.compile(r"(?<![\w:/])(?:~|\.{1,2})?/[\w.@%+~-]{1,100}(?:/[\w.@%+~-]{0,100}){0,20}"), "<path>"),
    (re.compile(r"0x[0-9a-fA-F]{1,16}|\d+"), "<n>"),
)
"""What differs between two sightings of one error, the more particular first. Host names stay: they are the error."""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in normalise(text).split("\n") if line.strip()]
    return lines[-1] if lines else ""


def _countable(outcomes: Iterable[Outcome]) -> list[Outcome]:
    known = [outcome for outcome in outcomes if not outcome.shared and (outcome.helped is not None or not outcome.ok)]
    return sorted(known, key=lambda outcome: outcome.finished_at)


def _helped(outcome: Outcome) -> bool:
    return outcome.ok and bool(outcome.helped)


def _strict_reason(worked: Sequence[bool]) -> str:
    last = worked[-STRICT_WINDOW:]
    if len(last) < STRICT_WINDOW or sum(last) >= STRICT_LEAST:
        return ""
    return f"it helped in only {sum(last)} of the last {STRICT_WINDOW} cases"


def _posterior_reason(helped: int, tried: int) -> str:
    if tried < FRUITLESS or posterior_below(helped, tried) < CERTAINTY:
        return ""
    return f"it helped in {helped} of the last {tried} cases, which is too few to be chance"


def _closed_because(counted: Sequence[Outcome]) -> str:
    worked = sum(_helped(outcome) for outcome in counted)
    return f"It helped in {worked} of the last {len(counted)} cases." if counted else "It was never tried here."
