"""The memory tools as tools that a step can call; their answers are those of the functions of the same names."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from engine.errors import DocumentError, EngineError, InputError
from engine.memory_tools import READING, debugging, executing, files, known
from engine.memory_tools.parts import MemoryParts
from engine.memory_tools.results import Changed, Executed, KnownIssues, Learned, Remembered, ToolReport
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool, ToolContext, ToolError

Answer = TypeVar("Answer")
LEARNT = {
    "tool_name": "bonfire_deploy",
    "error_pattern": "manifest unknown",
    "root_cause": "The image tag is a short SHA",
    "fix_description": "Use the full 40-digit SHA",
}


def _looking_tools(parts: MemoryParts) -> list[Tool]:
    """The tools that only look."""

    @tool(effect=Effect.READ, idempotent=True, timeout=30, examples=({"tool_name": "git_push"},))
    async def check_known_issues(tool_name: str = "", error_text: str = "") -> KnownIssues:
        """Tells what memory knows of a tool, of an error, or of both.

        Args:
            tool_name: The tool; empty for any.
            error_text: What it said; empty for all that is known of the tool.
        """
        return await _told(known.check_known_issues(parts, tool_name, error_text))

    @tool(effect=Effect.READ, idempotent=True, timeout=30, examples=({"tool_name": "echo"},))
    async def debug_tool(tool_name: str, error_message: str = "") -> ToolReport:
        """Tells all that helps to mend a failing tool: its text and contract, its past, what is known, what to do.

        Args:
            tool_name: The tool.
            error_message: What it said; empty for what it said last.
        """
        return await _told(debugging.debug_tool(parts, tool_name, error_message))

    @tool(effect=Effect.READ, idempotent=True, timeout=30, examples=({"file": "fixes", "path": "tool_fixes"},))
    async def memory_read(file: str = "", path: str = "") -> Remembered:
        """Reads a memory file, or what stands at a path in it.

        Args:
            file: A file of the memory folder (`learned/notes.yaml`); empty to list them.
            path: Where in a YAML file, as in `tool_fixes.0.root_cause`; empty for all of it.
        """
        return await _told(files.memory_read(parts, file, path))

    return [tool_of(made) for made in (check_known_issues, debug_tool, memory_read)]


def _writing_tools(parts: MemoryParts) -> list[Tool]:
    """The tools that change memory, or call another tool."""
    return [_executing_tool(parts), *_keeping_tools(parts), *_changing_tools(parts)]


def _keeping_tools(parts: MemoryParts) -> list[Tool]:
    @tool(effect=Effect.WRITE, idempotent=True, timeout=30, examples=(LEARNT,))
    async def learn_tool_fix(
        tool_name: str, error_pattern: str, root_cause: str, fix_description: str, cause: str = ""
    ) -> Learned:
        """Keeps a fix that worked, so that it is shown when the tool fails with these words again.

        Args:
            tool_name: The tool; `git_*` stands for all that begin so.
            error_pattern: Words (no expression) that stand in its error, 4 to 300 characters.
            root_cause: Why it failed.
            fix_description: What helped.
            cause: The id of the root cause the engine finds for this mistake, where it finds one.
        """
        learning = known.learn_tool_fix(parts, tool_name, error_pattern, root_cause, fix_description, cause=cause)
        return await _told(learning)

    @tool(effect=Effect.WRITE, timeout=30, examples=({"action": "deployed", "details": "web to staging"},))
    async def memory_session_log(action: str, details: str = "") -> Changed:
        """Notes what was done, with the time, in today's file of `sessions/`.

        Args:
            action: What was done, in a few words.
            details: More about it.
        """
        return await _told(files.memory_session_log(parts, action, details))

    return [tool_of(made) for made in (learn_tool_fix, memory_session_log)]


def _executing_tool(parts: MemoryParts) -> Tool:
    @tool(effect=Effect.WRITE, timeout=3600, examples=({"name": "echo", "args": {"value": "hello"}},))
    async def tool_exec(context: ToolContext, name: str, args: dict[str, Any] | None = None) -> Executed:
        """Calls any registered tool once, healed and journaled as a run of its own.

        Args:
            context: What the call stands in; its time is the time of the other tool.
            name: The tool.
            args: Its arguments.
        """
        done = await _told(executing.tool_exec(parts, name, args, timeout=context.timeout))
        if not done.ok:
            raise failed(done)
        return done

    return tool_of(tool_exec)


def _changing_tools(parts: MemoryParts) -> list[Tool]:
    note = {"file": "notes/deployments.yaml", "path": "seen", "value": "web"}

    @tool(effect=Effect.WRITE, timeout=30, examples=(note,))
    async def memory_append(file: str, value: Any, path: str = "") -> Changed:
        """Adds a value to a list of a YAML file of memory, or lines to a Markdown file; makes what is missing.

        Args:
            file: A file of the memory folder.
            value: What is added.
            path: Where the list stands in a YAML file.
        """
        return await _told(files.memory_append(parts, file, value, path))

    @tool(effect=Effect.WRITE, idempotent=True, timeout=30, examples=({**note, "path": "last"},))
    async def memory_update(file: str, path: str, value: Any) -> Changed:
        """Puts a value at a path of a YAML file of memory, after a back-up; comments stay.

        Args:
            file: A file of the memory folder.
            path: Where in it, as in `tool_fixes.0.root_cause`.
            value: What is to stand there.
        """
        return await _told(files.memory_update(parts, file, path, value))

    @tool(effect=Effect.WRITE, timeout=30, examples=({"file": "notes/deployments.yaml", "path": "last"},))
    async def memory_remove(file: str, path: str) -> Changed:
        """Takes out what stands at a path of a YAML file of memory, after a back-up, and gives what that was.

        Args:
            file: A file of the memory folder.
            path: Where in it.
        """
        return await _told(files.memory_remove(parts, file, path))

    return [tool_of(made) for made in (memory_append, memory_update, memory_remove)]


async def _told(answer: Awaitable[Answer]) -> Answer:
    """The answer; what the engine refuses becomes a tool's failure, with its kind."""
    try:
        return await answer
    except InputError as error:
        raise ToolError(str(error), kind="usage_error", sent=False) from error
    except DocumentError as error:
        raise ToolError(str(error), kind="configuration_error", sent=False) from error
    except EngineError as error:
        raise ToolError(str(error)) from error


def failed(done: Executed) -> ToolError:
    """The failure of a call by `tool_exec`: that of the tool it called, with the run that tells the rest."""
    failure = done.failure or {}
    message = f"{done.tool}: {failure.get('message') or done.message or done.status} (run {done.run})"
    return ToolError(message, kind=failure.get("kind"), details={"run": done.run, "status": done.status})


def made(parts: MemoryParts, name: str) -> Tool:
    """The memory tool of that name."""
    make = _looking_tools if name in READING else _writing_tools
    return next(each for each in make(parts) if each.name == name)
