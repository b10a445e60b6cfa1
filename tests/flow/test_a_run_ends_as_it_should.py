"""Stops, tolerated failures, deadlines, undoing, `always`, outputs: how runs end."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from engine import FailureKind, InputError, StepStatus
from tool_registry.tool import ToolError

TWO_ENTRIES = """
steps:
  - name: first
    tool: enter
    args: {name: ann}
    undo: {name: first_out, tool: leave, args: {name: "{{ first.name }}"}}
  - name: second
    tool: enter
    args: {name: bob}
    undo: {name: second_out, tool: leave, args: {name: "{{ second.name }}"}}
"""


async def test_undo_runs_last_first_when_the_run_fails(rig: Any) -> None:
    """What was done is taken back in reverse order, with the values the steps had."""
    result = await rig.run(TWO_ENTRIES + "  - name: bad\n    compute: raise ValueError('no')\n")
    assert result.status == "failed"
    assert rig.door.log == ["enter", "enter", "leave bob", "leave ann"]
    assert [step.name for step in result.steps] == ["first", "second", "bad", "second_out", "first_out"]


async def test_nothing_is_undone_when_the_run_is_ok(rig: Any) -> None:
    """Undo is for bad endings only."""
    result = await rig.run(TWO_ENTRIES)
    assert (result.status, rig.door.log) == ("ok", ["enter", "enter"])


@pytest.mark.parametrize(("status", "undone"), [("ok", False), ("blocked", True), ("failed", True)])
async def test_stop_ends_the_run_with_its_status_and_message(rig: Any, status: str, undone: bool) -> None:
    """The rest is not run; anything but ok undoes."""
    stop = f"  - name: enough\n    stop: {{status: {status}, message: 'because {{{{ first.name }}}} is in'}}\n"
    result = await rig.run(TWO_ENTRIES + stop + "  - name: never\n    tool: look\n")
    assert (result.status, result.message) == (status, "because ann is in")
    assert rig.door.called("look") == 0
    assert (rig.door.called("leave ann") == 1) is undone


@pytest.mark.parametrize(
    "ending", ["compute: result = 1", "compute: raise ValueError('x')", "stop: {status: blocked, message: no}"]
)
async def test_always_runs_however_the_run_ended(rig: Any, ending: str) -> None:
    """`always` sees how the run ended in `run.status`."""
    always = "always:\n  - name: last\n    tool: leave\n    args: {name: '{{ run.status }}'}\n"
    result = await rig.run(f"steps:\n  - name: end\n    {ending}\n{always}")
    assert rig.door.log == [f"leave {result.status}"]


async def test_a_tolerated_failure_goes_on_and_its_output_is_none(rig: Any) -> None:
    """on_error: continue keeps the run going; later text sees None and the step's error."""
    rig.door.failure = ToolError("broken", http_status=404)
    result = await rig.run(
        """
        steps:
          - name: look
            tool: look
            on_error: continue
          - name: after
            compute: |
              result = [look is None]
        outputs:
          - name: said
            value: "{{ steps.look.error }}"
          - name: nothing
            value: "{{ after[0] }}"
        """
    )
    assert result.status == "ok"
    assert result.step("look").status is StepStatus.TOLERATED
    assert result.outputs == {"said": "broken", "nothing": True}


async def test_a_skipped_step_runs_nothing(rig: Any) -> None:
    """A false condition skips; the text `no` is true, as in Python."""
    result = await rig.run(
        """
        inputs:
          - {name: word, type: string, default: "no"}
        steps:
          - {name: never, condition: not inputs.word, tool: enter}
          - {name: surely, condition: "{{ inputs.word }}", tool: look}
        """
    )
    assert [step.status for step in result.steps] == ["skipped", "ok"]
    assert rig.door.log == ["look"]


async def test_an_attribute_of_a_skipped_output_names_the_step_and_why(rig: Any) -> None:
    """The error does not just say None."""
    result = await rig.run(
        "steps:\n  - {name: seen, condition: false, tool: look}\n"
        "  - name: use\n    tool: leave\n    args: {name: '{{ seen.colour }}'}\n"
    )
    message = result.step("use").failure.message
    assert "seen" in message
    assert "skipped" in message
    assert "promise.yaml:7:" in message


async def test_expect_makes_a_wrong_value_a_failure(rig: Any) -> None:
    """The call worked, the value is not what was expected: kind unexpected_result."""
    result = await rig.run("steps:\n  - {name: look, tool: look, expect: result == 'outside'}\n")
    assert result.step("look").failure.kind is FailureKind.UNEXPECTED_RESULT


async def test_raise_in_compute_fails_the_step_with_its_text(rig: Any) -> None:
    """Kind raised, and the author's own words."""
    result = await rig.run("steps:\n  - name: bad\n    compute: |\n      raise ValueError('three of two')\n")
    failure = result.step("bad").failure
    assert failure.kind is FailureKind.RAISED
    assert "three of two" in failure.message


async def test_the_runs_deadline_ends_it_and_cleans_up(make_rig: Any) -> None:
    """timed_out, failed, undone."""
    from tool_registry.sources.python import tool, tool_of  # noqa: PLC0415 - the one test that makes a tool
    from tool_registry.tool import Effect  # noqa: PLC0415 - as above

    @tool(effect=Effect.READ, timeout=60)
    async def dawdle() -> None:
        """Never ends."""
        await anyio.sleep_forever()

    rig = make_rig(tools=(tool_of(dawdle),))
    result = await rig.run(TWO_ENTRIES + "  - {name: slow, tool: dawdle}\n", timeout=0.3)
    await rig.engine.aclose()
    assert (result.status, result.timed_out) == ("failed", True)
    assert rig.door.log[-2:] == ["leave bob", "leave ann"]


async def test_cancel_undoes_and_always_runs(make_rig: Any) -> None:
    """cancel() ends the step under way, then everything is taken back."""
    from tool_registry.sources.python import tool, tool_of  # noqa: PLC0415 - the one test that makes a tool
    from tool_registry.tool import Effect  # noqa: PLC0415 - as above

    begun = anyio.Event()

    @tool(effect=Effect.READ, timeout=60)
    async def dawdle() -> None:
        """Never ends."""
        begun.set()
        await anyio.sleep_forever()

    rig = make_rig(tools=(tool_of(dawdle),))
    executor = rig.executor
    name = rig.write(TWO_ENTRIES + "  - {name: slow, tool: dawdle}\n")
    results = []

    async def run() -> None:
        results.append(await executor.run(name))

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await begun.wait()
        executor.cancel()
    await rig.engine.aclose()
    assert results[0].status == "cancelled"
    assert rig.door.log[-2:] == ["leave bob", "leave ann"]


async def test_cancelling_the_caller_cleans_up_and_goes_on_cancelling(make_rig: Any) -> None:
    """An embedding program that cancels its own task gets its cancellation, after the run was undone."""
    rig = make_rig()
    rig.door.failure = None
    name = rig.write(TWO_ENTRIES + "  - {name: slow, tool: wait, args: {seconds: 30}}\n")
    with anyio.move_on_after(1.0) as scope:
        await rig.executor.run(name)
    kept = rig.engine.journal.run("last")
    await rig.engine.aclose()
    assert scope.cancelled_caught
    assert kept.status == "cancelled"
    assert rig.door.log[-2:] == ["leave bob", "leave ann"]


async def test_an_output_without_a_value_fails_a_run_that_was_ok(rig: Any) -> None:
    """A promise that cannot be kept is not passed over."""
    result = await rig.run(
        "steps:\n  - {name: a, condition: false, tool: look}\noutputs:\n  - {name: x, value: '{{ a.b }}'}\n"
    )
    assert result.status == "failed"
    assert "x" in result.message


async def test_inputs_that_do_not_fit_are_refused_before_the_first_step(rig: Any) -> None:
    """All of them at once, by name; nothing has run and history has no run."""
    text = "inputs:\n  - {name: n, type: integer, required: true}\n  - {name: w, enum: [a, b]}\n"
    text += "steps:\n  - {name: look, tool: look}\n"
    with pytest.raises(InputError, match=r"(?s)n.*w"):
        await rig.run(text, {"n": "many", "w": "c"})
    assert rig.door.log == []
    assert rig.engine.journal.runs() == ()


async def test_a_secret_appears_nowhere(rig: Any) -> None:
    """Not in events, not in history, not in a failure's message; the skill itself can use it."""
    rig.door.failure = ToolError("bad password s3cr3t-value in request", http_status=400, output="s3cr3t-value")
    result = await rig.run(
        "inputs:\n  - {name: password, type: string, secret: true}\n"
        "steps:\n  - {name: go, tool: enter, args: {name: '{{ inputs.password }}'}}\n",
        {"password": "s3cr3t-value"},
    )
    assert result.status == "failed"
    assert "s3cr3t-value" not in repr(rig.events)
    rig.engine.journal.close()
    for path in (rig.folder / "home").rglob("*"):
        if path.is_file():
            assert b"s3cr3t-value" not in path.read_bytes(), path
