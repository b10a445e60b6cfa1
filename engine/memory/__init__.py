"""What the engine knows, in files people read: patterns, fixes, failures, notes."""

from engine.memory.books import Memory
from engine.memory.contexts import ContextBook
from engine.memory.failures import FailureLog
from engine.memory.fixes import FixBook
from engine.memory.inbox import Inbox
from engine.memory.patterns import PatternBook

__all__ = ["ContextBook", "FailureLog", "FixBook", "Inbox", "Memory", "PatternBook"]
