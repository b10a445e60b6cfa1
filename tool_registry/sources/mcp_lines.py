"""The messages of a server that is a program, a line each: what cannot be read fails its own call, at once."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from tool_registry.sources.mcp_log import LONGEST_LINE, TOO_LONG, ServerLog, answered_by

OVERSIZE, UNREADABLE = -32_098, -32_097
"""Our own codes, for an answer that was dropped for its size, and for one that cannot be read."""
SHOWN = 200
_BEGINNING = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,\s*"(?:result|error)"')


def message_of(line: bytes, log: ServerLog) -> Any:
    """The message a line holds, or the failure of the call that it answers; None for what is neither, which is noted.

    Halves of surrogate pairs, which programs write that cut a text anywhere, are replaced.
    """
    from mcp_types import jsonrpc_message_adapter  # noqa: PLC0415 - late: costs a second, and most runs need no server

    if line.startswith(TOO_LONG):
        log.note(f"(a message of more than {LONGEST_LINE:,} bytes was dropped)")
        return _failed(answered_by(line), OVERSIZE, f"the answer was larger than {LONGEST_LINE:,} bytes")
    if not line.strip():
        return None
    with suppress(ValueError):
        return _session(jsonrpc_message_adapter.validate_json(line, by_name=False))
    log.note(f"(no message of the protocol on standard output: {line[:SHOWN].decode('utf-8', 'replace')})")
    value = _value(line)
    with suppress(ValueError):
        return _session(jsonrpc_message_adapter.validate_json(whole(value), by_name=False))
    return _failed(_answered(line, value), UNREADABLE, "the answer is no message of the protocol")


def line_of(message: Any) -> bytes:
    """The line that says a message; what no text can hold is replaced."""
    try:
        text: str = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:
        return whole(message.model_dump(by_alias=True, exclude_unset=True)) + b"\n"
    return text.encode() + b"\n"


def whole(value: Any) -> bytes:
    """The value as JSON, a question mark for each half of a surrogate pair."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _session(message: Any) -> Any:
    from mcp.shared.message import SessionMessage  # noqa: PLC0415 - late, as above

    return SessionMessage(message)


def _failed(number: int | None, code: int, sentence: str) -> Any:
    from mcp_types import ErrorData, JSONRPCError  # noqa: PLC0415 - late, as above

    if number is None:
        return None
    return _session(JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=code, message=sentence)))


def _value(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _answered(line: bytes, value: Any) -> int | None:
    """The number of the request that an unreadable line answers; None if it does not tell."""
    if isinstance(value, dict):
        number = value.get("id")
        return number if type(number) is int and "method" not in value else None
    found = _BEGINNING.match(line)
    return int(found[1]) if found else None
