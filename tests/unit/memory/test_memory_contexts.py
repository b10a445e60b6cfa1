"""The context book reads what it can, says what it cannot, and changes nothing a person wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.bundle import bundle
from engine.documents import findings, read
from engine.errors import DocumentError
from engine.memory.contexts import FILE, ContextBook
from engine.memory.store import Store
from engine.model.prevention import Learning, Sequence
from tests.unit.heal.foresights import sequence

OWN = """\
# Mine.
sequences:
  # the mornings
  - trigger: mornings     # never rename
    context: {first_call_of_day: true}   # the token lives a night
    prediction:
      error: auth_expired
      domain: door
    proactive_fix: {fix: login}
    observations: 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A memory folder with a person's file in it."""
    (tmp_path / "learned").mkdir()
    (tmp_path / FILE).write_text(OWN)
    return tmp_path


def book(folder: Path, seeds: Path | None = None) -> ContextBook:
    """The book as one process has it."""
    return ContextBook(Store(folder, seeds=seeds or folder / "none"))


def said(made: Sequence) -> Learning:
    """What the engine would write of it."""
    return Learning(sequence=made, probability=0.5, confidence="low")


def test_a_sequence_is_read_as_it_stands(folder: Path) -> None:
    """More right than seen is not believed; what is left out is nothing."""
    (found,) = book(folder).live()
    assert (found.trigger, found.domain, found.fix) == ("mornings", "door", "login")
    assert (found.observations, found.confirmed, found.retired, found.cascades) == (3, 0, False, ())


def test_only_counts_are_written(folder: Path) -> None:
    """Every other character stays."""
    wanted = sequence(observations=4, confirmed=4, predicted=2)
    assert book(folder).learn(lambda _: [said(wanted)]) == ("mornings",)
    text = (folder / FILE).read_text()
    for line in OWN.splitlines():
        if "observations" not in line:
            assert line in text.splitlines() or line == "      domain: door"
    assert not findings(read(folder / FILE), "failure_contexts")
    (found,) = book(folder).live()
    assert (found.observations, found.confirmed, found.predicted, found.prevented) == (4, 4, 2, 0)


def test_what_says_so_already_is_not_written(folder: Path) -> None:
    """No write, no lock, no copy of the shipped file."""
    before = (folder / FILE).stat().st_mtime_ns
    assert book(folder).learn(lambda known: [said(each) for each in known]) == ()
    assert (folder / FILE).stat().st_mtime_ns == before
    empty = folder / "empty"
    assert book(empty, bundle("memory")).learn(lambda known: [said(each) for each in known]) == ()
    assert not empty.exists()


def test_the_plan_is_asked_again_under_the_lock(folder: Path) -> None:
    """What another process wrote in between counts."""
    asked = []

    def plan(known: tuple[Sequence, ...]) -> list[Learning]:
        asked.append(len(known))
        if len(asked) == 1:
            (folder / FILE).write_text("sequences: []\n")
        return [said(sequence(predicted=1))]

    book(folder).learn(plan)
    assert asked == [1, 0]
    assert "mornings" in (folder / FILE).read_text()


def test_retired_is_set_and_never_taken_back(folder: Path) -> None:
    """A person who removes the line brings the sequence back; the engine does not."""
    pages = book(folder)
    pages.learn(lambda known: [said(replace(known[0], retired=True))])
    assert book(folder).live()[0].retired
    pages.learn(lambda known: [said(replace(known[0], retired=False))])
    assert book(folder).live()[0].retired


def test_more_tools_are_added_to_those_a_person_listed(folder: Path) -> None:
    """The list grows at its end."""
    pages = book(folder)
    for tools in (("look",), ("look", "enter")):
        pages.learn(lambda known, tools=tools: [said(replace(known[0], cascades=tools))])  # type: ignore[misc]
    assert book(folder).live()[0].cascades == ("look", "enter")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("just words", "wrong-type"),
        ("{context: {}, prediction: {error: timeout}}", "no-trigger"),
        ("{trigger: a, context: {}, prediction: {error: gremlins}}", "unknown-kind"),
        ("{trigger: a, context: {}, prediction: soon}", "unknown-kind"),
        ("{trigger: a, context: always, prediction: {error: timeout}}", "no-context"),
        ("{trigger: a, context: {hours: noon}, prediction: {error: timeout}}", "bad-condition"),
        ("{trigger: a, context: {}, prediction: {error: timeout}, cascading_failures: look}", "wrong-type"),
        ("{trigger: mornings, context: {}, prediction: {error: timeout}}", "duplicate-id"),
    ],
)
def test_a_row_with_a_mistake_is_left_out_and_told_with_its_line(folder: Path, row: str, code: str) -> None:
    """The others are used."""
    (folder / FILE).write_text(f"{OWN}  - {row}\n")
    (mistake,) = book(folder).findings()
    assert (mistake.code, mistake.place.line) == (code, len(OWN.splitlines()) + 1)
    assert len(book(folder).live()) == 1


@pytest.mark.parametrize("text", ["", "sequences:\n", "sequences: many\n", "- a list\n", "just words\n"])
def test_a_file_of_another_shape_has_no_sequences(folder: Path, text: str) -> None:
    """And breaks nothing that reads it."""
    (folder / FILE).write_text(text)
    assert book(folder).live() == ()
    assert book(folder).findings() == ()


def test_a_broken_file_is_an_error_and_stays(folder: Path) -> None:
    """With its line; learning refuses it too."""
    broken = OWN + "  - trigger: [open\n"
    (folder / FILE).write_text(broken)
    with pytest.raises(DocumentError):
        book(folder).live()
    with pytest.raises(DocumentError):
        book(folder).learn(lambda _: [said(sequence(predicted=1))])
    assert (folder / FILE).read_text() == broken


def test_the_shipped_sequences_are_templates_without_counts() -> None:
    """None of them can act, none has a mistake, and a run without a live file reads none of them."""
    pages = book(Path("none"), bundle("memory"))
    assert pages.live() == ()
    assert not pages.findings()
    for each in pages.all():
        assert (each.domain, each.cascades, each.observations, each.confirmed) == (None, (), 0, 0)
    assert not findings(read(bundle("memory") / FILE), "failure_contexts")


def test_the_sequence_on_the_page_can_be_used(folder: Path) -> None:
    """What docs/prediction.md shows is read without a complaint, and breaks no rule of the schema."""
    page = (Path(__file__).parents[3] / "docs" / "prediction.md").read_text(encoding="utf-8")
    (folder / FILE).write_text(page.split("```yaml\n")[1].split("```")[0])
    assert not findings(read(folder / FILE), "failure_contexts")
    assert not book(folder).findings()
    (shown,) = book(folder).live()
    assert (shown.domain, shown.fix) == ("stage", "login")
