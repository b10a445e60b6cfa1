"""What happened: every run, step, attempt, heal stage and fix, in a database of this machine."""

from engine.history.journal import History
from engine.history.records import FixRecord, RunRecord, StepRecord
from engine.model.tally import FailureRecord, FailureTotals

__all__ = ["FailureRecord", "FailureTotals", "FixRecord", "History", "RunRecord", "StepRecord"]
