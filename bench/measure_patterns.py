"""How good the text patterns are: counts, accuracy, and what they do on a source they were never counted on.

    python bench/measure_patterns.py            shows the figures
    python bench/measure_patterns.py --check    exit 1 if the counts in the file are not those of the texts
    python bench/measure_patterns.py --write    writes the counts into memory/learned/patterns.yaml

A random split of the labelled texts flatters by 12 to 19 points, so whole sources are held out: a pattern's counts are
taken from the other sources, and one that was never right there may not speak.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from engine.heal.detect import diagnose, matching
from engine.model.failure import Evidence, Failure, FailureKind, Pattern
from engine.model.tally import lower_bound

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ROOT / "memory" / "learned" / "patterns.yaml"
FAILURES = ROOT / "tests" / "data" / "failures_train.jsonl"
HARMLESS = ROOT / "tests" / "data" / "harmless.txt"
PYTHON_SOURCES = frozenset(
    {
        "boto3",
        "click",
        "django",
        "flask",
        "psycopg",
        "py-urllib",
        "pydantic",
        "python",
        "pyyaml",
        "redis-py",
        "requests",
        "sqlalchemy",
        "urllib3",
    }
)
"""Sources that are Python libraries: the program that ran was Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One text with the kind it should be read as; `kind` None: nothing went wrong."""

    text: str
    kind: FailureKind | None
    source: str
    exit_status: int = 0

    @property
    def program(self) -> str:
        """The program that said it."""
        return "python" if self.source in PYTHON_SOURCES else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How often it was asked, spoke, and spoke truly."""

    asked: int
    spoke: int
    right: int

    def __str__(self) -> str:
        precision = self.right / self.spoke if self.spoke else 0.0
        return (
            f"{self.asked:4} texts  coverage {self.spoke / self.asked:4.0%}  precision {precision:4.0%}"
            f"  right {self.right / self.asked:4.0%}"
        )


def shipped(path: Path = PATTERNS) -> tuple[Pattern, ...]:
    """The patterns of the file, with the counts written there."""
    rows: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["patterns"]
    return tuple(_pattern(row) for row in rows)


def _pattern(row: dict[str, Any]) -> Pattern:
    known = {name: value for name, value in row.items() if name not in {"confidence", "pattern"}}
    commands = tuple(known.pop("commands", ()))
    return Pattern(expression=row["pattern"], **known | {"kind": FailureKind(row["kind"]), "commands": commands})


def failures(path: Path = FAILURES) -> tuple[Labelled, ...]:
    """The labelled failure texts."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return tuple(
        Labelled(
            text=row["text"], kind=FailureKind(row["label"]), source=row["source"], exit_status=int(row["exit_code"])
        )
        for row in rows
    )


def harmless(path: Path = HARMLESS) -> tuple[Labelled, ...]:
    """Lines of successful output that sound like failures; whoever speaks on one is wrong."""
    lines = path.read_text("utf-8").splitlines()
    return tuple(Labelled(text=line, kind=None, source="harmless") for line in lines if line)


def heard(patterns: Sequence[Pattern], texts: Sequence[Labelled]) -> dict[Labelled, frozenset[str]]:
    """For each text, the ids of the patterns that speak on it."""
    return {text: frozenset(pattern.id for pattern in matching(text.text, text.program, patterns)) for text in texts}


def counts(patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]) -> dict[str, tuple[int, int]]:
    """For each pattern, on how many texts it spoke and on how many of them truly."""
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    kinds = {pattern.id: pattern.kind for pattern in patterns}
    for text, names in spoken.items():
        seen.update(names)
        right.update(name for name in names if kinds[name] is text.kind)
    return {pattern.id: (seen[pattern.id], right[pattern.id]) for pattern in patterns}


def counted(patterns: Iterable[Pattern], figures: Mapping[str, tuple[int, int]]) -> tuple[Pattern, ...]:
    """The patterns with these counts."""
    return tuple(replace(pattern, seen=figures[pattern.id][0], right=figures[pattern.id][1]) for pattern in patterns)


def score(patterns: Sequence[Pattern], texts: Sequence[Labelled], *, structured: bool) -> Score:
    """How diagnoses fare on these texts; with exit statuses if `structured`."""
    kinds = [(text.kind, _diagnosed(text, patterns, structured=structured)) for text in texts]
    return Score(
        asked=len(kinds),
        spoke=sum(found is not FailureKind.UNKNOWN for _, found in kinds),
        right=sum(found is label for label, found in kinds),
    )


def _diagnosed(text: Labelled, patterns: Sequence[Pattern], *, structured: bool) -> FailureKind:
    status = text.exit_status if structured else None
    evidence = Evidence(text=text.text, program=text.program, exit_status=status)
    return diagnose(Failure(message="", evidence=evidence), patterns).kind


def held_out(patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]) -> Iterator[tuple[str, Score]]:
    """For each source, how the patterns fare on it with counts from all the others only."""
    for source in sorted({text.source for text in spoken if text.kind}):
        figures = counts(patterns, {text: names for text, names in spoken.items() if text.source != source})
        asked = {text: names for text, names in spoken.items() if text.source == source}
        told = [(text, _loudest(names, patterns, figures)) for text, names in asked.items()]
        spoke = [(text, pattern) for text, pattern in told if pattern is not None]
        right = sum(pattern.kind is text.kind for text, pattern in spoke)
        yield source, Score(asked=len(told), spoke=len(spoke), right=right)


def _loudest(
    names: frozenset[str], patterns: Sequence[Pattern], figures: Mapping[str, tuple[int, int]]
) -> Pattern | None:
    """The most confident of these patterns by these figures; those that were never right may not speak."""
    allowed = [pattern for pattern in patterns if pattern.id in names and figures[pattern.id][1] > 0]
    return max(allowed, key=lambda pattern: lower_bound(figures[pattern.id][1], figures[pattern.id][0]), default=None)


def write(figures: Mapping[str, tuple[int, int]], path: Path = PATTERNS) -> None:
    """Puts the counts below each pattern's id, touching no other line."""
    rows = re.split(r"(?m)^(?=  - id: )", path.read_text("utf-8"))
    path.write_text("".join(_with_counts(row, figures) for row in rows), "utf-8")


def _with_counts(row: str, figures: Mapping[str, tuple[int, int]]) -> str:
    named = re.match(r"  - id: (\S+)\n", row)
    if named is None:
        return row
    seen, right = figures[named[1]]
    bare = re.sub(r"(?m)^    (?:seen|right|confidence): .*\n", "", row)
    told = f"    seen: {seen}\n    right: {right}\n    confidence: {lower_bound(right, seen):.1%}\n"
    place = max(found.end() for found in re.finditer(r"(?m)^    .*\n", bare))
    return bare[:place] + told + bare[place:]


def show() -> None:
    """Prints every figure docs/healing.md quotes."""
    texts, quiet = failures(), harmless()
    spoken = heard(shipped(), (*texts, *quiet))
    patterns = counted(shipped(), counts(shipped(), spoken))
    print(f"{len(patterns)} patterns, {len(texts)} failures of {len({text.source for text in texts})} sources")
    print(f"text only      {score(patterns, texts, structured=False)}")
    print(f"with exit code {score(patterns, texts, structured=True)}")
    loud = [text.text for text in quiet if spoken[text]]
    print(f"harmless       {len(quiet)} lines, patterns speak on {len(loud)}: {loud}")
    print("\nby kind, text only")
    for kind in sorted({text.kind for text in texts if text.kind}):
        print(f"  {kind:24} {score(patterns, [text for text in texts if text.kind is kind], structured=False)}")
    print("\nheld out, one source at a time (counts from the other sources only)")
    each = dict(held_out(patterns, spoken))
    for source, found in each.items():
        print(f"  {source:24} {found}")
    print(f"  {'all':24} {_total(each.values())}")
    print("\npatterns with a fix (0.90 acts, 0.85 acts once the fix is known to help, below that a person decides)")
    for pattern in patterns:
        if pattern.fix:
            bound = lower_bound(pattern.right, pattern.seen)
            print(f"  {pattern.id:28} {pattern.right:3} of {pattern.seen:3}  {bound:.3f}")


def _total(scores: Iterable[Score]) -> Score:
    parts = tuple(scores)
    return Score(
        asked=sum(part.asked for part in parts),
        spoke=sum(part.spoke for part in parts),
        right=sum(part.right for part in parts),
    )


def main(arguments: Sequence[str]) -> int:
    """Shows, checks or writes; returns the exit status."""
    figures = counts(shipped(), heard(shipped(), (*failures(), *harmless())))
    match list(arguments):
        case []:
            show()
            return 0
        case ["--write"]:
            write(figures)
            return 0
        case ["--check"]:
            stale = [pattern.id for pattern in shipped() if figures[pattern.id] != (pattern.seen, pattern.right)]
            print("\n".join(stale) or "every count is that of the texts")
            return 1 if stale else 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
