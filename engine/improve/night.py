"""One night's learning in a workspace: the job of `nightly`, what foretells failures, and the dashboard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import WorkspaceError
from engine.history import History
from engine.improve.dashboard import write_dashboard
from engine.improve.nightly import More, Nightly, Report, alone
from engine.improve.repairs import Surroundings
from engine.improve.sequences import Learnt, learn_sequences
from engine.improve.stale import STALE_AFTER
from engine.memory import Memory
from engine.model.heal import Domain
from engine.model.improvement import Proposal
from engine.model.lazy_dataclass import dataclass
from engine.model.secret import Secrets
from tool_registry.tool import Tool

_LENGTH = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """Learns in one workspace; `state` is its state folder, `settings` the part `learn` of its settings."""

    memory: Memory
    history: History
    tools: Mapping[str, Tool]
    domains: Mapping[str, Domain]
    secrets: Secrets
    state: Path
    settings: Mapping[str, Any]

    def learn(self, now: float, *, since: float = 0.0) -> Report:
        """Does the whole job, and says what came of each part; `now` and `since` in seconds since the epoch.

        Raises JobBusyError while another process does it, and JournalError.
        """
        with alone(self.state, now):
            return self._job.work(now, since=since, more=self._more(now))

    def preview(self, now: float, *, since: float = 0.0) -> tuple[Report, tuple[Proposal, ...]]:
        """What the job would find and propose anew; writes nothing. Raises JournalError and DocumentError."""
        found = self._job.look(since=since)
        return Report(found=found, parts=()), self._job.fresh(found, now)

    @property
    def _job(self) -> Nightly:
        return Nightly(
            memory=self.memory,
            history=self.history,
            around=Surroundings(tools=self.tools, domains=self.domains),
            secrets=self.secrets,
            stale_after=stale_after(self.settings),
        )

    def _more(self, now: float) -> dict[str, More]:
        def dashboard() -> str:
            write_dashboard(self.memory, self.history, now)
            return "the figures are those of history"

        def sequences() -> str:
            return _foretold(learn_sequences(self.history, self.memory, now, window=stale_after(self.settings)))

        return {"sequences": sequences, "dashboard": dashboard}


def stale_after(settings: Mapping[str, Any]) -> float:
    """Seconds after which what was not seen loses weight, as `[learn] stale_after` says.

    Raises WorkspaceError when that is no duration.
    """
    told = settings.get("stale_after")
    if told is None:
        return STALE_AFTER
    found = _LENGTH.fullmatch(str(told))
    if found is None:
        raise WorkspaceError(f"learn.stale_after is {told!r}, which is no duration", hint="write it as 90d")
    return float(found[1]) * _SECONDS[found[2]]


def _foretold(learnt: Learnt) -> str:
    parts = [f"from {learnt.calls:,} calls"]
    parts += [f"new: {', '.join(learnt.new)}"] if learnt.new else []
    parts += [f"retired: {', '.join(learnt.retired)}"] if learnt.retired else []
    return "; ".join(parts if len(parts) > 1 else [*parts, "nothing new"])
