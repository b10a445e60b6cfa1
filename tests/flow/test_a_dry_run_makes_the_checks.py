"""A dry run makes the checks that domains declare, shows what they say, and repairs nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.model.heal import HealMode
from engine.model.outcome import RunStatus
from engine.run.dry import DryRunner, Plan
from engine.run.dry.plan import Need
from tests.flow.conftest import SETTINGS, Rig

CHECKED = f"""{SETTINGS}
[domains.door.checks.road]
tool = "road_is_open"
role = "connect"
kind = "connection_refused"
"""
OFFLINE = f"{CHECKED}offline = true\n"
SKILL = "steps:\n  - {name: a, tool: enter}\n"


def checks(found: Plan) -> list[Need]:
    """The checks among what the plan needs."""
    return [need for need in found.needs if need.kind == "check"]


async def planned(rig: Rig, *, reads: bool, text: str = SKILL) -> Plan:
    """The plan of a skill; the engine is closed after."""
    found = await DryRunner(parts=rig.engine, reads=reads).plan(rig.write(text))
    await rig.engine.aclose()
    return found


async def test_a_good_check_is_shown_as_good(make_rig: Callable[..., Rig]) -> None:
    """It was called once, and nothing else was."""
    rig = make_rig(settings=CHECKED)
    (need,) = checks(await planned(rig, reads=True))
    assert (need.name, need.there, need.found, need.steps) == ("door.road", True, "good", ("a",))
    assert rig.door.log == ["road_is_open"]


@pytest.mark.parametrize(("settings", "looked"), [(CHECKED, []), (OFFLINE, ["road_is_open"])])
async def test_without_reads_only_this_machine_is_looked_at(
    make_rig: Callable[..., Rig], settings: str, looked: list[str]
) -> None:
    """A check that says it asks nobody else is made in a plain dry run too."""
    rig = make_rig(settings=settings)
    assert len(checks(await planned(rig, reads=False))) == len(looked)
    assert rig.door.log == looked


async def test_a_bad_one_says_what_pre_flight_will_do_and_nothing_is_repaired(make_rig: Callable[..., Rig]) -> None:
    """Where healing may act by itself the run could go; the road stays closed for now."""
    rig = make_rig(settings=CHECKED)
    rig.door.road = False
    found = await planned(rig, reads=True)
    (need,) = checks(found)
    assert (need.there, need.found) == (True, "road of door: still closed; pre-flight will repair it (build_road)")
    assert (found.status, rig.door.road) == (RunStatus.OK, False)


async def test_a_bad_one_that_nothing_repairs_by_itself_blocks(make_rig: Callable[..., Rig]) -> None:
    """The step cannot run, and the way out is said."""
    rig = make_rig(settings=CHECKED)
    rig.engine.heal_mode = HealMode.SUGGEST
    rig.door.road = False
    found = await planned(rig, reads=True)
    (need,) = checks(found)
    assert (need.there, need.way_out) == (False, "build_road repairs it")
    assert (found.status, next(found.walk()).verdict.value) == (RunStatus.BLOCKED, "cannot_run")


async def test_a_check_that_does_more_than_read_is_not_made(make_rig: Callable[..., Rig]) -> None:
    """A dry run changes nothing, whatever the settings say."""
    rig = make_rig(settings=CHECKED.replace('"road_is_open"\nrole', '"build_road"\nrole'))
    assert checks(await planned(rig, reads=True)) == []
    assert rig.door.log == []
