"""Random skills of nested control flow, with calls that fail: what the engine makes of them is what the model says.

The model is `control_flow_model`; it knows nothing of processes that die, and does not have to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.properties.control_flow_model import GOOD, Here, Model, Past, compare
from tests.properties.control_flow_reading import Reading
from tests.properties.control_flow_skills import Story, stories
from tests.properties.control_flow_world import Told, World

LIVES = 4
"""Processes that may die in one run; the engine ends a step in which five have."""
REUSABLE = (*GOOD, "skipped", "tolerated")


@contextmanager
def world(story: Story) -> Iterator[World]:
    """A world of its own for a story, gone afterwards."""
    with TemporaryDirectory() as folder:
        made = World(Path(folder), story)
        made.write()
        yield made


def judged(reading: Reading, told: Told | None, past: Past) -> tuple[Model, Here]:
    """The model of a run that has ended, or waits; asserts that all that was seen is what it says."""
    model, lines = reading.model(past)
    expected, status, outputs, here = model.run(past)
    compare(expected, lines)
    if told is not None:
        assert (told.status, told.outputs) == (status, outputs)
        assert told.steps == {**reading.again, **reading.ended}
        assert told.kept == {**dict.fromkeys(reading.begun), **reading.again, **reading.ended}
        waits = {*model.waits, *reading.unsure} if status == "waiting" else set()
        assert {name.partition(".settle")[0] for name in told.questions} == waits
    return model, here


@given(story=stories(), answer=st.booleans())
@settings(max_examples=200, deadline=None, print_blob=True)
def test_a_run_is_what_the_model_says(story: Story, answer: bool) -> None:
    """Which calls in which order, how each step and the run end, what it gives, and what it asks."""
    with world(story) as made:
        told = made.lives(lambda executor: executor.run("main"))
        for _ in range(20):
            reading = Reading.of(story, made.trace.lines)
            judged(reading, told, Past())
            if told.status != "waiting":
                break
            answers = dict.fromkeys(told.questions, answer)
            made.trace.write("lives")
            told = made.lives(lambda executor: executor.answer(reading.run, answers))  # noqa: B023 - called at once
        event(told.status)
        if not reading._life:
            assert told.order == [line.split()[1] for line in made.trace.lines if line.startswith("end ")]
