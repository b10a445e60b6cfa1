"""Whether a second call can do anything twice; the rules are HEALING's "a second call must be safe"."""

from __future__ import annotations

from engine.model.failure import Basis, Diagnosis
from tool_registry.tool import Effect, Tool


def harmless(tool: Tool, diagnosis: Diagnosis, *, credible: float) -> bool:
    """Whether a second call is safe after this failure; words prove something from the confidence `credible` on."""
    return repeats(tool) or _proven_untouched(tool, diagnosis, credible)


def repeats(tool: Tool) -> bool:
    """Whether calling the tool twice is the same as once, whatever became of the first call."""
    return tool.effect is Effect.READ or tool.idempotent


def _proven_untouched(tool: Tool, diagnosis: Diagnosis, credible: float) -> bool:
    """Words prove nothing unless they are nearly always right, and nothing at all for a destructive tool."""
    if diagnosis.basis is not Basis.PATTERN:
        return diagnosis.untouched
    return diagnosis.untouched and diagnosis.confidence >= credible and tool.effect is not Effect.DESTRUCTIVE
