"""The past of a run: read from its events, in one pass, for whoever goes on with it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.history.query import RunQueries
from engine.model.past import PastRun

_EVENTS = """
    SELECT e.number, e.kind, e.at, e.step, e.body FROM events e JOIN runs r ON r.number = e.run
    WHERE r.id = ? AND e.kind NOT IN ('heal_stage', 'progress', 'notice') ORDER BY e.number
"""
_VALUES = "SELECT v.step, v.field, v.body FROM step_values v JOIN runs r ON r.number = v.run WHERE r.id = ?"
_TEXT = "SELECT text FROM skill_texts WHERE digest = ?"


class PastQueries(RunQueries):
    """What can be asked about runs, and what one that is gone on with goes by."""

    def past(self, run_id: str) -> PastRun:
        """The run as far as it came; `run_id` as in every question. Raises RunNotFoundError."""
        from engine.history.retelling import Retelling  # noqa: PLC0415 - late: few runs are gone on with

        full = self._full_id(run_id)
        values = {(step, field): body for step, field, body in self._database.read(_VALUES, (full,))}
        retelling = Retelling(full, values)
        for row in self._database.read(_EVENTS, (full,)):
            retelling.hear(row)
        return retelling.told(self._texts(retelling.digests))

    def _texts(self, digests: frozenset[str]) -> Mapping[str, str]:
        found = {digest: self._database.read(_TEXT, (digest,)) for digest in digests}
        return {digest: str(rows[0][0]) for digest, rows in found.items() if rows}
