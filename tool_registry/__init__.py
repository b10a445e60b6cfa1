"""Tools: what they are, where they come from, and the one door through which they are called."""

from tool_registry.registry import ToolRegistry, default_registry
from tool_registry.sources.python import tool
from tool_registry.tool import (
    Effect,
    FixScope,
    Needs,
    Tool,
    ToolContext,
    ToolError,
    ToolOutput,
    UnknownToolError,
)

__all__ = [
    "Effect",
    "FixScope",
    "Needs",
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolOutput",
    "ToolRegistry",
    "UnknownToolError",
    "default_registry",
    "tool",
]
