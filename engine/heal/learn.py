"""What is learnt after a run: history's figures, written where people read them, and those that decisions stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.errors import DocumentError, JournalError
from engine.heal.breaker import WINDOW, BreakerVerdict, state
from engine.heal.prevented import times_prevented
from engine.history import FixRecord, History
from engine.memory import Memory
from engine.model.heal import BreakerState, Notice
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFacts:
    """What history says about fixes; `clock` gives seconds since the epoch, `strict` is the breaker's literal rule."""

    history: History
    clock: Callable[[], float]
    strict: bool = False

    def effectiveness(self, fix: str, domain: str) -> tuple[int, int]:
        """How often the fix was tried in the domain and how often it helped."""
        return self.history.fix_counts().get((fix, domain), (0, 0))

    def breaker(self, fix: str, domain: str, signature: str) -> BreakerState:
        """The state of the fix's circuit breaker for this error signature."""
        return self.verdict(fix, domain, signature).state

    def verdict(self, fix: str, domain: str, signature: str | None = None) -> BreakerVerdict:
        """The breaker's state with its reason."""
        outcomes = self.history.fixes(fix, domain, limit=4 * WINDOW)
        return state(outcomes, self.clock(), signature=signature, strict=self.strict)


def learn(memory: Memory, history: History) -> tuple[str, ...]:
    """Brings the failure log, the patterns' statistics and the counts of what was prevented up to date with history.

    All are written from history's own counts, read while the file is locked, so that the last of many writers leaves
    the newest counts and a killed one leaves nothing to repair. Returns a sentence for each file that could not be
    read or written.
    """
    writes: tuple[Callable[[], None], ...] = (
        lambda: memory.failures.write(lambda: (history.failures(100), history.totals())),
        lambda: memory.patterns.record(history.pattern_counts),
        lambda: memory.fixes.record(lambda: times_prevented(memory.fixes.entries(), history.preventions())),
    )
    broken = (f"memory goes on without {each.place}: {each.message}" for each in memory.unreadable())
    return (*broken, *(said for write in writes if (said := _complaint(write))))


def breaker_changes(facts: HistoryFacts, run_id: str) -> tuple[Notice, ...]:
    """The changes of circuit breakers that were made by what the fixes of this run did, each told once.

    Nothing is stored: the state just before an outcome is compared with the state just after it. Raises JournalError.
    """
    mine = facts.history.run_fixes(run_id)
    changes = (_change(facts, outcome) for outcome in mine if not outcome.shared)
    return tuple(notice for notice in changes if notice is not None)


def _change(facts: HistoryFacts, outcome: FixRecord) -> Notice | None:
    then = outcome.finished_at
    known = facts.history.fixes(outcome.fix, outcome.domain, limit=4 * WINDOW)
    earlier = [each for each in known if each.finished_at < then]
    before, after = (
        state(outcomes, then, signature=outcome.signature, strict=facts.strict)
        for outcomes in (earlier, [*earlier, outcome])
    )
    if before.state is after.state:
        return None
    where = f"The breaker of {outcome.fix} in {outcome.domain}" if outcome.domain else f"The breaker of {outcome.fix}"
    if after.state is BreakerState.OPEN:
        return Notice(text=f"{where} has opened. {after.because} Until then it is only suggested.")
    return Notice(text=f"{where} has closed: the fix helped again, and is run again.", level="note")


def tell(memory: Memory, notices: Sequence[Notice]) -> tuple[str, ...]:
    """Puts notices into the inbox; returns a sentence when that cannot be done."""

    def write() -> None:
        for notice in notices:
            memory.inbox.add("breaker", notice.text, notice.level)

    said = _complaint(write)
    return (said,) if said else ()


def _complaint(write: Callable[[], None]) -> str:
    """What is wrong when the file cannot be written; empty when it was."""
    try:
        write()
    except (DocumentError, JournalError, OSError) as error:
        return f"memory was not brought up to date: {error}"
    return ""
