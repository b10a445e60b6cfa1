"""What history foretells is repaired beforehand, where that is worth it, and what was wrong retires itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine import EventKind, RunStatus
from engine.heal.predict.effect import prevented
from engine.memory.contexts import FILE
from engine.model.outcome import StepStatus
from engine.model.place import Severity
from tests.flow.conftest import SETTINGS, Door
from tests.flow.mornings import MONDAY, Life
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool

DAYS = 12
NAME = "door.auth_expired.morning_auth_expiry"


@pytest.fixture
def life(tmp_path: Path, door: Door) -> Life:
    """A life with a door; nothing is left without the fix for comparison unless a test says so."""
    return Life(folder=tmp_path, tools=door.tools, settings=f"[heal]\nshadow = 0\n{SETTINGS}")


@pytest.fixture
def night(door: Door) -> Callable[[], None]:
    """A night: the token ends."""

    def passes() -> None:
        door.token = False

    return passes


def quiet() -> None:
    """Nothing happens over night."""


async def lived(life: Life, night: Callable[[], None], days: int = DAYS) -> None:
    """Working days that begin with a failure and go on well."""
    for day in range(days):
        await life.morning(day, night)
        await life.morning(day, quiet, at=MONDAY + timedelta(hours=6))


def only(life: Life) -> dict[str, Any]:
    """The one look ahead of the newest run."""
    (found,) = life.foretold()
    return found


async def test_after_mornings_that_failed_the_login_runs_first(
    life: Life, door: Door, night: Callable[[], None]
) -> None:
    """The call then works at once, and the journal says why."""
    await lived(life, night)
    assert life.learn().new == (NAME,)
    door.log.clear()
    result = await life.morning(DAYS, night)
    assert door.log == ["log_in", "look"]
    assert (result.step("look").status, result.step("look").attempts) == (StepStatus.OK, 1)
    told = only(life)
    assert (told["sequence"], told["action"], told["fix"], told["ok"]) == (NAME, "fix", "log_in", True)
    assert told["answer"] == f"{NAME} foretells auth_expired (at least 82% likely). log_in ran first and worked."
    assert told["cost_of_fix"] < told["probability"] * told["cost_of_failure"]
    (fixed,) = [event for event in life.events if event.kind is EventKind.FIX_FINISHED]
    assert (fixed.data["cause"], fixed.data["ok"]) == ("prediction", True)


async def test_only_the_foretold_situation_has_the_fix_first(life: Life, door: Door, night: Callable[[], None]) -> None:
    """In the afternoon nothing is foretold, and the journal holds what was looked at all the same."""
    await lived(life, night)
    life.learn()
    await life.morning(DAYS, night)
    door.log.clear()
    await life.morning(DAYS, quiet, at=MONDAY + timedelta(hours=6))
    assert door.log == ["look"]
    assert (only(life)["sequence"], only(life)["situation"]["first_call_of_day"]) == ("", False)


async def test_before_there_is_history_nothing_is_foretold(life: Life, night: Callable[[], None]) -> None:
    """The shipped sequences know nothing of this machine, so the first mornings fail and are healed."""
    result = await life.morning(0, night)
    assert result.step("look").status is StepStatus.HEALED
    assert only(life)["action"] == "none"
    assert not life.learn().changed
    assert not life.contexts.exists()


async def test_shadow_calls_run_without_the_fix(life: Life, door: Door, night: Callable[[], None]) -> None:
    """Some of the foretold calls are left alone, so that what the fix prevents is measured."""
    life.settings = f"[heal]\nshadow = 0.5\n{SETTINGS}"
    await lived(life, night)
    life.learn()
    for day in range(DAYS, DAYS + 40):
        door.log.clear()
        await life.morning(day, night)
        told = only(life)
        assert door.log == (["log_in", "look"] if told["action"] == "fix" else ["look", "log_in", "look"])
    with life.opened() as engine:
        rows = engine.journal.predictions()
    estimate = prevented(rows)
    assert (estimate.fixed + estimate.left, estimate.fixed_failed) == (40, 0)
    assert estimate.left_failed == estimate.left >= 8
    assert estimate.low is not None
    assert estimate.low > 0.5


async def test_what_does_not_hold_any_more_is_stopped_and_retires(
    life: Life, door: Door, night: Callable[[], None]
) -> None:
    """One false alarm suspends a sequence, four of them retire it; what it cost until then is a few needless logins."""
    life.settings = f"[heal]\nshadow = 0.5\n{SETTINGS}"
    await lived(life, night)
    life.learn()
    door.log.clear()
    retired: tuple[str, ...] = ()
    for day in range(DAYS, DAYS + 25):
        await life.morning(day, quiet)
        retired = retired or life.learn().retired
    assert retired == (NAME,)
    assert "retired: true" in life.contexts.read_text()
    assert only(life)["sequence"] == ""
    assert door.called("log_in") < 15
    assert life.learn().new == (), "what was retired is not learnt again from the same mornings"


async def test_a_false_alarm_suspends_until_it_is_right_again(life: Life, night: Callable[[], None]) -> None:
    """After a comparison that worked without the fix, the next calls run without it too."""
    await lived(life, night)
    life.learn()
    life.settings = f"[heal]\nshadow = 1\n{SETTINGS}"
    await life.morning(DAYS, quiet)
    life.settings = f"[heal]\nshadow = 0\n{SETTINGS}"
    await life.morning(DAYS + 1, night)
    assert only(life)["action"] == "noted"
    assert "right once more" in only(life)["answer"]
    await life.morning(DAYS + 2, night)
    assert only(life)["action"] == "fix"


async def test_a_fix_that_costs_more_than_the_failure_waits_for_it(
    life: Life, door: Door, night: Callable[[], None]
) -> None:
    """A login of two minutes is not run for a failure that is over after a second look."""

    def tools() -> list[Tool]:
        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=500)
        async def log_in() -> str:
            """Gets a token, slowly."""
            door.log.append("log_in")
            door.token = True
            life.calendar.now += 120
            return "logged in"

        return [*(each for each in door.tools() if each.name != "log_in"), tool_of(log_in)]

    life.tools = tools
    await lived(life, night)
    assert life.learn().new == (NAME,)
    door.log.clear()
    await life.morning(DAYS, night)
    assert door.log == ["look", "log_in", "look"]
    assert only(life)["action"] == "noted"
    assert "cheaper to wait" in only(life)["answer"]
    assert only(life)["cost_of_fix"] > 120


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("[heal]\nshadow = 0\nkill_switch = true\n", "kill switch"),
        ("[heal]\nshadow = 0\nmode = 'suggest'\n", "set to suggest"),
        ("[heal]\nshadow = 0\nmode = 'ask'\n", "set to ask"),
        ("[heal]\nshadow = 0\nmode = 'off'\n", "set to off"),
    ],
)
async def test_what_stops_healing_stops_prediction(
    life: Life, door: Door, night: Callable[[], None], settings: str, says: str
) -> None:
    """Kill switch and modes keep the fix from running, also from the comparison; what is foretold is noted."""
    await lived(life, night)
    life.learn()
    door.log.clear()
    life.settings = settings + SETTINGS
    await life.morning(DAYS, night)
    assert "log_in" not in door.log
    assert only(life)["action"] == "noted"
    assert says in only(life)["answer"]


async def test_a_step_and_a_domain_may_refuse(life: Life, door: Door, night: Callable[[], None]) -> None:
    """`heal: false` of a step and the mode of a domain hold beforehand too."""
    await lived(life, night)
    life.learn()
    door.log.clear()
    life.settings += 'mode = "suggest"\n'
    await life.morning(DAYS, night)
    assert "set to suggest in door" in only(life)["answer"]
    life.settings = life.settings.removesuffix('mode = "suggest"\n')
    life.calendar.goto(MONDAY + timedelta(days=21))
    night()
    result = await life.run("name: refuses\ndescription: No.\nsteps:\n  - {name: look, tool: look, heal: false}\n")
    assert result.status is RunStatus.FAILED
    assert "not to be healed" in only(life)["answer"]
    assert "log_in" not in door.log


async def test_a_login_that_does_not_help_retires_the_sequence(
    life: Life, door: Door, night: Callable[[], None]
) -> None:
    """The failure is foretold rightly, but it comes with the fix as well: four times, and not again."""
    await lived(life, night)
    life.learn()
    door.login_helps = False
    for day in range(DAYS, DAYS + 4):
        await life.morning(day, night)
        assert only(life)["action"] == "fix"
        retired = life.learn().retired
    assert retired == (NAME,)
    await life.morning(DAYS + 4, night)
    assert only(life)["sequence"] == ""


async def test_switched_off_nothing_is_looked_at(life: Life, door: Door, night: Callable[[], None]) -> None:
    """`predict = false` leaves no trace."""
    await lived(life, night)
    life.learn()
    door.log.clear()
    life.settings = f"[heal]\npredict = false\n{SETTINGS}"
    await life.morning(DAYS, night)
    assert door.log == ["look", "log_in", "look"]
    assert not life.foretold()


async def test_a_broken_file_is_reported_with_its_line_and_left_alone(life: Life, night: Callable[[], None]) -> None:
    """The run goes on without it, learning refuses, and the file is as it was."""
    await lived(life, night)
    life.learn()
    broken = life.contexts.read_text() + "  - trigger: [unclosed\n"
    life.contexts.write_text(broken)
    result = await life.morning(DAYS, night)
    assert result.step("look").status is StepStatus.HEALED
    notices = [str(event.data["text"]) for event in life.events if event.kind is EventKind.NOTICE]
    assert [text for text in notices if f"{life.contexts}:{broken.count(chr(10)) + 1}" in text], notices
    assert len([text for text in notices if text.startswith("nothing is predicted")]) == 1
    assert life.contexts.read_text() == broken
    with life.opened() as engine:
        assert any(FILE in finding.place.file for finding in engine.memory.findings())


async def test_a_sequence_with_a_mistake_is_left_out_and_the_others_are_used(
    life: Life, night: Callable[[], None]
) -> None:
    """A condition that nobody can read does not take the other sequences with it."""
    await lived(life, night)
    life.learn()
    more = '  - trigger: mine\n    context: {time_since_wake: "a while"}\n    prediction: {error: timeout}\n'
    life.contexts.write_text(life.contexts.read_text() + more)
    await life.morning(DAYS, night)
    assert only(life)["action"] == "fix"
    with life.opened() as engine:
        (found,) = [each for each in engine.memory.findings() if each.code == "bad-condition"]
    assert found.severity is Severity.WARNING
    assert life.contexts.read_text().split("\n")[found.place.line - 1].strip().startswith("context:")


async def test_what_a_person_wrote_survives_learning(life: Life, night: Callable[[], None]) -> None:
    """Comments, order, layout and a sequence of one's own stay; only its counts are brought up to date."""
    await lived(life, night)
    life.learn()
    own = """\
  # Mine: Mondays are the worst.
  - trigger: mondays   # do not rename
    context: {weekdays: [mon], hours: '7-10'}
    prediction: {error: auth_expired, domain: door}
    proactive_fix: {fix: login}
"""
    life.contexts.write_text(life.contexts.read_text().replace("sequences:\n", f"sequences:\n{own}", 1))
    await life.morning(DAYS, night)
    assert "mondays" in life.learn().changed
    text = life.contexts.read_text()
    assert "  # Mine: Mondays are the worst.\n  - trigger: mondays   # do not rename\n" in text
    assert text.index("mondays") < text.index(NAME)
    with life.opened() as engine:
        mine = next(each for each in engine.memory.contexts.all() if each.trigger == "mondays")
    assert (mine.observations, mine.confirmed, mine.fix) == (3, 3, "login")
    assert not life.learn().changed, "learning twice from the same history changes nothing"


async def test_calls_side_by_side_wait_for_one_fix(life: Life, door: Door, night: Callable[[], None]) -> None:
    """Two branches in the same domain: one look, one login, and neither call fails."""
    await lived(life, night)
    life.learn()
    door.log.clear()
    life.calendar.goto(MONDAY + timedelta(days=21))
    night()
    result = await life.run(
        "name: both\ndescription: Two at once.\nsteps:\n  - name: both\n    parallel:\n"
        "      - {name: one, tool: look}\n      - {name: two, tool: look}\n"
    )
    assert result.status is RunStatus.OK
    assert door.log == ["log_in", "look", "look"]
    assert len(life.foretold()) == 1


async def test_after_sleep_the_road_is_built_first(life: Life, door: Door) -> None:
    """What the wake clock tells is learnt like the hour of the day."""

    def slept() -> None:
        door.road = False
        life.calendar.slept += 3_600

    await life.morning(0, quiet)
    for day in range(1, DAYS):
        for hour in (0, 3, 6):
            await life.morning(day, slept, at=MONDAY + timedelta(hours=hour))
            await life.morning(day, quiet, at=MONDAY + timedelta(hours=hour + 1))
    (name,) = life.learn().new
    assert "time_since_wake" in name or "post_sleep" in name
    door.log.clear()
    await life.morning(DAYS, slept)
    assert door.log[0] == "build_road"
    assert door.log[-1] == "look"
    assert door.called("look") == 1


async def test_a_fix_that_outlasts_its_step_is_told(life: Life, door: Door, night: Callable[[], None]) -> None:
    """The step's time passes while the login runs: it failed, the journal says so, and the fix is counted."""
    await lived(life, night)
    life.learn()

    def tools() -> list[Tool]:
        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=500)
        async def log_in() -> None:
            """Never ends."""
            await anyio.sleep(3_600)

        return [*(each for each in door.tools() if each.name != "log_in"), tool_of(log_in)]

    life.tools = tools
    life.calendar.goto(MONDAY + timedelta(days=21))
    night()
    await life.run("name: visit\ndescription: Looks.\nsteps: [{name: look, tool: look, timeout: 0.3}]\n")
    (begun,) = [event.data["cause"] for event in life.events if event.kind is EventKind.FIX_STARTED]
    (ended,) = [event for event in life.events if event.kind is EventKind.FIX_FINISHED]
    assert (begun, ended.data["cause"], ended.data["ok"]) == ("prediction", "prediction", False)
    assert (only(life)["action"], only(life)["ok"]) == ("fix", False)
