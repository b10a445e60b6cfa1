"""The proposal book: what waits for a person, and what a person decided."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.documents import read
from engine.errors import DocumentError, InputError
from engine.memory import Memory
from engine.model.failure import FailureKind
from engine.model.improvement import About, Proposal, ProposalStatus
from engine.model.secret import Secrets

NOON = 1_795_176_000.0
PATTERN = Proposal(
    id="p-00000001",
    about=About.PATTERN,
    text="lease <n> revoked",
    because="3 failures said this.",
    example="lease 7 revoked",
    tools=("look",),
    times=3,
    first_seen=NOON - 60,
    last_seen=NOON,
    pattern=r"^lease [\w.,]{1,40} revoked",
)


def offer(memory: Memory, *proposals: Proposal, before: float = 0.0) -> list[str]:
    """Proposes them, and gives the ids of those that are new."""
    return [each.id for each in memory.proposals.offer(lambda _standing: proposals, stale_before=before)[0]]


def test_what_is_written_is_read_again(memory: Memory) -> None:
    """Every field, and the file is as its schema wants it."""
    repair = Proposal(
        id="r-00000002",
        about=About.REPAIR,
        text="no",
        because="once",
        example="no",
        tools=("look",),
        times=1,
        first_seen=NOON,
        last_seen=NOON,
        error_pattern="no entry",
        root_cause="why",
        fix_applied="Run x()",
    )
    assert offer(memory, PATTERN, repair) == ["p-00000001", "r-00000002"]
    assert memory.proposals.all() == (PATTERN, repair)
    assert memory.findings() == ()


def test_an_open_one_is_brought_up_to_date_and_comments_stay(memory: Memory, folder: Path) -> None:
    """Counts move, what a person wrote beside it does not; the same again writes nothing."""
    offer(memory, PATTERN)
    path = folder / "learned" / "proposals.yaml"
    path.write_text(path.read_text().replace("    times: 3", "    times: 3  # many"))
    assert offer(memory, replace(PATTERN, times=9, last_seen=NOON + 60)) == []
    assert "times: 9  # many" in path.read_text()
    before = path.stat().st_mtime_ns
    assert offer(memory, replace(PATTERN, times=9, last_seen=NOON + 60)) == []
    assert path.stat().st_mtime_ns == before


def test_a_decision_stays(memory: Memory, folder: Path) -> None:
    """A later offer of the same changes nothing; the day and the reason are kept."""
    offer(memory, PATTERN)
    memory.proposals.decide(PATTERN, ProposalStatus.REJECTED, on=NOON, reason="noise")
    assert offer(memory, replace(PATTERN, times=99), before=NOON + 999) == []
    (entry,) = read(folder / "learned" / "proposals.yaml").value["proposals"]
    assert (entry["status"], entry["decided"], entry["reason"], entry["times"]) == (
        "rejected",
        "2026-11-20T12:00:00Z",
        "noise",
        3,
    )
    assert memory.findings() == ()


def test_one_that_was_not_seen_for_long_is_dropped(memory: Memory) -> None:
    """Nobody needs to decide about it any more."""
    offer(memory, PATTERN)
    assert memory.proposals.offer(lambda _standing: (), stale_before=NOON + 1) == ((), (PATTERN,))
    assert memory.proposals.all() == ()


def test_a_proposal_is_found_by_the_beginning_of_its_id(memory: Memory) -> None:
    """As runs are; none and several are said."""
    offer(memory, PATTERN, replace(PATTERN, id="p-00000009", text="other"))
    assert memory.proposals.find("p-00000001") == PATTERN
    for name in ("p-0000000", "x"):
        with pytest.raises(InputError):
            memory.proposals.find(name)


def test_a_broken_file_is_left_alone(memory: Memory, folder: Path) -> None:
    """Nobody knows what was rejected: nothing is proposed, and reading goes on without it."""
    path = folder / "learned" / "proposals.yaml"
    path.parent.mkdir(parents=True)
    for text in ("proposals: [\n", "proposals: 7\n"):
        path.write_text(text)
        with pytest.raises(DocumentError):
            offer(memory, PATTERN)
        assert memory.proposals.all() == ()
        assert path.read_text() == text


def test_an_entry_with_a_mistake_is_left_out_and_reported(memory: Memory, folder: Path) -> None:
    """The others count."""
    offer(memory, PATTERN)
    path = folder / "learned" / "proposals.yaml"
    path.write_text(path.read_text() + "  - {id: p-00000002, about: weather}\n  - 7\n")
    assert [each.id for each in memory.proposals.all()] == ["p-00000001"]
    assert [finding.place.line for finding in memory.findings()] == [20, 21]


def test_secrets_are_masked(memory: Memory, secrets: Secrets, folder: Path) -> None:
    """In every field."""
    secrets.add("sesame-open")
    offer(memory, replace(PATTERN, example="lease sesame-open revoked", because="sesame-open"))
    assert "sesame-open" not in (folder / "learned" / "proposals.yaml").read_text()


def test_an_accepted_pattern_is_added_once(memory: Memory) -> None:
    """The shipped ones count on beside it; one that cannot be used is refused."""
    row = {"id": "p-1", "pattern": "^lease revoked", "kind": FailureKind.CONFLICT.value, "meaning": "m"}
    known = len(memory.patterns.all())
    assert memory.patterns.add(row)
    assert not memory.patterns.add(row)
    assert len(memory.patterns.all()) == known + 1
    assert memory.findings() == ()
    with pytest.raises(InputError):
        memory.patterns.add({**row, "id": "p-2", "pattern": "(a+)+$"})


def test_weight_halves_only_what_was_observed_here(memory: Memory) -> None:
    """What was shipped counts on wholly, and the confidence follows."""
    memory.patterns.record({"token-expired": (20, 20)})
    assert memory.patterns.weigh(lambda standing: dict.fromkeys(standing, 0.5)) == ("token-expired",)
    (pattern,) = [each for each in memory.patterns.all() if each.id == "token-expired"]
    assert (pattern.seen, pattern.right) == (50, 49)
    assert memory.patterns.weigh(lambda standing: dict.fromkeys(standing, 0.5)) == ()
    memory.patterns.record({"token-expired": (22, 22)})
    (pattern,) = [each for each in memory.patterns.all() if each.id == "token-expired"]
    assert (pattern.seen, pattern.right) == (51, 50)
    assert memory.findings() == ()
