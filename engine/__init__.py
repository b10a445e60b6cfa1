"""Run operational chores as declarative YAML skills that heal themselves.

`async with Engine.open() as engine: result = await SkillExecutor(engine).run("test_mr_ephemeral")` is all it takes;
docs/library.md has whole programs. What stands in `__all__` is the public interface, and changes by its version.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Engine": "engine.wiring",
    "SkillExecutor": "engine.run.executor",
    "RunStream": "engine.run.stream",
    "run_skill": "engine.door",
    "Workspace": "engine.workspace",
    "find_workspace": "engine.workspace",
    "Skill": "engine.model.skill",
    "input_schema": "engine.library.input_schema",
    "output_schema": "engine.library.input_schema",
    "Question": "engine.model.question",
    "Progress": "engine.model.progress",
    "RunResult": "engine.model.outcome",
    "RunStatus": "engine.model.outcome",
    "StepResult": "engine.model.outcome",
    "StepStatus": "engine.model.outcome",
    "Failure": "engine.model.failure",
    "FailureKind": "engine.model.failure",
    "Event": "engine.model.event",
    "EventKind": "engine.model.event",
    "HealMode": "engine.model.heal",
    "tool": "tool_registry.sources.python",
    "Tool": "tool_registry.tool",
    "ToolContext": "tool_registry.tool",
    "ToolOutput": "tool_registry.tool",
    "ToolError": "tool_registry.tool",
    "Effect": "tool_registry.tool",
    "FixScope": "tool_registry.tool",
    "EngineError": "engine.errors",
    "InputError": "engine.errors",
    "SkillInvalidError": "engine.errors",
    "SkillNotFoundError": "engine.errors",
    "PreflightError": "engine.errors",
    "WorkspaceError": "engine.errors",
    "DocumentError": "engine.errors",
    "JournalError": "engine.errors",
    "RunNotFoundError": "engine.errors",
    "RunBusyError": "engine.errors",
    "RunStateError": "engine.errors",
    "UnansweredError": "engine.errors",
    "auto_heal": "engine.decorators.healing",
    "auto_heal_ephemeral": "engine.decorators.named",
    "auto_heal_git": "engine.decorators.named",
    "auto_heal_jira": "engine.decorators.named",
    "auto_heal_k8s": "engine.decorators.named",
    "auto_heal_konflux": "engine.decorators.named",
    "auto_heal_stage": "engine.decorators.named",
    "pre_flight_check": "engine.decorators.looking",
    "check_known_issues": "engine.toolbox",
    "debug_tool": "engine.toolbox",
    "learn_tool_fix": "engine.toolbox",
    "memory_append": "engine.toolbox",
    "memory_read": "engine.toolbox",
    "memory_remove": "engine.toolbox",
    "memory_session_log": "engine.toolbox",
    "memory_update": "engine.toolbox",
    "tool_exec": "engine.toolbox",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that `import engine` costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
