"""The general tools: those that every server has, whatever skills there are."""

from __future__ import annotations

from collections.abc import Callable

from engine.frontends.mcp_server.health_offer import health_offer
from engine.frontends.mcp_server.library_tools import library_offers
from engine.frontends.mcp_server.memory_offers import memory_offers
from engine.frontends.mcp_server.offers import Listed, Offer
from engine.frontends.mcp_server.run_tools import RUN_OFFERS
from engine.frontends.mcp_server.serving import Serving


def general_offers(serving: Serving, listed: Callable[[], Listed]) -> tuple[Offer, ...]:
    """All of them, in the order agents meet them; `listed` gives what the skill files are now."""
    return (*library_offers(listed), *RUN_OFFERS, *memory_offers(serving.engine), health_offer())
