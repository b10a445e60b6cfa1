"""What is taken for a repair by hand, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.history.lessons import FailedCall, PastCall
from engine.improve.groups import Sighting, sighting
from engine.improve.offers import offers, same_words
from engine.improve.repairs import WITHIN, Repair, Surroundings, Timeline, outcomes, repairs
from engine.improve.stale import weight, weights
from engine.model.heal import Domain, FixPlan
from engine.model.improvement import Proposal
from engine.model.outcome import ToolCall
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool

DAY = 86_400.0


def _tools() -> dict[str, Tool]:
    @tool(effect=Effect.READ, domain="door")
    async def look() -> None:
        """Looks."""

    @tool(effect=Effect.READ, domain="door")
    async def peek() -> None:
        """Looks, too."""

    @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS)
    async def log_in() -> None:
        """Logs in."""

    @tool(effect=Effect.WRITE, domain="door")
    async def sweep() -> None:
        """Sweeps."""

    return {made.name: made for made in map(tool_of, (look, peek, log_in, sweep))}


AROUND = Surroundings(
    tools=_tools(), domains={"door": Domain(name="door", fixes={"login": FixPlan(call=ToolCall(tool="log_in"))})}
)


@dataclass
class Days:
    """Calls of some days, and what they were called with."""

    calls: list[PastCall] = field(default_factory=list)
    given: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)

    def call(
        self,
        at: float,
        name: str,
        *,
        run: str,
        skill: str = "other",
        ok: bool = True,
        args: dict[str, Any] | None = None,
    ) -> None:
        """One call."""
        place = (len(self.calls), 1)
        self.calls.append(PastCall(run, skill, "step", name, ok, at, at + 1, place))
        self.given[place] = args or {}

    def arguments(self, call: PastCall) -> Mapping[str, Any]:
        """What it was called with."""
        return self.given[call.place]

    def found(self, *seen: Sighting) -> tuple[Repair, ...]:
        """The repairs."""
        return repairs(seen, Timeline(self.calls), AROUND, self)

    def offered(self, *seen: Sighting, known: bool = False) -> Sequence[Proposal]:
        """What is offered."""
        return list(offers(self.found(*seen), AROUND, self, mask=lambda value: value, known=lambda _tool, _text: known))


def failed(
    at: float = 10.0, *, run: str = "r1", skill: str = "visit", kind: str = "unknown", ok: bool = False
) -> Sighting:
    """A step that failed."""
    failure = {"message": "failed", "evidence": {"text": f"the porter turned visitor {run} away"}}
    status = "healed" if ok else "failed"
    seen = sighting(FailedCall(run, skill, "step", "look", kind, "failed", "", status, ok, at, failure))
    assert seen is not None
    return seen


def test_a_fix_between_failure_and_success_is_the_repair() -> None:
    """Even where something else was done after it; who logged in and got through had no credentials."""
    days = Days()
    days.call(20, "log_in", run="r2")
    days.call(30, "sweep", run="r3")
    days.call(40, "peek", run="r4")
    days.call(50, "look", run="r5", skill="visit")
    (found,) = days.found(failed())
    assert found.by is not None
    assert found.by.tool == "log_in"
    assert outcomes([found], AROUND) == {("r1", "step"): "auth_expired"}
    (proposal,) = days.offered(failed())
    assert (proposal.error_pattern, proposal.fix_applied) == ("the porter turned visitor", "Run log_in()")


def test_the_same_arguments_are_the_same_call() -> None:
    """In whatever skill; others are another call."""
    for args, count in (({"name": "ann"}, 1), ({"name": "bob"}, 0)):
        days = Days()
        days.call(9, "look", run="r1", skill="visit", ok=False, args={"name": "ann"})
        days.call(20, "sweep", run="r2")
        days.call(30, "look", run="r3", skill="elsewhere", args=args)
        assert len(days.found(failed())) == count


def test_looking_repairs_nothing() -> None:
    """A call that only reads is no repair; that it works later is said only after the third time."""
    days = Days()
    days.call(20, "peek", run="r2")
    days.call(30, "look", run="r3", skill="visit")
    (found,) = days.found(failed())
    assert found.by is None
    assert days.offered(failed()) == []
    (proposal,) = days.offered(failed(), failed(11, run="r7"), failed(12, run="r8"))
    assert proposal.fix_applied == "Run it again after a while"


def test_the_steps_of_the_failed_skill_are_no_repair() -> None:
    """They are done every time; neither is what the monitor does."""
    days = Days()
    days.call(20, "log_in", run="r3", skill="visit")
    days.call(21, "log_in", run="r4", skill="health")
    days.call(30, "look", run="r3", skill="visit")
    (found,) = days.found(failed())
    assert found.by is None


def test_single_calls_are_no_steps_of_one_skill() -> None:
    """All of them are runs of `tool_exec`: a login by hand is a repair, and other arguments are another call."""
    days = Days()
    days.call(9, "look", run="r1", skill="tool_exec", ok=False, args={"name": "ann"})
    days.call(20, "look", run="r2", skill="tool_exec", args={"name": "bob"})
    days.call(30, "log_in", run="r3", skill="tool_exec")
    days.call(40, "look", run="r4", skill="tool_exec", args={"name": "ann"})
    (found,) = days.found(failed(skill="tool_exec"))
    assert found.worked.run_id == "r4"
    assert found.by is not None
    assert found.by.tool == "log_in"


def test_what_works_the_next_day_has_other_reasons() -> None:
    """Four hours are a morning."""
    days = Days()
    days.call(20, "log_in", run="r2")
    days.call(10 + WITHIN + 1, "look", run="r3", skill="visit")
    assert days.found(failed()) == ()


def test_what_healing_repaired_or_named_is_no_news() -> None:
    """An auto-fixed step needs no person, and a login for expired credentials is what the engine suggests itself."""
    days = Days()
    days.call(20, "log_in", run="r2")
    days.call(30, "look", run="r3", skill="visit")
    assert days.found(failed(ok=True)) == ()
    assert days.offered(failed(kind="auth_expired")) == []
    assert days.offered(failed(), known=True) == []


def test_words_to_look_for_are_those_that_stay_the_same() -> None:
    """The longest part that nothing was levelled in."""
    assert same_words("lease <hash> of <path> was revoked by the warden at <time>.") == "was revoked by the warden at"
    assert same_words("<n> <path>") == ""
    assert same_words("no: <n>") == ""
    assert len(same_words("word " * 100)) <= 200


def test_what_is_not_seen_counts_half_after_each_period() -> None:
    """Until nothing is left of it; what was seen today counts wholly."""
    assert [weight(0, days * DAY, stale_after=90 * DAY) for days in (0, 89, 90, 180, 1000)] == [1, 1, 0.5, 0.25, 0.0]
    assert weights({"a": 0.5, "b": 0.25}, {"a": 100 * DAY}, 100 * DAY, stale_after=90 * DAY) == {"a": 1.0, "b": 0.25}
