"""What the reason of a cancelled request says about who wanted it."""

from __future__ import annotations

import pytest

from engine.frontends.mcp_server.withdrawing import IMPATIENT


@pytest.mark.parametrize(
    "reason",
    [
        "timed out after 60.0s",
        "McpError: MCP error -32001: Request timed out",
        "Error: Request timed out",
        "McpError: MCP error -32001: Maximum total timeout exceeded",
        "TimeoutError: The operation was aborted due to timeout",
        "context deadline exceeded",
        "request timeout",
        "System.TimeoutException: The operation has timed out.",
        "DEADLINE_EXCEEDED",
    ],
)
def test_the_end_of_a_clients_own_time_is_told_from_a_wish(reason: str) -> None:
    """As the SDKs word it, in Python, TypeScript, Go, Rust, C#."""
    assert IMPATIENT.search(reason)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "caller cancelled",
        "AbortError: This operation was aborted",
        "the person changed their mind",
        "context canceled",
        "User requested cancellation",
        "no time for this; stop the runtime output",
    ],
)
def test_a_wish_is_a_wish(reason: str) -> None:
    """Also one without a word."""
    assert not IMPATIENT.search(reason)
