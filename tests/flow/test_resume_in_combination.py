"""Resuming where several things meet: secrets, questions, conditions, other skills, other folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine import RunStatus, SkillExecutor
from engine.errors import InputError, RunStateError
from tests.flow.test_resume import SETTINGS, Place, run


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Nothing has happened yet."""
    (tmp_path / "skill.toml").write_text(SETTINGS)
    return Place(tmp_path, [])


def test_a_secret_read_does_not_hide_what_is_to_be_undone(place: Place) -> None:
    """A parked run is cancelled: the write behind the secret read is taken back."""
    place.write("""
steps:
  - {name: token, tool: say, args: {word: tok3n-value}, secret: true}
  - {name: one, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
  - {name: sure, ask: {question: Sure?}}
""")
    parked = place.does(run)
    result = place.does(lambda executor: executor.end(parked.run_id))
    assert result.status is RunStatus.CANCELLED
    assert place.log == ["say tok3n-value", "make a", "unmake a"]


def test_waiting_is_not_dying(place: Place) -> None:
    """However many questions are answered one by one, a step that waits was begun by no process that died."""
    asks = "\n".join(f"      - {{name: q{n}, ask: {{question: Q{n}?}}}}" for n in range(7))
    place.write(f"""
steps:
  - {{name: token, tool: say, args: {{word: tok3n-value}}, secret: true}}
  - name: group
    steps:
{asks}
""")
    result = place.does(run)
    for number in range(7):
        assert result.status is RunStatus.WAITING
        answers = {f"q{number}": "yes"}
        result = place.does(partial(SkillExecutor.answer, run_id=result.run_id, answers=answers))
    assert result.status is RunStatus.OK


def test_an_answer_answers_its_own_question_only(place: Place) -> None:
    """A question of the same name in another skill is asked on its own."""
    place.write("steps:\n  - {name: confirm, ask: {question: Delete everything?}}\n", "called")
    place.write("steps:\n  - {name: confirm, ask: {question: Look around?}}\n  - {name: sub, skill: called}\n")
    parked = place.does(run)
    again = place.does(lambda executor: executor.answer(parked.run_id, {"confirm": "y"}))
    assert [question.name for question in again.questions] == ["sub/confirm"]


def test_an_unexpected_result_is_a_failure_even_if_the_write_can_be_looked_for(place: Place) -> None:
    """It answered, so there is nothing to look for; it happened, so it is undone."""
    place.write("""
steps:
  - name: one
    tool: create
    args: {word: a}
    expect: result.made == 'something else'
    undo: {tool: unmake, args: {word: a}}
""")
    result = place.does(run)
    assert result.status is RunStatus.FAILED
    assert place.log == ["create a", "unmake a"]


def test_a_step_that_was_never_called_is_not_undone(place: Place) -> None:
    """Its condition could not be evaluated; somebody else's thing of that name stays."""
    place.note("create a", "")
    place.write("""
steps:
  - {name: never, condition: "false", tool: say, args: {word: x}}
  - name: one
    condition: never.nothing
    tool: create
    args: {word: a}
    undo: {tool: unmake, args: {word: a}}
""")
    assert place.does(run).status is RunStatus.FAILED
    assert place.log == ["create a"]


def test_a_list_is_the_one_the_run_began_with_though_its_values_are_secret(place: Place) -> None:
    """Each element is undone as itself."""
    place.write("""
steps:
  - name: each
    foreach: "['a', 'b']"
    secret: true
    tool: make
    args: {word: "{{ item }}"}
    undo: {tool: unmake, args: {word: "{{ item }}"}}
  - {name: cut, tool: say, args: {word: x}}
  - {name: end, stop: {status: failed, message: no more}}
""")
    place.die_in("x")
    run_id = place.dies(run)
    place.does(lambda executor: executor.resume(run_id))
    assert place.log == ["make a", "make b", "say x", "say x", "unmake b", "unmake a"]


def test_a_new_version_that_moves_a_step_elsewhere_is_refused(place: Place) -> None:
    """It would be another step, and be done twice."""
    group = "  - name: g\n    steps:\n      - {name: a, tool: make, args: {word: a}}\n"
    cut = "      - {name: b, tool: say, args: {word: x}}\n"
    place.write(f"steps:\n{group}{cut}")
    place.die_in("x")
    run_id = place.dies(run)
    place.write(f"steps:\n  - {{name: a, tool: make, args: {{word: a}}}}\n  - name: g\n    steps:\n{cut}")
    with pytest.raises(RunStateError, match="g/a was done"):
        place.does(lambda executor: executor.resume(run_id, with_new_version=True))
    assert place.log == ["make a", "say x"]


def test_a_run_that_has_not_ended_is_not_begun_again(place: Place) -> None:
    """A second run would use, and undo, what the first one still has."""
    place.write("steps:\n  - {name: one, tool: make, args: {word: a}}\n  - {name: sure, ask: {question: Sure?}}\n")
    parked = place.does(run)
    with pytest.raises(RunStateError, match="has not ended"):
        place.does(lambda executor: executor.retry(parked.run_id))


def test_a_run_belongs_to_its_folder(place: Place, tmp_path: Path) -> None:
    """With one history for many folders, what is resumed or undone elsewhere would be somebody else's."""
    place.write("steps:\n  - {name: sure, ask: {question: Sure?}}\n")
    parked = place.does(run)
    other = Place(tmp_path / "other", [])
    other.folder.mkdir()
    (other.folder / "skill.toml").write_text(SETTINGS)
    (other.folder / "home").symlink_to(place.folder / "home")
    acts: list[Any] = [
        lambda executor: executor.resume(parked.run_id),
        lambda executor: executor.answer(parked.run_id, {"sure": "y"}),
        lambda executor: executor.end(parked.run_id),
    ]
    for act in acts:
        with pytest.raises(RunStateError, match="belongs to"):
            other.does(act)


def test_an_answer_to_nothing_is_refused_before_anything_is_done(place: Place) -> None:
    """A slip in its name would else be noticed when the run already waits."""
    place.write("steps:\n  - {name: one, tool: make, args: {word: a}}\n  - {name: sure, ask: {question: Sure?}}\n")
    with pytest.raises(InputError, match="does not ask suer"):
        place.does(lambda executor: SkillExecutor(executor.parts, answers={"suer": "y"}).run("promise"))
    assert place.log == []
