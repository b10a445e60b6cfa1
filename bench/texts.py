"""The labelled texts by which patterns are judged, and the patterns as they stand in the file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.memory.words import key, known_words
from engine.model.failure import FailureKind, Pattern

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ROOT / "memory" / "learned" / "patterns.yaml"
DATA = ROOT / "tests" / "data"
TRAINING = DATA / "failures_train.jsonl"
FRESH = DATA / "failures_fresh.jsonl"
SECOND = DATA / "failures_second.jsonl"
HARMLESS = DATA / "harmless.txt"
FOR_PEOPLE = frozenset({"confidence", "pattern", "provenance", "example"})
"""Fields of a row that are no fields of a `Pattern`."""
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
"""Training sources that are Python libraries: the program that ran was Python. Fresh texts name their program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One text with the kind it should be read as; `kind` None: nothing went wrong.

    `share` is the set it belongs to: `training`, `dev` (fresh texts that rules were written with), `blind` (fresh
    texts of programs that no rule was written with), `harmless`.
    """

    text: str
    kind: FailureKind | None
    source: str
    share: str = "training"
    program: str = ""
    exit_status: int | None = None


def shipped(path: Path = PATTERNS) -> tuple[Pattern, ...]:
    """The patterns of the file, with the counts written there, and with their words as the engine knows them."""
    words = known_words(path.parent.parent)
    return tuple(_pattern(row, words.get(key(row["pattern"]), ())) for row in rows(path))


def rows(path: Path = PATTERNS) -> list[dict[str, Any]]:
    """The rows of the file as they are written."""
    found: list[dict[str, Any]] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)["patterns"]
    return found


def _pattern(row: dict[str, Any], words: tuple[str, ...]) -> Pattern:
    known = {name: value for name, value in row.items() if name not in FOR_PEOPLE}
    commands = tuple(known.pop("commands", ()))
    return Pattern(
        expression=row["pattern"], words=words, **known | {"kind": FailureKind(row["kind"]), "commands": commands}
    )


def failures(path: Path = TRAINING) -> tuple[Labelled, ...]:
    """The labelled failure texts of a file."""
    return tuple(_labelled(json.loads(line)) for line in path.read_text("utf-8").splitlines())


def _labelled(row: dict[str, Any]) -> Labelled:
    source = row["source"]
    return Labelled(
        text=row["text"],
        kind=FailureKind(row["label"]),
        source=source,
        share=row.get("share", "training"),
        program=row.get("program") or ("python" if source in PYTHON_SOURCES else source),
        exit_status=int(row["exit_code"]),
    )


def fresh(share: str) -> tuple[Labelled, ...]:
    """The fresh texts of one share, `dev` or `blind`."""
    return tuple(text for text in failures(FRESH) if text.share == share)


def second() -> tuple[Labelled, ...]:
    """The texts of the second blind figure; read once, and only then used to mend rules and to count."""
    return failures(SECOND)


def harmless(path: Path = HARMLESS) -> tuple[Labelled, ...]:
    """Lines of successful output that sound like failures; whoever speaks on one is wrong."""
    lines = path.read_text("utf-8").splitlines()
    return tuple(Labelled(text=line, kind=None, source="harmless", share="harmless") for line in lines if line)


def known() -> tuple[Labelled, ...]:
    """The texts that counts are taken from: all but the fresh texts of the half that no rule was written with."""
    return (*failures(), *fresh("dev"), *second(), *harmless())
