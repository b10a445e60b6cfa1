"""What the second call of an idempotent write says of itself."""

from __future__ import annotations

from typing import Any

SAYS = ("changed", "created", "cloned", "pushed", "built")
"""Members of results that say whether this call did something."""


def claims(value: Any) -> list[str]:
    """What a call says to have done; a second one that did nothing has nothing to claim."""
    return [name for name in SAYS if isinstance(value, dict) and value.get(name) is True]
