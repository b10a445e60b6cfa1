"""How well the classifier reads failures, per kind and program; writes the counts beside the patterns.

    python bench/classify.py             prints the figures
    python bench/classify.py --check     exit 1 if the counts in patterns.yaml or the tables in docs/ are not these
    python bench/classify.py --write     writes the counts into memory/learned/patterns.yaml, the tables into docs/
    python bench/classify.py --mistakes  prints every text of the known sets that is read wrongly

Whole programs are held out: a random split of the texts flatters by 12 to 19 points.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from bench.judging import ACTING, Reading, confusion, counted, counts, heard, held_out, interval, readings, score
from bench.texts import PATTERNS, ROOT, Labelled, failures, fresh, harmless, known, second, shipped
from bench.words import WORDS, written
from engine.model.failure import FailureKind, Pattern
from engine.model.tally import lower_bound

PAGE = ROOT / "docs" / "classifier.md"
BEGIN, END = "<!-- written by bench/classify.py -->\n", "<!-- end -->\n"


def write_counts(figures: Mapping[str, tuple[int, int]]) -> None:
    """Puts the counts below each pattern's id, touching no other line."""
    parts = re.split(r"(?m)^(?=  - id: )", PATTERNS.read_text("utf-8"))
    PATTERNS.write_text("".join(_with_counts(part, figures) for part in parts), "utf-8")


def _with_counts(row: str, figures: Mapping[str, tuple[int, int]]) -> str:
    named = re.match(r"  - id: (\S+)\n", row)
    if named is None:
        return row
    seen, right = figures[named[1]]
    bare = re.sub(r"(?m)^    (?:seen|right|confidence): .*\n", "", row)
    told = f"    seen: {seen}\n    right: {right}\n    confidence: {lower_bound(right, seen):.1%}\n"
    place = max(found.end() for found in re.finditer(r"(?m)^    .*\n", bare))
    return bare[:place] + told + bare[place:]


def tables(patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]) -> str:
    """The tables of docs/classifier.md: sets, kinds, worst mistakes, confusion."""
    counted_on = {text: names for text, names in spoken.items() if text.share != "blind"}
    programs = tuple(each for _, found in held_out(patterns, counted_on) for each in found)
    blind = readings(fresh("blind"), patterns, spoken)
    sets = {
        "training texts": readings(failures(), patterns, spoken),
        "fresh texts, development half": readings(fresh("dev"), patterns, spoken),
        "second blind texts, today": readings(second(), patterns, spoken),
        "each program held out in turn": programs,
        "fresh texts, other half, today": blind,
    }
    parts = (_set_table(sets), _kind_table(programs, blind), _confusion_table((*programs, *blind)))
    return "\n".join(parts)


def _set_table(sets: Mapping[str, Sequence[Reading]]) -> str:
    head = (
        "| texts | programs | read | named | right of named | taken for an acting kind wrongly | fix that cannot help |"
    )
    rows = [head, "|---|---|---|---|---|---|---|"]
    for name, found in sets.items():
        figures = score(found)
        programs = len({each.text.source for each in found})
        misread, helpless = sum(each.misread for each in found), sum(each.helpless for each in found)
        rows.append(
            f"| {name} | {programs} | {len(found)} | {_rate(figures.spoke, figures.asked)} "
            f"| {_rate(figures.right, figures.spoke)} | {_rate(misread, len(found))} | {_rate(helpless, len(found))} |"
        )
    return "\n".join(rows) + "\n"


def _rate(part: int, whole: int) -> str:
    low, high = interval(part, whole)
    return f"{part} of {whole}: {part / whole:.1%} ({low:.1%} to {high:.1%})" if whole else "none"


def _kind_table(programs: Sequence[Reading], blind: Sequence[Reading]) -> str:
    rows = [
        "| kind | held out: texts | precision | recall | other half: texts | precision | recall |",
        "|---|---|---|---|---|---|---|",
    ]
    kinds = sorted({each.text.kind for each in (*programs, *blind) if each.text.kind})
    rows += [f"| `{kind}` | {_of_kind(programs, kind)} | {_of_kind(blind, kind)} |" for kind in kinds]
    return "\n".join(rows) + "\n"


def _of_kind(found: Sequence[Reading], kind: FailureKind) -> str:
    asked = [each for each in found if each.text.kind is kind]
    said = [each for each in found if each.kind is kind]
    right = sum(each.right for each in asked)
    precision = f"{right / len(said):.0%} of {len(said)}" if said else "never said"
    return f"{len(asked)} | {precision} | " + (f"{right / len(asked):.0%}" if asked else "-")


def _confusion_table(found: Sequence[Reading]) -> str:
    rows = ["| is | read as | times |", "|---|---|---|"]
    wrong = {pair: times for pair, times in confusion(found).items() if pair[0] is not pair[1]}
    for (kind, said), times in sorted(wrong.items(), key=lambda item: (-item[1], item[0])):
        rows.append(f"| `{kind}` | `{said}`{' (acts)' if said in ACTING else ''} | {times} |")
    return "\n".join(rows) + "\n"


def page_with(text: str, made: str) -> str:
    """The page with these tables between its marks."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n" + made + "\n" + END + rest.partition(END)[2]


def show(patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]) -> None:
    """Prints the figures: per set, per held-out program, and the rows that have a fix."""
    print(f"{len(patterns)} patterns\n")
    print(tables(patterns, spoken))
    loud = [text.text for text in harmless() if spoken[text]]
    print(f"harmless: {len(harmless())} lines, patterns speak on {len(loud)} {loud or ''}\n")
    print("held out, one program at a time (counts from the others only, without exit statuses)")
    for source, found in held_out(patterns, {text: names for text, names in spoken.items() if text.share != "blind"}):
        print(f"  {source:20} {score(found)}")
    print("\npatterns with a fix (0.90 acts, 0.85 acts once the fix is known to help, below that a person decides)")
    for pattern in patterns:
        if pattern.fix:
            bound = lower_bound(pattern.right, pattern.seen)
            print(f"  {pattern.id:28} {pattern.right:3} of {pattern.seen:3}  {bound:.3f}")


def mistakes(patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]) -> None:
    """Prints each text that is read wrongly, the worst first."""
    wrong = [each for each in readings(known(), patterns, spoken) if each.text.kind and not each.right]
    for each in sorted(wrong, key=lambda each: (not each.helpless, not each.misread, not each.spoke)):
        last = " / ".join(line for line in each.text.text.strip().splitlines()[-3:])
        print(f"{each.text.source} [{each.text.exit_status}]: {each.text.kind} read as {each.kind}: {last[-300:]}")


def main(arguments: Sequence[str]) -> int:
    """Shows, checks or writes; returns the exit status."""
    spoken = heard(shipped(), (*known(), *fresh("blind")))
    figures = counts(shipped(), {text: spoken[text] for text in known()})
    patterns = counted(shipped(), figures)
    match list(arguments):
        case []:
            show(patterns, spoken)
        case ["--mistakes"]:
            mistakes(patterns, spoken)
        case ["--write"]:
            write_counts(figures)
            WORDS.write_text(written(shipped()), "utf-8")
            PAGE.write_text(page_with(PAGE.read_text("utf-8"), tables(patterns, spoken)), "utf-8")
        case ["--check"]:
            return _check(figures, tables(patterns, spoken))
        case _:
            print(__doc__)
            return 2
    return 0


def _check(figures: Mapping[str, tuple[int, int]], made: str) -> int:
    stale = [each.id for each in shipped() if figures[each.id] != (each.seen, each.right)]
    page = PAGE.read_text("utf-8")
    stale += ["docs/classifier.md"] if page_with(page, made) != page else []
    stale += [WORDS.name] if written(shipped()) != WORDS.read_text("utf-8") else []
    print("\n".join(stale) or "every count is that of the texts")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
