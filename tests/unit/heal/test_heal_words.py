"""The words that spare a failure the compiling of most patterns: those of the file, and never a pattern silenced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.texts import rows, shipped
from bench.words import WORDS, written
from engine.heal.detect import matching
from engine.memory import Memory
from engine.memory.words import key, known_words
from engine.model.failure import FailureKind, Pattern
from engine.model.secret import Secrets

SEEDS = WORDS.parents[1]


def test_the_words_of_the_shipped_patterns_are_those_of_their_expressions() -> None:
    """`python bench/classify.py --write` wrote them after the last change of a pattern."""
    assert WORDS.read_text("utf-8") == written(shipped())


@pytest.mark.parametrize("row", [row for row in rows() if "example" in row], ids=lambda row: str(row["id"]))
def test_a_pattern_with_its_words_speaks_on_its_example(row: dict[str, str]) -> None:
    """Whatever the case of its letters was folded to."""
    pattern = next(each for each in shipped() if each.id == row["id"])
    known = replace(pattern, words=known_words(SEEDS).get(key(pattern.expression), ()))
    assert known.words
    assert matching(row["example"], pattern.program, [known]) == (known,)


def test_a_text_without_the_words_is_not_matched() -> None:
    """The expression is not looked at: here it would match."""
    pattern = Pattern(id="any", expression="^.{1,9}$", kind=FailureKind.TIMEOUT, words=("gone",))
    assert matching("he is here", None, [pattern]) == ()
    assert matching("He Is GONE", None, [replace(pattern, expression="^.{1,20}$")]) != ()


def test_a_pattern_that_a_person_changed_has_no_words(tmp_path: Path) -> None:
    """Other words make it speak, so all that is known of the shipped ones says nothing."""
    live = tmp_path / "learned" / "patterns.yaml"
    live.parent.mkdir()
    live.write_text("error_patterns:\n  - {id: auth-git, pattern: '^halt, who goes there', kind: auth_expired}\n")
    known = {each.id: each for each in Memory(tmp_path, seeds=SEEDS, secrets=Secrets()).patterns.all()}
    assert (known["auth-git"].words, bool(known["auth-http-401"].words)) == ((), True)
    assert matching("halt, who goes there?", None, known.values()) == (known["auth-git"],)


def test_a_file_of_words_that_is_not_there_spares_nothing(tmp_path: Path) -> None:
    """Patterns speak as ever."""
    assert known_words(tmp_path) == {}
    (tmp_path / "learned").mkdir()
    (tmp_path / "learned" / "pattern_words.json").write_text("[1]")
    assert known_words(tmp_path) == {}
