"""What a failure means: structured evidence by definition, text by patterns, else unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from engine.heal import passing, proof
from engine.heal.evidence import CONVENTION_CONFIDENCE, words
from engine.model.failure import Basis, Diagnosis, Evidence, Failure, FailureKind, Pattern
from engine.model.tally import lower_bound

WINDOW = 4096
"""Characters read at the start and at the end of a text; what a program has to say stands there."""

LONGEST_LINE = 2000
"""A line longer than this is read as its first three quarters and its last quarter, so that matching stays quick."""

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
"""Terminal control sequences of ECMA-48: colours, cursor moves, titles."""


def diagnose(failure: Failure, patterns: Sequence[Pattern]) -> Diagnosis:
    """The meaning of `failure`; never raises, and `unknown` with confidence 0 where nothing says more.

    The order of evidence is HEALING's: what the engine knows, what the tool declared, HTTP status, errno, exception,
    exit status of a known program, then text. Text is read only here, and only to name the kind of a known failure.
    """
    return certain(failure) or _spoken(failure, patterns) or _customary(failure.evidence) or _unknown(failure.evidence)


def certain(failure: Failure) -> Diagnosis | None:
    """The meaning where evidence alone says it, before any text is read; None where it does not."""
    return _known(failure) or _declared(failure.evidence) or _defined(failure.evidence)


def matching(text: str, program: str | None, patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """Every pattern that speaks on the text, most confident first, ties in their own order."""
    heard = _Heard(normalise(text))
    decisive = _Heard(passing.decisive(heard.text))
    name = proof.program_name(program)
    found = [
        pattern
        for pattern in patterns
        if pattern.program in {None, name}
        and _speaks(pattern, decisive if pattern.kind in passing.ELSEWHERE else heard)
    ]
    return tuple(sorted(found, key=lambda pattern: -lower_bound(pattern.right, pattern.seen)))


def told_line(text: str, pattern: Pattern) -> str:
    """The line of the text on which the pattern speaks; empty if it does not."""
    heard = normalise(text)
    if pattern.kind in passing.ELSEWHERE:
        heard = passing.decisive(heard)
    found = _search(pattern.expression, heard)
    if found is None:
        return ""
    start = heard.rfind("\n", 0, found.start()) + 1
    end = heard.find("\n", found.end())
    return heard[start : end if end >= 0 else len(heard)].strip()


def normalise(text: str) -> str:
    """The text as patterns see it: no terminal controls, first and last 4 kB, no endless lines."""
    if len(text) > 2 * WINDOW:
        text = text[:WINDOW] + "\n" + text[-WINDOW:]
    plain = ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_shortened(line) for line in plain.split("\n"))


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    head = LONGEST_LINE * 3 // 4
    return line[:head] + line[head - LONGEST_LINE :]


def _search(expression: str, heard: str) -> re.Match[str] | None:
    try:
        return re.search(expression, heard, re.MULTILINE)
    except (re.error, OverflowError, RecursionError):  # mangled by a person; `engine.memory` reports it with its line
        return None


class _Heard:
    """A text, and the same without capitals."""

    __slots__ = ("plain", "text")

    def __init__(self, text: str) -> None:
        self.text, self.plain = text, text.casefold()


def _speaks(pattern: Pattern, heard: _Heard) -> bool:
    """Whether it speaks; where none of its words stands, its expression is not even compiled."""
    if pattern.words and not any(word in heard.plain for word in pattern.words):
        return False
    return _search(pattern.expression, heard.text) is not None


def _known(failure: Failure) -> Diagnosis | None:
    if failure.kind is FailureKind.UNKNOWN:
        return None
    because = f"The engine itself saw it: {words(failure.kind)}."
    return _certain(failure.kind, Basis.DEFINITION, because, failure.evidence)


def _declared(evidence: Evidence) -> Diagnosis | None:
    kind = _kind(evidence.declared)
    if kind is None:
        return None
    return _certain(kind, Basis.DECLARED, f"The tool says so itself: {words(kind)}.", evidence)


def _kind(name: str | None) -> FailureKind | None:
    """The kind of that name; None for none, for `unknown`, and for a name that is not on the list."""
    if name is None or name not in FailureKind.__members__.values() or name == FailureKind.UNKNOWN:
        return None
    return FailureKind(name)


def _defined(evidence: Evidence) -> Diagnosis | None:
    found = proof.meaning(evidence)
    if found is None:
        return None
    return _certain(found.kind, Basis.DEFINITION, _sentence(found.because), evidence)


def _certain(kind: FailureKind, basis: Basis, because: str, evidence: Evidence) -> Diagnosis:
    untouched = proof.untouched(evidence, kind)
    return Diagnosis(kind=kind, confidence=1.0, basis=basis, because=because, untouched=untouched)


def _spoken(failure: Failure, patterns: Sequence[Pattern]) -> Diagnosis | None:
    """By the most confident pattern: on what was said, else on the message, which is all an exception may leave."""
    evidence = failure.evidence
    for text in (evidence.text, failure.message):
        found = matching(text, evidence.program, patterns)
        if found:
            return _by_pattern(found[0], text, evidence)
    return None


def _by_pattern(pattern: Pattern, text: str, evidence: Evidence) -> Diagnosis:
    line = told_line(text, pattern)[:200]
    return Diagnosis(
        kind=pattern.kind,
        confidence=lower_bound(pattern.right, pattern.seen),
        basis=Basis.PATTERN,
        because=f'It said "{line}", which pattern {pattern.id} reads as {words(pattern.kind)} '
        f"(right {pattern.right} of {pattern.seen} times).",
        untouched=proof.untouched(evidence, pattern.kind, pattern.untouched),
        pattern=pattern,
    )


def _customary(evidence: Evidence) -> Diagnosis | None:
    found = proof.convention(evidence)
    if found is None:
        return None
    return Diagnosis(
        kind=found.kind,
        confidence=CONVENTION_CONFIDENCE,
        basis=Basis.NONE,
        because=_sentence(found.because),
        untouched=proof.untouched(evidence, FailureKind.UNKNOWN),
    )


def _unknown(evidence: Evidence) -> Diagnosis:
    return Diagnosis(
        kind=FailureKind.UNKNOWN,
        confidence=0.0,
        basis=Basis.NONE,
        because="Neither structured evidence nor any pattern says what this failure means.",
        untouched=proof.untouched(evidence, FailureKind.UNKNOWN),
    )


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:] + "."
