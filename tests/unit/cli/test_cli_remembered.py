"""A past run as a tree: each step above those it holds, and of long lists only what is worth a look."""

from __future__ import annotations

import re
from typing import Any

from engine.frontends.cli.remembered import past_lines
from engine.history.records import StepRecord
from engine.model.outcome import StepStatus


def step(path: str, status: str | None = "ok", **more: Any) -> StepRecord:
    """A step of history."""
    ended = StepStatus(status) if status else None
    return StepRecord(
        name=path, status=ended, started_at=0.0, duration=0.25 if status else None, section="steps", **more
    )


def shown(*steps: StepRecord, verbose: bool = False) -> list[str]:
    """The lines, without the columns behind the names."""
    lines = past_lines(steps, unfinished="stopped", verbose=verbose, width=None)
    return [re.split(r"(?<=\S)   ", line.text)[0].rstrip() for line in lines]


def test_what_a_step_holds_stands_below_it() -> None:
    """However its branches were interleaved."""
    assert shown(step("a"), step("a/x"), step("a/y"), step("a/y/z"), step("a/x/w"), step("b")) == [
        "  ✓ a",
        "    ✓ x",
        "      ✓ w",
        "    ✓ y",
        "      ✓ z",
        "  ✓ b",
    ]


def test_of_a_long_list_only_what_is_worth_a_look_is_shown() -> None:
    """All of it when asked for; what failed inside an element that did not is told by its path."""
    many = [step(f"pods[{number}]", "failed" if number == 7 else "ok") for number in range(50)]
    inner = [step("pods[9]/x", "tolerated"), step("pods[9]/y")]
    assert shown(step("pods", foreach=True), *many, *inner) == ["  ✓ pods", "    ✗ pods[7]", "    ! pods[9]/x"]
    assert len(shown(step("pods", foreach=True), *many, *inner, verbose=True)) == 53


def test_a_list_says_what_its_elements_came_to() -> None:
    """Counted from what history has, finished or not."""
    statuses = ["ok", "healed", "failed", "skipped", None]
    steps = [step("pods"), *(step(f"pods[{number}]", status) for number, status in enumerate(statuses))]
    first = next(iter(past_lines(steps, unfinished="stopped", verbose=False, width=None)))
    assert first.text.endswith("5 items, 1 healed, 1 failed, 1 skipped, 1 without an end")


def test_a_step_without_an_end_is_called_what_became_of_it() -> None:
    """`stopped` in a run that has ended."""
    lines = [line.text for line in past_lines([step("a", None)], unfinished="stopped", verbose=False, width=None)]
    assert lines == ["  … a               stopped"]


def test_a_group_that_failed_names_the_step_that_did() -> None:
    """The failure itself stands below, once."""
    failure = {"message": "the server said 401"}
    group = step("a", "failed", failure={"message": "the step x failed: the server said 401"})
    lines = [
        line.text
        for line in past_lines(
            [group, step("a/x", "failed", failure=failure)], unfinished="", verbose=False, width=None
        )
    ]
    assert lines[0].endswith("because of x")
    assert lines[1].endswith("the server said 401")


def test_what_was_reused_is_one_line() -> None:
    """History has the steps inside before the step that holds them."""
    steps = [step("a/x", reused=True), step("a", reused=True), step("b")]
    assert shown(*steps) == ["  ✓ a", "  ✓ b"]
    assert shown(*steps, verbose=True) == ["  ✓ a", "    ✓ x", "  ✓ b"]


def test_many_rounds_are_counted_and_not_spelt_out() -> None:
    """The first three are shown, later ones where something failed."""
    later = [step(f"poll#{number}/look", "failed" if number == 30 else "ok") for number in range(2, 41)]
    steps = [step("poll"), step("poll/look"), *later]
    assert shown(*steps)[1:] == ["    ✓ look", "    ✓ poll#2/look", "    ✓ poll#3/look", "    ✗ poll#30/look  failed"]
    assert len(shown(*steps, verbose=True)) == 41
    assert next(iter(past_lines(steps, unfinished="", verbose=False, width=None))).text.endswith("in 40 rounds")
