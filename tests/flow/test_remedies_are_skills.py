"""A remedy is a skill: found by its tags, run with tools that only read, left out and said so when it is no good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import HealMode
from tests.flow.real_places import SETTINGS, RealPlace

BREAKS = """
effect: read
idempotent: true
parameters: {properties: {name: {type: string, default: shop}}}
command:
  argv: [sh, -c, "echo 'the shelf is full' >&2; exit 9"]
  exit: {"9": {kind: conflict, message: the shelf is full}}
"""
COUNTS = """
effect: read
idempotent: true
parameters: {required: [what], properties: {what: {type: string}}}
command: {argv: [echo, "7 {what}"]}
"""
WRITES = """
effect: write
parameters: {properties: {}}
command: {argv: [touch, written]}
"""
SHELF = """
tags: [remedy, conflict]
inputs:
  - {name: tool, type: string, default: ""}
  - {name: args, type: object, default: {}}
  - {name: message, type: string, default: ""}
steps:
  - {name: counted, tool: counts, args: {what: books}}
outputs:
  - {name: because, value: "{{ inputs.message }}: {{ counted.strip() }} stand on it."}
  - name: steps
    value:
      - Take one away
      - {text: Say which, command: ls shelf, value: "{{ inputs.args.name }}"}
      - {text: Call again, tool: "{{ inputs.tool }}", args: {name: other}}
  - {name: found, value: {books: "{{ counted.strip() }}"}}
"""
FAILS = """
tags: [remedy, conflict]
steps:
  - {name: broken, tool: breaks}
outputs: [{name: because, value: never}]
"""
LOOPS = """
tags: [remedy, conflict]
steps:
  - name: again
    tool: counts
    args: {what: times}
    until: {condition: "False", every: 0.2, timeout: 300}
outputs: [{name: because, value: never}]
"""
TOUCHES = """
tags: [remedy, conflict]
steps:
  - {name: inside, steps: [{name: touched, tool: writes}]}
outputs: [{name: because, value: never}]
"""
ASKS = """
tags: [remedy, conflict]
steps:
  - {name: asked, ask: {question: May I?}}
outputs: [{name: because, value: never}]
"""
OTHER = """
tags: [remedy, conflict]
steps:
  - {name: counted, tool: counts, args: {what: books}}
outputs: [{name: because, value: null}]
"""
FLOODS = """
tags: [remedy, conflict]
steps:
  - {name: many, compute: "result = ['x ' * 5000] * 900"}
outputs:
  - {name: because, value: "{{ many | first }}"}
  - {name: steps, value: "{{ many }}"}
  - {name: found, value: {lines: "{{ many }}", count: 3}}
"""
IT = "- {name: it, tool: breaks, args: {name: shop}}"


@pytest.fixture
def place(tmp_path: Path) -> RealPlace:
    """A workspace with a tool that fails, one that reads and one that writes."""
    (tmp_path / "skill.toml").write_text(SETTINGS)
    made = RealPlace(folder=tmp_path, home=tmp_path / "home")
    for name, text in {"breaks": BREAKS, "counts": COUNTS, "writes": WRITES}.items():
        made.tool(name, text)
    return made


async def test_a_remedy_says_why_with_values_that_it_looked_up(place: RealPlace) -> None:
    """It is given the failure and the call, calls a tool that reads, and its outputs are the root cause."""
    place.remedy("shelf", SHELF)
    cause, step = await place.failing(IT)
    assert (cause.id, cause.source, cause.found) == ("shelf", "skill shelf", {"books": "7 books"})
    assert cause.because == "the shelf is full: 7 books stand on it."
    take, which, again = cause.steps
    assert (take.text, which.command, which.value) == ("Take one away", "ls shelf", "shop")
    assert str(again.call) == "breaks(name='other')"
    assert step.failure is not None
    assert (step.failure.message, step.attempts) == ("the shelf is full", 1)


async def test_nothing_of_a_remedy_is_kept(place: RealPlace) -> None:
    """The journal has one run with one step, and one attempt: the remedy's are nobody's."""
    place.remedy("shelf", SHELF)
    await place.failing(IT)
    assert {event.step for event in place.events} == {"", "it"}
    assert [event.data["tool"] for event in place.events if event.kind == "attempt_started"] == ["breaks"]


@pytest.mark.parametrize(
    ("remedy", "why"),
    [
        (FAILS, "the step broken failed: the shelf is full"),
        (TOUCHES, "its step touched calls writes, which does not only read"),
        (ASKS, "its step asked asks somebody"),
        ("tags: [remedy, conflict]\nsteps:\n  - {name: x, tool: nowhere}\n", "nowhere"),
        ("tags: [remedy\n", "aaa"),
        ("tags: [remedy, conflict]\ninputs: [{name: colour, type: string, required: true}]\nsteps: []\n", "aaa"),
    ],
    ids=["fails", "writes", "asks", "unknown tool", "no YAML", "wants what nobody has"],
)
async def test_a_remedy_that_is_no_good_is_left_out_and_said_so(place: RealPlace, remedy: str, why: str) -> None:
    """The failure is explained by the next one, and keeps its own words."""
    place.remedy("aaa", remedy)
    place.remedy("shelf", SHELF)
    cause, step = await place.failing(IT)
    assert cause.id == "shelf"
    (said,) = place.notices()
    assert said.startswith("the remedy aaa was left out: ")
    assert why in said
    assert list(place.explained().data["left_out"]) == [said]
    assert not (place.folder / "written").exists()
    assert step.failure is not None
    assert step.failure.message == "the shelf is full"


async def test_a_remedy_that_says_too_much_is_cut_short(place: RealPlace) -> None:
    """What it says is shown, sent and written in many places: twenty steps, each on a line of a thousand characters."""
    place.remedy("aaa", FLOODS)
    cause, _ = await place.failing(IT)
    assert (len(cause.because), len(cause.steps), dict(cause.found)) == (1_003, 20, {"count": 3})
    assert {len(step.text) for step in cause.steps} == {1_003}
    assert "\n" not in cause.because


async def test_a_remedy_that_goes_on_for_ever_is_ended_and_said_so(place: RealPlace) -> None:
    """It has ten seconds, or what is left of the step's time."""
    place.remedy("aaa", LOOPS)
    result = await place.run("- {name: it, tool: breaks, timeout: 2}")
    step = result.steps[-1]
    assert step.failure is not None
    assert (step.status, step.failure.message) == ("failed", "the shelf is full")
    (said,) = place.notices()
    assert "did not end within" in said


async def test_a_remedy_that_does_not_fit_is_passed_over(place: RealPlace) -> None:
    """Without a `because` it says that this is not it, and nobody hears of it."""
    place.remedy("aaa", OTHER)
    place.remedy("bbb", SHELF.replace("conflict", "oom"))
    result = await place.run(IT)
    assert result.steps[-1].root_cause is None
    assert place.notices() == []


async def test_remedies_are_not_asked_where_healing_is_off(place: RealPlace) -> None:
    """They call tools, and that is healing's."""
    place.remedy("shelf", SHELF)
    result = await place.run(IT, heal=HealMode.OFF)
    assert result.steps[-1].root_cause is None


async def test_what_is_said_is_data_and_never_a_template(place: RealPlace) -> None:
    """A tool that says braces does not have them filled in by a remedy that quotes it."""
    place.tool("breaks", BREAKS.replace("message: the shelf is full", "message: 'the {{ 7 * 7 }} shelf'"))
    place.remedy("shelf", SHELF)
    cause, _ = await place.failing(IT)
    assert cause.because.startswith("the {{ 7 * 7 }} shelf: ")


async def test_the_example_of_the_page_runs(place: RealPlace) -> None:
    """docs/root-causes.md: copied as it stands there, it counts."""
    page = (Path(__file__).parents[2] / "docs" / "root-causes.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    folder = place.folder / "skills" / "remedies"
    folder.mkdir(parents=True)
    (folder / "shelf.yaml").write_text(example)
    (place.folder / "shelf.txt").write_text("one\ntwo\n")
    cause, _ = await place.failing(IT)
    assert cause.because == "the shelf is full: 2 books stand on it."
    assert cause.found == {"books": 2}
    assert place.notices() == []


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        ("cp: error writing 'x': No space left on device", "resource_exhausted", {"id": "disk_full"}),
        ("sh: 1: frobnicate: not found", "dependency_missing", {"id": "missing_program"}),
    ],
)
async def test_the_shipped_remedies_explain_real_words(
    place: RealPlace, words: str, kind: str, expected: dict[str, Any]
) -> None:
    """What they look up is this machine's own."""
    text = BREAKS.replace("the shelf is full", words.replace("'", "")).replace("kind: conflict", f"kind: {kind}")
    place.tool("breaks", text.replace(f"message: {words.replace(chr(39), '')}", "message: it failed"))
    cause, _ = await place.failing(IT)
    assert cause.id == expected["id"]
    assert all(cause.found.values())
    assert place.notices() == []
