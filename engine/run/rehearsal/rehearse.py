"""One rehearsal from its start to its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.errors import EngineError
from engine.model.lazy_dataclass import dataclass
from engine.model.rehearsal import Difference, Played, Rehearsal
from engine.run.rehearsal.comparing import differences
from engine.run.rehearsal.playing import Build, play
from engine.run.rehearsal.script import Script
from engine.run.rehearsal.secrecy import leaks, left_behind
from engine.run.rehearsal.virtual_time import TookTooLongError, run_in_virtual_time
from engine.sandbox import Sandbox

LONGEST = 60.0
"""Real seconds that a rehearsal may take; its own time takes none, so only computing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a rehearsal went; `error` is why it could not be played at all (a skill that is invalid)."""

    rehearsal: Rehearsal
    played: Played | None = None
    differences: tuple[Difference, ...] = ()
    error: EngineError | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything was as it must be."""
        return not self.differences and self.error is None


def rehearse(rehearsal: Rehearsal, home: Path, builder: Callable[[Script], Build]) -> Verdict:
    """How a rehearsal goes; `home` is the empty folder of its live files, `builder` makes what builds its processes."""
    began = time.monotonic()
    verdict = _verdict(rehearsal, home, builder)
    return replace(verdict, seconds=time.monotonic() - began)


def _verdict(rehearsal: Rehearsal, home: Path, builder: Callable[[Script], Build]) -> Verdict:
    script = Script(rehearsal)
    try:
        played = run_in_virtual_time(partial(play, rehearsal, script, builder(script)), within=LONGEST)
    except TookTooLongError as error:
        endless = Difference(place=rehearsal.place, way="time", message=f"the run hangs: {error}")
        return Verdict(rehearsal=rehearsal, differences=(endless,))
    except EngineError as error:
        return Verdict(rehearsal=rehearsal, error=error)
    found = differences(rehearsal, played, Sandbox().evaluate)
    leaked = tuple(leaks(rehearsal.no_secrets, left_behind(home, played.events))) if rehearsal.no_secrets else ()
    return Verdict(rehearsal=rehearsal, played=played, differences=(*found, *leaked))
