"""Learning sequences: what the calls that failed had in common, and how often it was right since."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from engine.heal.confidence import word
from engine.heal.predict.effect import alike, below, came_true
from engine.heal.predict.foretell import LEAST_SEEN, is_about, speaks
from engine.heal.remedy import ROLES
from engine.history import History
from engine.improve.candidates import Candidate, best, covered
from engine.memory import Memory
from engine.model.conditions import conditions
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import Learning, PredictAction, PredictionRecord
from engine.model.prevention import Sequence as Foresight
from engine.model.tally import lower_bound

WINDOW = 90 * 86_400.0
"""Seconds of history that count; what is older is stale."""
ROWS = 20_000
PER_KIND = 3
"""Sequences that are learnt of one kind in one domain at a time."""
LONGEST_NAME = 80
TOOLS = 20
"""Tools that are listed as failing together."""

WRONG = 0.5
"""A sequence is wrong when what it foretells, or that its fix prevents it, is no likelier than not."""
CERTAINTY = 0.95
"""How sure the posterior must be of that before the sequence is retired: four false alarms in a row are enough."""

_COMPARED = {PredictAction.SHADOW, PredictAction.NOTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What was learnt: the names of new sequences, of those retired now, and of all whose lines changed.

    `calls` is how many calls were gone by.
    """

    new: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    calls: int = 0


def learn_sequences(
    history: History, memory: Memory, now: float, *, window: float = WINDOW, dry_run: bool = False
) -> Learnt:
    """Learns from the calls of the last `window` seconds, and writes `learned/failure_contexts.yaml`.

    `now` in seconds since the epoch. `dry_run`: nothing is written. Learning twice from the same history changes
    nothing the second time. Raises DocumentError when the file is broken or cannot be written, and JournalError.
    """
    rows = history.predictions(since=now - window, limit=ROWS)
    standing = memory.contexts.all()
    first = learnt(rows, standing)
    before = {each.trigger: each for each in standing}
    after = {each.sequence.trigger: each.sequence for each in first}

    def plan(known: tuple[Foresight, ...]) -> tuple[Learning, ...]:
        # Thousands of calls take seconds, in which nobody else should wait for the lock without need.
        return first if known == standing else learnt(rows, known)

    changed = _differing(before, after) if dry_run else memory.contexts.learn(plan)
    return Learnt(
        new=tuple(name for name in changed if name not in before),
        retired=tuple(name for name in changed if name in before and after[name].retired > before[name].retired),
        changed=tuple(changed),
        calls=len(rows),
    )


def learnt(rows: Sequence[PredictionRecord], known: Sequence[Foresight]) -> tuple[Learning, ...]:
    """What the sequences should say after these calls: the known ones with new counts, then those learnt now."""
    ended = [row for row in rows if row.came is not None]
    counted = [_counted(ended, each) for each in known]
    new = [found for domain in _domains(ended) for found in _of_domain(domain, ended, counted)]
    return tuple(map(_learning, (*counted, *(_counted(ended, each) for each in new))))


def _differing(before: Mapping[str, Foresight], after: Mapping[str, Foresight]) -> tuple[str, ...]:
    return tuple(name for name, sequence in after.items() if sequence != before.get(name))


def _learning(sequence: Foresight) -> Learning:
    bound = lower_bound(sequence.confirmed, sequence.observations)
    # Rounded down: what is written must not promise more than what is gone by.
    sure = word(sequence.confirmed, sequence.observations).value
    return Learning(sequence=sequence, probability=int(bound * 1000) / 1000, confidence=sure)


def _counted(ended: Sequence[PredictionRecord], sequence: Foresight) -> Foresight:
    """The sequence with its counts as these calls have them, and retired if they say so."""
    wanted = conditions(sequence.context)
    about = [row for row in ended if is_about(sequence, row.situation.domain, row.situation.tool)]
    seen = [row for row in about if not row.treated and wanted.hold(row.situation)]
    mine = [row for row in ended if row.prediction.sequence == sequence.trigger]
    compared = [row for row in mine if row.prediction.action in _COMPARED]
    right = sum(came_true(row, sequence.kind) for row in compared)
    fixed = [came_true(row, sequence.kind) for row in mine if row.treated]
    return replace(
        sequence,
        observations=len(seen),
        confirmed=sum(came_true(row, sequence.kind) for row in seen),
        predicted=len(mine),
        prevented=sum(row.treated and row.came == "" for row in mine),
        false_alarms=len(compared) - right,
        retired=sequence.retired or _is_wrong(right, len(compared)) or _is_wrong(fixed.count(False), len(fixed)),
        cascades=_cascades(sequence, seen),
    )


def _is_wrong(right: int, seen: int) -> bool:
    """Whether the posterior says that it is right in fewer than half of the cases."""
    return below(WRONG, right, seen) >= CERTAINTY


def _cascades(sequence: Foresight, seen: Iterable[PredictionRecord]) -> tuple[str, ...]:
    """The tools it names and those that failed so in its situation; one without a domain is about those it names."""
    if sequence.domain is None:
        return sequence.cascades
    failed = sorted({row.situation.tool for row in seen if came_true(row, sequence.kind)})
    return tuple(dict.fromkeys((*sequence.cascades, *failed)))[: max(TOOLS, len(sequence.cascades))]


def _domains(ended: Iterable[PredictionRecord]) -> list[str]:
    return sorted({row.situation.domain for row in ended if row.came})


def _of_domain(domain: str, ended: Sequence[PredictionRecord], known: Sequence[Foresight]) -> list[Foresight]:
    """New sequences for one domain; only of failures that a fix could repair beforehand, and that nothing tells yet."""
    rows = [row for row in ended if row.situation.domain == domain and not row.treated]
    found: list[Foresight] = []
    for role in dict.fromkeys(ROLES.values()):
        kinds = [row.came for row in rows if row.came in {kind for kind in ROLES if ROLES[kind] == role}]
        if len(kinds) >= LEAST_SEEN:
            kind = FailureKind(max(sorted(set(kinds)), key=kinds.count))
            found += _of_kind(domain, kind, rows, known)
    return found


def _of_kind(
    domain: str, kind: FailureKind, rows: Sequence[PredictionRecord], known: Sequence[Foresight]
) -> list[Foresight]:
    telling = [each for each in known if each.kind in alike(kind) and _settled(each)]
    left = _untold(rows, [each for each in telling if each.domain in {domain, None}])
    templates = [(each.trigger, each.context) for each in known if _is_template(each) and each.kind in alike(kind)]
    found: list[Foresight] = []
    while left and len(found) < PER_KIND:
        situations = [row.situation for row in left]
        failed = sum(1 << place for place, row in enumerate(left) if came_true(row, kind))
        candidate = best(situations, failed, templates)
        if candidate is None:
            break
        name = _name(domain, kind, candidate)
        if any(each.trigger == name for each in (*known, *found)):
            break
        found.append(_sequence(domain, kind, candidate, name))
        left = [row for place, row in enumerate(left) if not candidate.rows >> place & 1]
    return found


def _settled(sequence: Foresight) -> bool:
    """Whether its calls are spoken for: it tells what they do, or was found wrong about them."""
    return sequence.retired or speaks(sequence)


def _is_template(sequence: Foresight) -> bool:
    return sequence.domain is None and not sequence.cascades and not sequence.retired


def _untold(rows: Sequence[PredictionRecord], telling: Sequence[Foresight]) -> list[PredictionRecord]:
    """The calls that no sequence speaks of."""
    situations = [row.situation for row in rows]
    told = 0
    for sequence in telling:
        held = covered(situations, sequence.context)
        told |= sum(1 << place for place, each in enumerate(situations) if held >> place & 1 and _about(sequence, each))
    return [row for place, row in enumerate(rows) if not told >> place & 1]


def _about(sequence: Foresight, situation: Any) -> bool:
    return is_about(sequence, situation.domain, situation.tool)


def _sequence(domain: str, kind: FailureKind, candidate: Candidate, name: str) -> Foresight:
    return Foresight(trigger=name, context=dict(candidate.context), kind=kind, domain=domain, fix=ROLES[kind])


def _name(domain: str, kind: FailureKind, candidate: Candidate) -> str:
    """A name that is the same whenever the same is learnt: `door.auth_expired.first_call_of_day`."""
    what = candidate.template or ".".join(_word(key, value) for key, value in candidate.context.items())
    name = re.sub(r"[^a-z0-9_.-]+", "_", f"{domain}.{kind}.{what}".lower()).strip("_.-")
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def _word(key: str, value: Any) -> str:
    match value:
        case True:
            return key
        case False:
            return f"not_{key}"
        case list():
            return f"{key}_{'_'.join(value)}"
        case str():
            return f"{key}_{value.replace('<', 'below').replace('>', 'above')}"
    return key
