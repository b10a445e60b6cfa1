"""How an MCP server is reached, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = "mcp"
UNLISTED = "mcp, not yet asked"
"""What a tool is made of whose server nobody has asked for its tools."""
LACKING = "mcp, not there"
"""What a tool is made of that its server did not have when it was last asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """How one server is reached: a program (`command`, `args`, `env`, `cwd`) or an address (`url`, `headers`).

    `timeout` is what one call may take, `start_within` what starting may take, both in seconds; `log` is the file that
    keeps what a program writes to standard error.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 60.0
    start_within: float = 30.0
    log: Path | None = None
