"""The HTTP headers that repeat what a message says, for servers behind an address and what stands before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp.shared.dispatcher import CallOptions
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp_types import PROTOCOL_VERSION_META_KEY


class Headers:
    """What goes with the messages to one server."""

    def __init__(self) -> None:
        self._version: str | None = None
        self._arguments: dict[str, Mapping[tuple[str, ...], str]] = {}

    def negotiated(self, result: Mapping[str, Any]) -> None:
        """Takes the version that a handshake came to."""
        version = result.get("protocolVersion")
        self._version = version if isinstance(version, str) else None

    def listed(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Takes from a listing which arguments are to be headers, too."""
        self._arguments |= {str(tool.get("name")): x_mcp_header_map(tool.get("inputSchema")) for tool in tools}

    def of(self, method: str, params: Mapping[str, Any] | None) -> CallOptions:
        """The headers of one message, as the dispatcher takes them."""
        version = ((params or {}).get("_meta") or {}).get(PROTOCOL_VERSION_META_KEY)
        if not isinstance(version, str):
            return {"headers": {MCP_PROTOCOL_VERSION_HEADER: self._version}} if self._version else {}
        headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: method}
        name = (params or {}).get(NAME_BEARING_METHODS.get(method, ""))
        if isinstance(name, str):
            headers[MCP_NAME_HEADER] = encode_header_value(name)
        if method == "tools/call" and isinstance(name, str):
            arguments = (params or {}).get("arguments") or {}
            headers |= mcp_param_headers(self._arguments.get(name, {}), arguments)
        return {"headers": headers}
