"""Patterns proposed from groups of failures that nothing could name; a person decides what becomes of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from engine.heal.detect import certain, matching
from engine.heal.evidence import words as in_words
from engine.heal.proof import program_name
from engine.heal.remedy import ROLES
from engine.improve.expression import expression
from engine.improve.groups import Group, Sighting
from engine.improve.normalise import without_credentials
from engine.improve.repairs import Outcomes
from engine.improve.similar import LIKENESS, Words, likeness, words
from engine.model.failure import FailureKind, Pattern
from engine.model.improvement import About, Proposal, ProposalStatus
from engine.model.secret import MASK

LEAST = 3
"""Failures without a name that are worth a proposal: from three on the confidence words begin (HEALING)."""
LEAST_RUNS = 2
"""Runs they must come from: a list of a hundred elements that fails once is one observation."""
MOST = 200
"""Proposals made of one look at history; the largest groups first."""
TRIED = 200
"""Different texts a new expression is tried on before it is proposed."""


def proposals(groups: Sequence[Group], *, patterns: Sequence[Pattern], outcomes: Outcomes) -> Iterator[Proposal]:
    """A proposal for each group that is seen often enough and has no name yet, the largest groups first.

    The kind is the majority's where structured evidence or a repair says it, else `unknown`, and then a person names
    it.
    """
    truths, made = Truths(groups, outcomes), 0
    for one in groups:
        if made == MOST:
            return
        proposal = _proposal(one, truths) if _worth_it(one) and not _named(one, patterns) else None
        if proposal is not None:
            made += 1
            yield proposal


def undecided(candidates: Iterable[Proposal], standing: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """The candidates without those that a person has decided about; what stands there open keeps its id.

    Patterns are the same when their texts are alike (70 %), repairs when tool, words and repair are.
    """
    kept, worded = [], [(each, words(each.text)) for each in standing]
    for each in candidates:
        old = _same(each, worded)
        if old is None or old.status is ProposalStatus.OPEN:
            kept.append(replace(each, id=old.id) if old else each)
    return tuple({each.id: each for each in reversed(kept)}.values())[::-1]


def _same(one: Proposal, standing: Iterable[tuple[Proposal, Words]]) -> Proposal | None:
    mine = words(one.text)
    found = [
        each
        for each, theirs in standing
        if each.id == one.id or (each.about is one.about is About.PATTERN and likeness(mine, theirs) >= LIKENESS)
    ]
    # A decision about one of several that are alike is a decision about this one, too.
    return min(found, key=lambda each: (each.status is ProposalStatus.OPEN, each.id != one.id), default=None)


class Truths:
    """For each different line: one such line as it was said, and what the failures were that said it.

    What a failure was is known by structured evidence, or by the repair that helped; words alone prove nothing.
    """

    def __init__(self, groups: Iterable[Group], outcomes: Outcomes) -> None:
        self._said: dict[str, str] = {}
        self._kinds: dict[str, Counter[FailureKind]] = {}
        for each in (member for one in groups for member in one.members):
            self._said.setdefault(each.line, each.said)
            found = certain(each.failure)
            kind = found.kind if found is not None else outcomes.get((each.call.run_id, each.call.step))
            if kind is not None:
                self._kinds.setdefault(each.line, Counter())[kind] += 1

    def of(self, lines: Iterable[str]) -> Counter[FailureKind]:
        """How many failures with these lines were of which kind."""
        return sum((self._kinds[line] for line in set(lines) if line in self._kinds), Counter())

    def where(self, expression: str) -> Counter[FailureKind]:
        """The same of all failures on which an expression speaks."""
        compiled = re.compile(expression, re.MULTILINE)
        return self.of(line for line in self._kinds if compiled.search(self._said[line]))


def identity(about: About, text: str) -> str:
    """A short name that is the same for the same text."""
    return f"{about[:1]}-{sha256(f'{about} {text}'.encode()).hexdigest()[:8]}"


def shown(said: str) -> str:
    """A line as it was said, without what is or looks like a credential."""
    return without_credentials(said).replace("<secret>", MASK)[:500]


def _worth_it(one: Group) -> bool:
    unknown = one.unknown
    return len(unknown) >= LEAST and len({each.call.run_id for each in unknown}) >= LEAST_RUNS


def _named(one: Group, patterns: Sequence[Pattern]) -> bool:
    """Whether a pattern names the newest of them by now."""
    newest = max(one.unknown, key=lambda each: each.call.at)
    evidence = newest.failure.evidence
    return bool(matching(evidence.text or newest.failure.message, evidence.program, patterns))


def _proposal(one: Group, truths: Truths) -> Proposal | None:
    members = _told_alike(one)
    made = _expression(members) or _expression([each for each in members if each.line == one.line])
    if not made:
        return None
    votes, spoken = truths.of(each.line for each in one.members), truths.where(made)
    kind = _majority(votes)
    # The others that it speaks on have a say, too: it must not name what is something else elsewhere.
    kind = kind if _majority(spoken) is kind else FailureKind.UNKNOWN
    known = kind is not FailureKind.UNKNOWN
    return Proposal(
        id=identity(About.PATTERN, one.line),
        about=About.PATTERN,
        text=one.line,
        because=_because(one, kind, votes),
        example=shown(max(members, key=lambda each: each.call.at).said),
        tools=one.tools,
        times=len(one.members),
        first_seen=min(each.call.at for each in one.members),
        last_seen=max(each.call.at for each in one.members),
        pattern=made,
        kind=kind,
        fix=ROLES.get(kind, "") if known else "",
        program=_program(one),
        seen=spoken.total() if known else 0,
        right=spoken[kind] if known else 0,
    )


def _expression(members: Sequence[Sighting]) -> str:
    """What speaks on all of them, if they are worth it."""
    if len(members) < LEAST or len({each.call.run_id for each in members}) < LEAST_RUNS:
        return ""
    return expression(list(dict.fromkeys(each.line for each in members)), [each.said for each in members[:TRIED]])


def _told_alike(one: Group) -> list[Sighting]:
    """The members whose line is among the kept ones, frequent lines first; the rare rest does not blur the pattern."""
    kept = {line: place for place, line in enumerate(one.lines)}
    return sorted(
        (each for each in one.members if each.line in kept), key=lambda each: (kept[each.line], -each.call.at)
    )


def _majority(votes: Counter[FailureKind]) -> FailureKind:
    """What more than half of them say; `unknown` if there is no such kind."""
    return next((kind for kind, count in votes.items() if count * 2 > votes.total()), FailureKind.UNKNOWN)


def _because(one: Group, kind: FailureKind, votes: Counter[FailureKind]) -> str:
    seen = f"{len(one.members)} failures in {one.runs} runs said this, {len(one.unknown)} of them without a name"
    if not votes:
        return f"{seen}; nothing but words is known of them, so a person has to say what they mean."
    told = ", ".join(f"{count} were {in_words(each)}" for each, count in votes.most_common())
    if kind is FailureKind.UNKNOWN:
        return f"{seen}; by status, exit code or repair {told}, which is no majority."
    return f"{seen}; by status, exit code or repair {told}."


def _program(one: Group) -> str:
    """The program that said it, where it is always the same."""
    named = {program_name(each.failure.evidence.program) for each in one.members}
    return named.pop() if len(named) == 1 else ""
