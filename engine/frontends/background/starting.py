"""Beginning a run in a process of its own, which outlives whoever began it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

import anyio
from anyio.abc import ByteReceiveStream, Process

from engine.errors import RunStateError
from engine.frontends.background.request import Request, packed, run_id_of
from engine.workspace import Workspace

WORKER = (sys.executable, "-P", "-m", "engine.frontends.background.worker")
"""The program; `-P` keeps a folder `engine` of the workspace from being taken for this package."""
START_WITHIN = 120.0
"""Seconds for a run to begin: its skill is read and checked, and MCP servers it names may have to be asked."""
SAID = 2_000
"""Characters of what a worker said that died before its run began."""


async def begin(workspace: Workspace, request: Request, *, environment: Mapping[str, str] | None = None) -> str:
    """Begins what is requested in a process of its own, and gives the run's id as soon as history has the run.

    The request goes there on standard input, so no secret stands on a command line. Raises what the executor raises
    before a run begins (SkillNotFoundError, InputError, RunBusyError, ...), and RunStateError when the process dies or
    does not come that far. Not cancelled in between: nobody would know of the run.
    """
    text = packed(request, folder=workspace.folder, home=workspace.home)
    with anyio.CancelScope(shield=True):
        # Ends at once: the worker lets a child of its own do the work, so that nobody here has to wait for it.
        process = await anyio.open_process(WORKER, env=environment, start_new_session=True)
        try:
            line = await _answered(process, text)
            if not line:
                raise await _died(process)
        finally:
            await process.aclose()
    return run_id_of(line)


async def _answered(process: Process, text: bytes) -> bytes:
    """The worker's line; empty when it died before it had one."""
    with anyio.move_on_after(START_WITHIN):
        if process.stdin:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await process.stdin.send(text)
            await process.stdin.aclose()
        return await _line(process.stdout)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    raise RunStateError(
        f"the run has not begun within {START_WITHIN:g} s", hint="`skill history` shows whether it did later"
    )


async def _line(stream: ByteReceiveStream | None) -> bytes:
    """One line; empty when the process ended without."""
    read = b""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while stream and not read.endswith(b"\n"):
            read += await stream.receive()
    return read if read.endswith(b"\n") else b""


async def _died(process: Process) -> RunStateError:
    said = b""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while process.stderr:
            said = (said + await process.stderr.receive())[-SAID:]
    lines = said.decode("utf-8", "replace").strip().splitlines()
    told = next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else "it said nothing")
    return RunStateError(
        f"the process of the run died before the run began: {told.strip()}",
        hint="`skill doctor` looks for what is wrong here",
    )
