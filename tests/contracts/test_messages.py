"""What the real programs and servers of each tool family say, and what must be read from it (tests/data/messages)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.texts import shipped
from engine.documents import read
from engine.heal.detect import diagnose, matching
from engine.model.failure import Evidence, Failure, FailureKind

FOLDER = Path(__file__).parents[1] / "data" / "messages"
FILES = sorted(FOLDER.glob("*.yaml"))
EVIDENCE = ("declared", "http_status", "exit_status", "errno", "program", "retry_after", "details")
FAILURE_KEYS = {"name", "text", "kind", "untouched", *EVIDENCE}
SUCCESS_KEYS = {"name", "text", "program"}


def rows(key: str) -> list[Any]:
    """Every recorded text of that sort, named by its family."""
    return [
        pytest.param(row, id=f"{path.stem}: {row['name']}") for path in FILES for row in read(path).value.get(key) or ()
    ]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_file_of_messages_says_what_recorded_them(path: Path) -> None:
    """Its family is its name, it says who spoke, and it has no key that nobody reads."""
    said = read(path).value
    assert (said["family"], bool(said["recorded"])) == (path.stem, True)
    assert set(said) <= {"family", "recorded", "failures", "successes"}
    unread = [
        (row["name"], sorted(odd))
        for key, known in (("failures", FAILURE_KEYS), ("successes", SUCCESS_KEYS))
        for row in said.get(key) or ()
        if (odd := set(row) - known)
    ]
    assert unread == []


@pytest.mark.parametrize("row", rows("failures"))
def test_an_ordinary_failure_is_named_right(row: dict[str, Any]) -> None:
    """The evidence and the words of a real failure are read as the kind it was."""
    evidence = Evidence(text=row["text"], **{name: row[name] for name in EVIDENCE if name in row})
    found = diagnose(Failure(message=row["text"], evidence=evidence), shipped())
    assert (found.kind, found.untouched) == (FailureKind(row["kind"]), row.get("untouched", found.untouched))


@pytest.mark.parametrize("row", rows("successes"))
def test_what_a_program_says_when_all_went_well_means_nothing(row: dict[str, Any]) -> None:
    """No pattern speaks on the output of a success, however frightening its words."""
    assert [each.id for each in matching(row["text"], row.get("program"), shipped())] == []
