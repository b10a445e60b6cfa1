"""A root cause on the screen: why, then what to do, and what was found out already below its step."""

from __future__ import annotations

from engine.frontends.cli.steps import cause_lines
from engine.model.call import ToolCall
from engine.model.remediation import RemedyStep, RootCause

SHA = "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"
CAUSE = RootCause(
    id="short_sha",
    because="image_tag is the short SHA 74ec56e (7 of 40 digits); images are tagged with all of them.",
    steps=(
        RemedyStep(text="Get the full SHA", command="git rev-parse 74ec56e", value=SHA),
        RemedyStep(text="Call again", call=ToolCall(tool="deploy", args={"image_tag": SHA})),
    ),
)


def test_why_comes_first_and_values_stand_below_their_step() -> None:
    """The cause's sentences are told once, though they stand among the ways out as well."""
    lines = cause_lines(CAUSE, CAUSE.sentences, None)
    assert [line.strip() for line in lines] == [
        f"why  {CAUSE.because}",
        "1. Get the full SHA: git rev-parse 74ec56e",
        f"= {SHA}",
        f"2. Call again: skill tools exec deploy -i image_tag={SHA}",
    ]


def test_what_is_no_part_of_the_cause_is_told_before_its_steps() -> None:
    """A fix that was not run is the nearest way out."""
    lines = cause_lines(CAUSE, ("The fix would be log_in().", *CAUSE.sentences), None)
    assert lines[1].strip() == "1. The fix would be log_in()."
    assert len(lines) == 5


def test_a_cause_fits_the_screen() -> None:
    """In 80 columns, whatever it says."""
    long = RootCause(id="x", because="why " * 60, steps=(RemedyStep(text="do " * 60, value="7" * 300),))
    assert max(map(len, cause_lines(long, long.sentences, 80))) <= 80


def test_without_a_cause_the_ways_out_are_numbered() -> None:
    """Runs of older versions have only these."""
    assert [line.strip() for line in cause_lines(None, ("log in", "again"), 80)] == ["1. log in", "2. again"]
