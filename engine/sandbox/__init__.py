"""Evaluates what authors write: expressions, templates and compute blocks; nothing else in the engine does."""

from __future__ import annotations

from engine.sandbox.evaluator import Sandbox, helper_names
from engine.sandbox.reading import NameUse, Reading
from engine.sandbox.whole import is_marked, is_whole

__all__ = ["NameUse", "Reading", "Sandbox", "helper_names", "is_marked", "is_whole"]
