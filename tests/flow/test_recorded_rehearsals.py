"""A rehearsal recorded from any run passes when it is played back: here from runs that were rehearsed themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.model.rehearsal import CallEnd, Played
from engine.run.rehearsal.recording import Recording, record
from engine.wiring import Engine
from tests.flow.playhouse import USUAL, Playhouse, messages
from tests.flow.test_rehearsals_of_control_flow import ANSWERS, PARTY, TOAST

FAILS = """
skill: visit
tools: {look: [{works: true}], enter: [{works: true}], leave: [{works: true}], push: [FAILURE]}
"""
POLITE = "skill: polite\ntools: {look: [{works: true}]}\n"
RUNS = {
    "all went well": USUAL + "inputs: {who: bob, code: open sesame}\n",
    "a heal": USUAL
    + """
  log_in: [{works: true}]
inject: [{step: look, failure: {http_status: 401, message: no, output: 'x: 1'}}]
""",
    "a fix that failed": USUAL
    + """
  log_in: [{failure: {message: closed on Sundays}}]
inject: [{step: look, failure: {kind: auth_expired, message: no}}]
""",
    "undone": FAILS.replace("FAILURE", "{failure: {kind: conflict, message: taken, output: 'somebody: \"has\" it'}}"),
    "a program's failure": FAILS.replace("FAILURE", "{raw: {exit_status: 9, stderr: no disk}}"),
    "refused": FAILS.replace("FAILURE", "{failure: {errno: ECONNREFUSED, sent: false, message: refused}}"),
    "a write that had happened": USUAL
    + """
  is_inside: [{value: {happened: true, value: {inside: true}}}]
inject: [{step: enter, failure: {errno: ECONNRESET, sent: true, message: reset}}]
""",
    "every kind of step": ANSWERS,
    "elements undone": ANSWERS + "inject: [{step: 'arrive[2]', failure: {kind: permission_denied, message: no}}]\n",
    "waiting": POLITE,
    "answered": POLITE + "answers: {may_i: true}\n",
    "patient": "skill: patient\ntools: {look: [value: {seen: dark}, value: {seen: dusk}, value: {seen: light}]}\n",
    "a large value": USUAL.replace("a table", "a table " * 5_000),
}
SKILLS = {
    "party": PARTY,
    "toast": TOAST,
    "polite": """
steps:
  - {name: may_i, ask: {question: May I?, type: boolean}}
  - {name: look, condition: may_i, tool: look}
""",
    "patient": """
steps:
  - {name: look, tool: look, until: {condition: result.seen == 'light', every: 10m, timeout: 24h}}
outputs: [{name: seen, value: "{{ look.seen }}"}]
""",
}


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    """A workspace with some skills."""
    made = Playhouse(tmp_path / "work")
    made.furnish()
    for name, text in SKILLS.items():
        made.skill(name, text)
    return made


def recorded(house: Playhouse, run_id: str, skill: str) -> Recording:
    """The newest rehearsed run, as it is recorded."""
    home = max(house.folder.glob("home-*"))
    engine = Engine(replace(house.workspace, home=home))
    events = tuple(event for _, event in engine.journal.events(run_id))
    past, loaded = engine.journal.past(run_id), engine.library.load(skill)
    written = record(past, events, skill=loaded, named=skill, tools=engine.registry, verifies={})
    engine.journal.close()
    return written


def story(played: Played) -> tuple[list[tuple[str, str]], list[tuple[str, str]], str]:
    """Which calls came in which order, which steps ended how, and what was said in the end."""
    calls = [(call.tool, call.step) for call in played.calls]
    return calls, [(step.path, step.status) for step in played.steps], played.message


@pytest.mark.parametrize("run", RUNS)
def test_what_was_recorded_passes_when_it_is_played_back(house: Playhouse, run: str) -> None:
    """And makes the same calls, in the same order, with the same endings."""
    [rehearsal] = house.rehearsals(RUNS[run])
    first = house.played(rehearsal).played
    assert first is not None
    assert all(call.end is not CallEnd.UNANSWERED for call in first.calls)
    recording = recorded(house, first.run_id, rehearsal.skill)
    [again] = house.rehearsals(recording.text)
    second = house.played(again)
    assert messages(second) == [], recording.text
    assert second.played is not None
    assert [(call.tool, call.step) for call in second.played.calls] == [(call.tool, call.step) for call in first.calls]
    assert [(step.path, step.status) for step in second.played.steps] == [
        (step.path, step.status) for step in first.steps
    ]
    assert second.played.message == first.message


def test_secrets_are_replaced_and_said_to_be(house: Playhouse) -> None:
    """The value never stands in the file; its places do."""
    [rehearsal] = house.rehearsals(RUNS["all went well"])
    played = house.played(rehearsal).played
    assert played is not None
    recording = recorded(house, played.run_id, "visit")
    assert "open sesame" not in recording.text
    assert "masked-value" in recording.text
    assert any("inputs.code" in note for note in recording.notes)
