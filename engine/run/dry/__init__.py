"""The dry run: what a run would do, as far as that can be known, without doing any of it."""

from __future__ import annotations

from engine.run.dry.plan import Plan, PlannedStep, Verdict
from engine.run.dry.runner import DryRunner

__all__ = ["DryRunner", "Plan", "PlannedStep", "Verdict"]
