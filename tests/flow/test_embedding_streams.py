"""A program watches a run as it happens: every event, the result at the end, and a cancelled run when it leaves."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from engine import (
    Event,
    EventKind,
    InputError,
    Progress,
    Question,
    RunStateError,
    RunStatus,
    SkillExecutor,
    SkillNotFoundError,
    StepStatus,
    ToolContext,
    tool,
)
from engine.errors import OwnershipLostError
from engine.history import History
from engine.model.secret import Secrets
from tests.flow.conftest import Rig
from tests.flow.lasting import lasting, times_cleaned
from tool_registry.sources.python import tool_of
from tool_registry.tool import Effect, Tool

TWO = """
steps:
  - {name: first, tool: look}
  - {name: second, tool: look}
outputs:
  - {name: seen, value: "{{ second }}"}
"""


@pytest.fixture
def long(make_rig: Callable[..., Rig]) -> Rig:
    """A rig whose skill `promise` never ends, has something to undo, and cleans up."""
    return lasting(make_rig)


def cleaned(rig: Rig) -> bool:
    """Whether the long skill was undone and swept, once."""
    return times_cleaned(rig) == (1, 1)


async def until(run: AsyncIterator[Event], step: str) -> None:
    """Reads events until the call of a step is under way."""
    async for event in run:
        if event.kind is EventKind.ATTEMPT_STARTED and event.step == step:
            return


async def test_the_events_of_a_run_come_as_they_happen_and_then_its_result(rig: Rig) -> None:
    """The stream gives what listeners hear, in order, and the result is that of `run`."""
    executor = rig.executor
    rig.write(TWO)
    async with executor.stream("promise") as run:
        assert run.run_id
        with pytest.raises(RunStateError, match="has not ended"):
            _ = run.result
        events = [event async for event in run]
        assert run.result.status is RunStatus.OK
    assert events == rig.events
    assert (events[0].kind, events[-1].kind) == (EventKind.RUN_STARTED, EventKind.RUN_FINISHED)
    assert {event.run_id for event in events} == {run.run_id}
    assert run.result.outputs == {"seen": "inside"}
    assert [event async for event in run] == []


async def test_what_cannot_begin_is_refused_where_the_block_begins(rig: Rig) -> None:
    """An unknown skill and a wrong input are raised as by `run`, and nothing has happened."""
    rig.write(TWO)
    with pytest.raises(SkillNotFoundError):
        async with rig.executor.stream("promice"):
            pytest.fail("there is nothing to watch")
    with pytest.raises(InputError):
        async with rig.executor.stream("promise", {"much": 1}):
            pytest.fail("there is nothing to watch")
    assert rig.events == []


async def test_leaving_early_cancels_the_run_and_waits_until_it_is_clean(long: Rig) -> None:
    """After the block the run has been undone and swept, and its result says that it was cancelled."""
    async with long.engine, long.executor.stream("promise") as run:
        await until(run, "stays")
    assert cleaned(long)
    assert run.result.status is RunStatus.CANCELLED
    assert long.engine.journal.run(run.run_id).status is RunStatus.CANCELLED


async def test_leaving_before_the_first_event_is_read_cancels_too(long: Rig) -> None:
    """Whoever changes his mind at once leaves nothing running."""
    async with long.engine, long.executor.stream("promise") as run:
        pass
    assert run.result.status is RunStatus.CANCELLED
    assert long.events[-1].kind is EventKind.RUN_FINISHED


async def test_an_error_of_the_reader_comes_out_as_it_is_after_the_cleaning(long: Rig) -> None:
    """No exception group is made of it, and the run is undone before it is seen outside."""
    async with long.engine:
        with pytest.raises(ZeroDivisionError):
            await _divide(long)
        assert cleaned(long)


async def _divide(long: Rig) -> None:
    async with long.executor.stream("promise") as run:
        await until(run, "stays")
        _ = 1 / 0


@pytest.mark.parametrize("how", ["anyio", "asyncio"])
async def test_cancelling_the_reader_cancels_the_run_and_goes_on(long: Rig, how: str) -> None:
    """A deadline around the reader, by anyio or by asyncio, ends the run, and is still the deadline's afterwards."""

    async def watch() -> None:
        async with long.executor.stream("promise") as run:
            async for _ in run:
                pass

    async with long.engine:
        if how == "anyio":
            with anyio.move_on_after(2) as scope:
                await watch()
            assert scope.cancelled_caught
        else:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    await watch()
        assert cleaned(long)
        assert long.events[-1].data["status"] == "cancelled"


async def test_a_reader_that_is_closed_in_another_task_cleans_up_all_the_same(long: Rig) -> None:
    """The generator of a web response whose reader has gone is closed by whoever finds it."""

    async def lines() -> AsyncIterator[str]:
        async with long.executor.stream("promise") as run:
            async for event in run:
                yield event.kind

    async with long.engine:
        generator = lines()
        async for line in generator:
            if line == EventKind.ATTEMPT_STARTED and long.events[-1].step == "stays":
                break
        closing = asyncio.create_task(generator.aclose())  # type: ignore[attr-defined] # an async generator has it
        await closing
        assert cleaned(long)


async def test_a_generator_that_nobody_closes_is_closed_by_the_loop(long: Rig) -> None:
    """Forgotten after a `break`, it is found by the garbage collector, and its run ends."""

    async def lines() -> AsyncIterator[Event]:
        async with long.executor.stream("promise") as run:
            async for event in run:
                yield event

    async with long.engine:
        async for event in lines():
            if event.step == "stays":
                break
        gc.collect()
        with anyio.fail_after(20):
            while not cleaned(long):  # noqa: ASYNC110 - only looking tells
                await anyio.sleep(0.01)


async def test_a_slow_reader_neither_holds_the_run_up_nor_loses_an_event(rig: Rig) -> None:
    """The run ends while nobody reads; all its events are there afterwards."""
    rig.write("steps:\n  - {name: many, foreach: range(50), compute: result = item}\n")
    async with rig.executor.stream("promise") as run:
        result = await run.ended()
        events = [event async for event in run]
    assert result.step("many").value == list(range(50))
    assert events == rig.events
    assert len(events) > 100


async def test_one_run_of_several_is_cancelled_by_itself_and_all_by_the_executor(long: Rig) -> None:
    """`run.cancel()` ends one run, `executor.cancel()` those that are left."""
    executor = long.executor
    async with long.engine, executor.stream("promise") as one, executor.stream("promise") as other:
        await until(one, "stays")
        await until(other, "stays")
        one.cancel()
        assert (await one.ended()).status is RunStatus.CANCELLED
        with pytest.raises(RunStateError):
            _ = other.result
        executor.cancel()
        assert (await other.ended()).status is RunStatus.CANCELLED


async def test_a_run_asked_to_end_by_its_id_ends(long: Rig) -> None:
    """What `skill cancel` does from any terminal, a program does by the journal."""
    async with long.engine, long.executor.stream("promise") as run:
        await until(run, "stays")
        long.engine.journal.request_cancel(run.run_id)
        assert (await run.ended()).status is RunStatus.CANCELLED


async def test_a_stream_is_entered_once(rig: Rig) -> None:
    """A second entry says how to begin another run."""
    rig.write(TWO)
    stream = rig.executor.stream("promise")
    async with stream:
        with pytest.raises(RunStateError, match="entered before"):
            await stream.__aenter__()


async def test_a_parked_run_is_streamed_on_with_its_answer(rig: Rig) -> None:
    """The first stream ends with `waiting`; another goes on from there, and nothing is done twice."""
    rig.write(
        "steps:\n  - {name: enters, tool: enter}\n  - {name: sure, ask: {question: Sure?, type: boolean}}\n"
        "  - {name: last, tool: look, condition: sure}\n"
    )
    async with rig.executor.stream("promise") as run:
        events = [event async for event in run]
    assert (run.result.status, events[-1].kind) == (RunStatus.WAITING, EventKind.RUN_WAITING)
    async with rig.executor.stream_answer(run.run_id, {"sure": True}) as going:
        kinds = [event.kind async for event in going]
    assert (kinds[0], kinds[-1]) == (EventKind.RUN_RESUMED, EventKind.RUN_FINISHED)
    assert (going.result.status, going.run_id, rig.door.entered) == (RunStatus.OK, run.run_id, 1)


async def test_what_breaks_the_run_reaches_whoever_does_not_read(long: Rig) -> None:
    """Another process takes the run over: the end of the block raises what `run` would have raised."""
    async with long.engine:
        with pytest.raises(OwnershipLostError):
            await _robbed(long)


async def _robbed(long: Rig) -> None:
    async with long.executor.stream("promise") as run:
        await until(run, "stays")
        (long.folder / "home" / "runs" / f"{run.run_id}.lock").unlink()
        with History.open(long.engine.workspace.history, secrets=Secrets(), host="there") as other:
            other.claim(run.run_id)
            with anyio.fail_after(20):
                while run.under_way:  # noqa: ASYNC110 - only looking tells
                    await anyio.sleep(0.01)


async def test_an_ask_that_breaks_counts_as_nobody_there(rig: Rig) -> None:
    """The run parks, and its notes say what went wrong."""

    async def ask(question: Question) -> str:
        raise LookupError(question.name)

    rig.write("steps:\n  - {name: sure, ask: {question: Sure?}}\n")
    rig.ask = ask
    async with rig.executor.stream("promise") as run:
        result = await run.ended()
    assert result.status is RunStatus.WAITING
    assert any("LookupError" in note for note in result.notes)


async def test_progress_counts_the_steps_that_have_ended(rig: Rig) -> None:
    """`done` grows to `known`, each step is named with what it is for, and the last line is the status."""
    heard: list[Progress] = []
    rig.write(
        "steps:\n  - {name: first, description: Looks in., tool: look}\n"
        "  - {name: never, condition: 'False', tool: look}\n"
        "  - {name: group, steps: [{name: inner, tool: look}]}\n"
        "always:\n  - {name: last, tool: look}\n"
    )
    rig.door.token = False
    result = await SkillExecutor(rig.engine, progress=heard.append).run("promise")
    assert result.status is RunStatus.OK
    assert [progress.done for progress in heard] == sorted(progress.done for progress in heard)
    assert {progress.known for progress in heard} == {4}
    assert (heard[0].step, heard[0].message, heard[0].done) == ("first", "Looks in.", 0)
    assert (heard[-1].done, heard[-1].message, heard[-1].step) == (4, "ok", "")
    messages = [progress.message for progress in heard]
    assert "repairing with log_in" in messages
    assert "first: healed" in messages
    assert "never: skipped" in messages


async def test_progress_of_a_run_that_is_gone_on_with_counts_what_was_done_before(rig: Rig) -> None:
    """The first step had ended in the earlier process, so the count begins with it."""
    heard: list[Progress] = []
    rig.write("steps:\n  - {name: first, tool: look}\n  - {name: sure, ask: {question: Sure?, type: boolean}}\n")
    parked = await rig.executor.run("promise")
    await SkillExecutor(rig.engine, progress=heard.append).answer(parked.run_id, {"sure": True})
    assert (heard[0].done, heard[-1].done, heard[-1].known) == (1, 2, 2)


def talkers() -> list[Tool]:
    """Two tools that say what they do, one from a thread, which says more once it was given up."""

    @tool(effect=Effect.READ)
    async def talks(context: ToolContext) -> None:
        """Says something."""
        context.report("half way")
        for _ in range(100):
            context.report("chatter")

    @tool(effect=Effect.READ)
    def talks_in_a_thread(context: ToolContext) -> None:
        """Says something from where it works."""
        context.report("in a thread")

    return [tool_of(talks), tool_of(talks_in_a_thread)]


async def test_what_a_tool_says_while_it_works_is_progress(make_rig: Callable[..., Rig]) -> None:
    """From async tools and from threads, not faster than a person reads, and nothing of a secret step."""
    rig, heard = make_rig(tools=tuple(talkers())), list[Progress]()
    rig.write(
        "steps:\n  - {name: one, tool: talks}\n  - {name: two, tool: talks_in_a_thread}\n"
        "  - {name: hidden, tool: talks, secret: true}\n"
    )
    async with rig.engine:
        result = await SkillExecutor(rig.engine, listeners=(rig.events.append,), progress=heard.append).run("promise")
        kept = [event for _, event in rig.engine.journal.events(result.run_id) if event.kind is EventKind.PROGRESS]
    said = [(event.step, event.data["text"]) for event in rig.stages(EventKind.PROGRESS)]
    assert said[0] == ("one", "half way")
    assert ("two", "in a thread") in said
    assert len(said) < 10
    assert {step for step, _ in said} == {"one", "two"}
    assert "half way" in [progress.message for progress in heard]
    assert len(kept) == len(said)


async def test_a_callback_that_breaks_hears_no_more_and_the_run_goes_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """The run is not ended by who only watches; the log says which event broke him, with the traceback."""
    heard: list[Event] = []

    def breaks(progress: Progress) -> None:
        raise ValueError(progress.step)

    rig.write(TWO)
    executor = SkillExecutor(rig.engine, listeners=(heard.append,), progress=breaks)
    with caplog.at_level(logging.WARNING, logger="engine"):
        result = await executor.run("promise")
    assert result.status is RunStatus.OK
    assert heard[-1].kind is EventKind.RUN_FINISHED
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ValueError]
    assert "hears no more" in caplog.text


async def test_an_answer_given_while_the_run_waits_for_it_lets_it_go_on(rig: Rig) -> None:
    """`ask` is async: it may wait for a person, or for a model, while other runs go on."""
    rig.write(
        "steps:\n  - {name: who, ask: {question: Who?}}\n  - {name: enters, tool: enter, args: {name: '{{ who }}'}}\n"
    )
    answers: dict[str, asyncio.Future[str]] = {}

    async def ask(question: Question) -> str:
        answers[question.name] = asyncio.get_running_loop().create_future()
        return await answers[question.name]

    rig.ask = ask
    async with rig.executor.stream("promise") as run:
        async for event in run:
            if event.kind is EventKind.QUESTION_ASKED:
                await anyio.wait_all_tasks_blocked()
                answers[event.data["name"]].set_result("Ada")
    assert run.result.step("enters").value["name"] == "Ada"
    assert run.result.step("enters").status is StepStatus.OK
