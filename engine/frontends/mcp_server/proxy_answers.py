"""What the answers of a proxied server mean to the proxy, and what it says where there is none."""

from __future__ import annotations

from http import HTTPStatus

from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED

from tool_registry.sources.mcp_http import Exchange
from tool_registry.tool import ToolError

READS = frozenset(
    {
        "completion/complete",
        "logging/setLevel",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "server/discover",
        "tools/list",
    }
)
"""Requests that do the same when they are made twice; `tools/call` has a pipeline of its own."""


def is_gone(error: MCPError) -> bool:
    """Whether the dispatcher says so itself; a server may use that number for something else."""
    return error.error.code == CONNECTION_CLOSED and error.error.message == "Connection closed"


def said_by(error: MCPError, failure: ToolError, exchange: Exchange) -> MCPError:
    """What the client is told: the server's words; where there are none, what was met instead, under the same number.

    The number says to a client which era the server speaks.
    """
    refused = (exchange.status or 0) >= HTTPStatus.BAD_REQUEST and '"jsonrpc"' not in exchange.text
    if exchange.error is None and not refused:
        return error
    return MCPError(code=error.error.code, message=failure.message)
