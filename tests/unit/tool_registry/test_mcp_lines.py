"""Lines of a server that is a program: whatever stands in them, a call that is answered comes to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

from tool_registry.sources.mcp_lines import UNREADABLE, line_of, message_of
from tool_registry.sources.mcp_log import ServerLog

DEEP = b'{"jsonrpc":"2.0","id":7,"result":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}"


def read(line: bytes) -> Any:
    """What the line says."""
    found = message_of(line, ServerLog(None, str))
    return found.message if found else None


@pytest.mark.parametrize(
    "line",
    [
        DEEP,
        DEEP.replace(b"[" * 5000, b"[" * 500).replace(b"]" * 5000, b"]" * 500),
        b'{"jsonrpc":"2.0","id":7,"result":{"content":[',
        b'{"id":7,"jsonrpc":"2.0","result":[1]}',
        b'{"jsonrpc":"2.0","result":"\\ud800","id":7}',
    ],
)
def test_an_answer_that_cannot_be_read_fails_its_call(line: bytes) -> None:
    """Nobody waits for the deadline of an answer that has come."""
    found = read(line)
    assert isinstance(found, JSONRPCError)
    assert (found.id, found.error.code) == (7, UNREADABLE)


@pytest.mark.parametrize(
    "line", [b"noise", b"[1]", b'{"id":7', b'{"method":"x","id":7,"jsonrpc":1}', b'{"result":{"id":7', b'{"id":true}']
)
def test_what_answers_nothing_is_dropped(line: bytes) -> None:
    """A number somewhere in it ends no call."""
    assert read(line) is None


def test_halves_of_surrogate_pairs_are_replaced_in_both_directions() -> None:
    """Programs cut texts where they like; the rest of the answer is worth having."""
    found = read(b'{"jsonrpc":"2.0","id":7,"result":{"text":"\\ud83dx"}}')
    assert isinstance(found, JSONRPCResponse)
    assert found.result == {"text": "?x"}
    asked = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/call", params={"arguments": {"text": "x\ud800"}})
    assert json.loads(line_of(asked))["params"] == {"arguments": {"text": "x?"}}
