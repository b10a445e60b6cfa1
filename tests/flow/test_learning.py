"""Learning from real histories: what many failures have in common is proposed, and acts only when a person agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import EventKind
from engine.frontends.cli.learn import night_of
from engine.improve.nightly import Report
from engine.improve.review import accept, reject
from engine.model.failure import FailureKind
from engine.model.improvement import About, Proposal
from tool_registry.tool import ToolError

LOOK = "steps:\n  - name: look\n    tool: look\n"
DAY = 86_400.0


class Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """A little later each time it is asked."""
        self.now += 0.001
        return self.now


@pytest.fixture
async def house(make_rig: Callable[..., Any]) -> Any:
    """A rig whose clock a test moves on."""
    rig = make_rig()
    rig.engine = replace(rig.engine, clock=Clock())
    yield rig
    await rig.engine.aclose()


def lease(number: int) -> ToolError:
    """An error that no pattern knows, and that is never said twice in the same words."""
    said = (
        f"lease {number:08x}f3a of /var/run/door-{number}/lock was revoked at 12:03:{number % 60:02} "
        f"by 10.0.0.{number}:8{number:03}"
    )
    return ToolError("failed", output=said, exit_status=3)


async def fail(house: Any, error: Callable[[int], ToolError], times: int, *, begin: int = 1) -> None:
    """As many runs that fail with it."""
    for number in range(begin, begin + times):
        house.door.failure = error(number)
        assert (await house.run(LOOK)).status == "failed"
        house.engine.clock.now += 60


def learn(house: Any) -> Report:
    """One night's job."""
    report = night_of(house.engine).learn(house.engine.clock())
    assert report.ok, report.parts
    return report


def only(report: Report, about: About = About.PATTERN) -> Proposal:
    """The one proposal of its sort."""
    (found,) = [each for each in report.offered if each.about is about]
    return found


def diagnoses(house: Any) -> list[tuple[str, str | None]]:
    """What each failure so far was taken for, and by which pattern."""
    stages = [event.data for event in house.events if event.data.get("stage") == "detect"]
    return [(data["kind"], data["pattern"]) for data in stages]


async def test_many_sightings_of_one_unknown_error_become_one_proposal(house: Any) -> None:
    """Ids, paths, times and addresses differ every time; there is one group, and one expression that fits the next."""
    await fail(house, lease, 12)
    proposal = only(learn(house))
    assert (proposal.times, proposal.kind, proposal.tools) == (12, "unknown", ("look",))
    assert "lease" in proposal.text
    assert "revoked" in proposal.pattern
    assert learn(house).offered == ()
    assert len(house.engine.memory.proposals.open()) == 1


async def test_a_proposal_does_nothing_before_it_is_accepted(house: Any) -> None:
    """The next failure is as unknown as those before; accepted, it has a name, and the pattern is the reason."""
    await fail(house, lease, 5)
    proposal = only(learn(house))
    await fail(house, lease, 1, begin=50)
    assert diagnoses(house)[-1] == ("unknown", None)
    accept(house.engine.memory, proposal, now=house.engine.clock(), kind=FailureKind.CONFLICT)
    await fail(house, lease, 1, begin=90)
    assert diagnoses(house)[-1] == ("conflict", proposal.id)
    assert house.engine.memory.findings() == ()


async def test_what_was_rejected_is_never_proposed_again(house: Any) -> None:
    """Neither it nor what is alike to it, however often it comes back in other words."""
    await fail(house, lease, 5)
    reject(house.engine.memory, only(learn(house)), now=house.engine.clock())

    def again(number: int) -> ToolError:
        return ToolError("failed", output=f"{lease(number).output} again", exit_status=3)

    await fail(house, lease, 10, begin=100)
    await fail(house, again, 30, begin=200)
    report = learn(house)
    assert (report.offered, report.waiting) == ((), 0)


async def test_different_errors_stay_different(house: Any) -> None:
    """Two errors of one tool are two proposals."""
    await fail(house, lease, 4)
    await fail(house, lambda number: ToolError("failed", output=f"hinge {number} creaks too loudly today"), 4)
    report = learn(house)
    assert len({each.text for each in report.offered}) == len(report.offered) == 2


async def test_structured_evidence_names_the_kind(house: Any) -> None:
    """Said with a 401 and without, the words mean what the status means; how often that held is what is written."""

    def spoken(number: int) -> ToolError:
        said = f"the porter has no entry for visitor {number} on today's sheet"
        return ToolError("refused", output=said, http_status=401 if number % 2 else None, exit_status=None)

    house.door.login_helps = False
    await fail(house, spoken, 12)
    proposal = only(learn(house))
    assert (proposal.kind, proposal.fix, proposal.seen, proposal.right) == ("auth_expired", "login", 6, 6)
    accept(house.engine.memory, proposal, now=house.engine.clock())
    (pattern,) = [each for each in house.engine.memory.patterns.all() if each.id == proposal.id]
    assert (pattern.seen, pattern.right, pattern.fix) == (6, 6, "login")


async def test_evidence_that_disagrees_leaves_the_kind_to_a_person(house: Any) -> None:
    """Half of them were one kind and half another: the proposal says so and names none."""

    def spoken(number: int) -> ToolError:
        statuses = [401, 409, None]
        said = f"the porter shook his head at visitor {number} once more"
        return ToolError("refused", output=said, http_status=statuses[number % 3])

    await fail(house, spoken, 12)
    proposal = only(learn(house))
    assert (proposal.kind, proposal.fix, proposal.seen) == ("unknown", "", 0)
    assert "no majority" in proposal.because


async def test_a_learnt_pattern_is_trusted_as_far_as_outcomes_go(house: Any) -> None:
    """It begins at nothing and asks; every outcome moves it, and what was not seen for long counts half."""
    await fail(house, lambda number: ToolError("no", output=f"visitor {number} is not on the porter's list now"), 4)
    accept(
        house.engine.memory,
        only(learn(house)),
        now=house.engine.clock(),
        kind=FailureKind.AUTH_EXPIRED,
        fix="login",
    )

    async def agree(_question: Any) -> bool:
        return True

    def mended(event: Any) -> None:
        house.door.failure = None if event.kind is EventKind.FIX_FINISHED else house.door.failure

    for number in range(30):
        house.door.failure = ToolError("no", output=f"visitor {number} is not on the porter's list now")
        result = await replace(house.executor, ask=agree, listeners=(mended,)).run("promise")
        assert result.healed == 1
        house.engine.clock.now += 3600
    (pattern,) = [each for each in house.engine.memory.patterns.all() if each.fix == "login" and each.id[:2] == "p-"]
    assert (pattern.seen, pattern.right) == (30, 30)
    house.engine.clock.now += 91 * DAY
    learn(house)
    (stale,) = [each for each in house.engine.memory.patterns.all() if each.id == pattern.id]
    assert (stale.seen, stale.right) == (15, 15)
    learn(house)
    (same,) = [each for each in house.engine.memory.patterns.all() if each.id == pattern.id]
    assert (same.seen, same.right) == (15, 15)
    assert house.engine.memory.findings() == ()


async def test_a_proposal_that_is_not_seen_any_more_is_dropped(house: Any) -> None:
    """Three months later nobody is asked about it."""
    await fail(house, lease, 5)
    assert learn(house).waiting == 1
    house.engine.clock.now += 91 * DAY
    assert learn(house).waiting == 0


async def test_a_repair_by_hand_is_offered_and_then_shown(house: Any) -> None:
    """The step failed, a person ran a fix, the same call worked: accepted, the next failure says what helped."""
    house.write("steps:\n  - name: enter\n    tool: log_in\n", name="mend")

    def spoken(number: int) -> ToolError:
        return ToolError("no", output=f"the porter turned visitor {number} away without a word")

    await fail(house, spoken, 1)
    house.engine.clock.now += 60
    house.door.failure = None
    assert (await house.executor.run("mend")).status == "ok"
    assert (await house.run(LOOK)).status == "ok"
    proposal = only(learn(house), About.REPAIR)
    assert proposal.tools == ("look",)
    assert proposal.fix_applied == "Run log_in()"
    assert proposal.root_cause == "The credentials were missing or had expired"
    accept(house.engine.memory, proposal, now=house.engine.clock())
    house.door.failure = spoken(7)
    result = await house.run(LOOK)
    assert any("Run log_in()" in said for said in result.steps[0].remediation)
    assert learn(house).offered == ()


async def test_a_repair_the_engine_had_named_is_no_news(house: Any) -> None:
    """A 401 calls for a login by itself; that a person ran it teaches nothing."""
    house.write("steps:\n  - name: enter\n    tool: log_in\n", name="mend")
    house.door.token, house.door.login_works = False, False
    assert (await house.run(LOOK)).status == "failed"
    house.door.login_works = True
    assert (await house.executor.run("mend")).status == "ok"
    assert (await house.run(LOOK)).status == "ok"
    assert learn(house).offered == ()


async def test_no_secret_reaches_a_proposal(house: Any) -> None:
    """Neither one the engine knows, nor what only looks like one."""

    def spoken(number: int) -> ToolError:
        house.engine.secrets.add("sesame-open-wide")
        said = (
            f"door {number} rejects sesame-open-wide and password=hunter2hunter2 and https://ann:gate77@door.example/x "
            "and Bearer eyJhbGciOiJIUzI1NiJ9.c2VjcmV0 tonight"
        )
        return ToolError("no", output=said)

    await fail(house, spoken, 6)
    proposal = only(learn(house))
    accept(house.engine.memory, proposal, now=house.engine.clock(), kind=FailureKind.CONFLICT)
    written = "".join(path.read_text() for path in house.engine.memory.folder.rglob("*") if path.is_file())
    proposed = written.split("tool_failures")[0]
    assert "sesame-open-wide" not in written
    file = (Path(house.engine.memory.folder) / "learned" / "proposals.yaml").read_text()
    patterns = (Path(house.engine.memory.folder) / "learned" / "patterns.yaml").read_text()
    assert [word for word in ("hunter2", "gate77", "eyJ", "c2VjcmV0") if word in file + patterns] == []
    assert "sesame" not in proposed
