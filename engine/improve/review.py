"""What a person decides about a proposal: it becomes a pattern or a known fix, or it is never proposed again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.errors import InputError
from engine.heal.evidence import words as in_words
from engine.heal.remedy import ROLES
from engine.memory import Memory
from engine.model.failure import FailureKind
from engine.model.improvement import About, Proposal, ProposalStatus

NAMELESS = frozenset({FailureKind.UNKNOWN, FailureKind.CANCELLED, FailureKind.RAISED, FailureKind.UNEXPECTED_RESULT})
"""Kinds that no pattern can give a failure: only the engine knows them."""
NO_FIX = "none"


def accept(memory: Memory, proposal: Proposal, *, now: float, **changes: Any) -> str:
    """Makes a pattern or a known fix of the proposal; returns a sentence that says what became of it.

    `changes` replace fields of it: `kind`, `fix` (`none` for no fix), `pattern`, `meaning`, `root_cause`,
    `fix_applied`. What it becomes is written first and the decision after it, so that a killed process leaves at worst
    something to be accepted once more. Raises InputError where something is missing, DocumentError when a file is
    broken.
    """
    _refuse_decided(proposal)
    meaning = str(changes.pop("meaning", "") or "")
    wanted = replace(proposal, **{name: value for name, value in changes.items() if value})
    match wanted.about:
        case About.PATTERN:
            told = _as_pattern(memory, _with_kind(proposal, wanted), meaning)
        case About.REPAIR:
            told = _as_fix(memory, wanted)
    memory.proposals.decide(proposal, ProposalStatus.ACCEPTED, on=now)
    return told


def reject(memory: Memory, proposal: Proposal, *, now: float, reason: str = "") -> str:
    """Keeps it and all that is alike to it from ever being proposed again; returns a sentence."""
    _refuse_decided(proposal)
    memory.proposals.decide(proposal, ProposalStatus.REJECTED, on=now, reason=reason)
    return f"{proposal.id} is rejected; this and what is alike to it is not proposed again."


def _refuse_decided(proposal: Proposal) -> None:
    if proposal.status is not ProposalStatus.OPEN:
        raise InputError(
            f"{proposal.id} is {proposal.status} already",
            hint="edit the memory files by hand to change your mind: `skill memory show` says where they are",
        )


def _with_kind(proposal: Proposal, wanted: Proposal) -> Proposal:
    """The pattern as a person wants it; counts and fix of another kind than was proposed say nothing about this one."""
    if wanted.kind in NAMELESS:
        raise InputError(
            f"{wanted.id} does not say what kind of failure this is",
            hint=f"give it with --kind, one of: {', '.join(kind for kind in FailureKind if kind not in NAMELESS)}",
        )
    if wanted.kind is not proposal.kind:
        fix = wanted.fix if wanted.fix != proposal.fix else ROLES.get(wanted.kind, "")
        wanted = replace(wanted, seen=0, right=0, fix=fix)
    elif wanted.pattern != proposal.pattern:
        wanted = replace(wanted, seen=0, right=0)
    return replace(wanted, fix="") if wanted.fix == NO_FIX else wanted


def _as_pattern(memory: Memory, wanted: Proposal, meaning: str) -> str:
    row = {
        "id": wanted.id,
        "pattern": wanted.pattern,
        "kind": wanted.kind.value,
        "meaning": meaning or _meaning(wanted),
        **({"fix": wanted.fix} if wanted.fix else {}),
        **({"program": wanted.program} if wanted.program else {}),
        "provenance": f"learnt from {wanted.times} failures of {', '.join(wanted.tools[:5])}; accepted by a person",
        "example": wanted.example,
        "seen": wanted.seen,
        "right": wanted.right,
    }
    added = memory.patterns.add(row)
    then = f"; {wanted.fix} may repair it once it is sure enough" if wanted.fix else ""
    begin = "From now on" if added else "There was a pattern of this id already:"
    return f"{begin} such a failure is {in_words(wanted.kind)}{then}."


def _as_fix(memory: Memory, wanted: Proposal) -> str:
    tool = wanted.tools[0] if wanted.tools else ""
    memory.fixes.learn(tool, wanted.error_pattern, wanted.root_cause, wanted.fix_applied)
    return f"When {tool} says {wanted.error_pattern!r} again, this is shown: {wanted.fix_applied}"


def _meaning(wanted: Proposal) -> str:
    """What it says, without what differs from one time to the next."""
    return f"{in_words(wanted.kind).capitalize()}: {wanted.text}"[:300]
