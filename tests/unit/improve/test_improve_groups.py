"""What says the same is one group, whatever order it comes in; what is compared is bounded."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from engine.history.lessons import FailedCall
from engine.improve.groups import Sighting, group, sighting
from engine.improve.similar import LIKENESS, Likeness, in_common, likeness, words

WORDS = st.lists(st.sampled_from("abcdefg"), max_size=12)


def failed(text: str, *, run: str = "r", at: float = 0.0) -> Sighting:
    """A failure that said this."""
    failure = {"message": "failed", "evidence": {"text": text}}
    seen = sighting(FailedCall(run, "skill", "step", "tool", "unknown", text, "", "failed", False, at, failure))
    assert seen is not None
    return seen


def plain_in_common(one: list[str], other: list[str]) -> int:
    """The longest common subsequence, by the textbook."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for row, left in enumerate(one, 1):
        for column, right in enumerate(other, 1):
            best = max(table[row - 1][column], table[row][column - 1])
            table[row][column] = table[row - 1][column - 1] + 1 if left == right else best
    return table[-1][-1]


@given(WORDS, WORDS)
def test_words_in_common_are_those_of_the_textbook(one: list[str], other: list[str]) -> None:
    """The row of bits counts what the table counts."""
    assert in_common(one, other) == plain_in_common(one, other)


@given(st.lists(WORDS.map(tuple), max_size=30), WORDS.map(tuple))
def test_nothing_that_is_alike_is_left_out(known: list[tuple[str, ...]], text: tuple[str, ...]) -> None:
    """Comparing only texts that share a rare word finds whatever comparing all of them finds."""
    known = [each for each in known if each]
    index = Likeness(Counter(word for each in [*known, text] for word in set(each)))
    for each in known:
        index.add(each)
    found = index.nearest(text) if text else None
    best = max((likeness(each, text) for each in known), default=0.0) if text else 0.0
    assert (found is not None) == (best >= LIKENESS)
    assert found is None or likeness(known[found], text) == best


def test_likeness_is_one_for_equal_and_zero_for_strangers() -> None:
    """One word of ten more costs little, half of them too much."""
    ten = words("one two three four five six seven eight nine ten")
    assert likeness(ten, ten) == 1.0
    assert likeness(ten, words("eleven twelve")) == 0.0
    assert likeness(ten, words("one two three four five six seven eight nine ten more")) > 0.95
    assert likeness(ten, words("one two three four five other words stand here now")) < LIKENESS
    assert SequenceMatcher(None, ten, ten[:7]).ratio() == likeness(ten, ten[:7])


def test_groups_do_not_depend_on_the_order() -> None:
    """The frequent line leads, and the largest group comes first."""
    seen = [failed(f"lease {number} of door was revoked by the warden", run=f"r{number}") for number in range(6)]
    seen += [failed(f"lease {number} of gate was revoked by the warden") for number in range(2)]
    seen += [failed(f"hinge {number} creaks") for number in range(3)]
    groups = group(seen)
    assert [(one.line, len(one.members)) for one in groups] == [
        ("lease <n> of door was revoked by the warden", 8),
        ("hinge <n> creaks", 3),
    ]
    again = group(reversed(seen))
    assert [(one.line, one.lines) for one in again] == [(one.line, one.lines) for one in groups]
    assert (groups[0].runs, groups[0].tools, len(groups[0].unknown)) == (7, ("tool",), 8)


def test_ten_thousand_different_texts_are_each_compared_with_a_hundred_at_most() -> None:
    """The hardest case, words shuffled so that all share all of them, stays linear."""
    alphabet = [f"word{letter}" for letter in "abcdefghijklmnop"]
    texts = [tuple(alphabet[(number * step) % 16] for step in range(1, 13)) for number in range(1, 400)]
    index = Likeness(Counter(word for text in texts for word in set(text)))
    for text in texts:
        index.add(text)
        assert len(list(index._candidates(text))) <= 100  # noqa: SLF001 - the bound is the promise
