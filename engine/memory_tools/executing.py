"""`tool_exec`: one call of any registered tool as a run of one step, looked at beforehand, healed and journaled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.documents import dump, parse
from engine.errors import InputError
from engine.library.parse import parse_skill
from engine.memory_tools.known import issues_of
from engine.memory_tools.parts import MemoryParts
from engine.memory_tools.results import Executed, Issue
from engine.model.failure import Failure
from engine.model.outcome import RunResult, RunStatus, StepResult
from engine.model.skill import Skill
from engine.run.executor import SkillExecutor
from tool_registry.tool import UnknownToolError

SKILL = "tool_exec"
"""The skill such runs are of, in history."""
NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"
"""What an argument may be called."""
REMINDER = (
    "When you have found what helps, save it: learn_tool_fix({tool!r}, error_pattern, root_cause, fix_description)"
)


async def tool_exec(
    parts: MemoryParts, name: str, args: Mapping[str, Any] | None = None, *, timeout: float | None = None
) -> Executed:
    """Calls the tool once with `args`, as a run of its own that is healed and journaled, for at most `timeout` seconds.

    A question that nobody answers fails the call instead of parking it. Raises InputError for a name that no tool has,
    and JournalError; that the call failed is told by what it returns.
    """
    given = dict(args or {})
    skill = one_step(parts, name, given)
    return executed(parts, name, await SkillExecutor(parts, parks=False).run(skill, {"args": given}, timeout=timeout))


def one_step(parts: MemoryParts, name: str, args: Mapping[str, Any], *, domain: str = "") -> Skill:
    """The skill whose only step calls the tool with what the input `args` holds under the names of these `args`.

    `domain` is what the call depends on in place of its tool's own.

    Their values stay out of its text: they are data, and a `{{` in them is two braces. Raises InputError when there is
    no such tool.
    """
    if name == SKILL:
        raise InputError(f"{SKILL} cannot call itself", hint="name the tool that it is to call")
    try:
        tool = parts.registry.get_tool(name)
    except UnknownToolError as error:
        raise InputError(error.message, hint="`skill tools` lists them") from error
    strange = next((key for key in args if not re.fullmatch(NAME, key)), None)
    if strange is not None:
        raise InputError(f"{strange!r} is not the name of an argument", hint=f"`skill tools {name}` lists them")
    step: dict[str, Any] = {"name": step_of(name), "tool": tool.name, "output": "answer"}
    if domain:
        step["heal"] = {"domain": domain}
    if args:
        step["args"] = {key: f"{{{{ inputs.args[{key!r}] }}}}" for key in args}
    described = {
        "name": SKILL,
        "description": f"One call of {tool.name}.",
        "inputs": [{"name": "args", "type": "object", "required": True, "description": "Its arguments."}],
        "steps": [step],
    }
    return parse_skill(parse(dump(described), f"{SKILL} {tool.name}"))


def step_of(tool: str) -> str:
    """What the step is called: like the tool, as far as a step may be."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", tool).lstrip("_-") or "call"


def executed(parts: MemoryParts, name: str, result: RunResult) -> Executed:
    """How the run of one step went, with what memory knows about its failure."""
    step = next((each for each in result.steps if each.path == step_of(name)), None)
    if step is None or result.status not in {RunStatus.OK, RunStatus.FAILED}:
        status: str = result.status.value
    else:
        status = step.status.value
    failure = (step.failure or step.first_failure) if step else None
    return Executed(
        run=result.run_id,
        tool=name,
        status=status,
        message=result.message,
        duration=round(result.duration, 3),
        known=_known(parts, failure) if failure else [],
        reminder=REMINDER.format(tool=name) if step and step.failure else "",
        **(_told(step) if step else {}),
    )


def _told(step: StepResult) -> dict[str, Any]:
    return {
        "value": step.value,
        "failure": _failure(step.failure),
        "first_failure": _failure(step.first_failure),
        "root_cause": dict(step.root_cause.record) if step.root_cause else None,
        "attempts": step.attempts,
        "fixes": list(step.fixes),
        "reason": step.reason,
        "remediation": list(step.remediation),
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return {"kind": failure.kind.value, "message": failure.message} if failure else None


def _known(parts: MemoryParts, failure: Failure) -> list[Issue]:
    text = f"{failure.message}\n{failure.evidence.text}"
    return issues_of(parts.memory, failure.tool, text, program=failure.evidence.program)
