"""What a run would do, as values: the answer of a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, Literal

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus
from engine.model.place import Finding, Place, Severity
from engine.model.question import Question


class Verdict(StrEnum):
    """What would become of a step.

    `depends`: whether it runs hangs on what is not known yet. `may_stop`: it would end the run, if its condition held.
    `cannot_run`: something it needs is missing. `not_reached`: the run would surely have ended before.
    """

    WOULD_RUN = "would_run"
    SKIPPED = "would_be_skipped"
    DEPENDS = "depends"
    WOULD_STOP = "would_stop"
    MAY_STOP = "may_stop"
    WOULD_FAIL = "would_fail"
    CANNOT_RUN = "cannot_run"
    NOT_REACHED = "not_reached"


MAY_RUN = frozenset({Verdict.WOULD_RUN, Verdict.DEPENDS, Verdict.WOULD_FAIL, Verdict.CANNOT_RUN})
"""Verdicts of a step whose needs count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read that was really called; `failure` says why it failed, `believed` whether the run would see the same."""

    seconds: float
    failure: str = ""
    believed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """The list of a `foreach`: how many elements (None: not known), of which `left_out` are not planned one by one."""

    bind: str
    count: int | None = None
    parallel: int = 1
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step as a run would meet it; everything shown is masked and holds a mark for each unknown.

    `because` is why the verdict, `depends` what it hangs on; `unknown` names, for each argument (or `message`,
    `question`, `heal.domain`, `inputs.NAME`) that is not known, what that hangs on. `value` is there when `known`:
    computed, or read. `elsewhere`: its `domain` is not the tool's own, but one that the step names. `stops` and
    `message` are how a `stop` ends the skill; `skill` is the one that is called.
    """

    path: str
    name: str
    action: str
    verdict: Verdict
    place: Place
    section: str = "steps"
    because: str = ""
    depends: tuple[str, ...] = ()
    tool: str = ""
    effect: str = ""
    domain: str = ""
    elsewhere: bool = False
    skill: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: bool = False
    value: Any = None
    look: Look | None = None
    elements: Elements | None = None
    question: Question | None = None
    stops: str = ""
    message: str = ""
    repeats: str = ""
    on_error: str = "fail"
    secret: bool = False
    heal: Mapping[str, Any] = field(default_factory=dict)
    undo: PlannedStep | None = None
    steps: tuple[PlannedStep, ...] = ()

    @property
    def calls(self) -> bool:
        """Whether it may call something itself; a `foreach` as a whole leaves that to its elements."""
        return self.verdict in MAY_RUN and self.elements is None

    @property
    def may_fail(self) -> bool:
        """Whether it is not certain to work: neither computed nor read, with unknown texts, or holding such a step."""
        if self.verdict in {Verdict.SKIPPED, Verdict.NOT_REACHED}:
            return False
        if self.unknown or self.depends or self.steps:
            return bool(self.unknown or self.depends) or any(each.may_fail for each in self.steps)
        believed = self.known and (self.look is None or self.look.believed)
        return not believed and self.verdict is not Verdict.WOULD_STOP

    def walk(self) -> Iterator[PlannedStep]:
        """This step, those inside it, and what would undo them."""
        yield self
        for step in self.steps:
            yield from step.walk()
        if self.undo is not None:
            yield from self.undo.walk()


GOOD = "good"
"""What a check found that found nothing amiss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something steps need, and whether it is there; `found` says where or what, `way_out` what to do if it is not.

    `needed` is False when every one of the steps may be skipped, or may fail without harm.
    """

    kind: Literal["program", "environment", "module", "domain", "setting", "check", "token", "interpreter"]
    name: str
    there: bool
    found: str = ""
    way_out: str = ""
    steps: tuple[str, ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something unknown that other steps hang on, and the paths of those that wait for it.

    `given_by` is the tool that will give it, else a word for what does; `why` tells why it is not known.
    """

    name: str
    given_by: str
    why: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How long runs of the skill took: the mean of the last good ones, in seconds, and of how many."""

    seconds: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEnd:
    """Where the run would surely end early: at which step, and how."""

    status: RunStatus
    step: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOutput:
    """An output as it would be, marks in it; `unknown` is what it hangs on."""

    name: str
    value: Any = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a dry run found out; nothing was written, and without `reads` nothing was called."""

    skill: str
    file: str
    profile: str
    reads: bool
    inputs: Mapping[str, Any]
    steps: tuple[PlannedStep, ...]
    always: tuple[PlannedStep, ...] = ()
    outputs: tuple[PlannedOutput, ...] = ()
    needs: tuple[Need, ...] = ()
    sources: tuple[Source, ...] = ()
    findings: tuple[Finding, ...] = ()
    expected: Expected | None = None
    end: PlannedEnd | None = None

    def walk(self) -> Iterator[PlannedStep]:
        """Every step, however deep, in the order of the file."""
        for step in (*self.steps, *self.always):
            yield from step.walk()

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools it would call, or may call, by name."""
        called = {step.tool for step in self.walk() if step.tool and step.calls}
        return tuple(sorted(called))

    @property
    def missing(self) -> tuple[Need, ...]:
        """The needs that are not there, and without which the run would fail."""
        return tuple(need for need in self.needs if need.needed and not need.there)

    @property
    def failure(self) -> str:
        """Why it would fail: how it would surely end, else the first step found that would fail; empty if nothing."""
        if self.end is not None and self.end.status is RunStatus.FAILED:
            return self.end.message
        return next((each.message for each in self.findings if each.severity is Severity.ERROR), "")

    @property
    def status(self) -> RunStatus:
        """How a run would end as far as can be known: `failed`, `blocked` (also when a need is missing), or `ok`.

        A step that would fail counts, even where it is not certain that the run comes to it.
        """
        if self.failure:
            return RunStatus.FAILED
        if self.missing or (self.end is not None and self.end.status is RunStatus.BLOCKED):
            return RunStatus.BLOCKED
        return RunStatus.OK
