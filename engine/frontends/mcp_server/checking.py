"""Whether arguments fit a schema, and a sentence for everything that does not: nothing is called before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.frontends.mcp_server.offers import Offer
from tool_registry.arguments import accepted
from tool_registry.tool import Tool, ToolContext, ToolError, ToolOutput

LONGEST_ARGUMENTS = 1_000_000
"""Characters that the arguments of one call may have, as JSON."""


class ArgumentsError(ValueError):
    """Arguments that do not fit; the sentence names each, and the nearest that is known."""


def fitting(offer: Offer, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, once they fit the offer's schema; ArgumentsError says what is wrong with all of them."""
    size = _size(offer, given)
    if size > LONGEST_ARGUMENTS:
        raise ArgumentsError(
            f"{offer.name} was not called: its arguments have {size:,} characters, and {LONGEST_ARGUMENTS:,} are taken"
        )
    try:
        return accepted(Tool(name=offer.name, call=_not_called, parameters=offer.parameters), given)
    except ToolError as error:
        raise ArgumentsError(error.message) from error


def _size(offer: Offer, given: Mapping[str, Any]) -> int:
    """The characters of the arguments as JSON, which has no NaN and no Infinity: they would pass every bound."""
    try:
        return len(json.dumps(given, ensure_ascii=False, allow_nan=False))
    except ValueError as error:
        raise ArgumentsError(f"{offer.name} was not called: an argument holds a NaN or an Infinity") from error


async def _not_called(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
    return ToolOutput()
