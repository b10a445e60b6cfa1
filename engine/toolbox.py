"""The memory tools as functions for programs: with an engine of theirs, or one opened here for the one call.

from engine import check_known_issues
known = await check_known_issues("bonfire_deploy", "manifest unknown")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from engine.memory_tools import debugging, executing, files, known
from engine.memory_tools.results import Changed, Executed, KnownIssues, Learned, Remembered, ToolReport
from engine.wiring import Engine


async def check_known_issues(tool_name: str = "", error_text: str = "", *, engine: Engine | None = None) -> KnownIssues:
    """What is known of the tool, the error, or both. Raises InputError when neither is given."""
    async with _opened(engine) as parts:
        return await known.check_known_issues(parts, tool_name, error_text)


async def learn_tool_fix(
    tool_name: str,
    error_pattern: str,
    root_cause: str,
    fix_description: str,
    *,
    cause: str = "",
    engine: Engine | None = None,
) -> Learned:
    """Keeps a fix that worked, to be shown when the tool fails with these words again.

    Raises InputError for texts that cannot be kept, DocumentError when the file is broken or cannot be written.
    """
    async with _opened(engine) as parts:
        return await known.learn_tool_fix(parts, tool_name, error_pattern, root_cause, fix_description, cause=cause)


async def debug_tool(tool_name: str, error_message: str = "", *, engine: Engine | None = None) -> ToolReport:
    """All that helps to mend a failing tool. Raises InputError for a name that no tool has."""
    async with _opened(engine) as parts:
        return await debugging.debug_tool(parts, tool_name, error_message)


async def tool_exec(
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    timeout: float | None = None,
    engine: Engine | None = None,
) -> Executed:
    """Calls a tool once, healed and journaled as a run of its own, for at most `timeout` seconds.

    Raises InputError for a name that no tool has, and JournalError; that the call failed is told by what it returns.
    """
    async with _opened(engine) as parts:
        return await executing.tool_exec(parts, name, args, timeout=timeout)


async def memory_read(file: str = "", path: str = "", *, engine: Engine | None = None) -> Remembered:
    """What stands in a memory file, or at a path in it; without `file`, which there are.

    Raises InputError for a file that is not there, DocumentError for one that cannot be read.
    """
    async with _opened(engine) as parts:
        return await files.memory_read(parts, file, path)


async def memory_append(file: str, value: Any, path: str = "", *, engine: Engine | None = None) -> Changed:
    """Adds a value to the list at `path` of a YAML file, or lines to a Markdown file; makes what is missing.

    Raises InputError and DocumentError; then nothing changed.
    """
    async with _opened(engine) as parts:
        return await files.memory_append(parts, file, value, path)


async def memory_update(file: str, path: str, value: Any, *, engine: Engine | None = None) -> Changed:
    """Puts a value at `path` of a YAML file, after a back-up. Raises InputError and DocumentError."""
    async with _opened(engine) as parts:
        return await files.memory_update(parts, file, path, value)


async def memory_remove(file: str, path: str, *, engine: Engine | None = None) -> Changed:
    """Takes out what stands at `path` of a YAML file, after a back-up. Raises InputError and DocumentError."""
    async with _opened(engine) as parts:
        return await files.memory_remove(parts, file, path)


async def memory_session_log(action: str, details: str = "", *, engine: Engine | None = None) -> Changed:
    """Notes what was done, with the time, in today's file of `sessions/`. Raises InputError and DocumentError."""
    async with _opened(engine) as parts:
        return await files.memory_session_log(parts, action, details)


@asynccontextmanager
async def _opened(engine: Engine | None) -> AsyncIterator[Engine]:
    if engine is not None:
        yield engine
        return
    async with Engine.open() as own:
        yield own
