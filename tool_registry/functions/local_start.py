"""Starting the embedded platform: the fix for a local profile where nothing answers, and the check that it does."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

import anyio

from tool_registry.functions.platform import PLATFORM, check_answers, platform_folder, platform_port, platform_url
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, FixScope, Needs, ToolContext, ToolError

LOOK_EVERY = 0.05
"""Seconds between two looks at whether it answers by now."""

PATIENCE = 2.0
"""Seconds after which whoever took the connection and says nothing is not the platform."""

HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}, "platform": {"type": "string"}, "isolation": {"type": "string"}},
}

ANOTHER_RUNS = 3
PORT_TAKEN = 4
"""What the platform exits with, by its own documentation."""


class Started(TypedDict):
    """The platform that runs now; `started` is false when it ran before, `pid` None when it does not tell."""

    url: str
    pid: int | None
    started: bool


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    fix=FixScope.CONNECTIVITY,
    examples=({},),
    exact=True,
    needs=Needs(settings=("platform",)),
)
async def local_platform_start(context: ToolContext) -> Started:
    """Starts the embedded platform if nothing answers where the domain expects it; two at once start one.

    The process goes on when this one ends, and leaves by itself when it is not used for a while.

    Returns:
        url, pid, and started (false when it was running already).
    """
    running = await _running(context)
    if running is not None:
        return {"url": running["url"], "pid": running["pid"], "started": False}
    folder = platform_folder(context.settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    context.report(f"starting the local platform in {folder}")
    running = await _started(folder, context)
    return {"url": running["url"], "pid": running["pid"], "started": True}


@tool(effect=Effect.READ, idempotent=True, domain="ephemeral", timeout=5, examples=({},), result=HEALTH, needs=PLATFORM)
async def local_platform_ready(context: ToolContext) -> dict[str, Any]:
    """Says whether the embedded platform answers; a failure when it does not.

    Returns:
        What the platform says of itself: status, platform, isolation.
    """
    return await check_answers(context)


async def _running(context: ToolContext) -> dict[str, Any] | None:
    try:
        told = await check_answers(context, timeout=min(PATIENCE, context.timeout))
    except ToolError:
        return None
    if "platform" not in told:
        return None
    return {"url": platform_url(context.settings), "pid": _announced(platform_folder(context.settings)).get("pid")}


async def _started(folder: Path, context: ToolContext) -> dict[str, Any]:
    """Starts one process, or a second on a free port when the expected one is taken, and waits until one answers."""
    child: int | None = _spawn(folder, platform_port(context.settings), context)
    until = time.monotonic() + context.timeout
    while time.monotonic() < until:
        await anyio.sleep(LOOK_EVERY)
        if (folder / "endpoint.json").exists() and (running := await _running(context)) is not None:
            return running
        match _ended(child):
            case None:
                continue
            case status if status == PORT_TAKEN:
                child = _spawn(folder, 0, context)
            case status if status == ANOTHER_RUNS:
                child = None
            case status:
                raise _did_not_start(folder, status)
    raise ToolError(
        f"the local platform did not answer within {context.timeout:g} seconds",
        kind="timeout",
        output=_last_words(folder),
    )


def _spawn(folder: Path, port: int, context: ToolContext) -> int:
    """Starts the platform as a process that outlives this one, in a session of its own, and gives its id.

    Not `run_program`: that one waits for the end, and ends what it started.
    """
    argv = [sys.executable, "-P", "-m", "tool_registry.local_platform", "--data", str(folder), "--port", str(port)]
    words = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    redirect: list[tuple[int, int, str, int, int] | tuple[int, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(folder / "start.log"), words, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        return os.posix_spawn(argv[0], argv, dict(context.environment), file_actions=redirect, setsid=True)
    except OSError as error:
        raise ToolError(f"the local platform cannot be started: {error}", sent=False) from error


def _ended(child: int | None) -> int | None:
    """The exit status of a child that ended, None while it runs or when it is not ours to wait for."""
    if child is None:
        return None
    try:
        ended, status = os.waitpid(child, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def _did_not_start(folder: Path, status: int) -> ToolError:
    words = _last_words(folder)
    last = words.rpartition("\n")[2] or "it said nothing"
    return ToolError(
        f"the local platform ended with status {status} instead of starting: {last}",
        exit_status=status,
        program="python",
        output=words,
        sent=False,
    )


def _last_words(folder: Path) -> str:
    try:
        return (folder / "start.log").read_text(errors="replace").strip()[-4000:]
    except OSError:
        return ""


def _announced(folder: Path) -> dict[str, Any]:
    try:
        endpoint = json.loads((folder / "endpoint.json").read_text())
    except (OSError, ValueError):
        return {}
    return endpoint if isinstance(endpoint, dict) else {}
