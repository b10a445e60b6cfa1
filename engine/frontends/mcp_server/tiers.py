"""What a client may do: three tiers, each of which includes the one before."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How far the person who started the server lets its clients go."""

    READ = "read"
    RUN = "run"
    APPROVE_FIXES = "approve-fixes"

    def allows(self, needed: Tier) -> bool:
        """Whether this tier includes `needed`."""
        order = tuple(Tier)
        return order.index(self) >= order.index(needed)
