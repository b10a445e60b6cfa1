"""A rehearsal as values: what a skill is given, what its tools answer, what must come of it, and what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from engine.model.event import Event
from engine.model.heal import HealMode
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place, Text

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
"""When a rehearsed run starts, unless the rehearsal says otherwise: a test must not depend on the day it is run."""

REFUSED = "refused"
"""The status of a run that did not even begin."""
NOT_REACHED = "not_reached"
"""The status of a step that a run has not come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One thing that must be so: `way` is where it stands in words (`expect.steps.deploy`), `key` what it is about."""

    way: str
    place: Place
    value: Any = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a rehearsal; None and empty mean that anything may.

    `all_steps` says that `steps` are all there may be, in that order. Values are matched by
    `engine.run.rehearsal.matching`.
    """

    status: Wanted
    message: Wanted | None = None
    refused: Wanted | None = None
    steps: tuple[Wanted, ...] = ()
    all_steps: bool = False
    order: tuple[Wanted, ...] = ()
    calls: tuple[Wanted, ...] = ()
    heals: tuple[Wanted, ...] = ()
    outputs: tuple[Wanted, ...] = ()
    questions: Wanted | None = None
    holds: tuple[Text, ...] = ()
    no_events: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSpec:
    """One canned answer as it is written."""

    spec: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """An answer that comes instead of the usual one: for call number `call` of a step, of a tool, or of both."""

    answer: AnswerSpec
    step: str = ""
    tool: str = ""
    call: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashPoint:
    """Where the process dies: when the end of a step has been recorded, or `during` its call."""

    step: str
    place: Place
    during: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A skill played with canned answers; `place` is where it stands, `skill_place` where its skill is named.

    `tool_places` are where the tools of `tools` are named. `config` and `domains` are laid over the workspace's; `heal`
    None is the workspace's policy; `timeout` in seconds.
    """

    name: str
    skill: str
    place: Place
    skill_place: Place
    expected: Expected
    description: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Wanted] = field(default_factory=dict)
    tools: Mapping[str, tuple[AnswerSpec, ...]] = field(default_factory=dict)
    tool_places: Mapping[str, Place] = field(default_factory=dict)
    injections: tuple[Injection, ...] = ()
    crashes: tuple[CrashPoint, ...] = ()
    profile: str | None = None
    domains: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    heal: HealMode | None = None
    clock: datetime = START
    timeout: float | None = None
    no_secrets: tuple[Wanted, ...] = ()


class CallEnd(StrEnum):
    """How a call of a canned tool ended; `cut` when the process died in it, `unanswered` when nothing was canned."""

    VALUE = "value"
    FAILURE = "failure"
    CUT = "cut"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCall:
    """One call of a tool; `why` says for an unanswered one what was missing."""

    tool: str
    step: str
    args: Mapping[str, Any]
    end: CallEnd
    why: str = ""

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.args.items())
        return f"{self.tool}({inner})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedStep:
    """How a step ended, as history has it."""

    path: str
    status: str
    kind: str | None = None
    error: str | None = None
    attempts: int = 0
    duration: float = 0.0
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a rehearsal.

    `heals` are the fixes that ran, by step; `unmet` are things the rehearsal prepared and that never came to pass.
    """

    status: str
    run_id: str = ""
    message: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    steps: tuple[PlayedStep, ...] = ()
    heals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: tuple[PlayedCall, ...] = ()
    questions: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    unmet: tuple[Difference, ...] = ()
    duration: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it must be; `sides` are what was expected and what came, where both can be shown."""

    place: Place
    way: str
    message: str
    sides: tuple[Any, Any] | None = None
