"""What a call answers when it is no run: a value with a few lines of text, or a refusal that says the way out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult, TextContent

from engine.errors import EngineError

LONGEST_TEXT = 20_000
"""Characters of a value that are repeated as text, for clients that know no structured results."""


def answer(value: Mapping[str, Any], text: str = "", *, failed: bool = False) -> CallToolResult:
    """The value as structured content, and as text: the lines that are given, or its JSON."""
    told = text or _shortened(json.dumps(value, ensure_ascii=False, indent=1, default=str))
    return CallToolResult(
        content=[TextContent(type="text", text=told)], structured_content=dict(value), is_error=failed
    )


def refusal(sentence: str, hint: str = "") -> CallToolResult:
    """An error a model can read and mend: nothing was done."""
    told = f"{sentence}\n{hint}" if hint else sentence
    return CallToolResult(content=[TextContent(type="text", text=told)], is_error=True)


def refused(error: EngineError) -> CallToolResult:
    """What the engine refused, and its way out."""
    return refusal(f"{error.place}: {error.message}" if error.place else error.message, error.hint)


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n... {len(text) - LONGEST_TEXT:,} characters more; the structured content has all"
