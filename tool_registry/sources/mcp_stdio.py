"""An MCP server that is a program: lines of JSON-RPC over its pipes, and an end that is certain.

The SDK's own transport hides the process; this one ends it when the engine is killed, says how it ended, keeps what it
writes to standard error in a bounded log, and lets no endless line fill the memory.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.abc

from tool_registry.sources.child import session_members
from tool_registry.sources.mcp_lines import line_of, message_of
from tool_registry.sources.mcp_log import Lines, ServerLog
from tool_registry.sources.process import not_started
from tool_registry.sources.warden import Warden

LEAVING = 1.0
"""Seconds a server has to end by itself once its standard input is closed, and again after SIGTERM."""
UNKILLABLE = 3.0
LOOK = 0.01
INHERITED = ("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "TMPDIR", "LANG", "LC_ALL")
"""What a server inherits of this process' environment, as the MCP SDK has it, and how text and scratch files go."""


def child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a server's process sees: little of ours, and what its configuration names."""
    ours = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**ours, **own}


class Program:
    """A running server; `ended` is set when its standard output has ended, which is when nothing more can come."""

    def __init__(self, process: anyio.abc.Process, log: ServerLog) -> None:
        self.ended = anyio.Event()
        self.log = log
        self._process = process
        # Started with three pipes.
        self._stdin: Any = process.stdin
        self._stdout: Any = process.stdout
        self._stderr: Any = process.stderr

    @property
    def exit_status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.returncode

    async def wait(self, seconds: float) -> bool:
        """Whether it has ended within that time."""
        with anyio.move_on_after(seconds):
            while self._process.returncode is None:  # noqa: ASYNC110 - `wait` also waits for pipes others hold open
                await anyio.sleep(LOOK)
        return self._process.returncode is not None

    async def read(self, deliver: Callable[[bytes], Any]) -> None:
        """Hands on every line of standard output."""
        lines = Lines()
        try:
            async for chunk in self._stdout:
                for line in lines.add(chunk):
                    await deliver(line)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            pass  # the pipe is gone, which is an end like any other
        finally:
            self.ended.set()

    async def read_errors(self) -> None:
        """Keeps what comes on standard error."""
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            async for chunk in self._stderr:
                self.log.add(chunk)

    async def write(self, data: bytes) -> None:
        """Writes to standard input; raises BrokenResourceError when nobody reads it any more."""
        try:
            await self._stdin.send(data)
        except (anyio.ClosedResourceError, OSError) as error:
            raise anyio.BrokenResourceError from error

    async def stop(self) -> None:
        """Ends it and everything it started: standard input closed, SIGTERM, SIGKILL."""
        await _closed(self._stdin)
        await self.wait(LEAVING)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not await self._ask(number):
                break
        await self._release()

    async def _ask(self, number: signal.Signals) -> bool:
        """Whether anything is left after the signal."""
        self._signal(number)
        with anyio.move_on_after(LEAVING if number is signal.SIGTERM else UNKILLABLE):
            while self._left():  # noqa: ASYNC110 - only looking tells when other processes end
                await anyio.sleep(LOOK)
        return self._left()

    def _left(self) -> bool:
        return self._process.returncode is None or bool(session_members(self._process.pid))

    def _signal(self, number: signal.Signals) -> None:
        groups = set(session_members(self._process.pid).values())
        if self._process.returncode is None:
            groups.add(self._process.pid)
        for group in groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)

    async def _release(self) -> None:
        await _closed(self._stdout)
        await _closed(self._stderr)
        # asyncio keeps the transport open while somebody else holds a pipe of it, and warns when it is collected.
        transport = getattr(getattr(self._process, "_process", None), "_transport", None)
        if transport is not None:
            with suppress(PermissionError, ProcessLookupError):
                transport.close()


async def _closed(pipe: Any) -> None:
    with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await pipe.aclose()


@asynccontextmanager
async def program(
    argv: list[str], *, environment: Mapping[str, str], folder: Path | None, log: ServerLog
) -> AsyncIterator[Program]:
    """A server while it is needed; afterwards neither it nor anything it started is left.

    Raises ToolError (`sent=False`) when it cannot be started.
    """
    try:
        process = await anyio.open_process(argv, env=environment, cwd=folder, start_new_session=True)
    except (OSError, ValueError) as error:
        raise not_started(error, argv[0], folder, environment) from error
    running = Program(process, log)
    warden = _warden()
    try:
        with warden.over(process.pid) if warden else nullcontext():
            try:
                yield running
            finally:
                with anyio.CancelScope(shield=True):
                    await running.stop()
    finally:
        if warden:
            with anyio.CancelScope(shield=True):
                await warden.aclose()


def _warden() -> Warden | None:
    try:
        return Warden()
    except OSError:
        return None


@asynccontextmanager
async def stdio_streams(running: Program) -> AsyncIterator[Any]:
    """The streams that the SDK's client reads and writes, over a program's pipes."""
    from mcp.shared.message import SessionMessage  # noqa: PLC0415 - late: costs a second, and most runs start no server

    incoming, reading = anyio.create_memory_object_stream[Any](0)
    writing, outgoing = anyio.create_memory_object_stream[SessionMessage](0)

    async def deliver(line: bytes) -> None:
        message = message_of(line, running.log)
        if message is not None:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await incoming.send(message)

    async def read() -> None:
        async with incoming:
            await running.read(deliver)

    async def write() -> None:
        async with outgoing:
            with suppress(anyio.BrokenResourceError):
                async for message in outgoing:
                    await running.write(line_of(message.message))
                return
        # Nobody reads: what waits for an answer must learn it.
        running.ended.set()
        await incoming.aclose()

    async with anyio.create_task_group() as tasks:
        for task in (read, write, running.read_errors):
            tasks.start_soon(task)
        try:
            yield reading, writing
        finally:
            for stream in (reading, writing):
                stream.close()
            tasks.cancel_scope.cancel()
