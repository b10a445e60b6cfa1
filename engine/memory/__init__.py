"""What the engine knows, in files people read: patterns, fixes, failures, notes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Memory": "engine.memory.books",
    "ContextBook": "engine.memory.contexts",
    "FailureLog": "engine.memory.failures",
    "FixBook": "engine.memory.fixes",
    "Inbox": "engine.memory.inbox",
    "PatternBook": "engine.memory.patterns",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a part when it is first asked for: a run in which nothing fails opens no book; the stub has the types."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
