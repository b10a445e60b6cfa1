"""Lines from a descriptor: bounded, in any pieces, to the last one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import anyio
from hypothesis import given
from hypothesis import strategies as some
from mcp_types import JSONRPCNotification

from engine.frontends.mcp_server.stdio import LONGEST_LINE, NoMessageError, lines, read_message


async def told(pieces: Iterable[bytes]) -> list[bytes | None]:
    """What comes out when the pieces are written one after the other."""
    reading, writing = os.pipe()
    found: list[bytes | None] = []

    async def read() -> None:
        found.extend([line async for line in lines(reading)])

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        for piece in pieces:
            await anyio.to_thread.run_sync(os.write, writing, piece)
            await anyio.lowlevel.checkpoint()
        os.close(writing)
    os.close(reading)
    return found


@given(some.lists(some.binary(max_size=20), max_size=10))
def test_lines_are_the_same_in_whatever_pieces_they_come(pieces: list[bytes]) -> None:
    """Empty lines are none; the last needs no end."""
    expected = [line for line in b"".join(pieces).split(b"\n") if line.strip()]
    found = anyio.run(told, pieces)
    assert [line.strip() for line in found if line] == [line.strip() for line in expected]


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
)
PARTS = {"jsonrpc": some.just("2.0") | JSON, "id": JSON, "method": JSON, "params": JSON, "result": JSON, "error": JSON}


@given(some.binary() | JSON.map(json.dumps) | some.fixed_dictionaries({}, optional=PARTS).map(json.dumps))
def test_a_line_is_a_message_or_is_answered(line: bytes | str) -> None:
    """Whatever stands in it: there is no third way, and whoever gave an id is answered by it."""
    raw = line if isinstance(line, bytes) else line.encode()
    try:
        message = read_message(raw)
    except NoMessageError as error:
        refused = error.answer.error.code
        error.answer.model_dump_json()
    else:
        refused = 0
        assert isinstance(message, JSONRPCNotification) is ("id" not in json.loads(raw))
    assert refused in {0, -32700, -32600}


async def test_a_line_that_is_too_long_is_told_once_and_dropped() -> None:
    """Those around it are heard; one of just the longest length is, too."""
    long, just = b"x" * (LONGEST_LINE + 1), b"y" * LONGEST_LINE
    pieces = [b"one\n", *(long[at : at + 50_000] for at in range(0, len(long), 50_000)), b"\ntwo\n"]
    pieces += [*(just[at : at + 50_000] for at in range(0, len(just), 50_000)), b"\nthree"]
    assert await told(pieces) == [b"one", None, b"two", just, b"three"]


async def test_a_file_is_read_like_a_pipe(tmp_path: Path) -> None:
    """No system waits for one, and it is always ready."""
    file = tmp_path / "requests"
    file.write_bytes(b"one\ntwo\n")
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert [line async for line in lines(descriptor)] == [b"one", b"two"]
    finally:
        os.close(descriptor)
