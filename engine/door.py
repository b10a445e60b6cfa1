"""The door for programs that are not async: one function that starts an event loop, runs one skill, and closes all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import anyio

from engine.errors import EngineError
from engine.model.heal import HealMode
from engine.model.outcome import RunResult
from engine.model.progress import ProgressListener
from engine.model.question import Ask
from engine.model.skill import Skill
from engine.run.broadcast import Listener
from engine.run.executor import SkillExecutor
from engine.wiring import Engine
from engine.workspace import Workspace
from tool_registry.tool import Tool


def run_skill(  # noqa: PLR0913 - the options of `Engine.open` and of `SkillExecutor`, every one by keyword
    skill: str | Skill,
    inputs: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace | Path | str | None = None,
    home: Path | str | None = None,
    tools: Iterable[Tool | Callable[..., Any]] = (),
    heal: HealMode | None = None,
    ask: Ask | None = None,
    answers: Mapping[str, Any] | None = None,
    progress: ProgressListener | None = None,
    listeners: Iterable[Listener] = (),
    timeout: float | None = None,
) -> RunResult:
    """Runs one skill to its end in an event loop of its own, for programs that have none, and returns how it ended.

    `workspace`, `home`, `tools` and `heal` are those of `Engine.open`; `ask`, `answers`, `progress` and `listeners`
    those of `SkillExecutor`; `timeout` is in seconds. Raises what these do, and EngineError inside a running event
    loop, which it would block: await `SkillExecutor(engine).run(...)` there. Ctrl-C cancels the run, which is undone
    and cleaned up first.
    """
    _refuse_inside_a_loop()

    async def whole() -> RunResult:
        async with Engine.open(workspace, home=home, tools=tools, heal=heal) as engine:
            executor = SkillExecutor(
                engine, listeners=tuple(listeners), ask=ask, answers=dict(answers or {}), progress=progress
            )
            return await executor.run(skill, inputs, timeout=timeout)

    return anyio.run(whole)


def _refuse_inside_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise EngineError(
        "run_skill starts an event loop of its own, and one is running here already",
        hint="inside it: `async with Engine.open() as engine: await SkillExecutor(engine).run(...)`",
    )
