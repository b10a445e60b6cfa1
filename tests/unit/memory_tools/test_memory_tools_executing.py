"""`tool_exec`: one healed call, kept as a run, and what its answer tells."""

from __future__ import annotations

import pytest

from engine import Engine, InputError
from engine.memory_tools.executing import SKILL, tool_exec
from tests.unit.memory_tools.conftest import Door


async def test_a_call_is_healed_and_kept_as_a_run_of_one_step(engine: Engine, door: Door) -> None:
    """History knows the run by the id of the answer."""
    done = await tool_exec(engine, "enter", {"times": 2})
    assert (done.status, done.value, done.attempts, done.fixes) == ("healed", {"times": 2}, 2, ["log_in()"])
    assert done.first_failure == {"kind": "auth_expired", "message": "the server said 401"}
    assert door.opened == [2]
    record = engine.journal.run(done.run)
    assert (record.skill, record.status.value, record.healed) == (SKILL, "ok", 1)
    assert [step.name for step in engine.journal.steps(done.run)] == ["enter"]


async def test_a_call_that_fails_is_told_with_what_is_known_and_the_reminder(engine: Engine) -> None:
    """Known by tool and words, as `learn_tool_fix` kept it."""
    engine.memory.fixes.learn("enter", "painted on the wall", "it is no door", "walk on")
    done = await tool_exec(engine, "enter", {"words": "The door is painted on the wall."})
    assert (done.status, done.ok) == ("failed", False)
    assert done.failure is not None
    assert done.failure["message"] == "The door is painted on the wall."
    assert [issue.fix for issue in done.known if issue.tool_name] == ["walk on"]
    assert "learn_tool_fix('enter'" in done.reminder


async def test_arguments_are_data(engine: Engine) -> None:
    """Braces in them are evaluated by nobody, not in the call and not when the run is read again."""
    done = await tool_exec(engine, "echo", {"value": ["{{ run.id }}", {"{% if %}": None}]})
    assert done.value == ["{{ run.id }}", {"{% if %}": None}]


async def test_arguments_that_do_not_fit_fail_the_call_before_it_is_made(engine: Engine, door: Door) -> None:
    """And the run tells it."""
    done = await tool_exec(engine, "enter", {"times": "often"})
    assert done.ok is False
    assert door.opened == []
    assert engine.journal.run(done.run).skill == SKILL


@pytest.mark.parametrize("name", ["entre", SKILL, "", "{{ x }}"])
async def test_a_name_that_no_tool_has_begins_no_run(engine: Engine, name: str) -> None:
    """Nor can it call itself."""
    with pytest.raises(InputError):
        await tool_exec(engine, name)
    assert engine.journal.runs() == ()


async def test_the_name_of_an_argument_cannot_carry_a_template(engine: Engine) -> None:
    """It would stand in the text of the skill."""
    with pytest.raises(InputError, match="is not the name of an argument"):
        await tool_exec(engine, "echo", {"value": 1, "x'] }} {{ run.id": 2})


async def test_a_call_ends_when_its_time_is_over(engine: Engine) -> None:
    """The run is cleaned up and told."""
    done = await tool_exec(engine, "wait", {"seconds": 60}, timeout=0.2)
    assert done.ok is False
    assert "0.2 s" in done.message


async def test_secrets_of_an_argument_are_masked_in_history(engine: Engine) -> None:
    """A tool's argument may be one that is known to be secret."""
    engine.secrets.add("hunter2-hunter2")
    done = await tool_exec(engine, "echo", {"value": "hunter2-hunter2"})
    assert "hunter2" not in str(engine.journal.run(done.run).inputs)
