"""A run of many steps costs a fixed number of commits a step, and its history stays whole."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Event, SkillExecutor

STEPS = 1_000


class CountingJournal:
    """Hands events on to the real history, and counts how often it is asked to keep some."""

    def __init__(self, history: Any) -> None:
        self._history = history
        self.commits = 0

    def record(self, *events: Event) -> None:
        """One transaction."""
        self.commits += 1
        self._history.record(*events)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the history's own."""
        return getattr(self._history, name)


@pytest.mark.slow
async def test_a_thousand_steps_cost_two_commits_each(rig: Any) -> None:
    """One before a step acts and one after it, and one each for the run's beginning and end: never more."""
    text = "steps:\n" + "".join(f"  - {{name: s{number}, tool: echo, args: {{value: 1}}}}\n" for number in range(STEPS))
    journal = CountingJournal(rig.engine.journal)
    vars(rig.engine)["journal"] = journal
    result = await SkillExecutor(rig.engine).run(rig.write(text))
    assert result.status == "ok"
    assert journal.commits == 2 * STEPS + 2
    vars(rig.engine)["journal"] = journal._history  # noqa: SLF001 - gives the rig its own history back
    assert len(rig.engine.journal.steps(result.run_id)) == STEPS
