"""How far a run is, as a value for people and agents who wait for it."""

from __future__ import annotations

from collections.abc import Callable

from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: `done` of the `known` steps of its skill have ended, whether ok, skipped or failed.

    `known` counts the skill's own steps and its `always`, not the ones inside of others; a run that fails or stops
    ends before `done` has reached it. `step` is the path of the step that `message`, one line, is about; both may be
    about a step inside of another; `step` is empty when it is about the run as a whole.
    """

    run_id: str
    done: int
    known: int
    step: str
    message: str


ProgressListener = Callable[[Progress], None]
"""Is told of progress, in the event loop of the run: it must not block."""
