"""Groups of failures that say the same: the same line but for times, ids, paths and numbers, or nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from engine.heal.recollection import failure_of_event
from engine.history.lessons import FailedCall
from engine.improve.normalise import normalised, telling_line
from engine.improve.similar import Likeness, words
from engine.model.failure import Failure, FailureKind
from engine.model.lazy_dataclass import dataclass

MOST_LINES = 50
"""Different lines of a group that are kept; the frequent ones come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One failed call, the line that says what is wrong, and that line with what differs levelled."""

    call: FailedCall
    failure: Failure
    said: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures that say the same; `line` is what most of them say, `lines` the different ones, frequent ones first."""

    line: str
    lines: tuple[str, ...]
    members: tuple[Sighting, ...]

    @property
    def unknown(self) -> tuple[Sighting, ...]:
        """Those that nothing could name."""
        return tuple(each for each in self.members if each.call.kind == FailureKind.UNKNOWN and not each.call.pattern)

    @property
    def runs(self) -> int:
        """In how many runs it was seen."""
        return len({each.call.run_id for each in self.members})

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools that said it, the most frequent first."""
        counted = Counter(each.call.tool for each in self.members)
        return tuple(sorted(counted, key=lambda tool: (-counted[tool], tool)))


def sighting(call: FailedCall) -> Sighting | None:
    """What a failed call said; None where it said nothing."""
    # What only the engine names (time-out, expectation) says nothing about words: the name came first, not the text.
    failure = failure_of_event({**call.failure, "kind": None}, call.tool)
    said = telling_line(failure.evidence.text) or telling_line(failure.message if call.failure else call.message)
    line = normalised(said)
    return Sighting(call=call, failure=failure, said=said, line=line) if line else None


def group(sightings: Iterable[Sighting]) -> tuple[Group, ...]:
    """The groups, largest first; the same whatever order the failures come in.

    Equal lines are one from the start. Of the different lines the frequent come first, and each joins the group it is
    most like, from 70 % on, or begins one.
    """
    by_line: dict[str, list[Sighting]] = {}
    for each in sightings:
        by_line.setdefault(each.line, []).append(each)
    ordered = sorted(by_line, key=lambda line: (-len(by_line[line]), line))
    gathered = [[by_line[line] for line in lines] for lines in _gathered(ordered)]
    groups = [_group(members) for members in gathered]
    return tuple(sorted(groups, key=lambda one: (-len(one.members), one.line)))


def _gathered(lines: Sequence[str]) -> list[list[str]]:
    worded = [words(line) for line in lines]
    known = Likeness(Counter(word for text in worded for word in set(text)))
    gathered: list[list[str]] = []
    for line, text in zip(lines, worded, strict=True):
        number = known.nearest(text)
        if number is None:
            known.add(text)
            gathered.append([line])
        else:
            gathered[number].append(line)
    return gathered


def _group(members: Sequence[Sequence[Sighting]]) -> Group:
    return Group(
        line=members[0][0].line,
        lines=tuple(same[0].line for same in members[:MOST_LINES]),
        members=tuple(each for same in members for each in same),
    )
