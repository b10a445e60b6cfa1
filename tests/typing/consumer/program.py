"""A program that uses the engine as its pages show it, in the strictest modes of both type checkers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

from engine import (
    Effect,
    Engine,
    EngineError,
    Event,
    EventKind,
    Failure,
    FailureKind,
    HealMode,
    InputError,
    Progress,
    Question,
    RunResult,
    RunStatus,
    RunStream,
    Skill,
    SkillExecutor,
    StepResult,
    StepStatus,
    Tool,
    ToolContext,
    ToolError,
    UnansweredError,
    Workspace,
    auto_heal,
    check_known_issues,
    find_workspace,
    input_schema,
    output_schema,
    run_skill,
    tool,
    tool_exec,
)


@tool(effect=Effect.READ, domain="shop", timeout=10)
async def stock(item: str, context: ToolContext) -> int:
    """How many there are."""
    if not context.settings:
        raise ToolError("the shop is closed", http_status=503, sent=True)
    return len(item)


@tool()
def price(item: str) -> float:
    """What one costs; not async, so it runs in a thread."""
    return 0.5 * len(item)


@auto_heal(domain="shop")
async def order(item: str, count: int = 1) -> list[str]:
    """A function that is healed, and keeps its type."""
    return [item] * count


async def asked(question: Question) -> Any:
    """Answers what it can."""
    assert_type(question.choices, tuple[Any, ...])
    if question.secret:
        raise UnansweredError("not by a program")
    return question.default


def show(*values: object) -> None:
    """Shows something."""
    sys.stdout.write(f"{values}\n")


def told(progress: Progress) -> None:
    """Shows how far a run is."""
    assert_type(progress.done, int)
    assert_type(progress.message, str)
    show(f"{progress.done}/{progress.known} {progress.step}: {progress.message}")


def heard(event: Event) -> None:
    """Shows an event."""
    assert_type(event.kind, EventKind)
    assert_type(event.data, Mapping[str, Any])


async def whole(folder: Path) -> RunStatus:
    """Everything a program does with an engine."""
    place = Workspace(folder=folder, home=folder / "live", settings={"heal": {"mode": "ask"}})
    assert_type(find_workspace(folder), Workspace)
    async with Engine.open(place, tools=[stock, price], heal=HealMode.ASK) as engine:
        assert_type(engine, Engine)
        assert_type(engine.registry["stock"], Tool)
        executor = SkillExecutor(engine, listeners=(heard,), ask=asked, answers={"sure": True}, progress=told)
        result = await executor.run("deploy", {"tag": "v1"}, timeout=60)
        assert_type(result, RunResult)
        assert_type(result.steps, tuple[StepResult, ...])
        assert_type(result.outputs, Mapping[str, Any])
        assert_type(result.questions, tuple[Question, ...])
        step = result.step("build")
        assert_type(step.status, StepStatus)
        assert_type(step.failure, Failure | None)
        if step.failure is not None:
            assert_type(step.failure.kind, FailureKind)
        await streamed(executor)
        assert_type(await executor.answer(result.run_id, {"sure": True}), RunResult)
        assert_type(await executor.resume(result.run_id), RunResult)
        assert_type(await executor.retry(result.run_id, from_step="build"), RunResult)
        assert_type(await executor.end(result.run_id), RunResult)
        executor.cancel()
        skill = engine.library.parse({"name": "made", "description": "In code.", "steps": []})
        assert_type(skill, Skill)
        assert_type(input_schema(skill), dict[str, Any])
        assert_type(output_schema(skill, complete=True), dict[str, Any])
        known = await check_known_issues("stock", engine=engine)
        done = await tool_exec("stock", {"item": "tea"}, engine=engine)
        show(known, done.status)
        return result.status


async def streamed(executor: SkillExecutor) -> RunResult:
    """Watches a run."""
    async with executor.stream("deploy", {"tag": "v1"}) as run:
        assert_type(run, RunStream)
        async for event in run:
            assert_type(event, Event)
            if event.kind is EventKind.QUESTION_ASKED:
                run.cancel()
        assert_type(run.run_id, str)
    async with executor.stream_answer(run.run_id, {"sure": True}) as going:
        assert_type(await going.ended(), RunResult)
    return run.result


async def decorated() -> list[str]:
    """A decorated function is called as it was written."""
    assert_type(await stock("tea", ToolContext()), int)
    assert_type(price("tea"), float)
    assert_type(await order("tea", count=2), list[str])
    return await order("tea")


def sync() -> int:
    """The door of programs without an event loop."""
    try:
        result = run_skill("deploy", {"tag": "v1"}, workspace=Path(), tools=[stock], ask=asked, progress=told)
    except InputError as error:
        assert_type(error.message, str)
        return error.exit_status
    except EngineError as error:
        show(error.hint)
        return 1
    assert_type(result, RunResult)
    return 0 if result.status is RunStatus.OK else 1
