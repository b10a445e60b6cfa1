"""Messages over standard input and output, a line each; what is no message is answered, too.

The SDK's own transport reads lines of any length, and says nothing about those it cannot read.
"""

from __future__ import annotations

import json
import os
import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import field
from typing import Any

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from engine.frontends.mcp_server.wire import Wire
from engine.model.lazy_dataclass import dataclass

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one message; what HTTP bodies are limited to as well."""
CHUNK = 65_536
LAST_ANSWERS = 1.0
"""Seconds that answers under way have when the input ends: a host that leaves waits about two for the process."""
PIPE_ROOM = 4_096
"""Bytes that a pipe which may be written to takes without blocking (PIPE_BUF)."""

Reading = MemoryObjectReceiveStream[SessionMessage | Exception]
Writing = MemoryObjectSendStream[SessionMessage]


@dataclass(slots=True, kw_only=True)
class Traffic:
    """The requests that are not answered yet, and what happens when one side has had enough."""

    unanswered: set[str | int] = field(default_factory=set)
    listening: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    quiet: anyio.Event = field(default_factory=anyio.Event)

    def settle(self, of: str | int | None) -> None:
        """A request needs no answer any more."""
        if of is not None:
            self.unanswered.discard(of)
        if not self.unanswered:
            self.quiet.set()
            self.quiet = anyio.Event()


@asynccontextmanager
async def streams(wire: Wire, *, ended: Callable[[], object] = bool) -> AsyncIterator[tuple[Reading, Writing]]:
    """Messages from and to the wire; the first stream ends with the input, or when nobody reads the output.

    `ended` is told so.
    """
    heard, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, said = anyio.create_memory_object_stream[SessionMessage](0)
    traffic = Traffic()
    async with anyio.create_task_group() as group:
        group.start_soon(_read, wire, heard, outgoing.clone(), traffic, ended)
        group.start_soon(_write, wire, said, traffic)
        yield incoming, outgoing
        group.cancel_scope.cancel()


async def _read(
    wire: Wire,
    heard: MemoryObjectSendStream[SessionMessage | Exception],
    outgoing: Writing,
    traffic: Traffic,
    ended: Callable[[], object],
) -> None:
    with traffic.listening:
        async with heard, outgoing:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                async for line in lines(wire.incoming):
                    await _hear(line, heard, outgoing, traffic)
                await _answered(traffic)
    ended()


async def _hear(
    line: bytes | None,
    heard: MemoryObjectSendStream[SessionMessage | Exception],
    outgoing: Writing,
    traffic: Traffic,
) -> None:
    try:
        message = read_message(line)
    except NoMessageError as error:
        await outgoing.send(SessionMessage(error.answer))
        return
    if isinstance(message, JSONRPCRequest):
        traffic.unanswered.add(message.id)
    elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
        of = (message.params or {}).get("requestId")
        traffic.settle(of if isinstance(of, str | int) else None)
    await heard.send(SessionMessage(message))


async def _answered(traffic: Traffic) -> None:
    """Waits a moment for what is being answered: who pipes requests in closes the pipe before they are."""
    with anyio.move_on_after(LAST_ANSWERS):
        if traffic.unanswered:
            await traffic.quiet.wait()


async def _write(wire: Wire, said: MemoryObjectReceiveStream[SessionMessage], traffic: Traffic) -> None:
    """Writes until nobody reads any more; then nothing more is heard, either."""
    async with said:
        async for each in said:
            text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
            try:
                await _put(wire.outgoing, f"{text}\n".encode())
            except OSError:
                traffic.listening.cancel()
                return
            if isinstance(each.message, JSONRPCResponse | JSONRPCError):
                traffic.settle(each.message.id)


class NoMessageError(ValueError):
    """A line is no message of the protocol; `answer` tells the client."""

    def __init__(self, code: int, sentence: str, of: str | int | None = None) -> None:
        super().__init__(sentence)
        self.answer = JSONRPCError(jsonrpc="2.0", id=of, error=ErrorData(code=code, message=sentence))


def read_message(line: bytes | None) -> JSONRPCMessage:
    """The message in a line; NoMessageError for one that is too long (None), no JSON, or no JSON-RPC 2.0."""
    if line is None:
        raise NoMessageError(INVALID_REQUEST, f"a message may have {LONGEST_LINE:,} bytes, and this one has more")
    with suppress(ValidationError):
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        # A request whose id is none would pass as a notification, and its sender wait for ever.
        if not isinstance(message, JSONRPCNotification) or "id" not in json.loads(line):
            return message
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise NoMessageError(PARSE_ERROR, "this line is no JSON; every line is one message of JSON-RPC 2.0") from None
    of = value.get("id") if isinstance(value, dict) else None
    sentence = "this is no request, notification or answer of JSON-RPC 2.0 (batches are none)"
    raise NoMessageError(INVALID_REQUEST, sentence, of if _is_id(of) else None)


def _is_id(of: Any) -> bool:
    """Whether an answer can name it: JSON allows halves of surrogate pairs, which no text that is sent can have."""
    return type(of) is int or (type(of) is str and of.encode("utf-8", "replace").decode() == of)


async def _put(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        # Most pipes have room, and asking the kernel is a tenth of the time that the event loop takes to say so.
        if not _has_room(descriptor):
            await _until_ready(anyio.wait_writable, descriptor)
        with suppress(BlockingIOError):
            rest = rest[os.write(descriptor, rest[:PIPE_ROOM]) :]


def _has_room(descriptor: int) -> bool:
    """Whether the other side takes more now, told without waiting."""
    asked = select.poll()
    asked.register(descriptor, select.POLLOUT)
    return bool(asked.poll(0))


async def lines(descriptor: int) -> AsyncIterator[bytes | None]:
    """The lines that come in; None for one that is too long, of which no more is kept than the limit."""
    parts: list[bytes] = []
    size = 0
    while chunk := await _chunk(descriptor):
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            if size + len(end) <= LONGEST_LINE:
                line = b"".join([*parts, end])
                if line.strip():
                    yield line
            elif size <= LONGEST_LINE:
                yield None
            parts, size = [], 0
        if size <= LONGEST_LINE < size + len(rest):
            yield None
            parts = []
        size += len(rest)
        if size <= LONGEST_LINE:
            parts.append(rest)
    if line := b"".join(parts).strip():
        yield line


async def _chunk(descriptor: int) -> bytes:
    """What can be read, at least a byte; nothing at the end, and when the other side is gone."""
    while True:
        await _until_ready(anyio.wait_readable, descriptor)
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:
            continue
        except OSError:
            return b""


async def _until_ready(wait: Callable[[int], Awaitable[None]], descriptor: int) -> None:
    """Waits for the other side; a plain file, for which no system waits, is always ready."""
    try:
        await wait(descriptor)
    except PermissionError:
        await anyio.lowlevel.checkpoint()
