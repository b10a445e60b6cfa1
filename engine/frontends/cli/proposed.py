"""A proposal as the commands that show one draw it."""

from __future__ import annotations

from typing import Any

from engine.model.improvement import About, Proposal


def told_kind(proposal: Proposal) -> str:
    """What a proposal would call the failure; nothing for a repair."""
    return proposal.kind.value if proposal.about is About.PATTERN else ""


def proposal_record(proposal: Proposal) -> dict[str, Any]:
    """A proposal as JSON-like data; times in seconds since the epoch."""
    return {name: getattr(proposal, name) for name in proposal.__dataclass_fields__}
