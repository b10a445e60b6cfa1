"""Rehearsal files: what they may say, and what is said about mistakes in them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.documents import schema
from engine.errors import DocumentError
from engine.model.event import EventKind
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from engine.model.outcome import RunStatus, StepStatus
from engine.model.rehearsal import NOT_REACHED, START, Rehearsal
from engine.run.rehearsal.reading import read_rehearsals
from tool_registry.sources import canned

ROOT = Path(__file__).parents[3]
EVERYTHING = """
name: everything
description: Every key.
skill: deploy
inputs: {app: web}
answers: {approve: true}
tools:
  look:
    - {value: {a: 1}, when: {b: 2}, delay: 1m30s, text: raw, secret: [a]}
    - {not_found: true, value: null}
    - works: true
    - failure: {kind: timeout, message: no, http_status: 504, errno: ETIMEDOUT, sent: true, retry_after: 3, output: x}
    - {raw: {exit_status: 1, stdout: a, stderr: b}}
    - {raw: {status: 500, headers: {a: b}, body: c}}
    - garbled: true
profile: local
domains: {door: {settings: {a: b}, fixes: {login: {call: {tool: log_in}}}}}
config: {team: payments}
env: {HOME: nowhere}
heal: suggest
clock: "2026-03-01T09:00:00.5+01:00"
timeout: 5m
no_secrets: [open sesame]
inject:
  - {step: one, tool: look, call: 2, failure: {exit_status: 1}}
  - {tool: look, delay: 3}
crash_after: [one, two]
crash_during: three
expect:
  status: failed
  message: {contains: no}
  steps: {one: ok, two: {status: failed, kind: timeout, error: {matches: x}, attempts: 2, value: 1}, three: not_reached}
  order: [look, {tool: look, step: one, args: {b: 2}}]
  calls: {look: 2, enter: [{a: 1}]}
  heals: {one: [log_in]}
  outputs: {a: 1}
  questions: [approve]
  holds: [status == 'failed']
  no_events: [notice]
"""


def read(text: str, tmp_path: Path) -> tuple[Rehearsal, ...]:
    """The rehearsals in a text."""
    path = tmp_path / "some.yaml"
    path.write_text(textwrap.dedent(text))
    return read_rehearsals(path)


def said(text: str, tmp_path: Path) -> list[str]:
    """What is wrong with a text, without the name of the file."""
    with pytest.raises(DocumentError) as caught:
        read(text, tmp_path)
    return [str(finding).removeprefix(f"{tmp_path}/some.yaml:") for finding in caught.value.findings]


def test_every_key_has_its_place(tmp_path: Path) -> None:
    """A file with everything in it is read, and nothing is lost."""
    [rehearsal] = read(EVERYTHING, tmp_path)
    assert (rehearsal.name, rehearsal.skill, rehearsal.timeout) == ("everything", "deploy", 300.0)
    assert rehearsal.clock.isoformat() == "2026-03-01T09:00:00.500000+01:00"
    assert [(point.step, point.during) for point in rehearsal.crashes] == [
        ("one", False),
        ("two", False),
        ("three", True),
    ]
    assert [(each.step, each.tool, each.call) for each in rehearsal.injections] == [("one", "look", 2), ("", "look", 1)]
    assert len(rehearsal.tools["look"]) == 7
    assert rehearsal.tools["look"][2].place.line == 11
    expected = rehearsal.expected
    assert [wanted.way for wanted in expected.steps] == ["expect.steps.one", "expect.steps.two", "expect.steps.three"]
    assert [text.text for text in expected.holds] == ["status == 'failed'"]
    assert rehearsal.heal is HealMode.SUGGEST


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    """The name is the file's, the run must end ok, and the clock is always the same."""
    [rehearsal] = read("skill: deploy\n", tmp_path)
    assert (rehearsal.name, rehearsal.expected.status.value, rehearsal.clock) == ("some", "ok", START)


def test_rehearsals_of_a_list_share_what_stands_beside_it(tmp_path: Path) -> None:
    """Their own comes over it: mappings key by key, tools by tool, everything else as a whole; secrets add up."""
    first, second = read(
        """
        skill: deploy
        inputs: {app: web, size: 1}
        tools: {look: [value: 1], enter: [value: 2]}
        clock: "2026-03-01T09:00:00Z"
        no_secrets: [open sesame]
        rehearsals:
          - name: first
          - name: second
            skill: build
            inputs: {size: 2}
            tools: {look: [value: 3]}
            no_secrets: [abracadabra]
        """,
        tmp_path,
    )
    assert (first.skill, second.skill) == ("deploy", "build")
    assert second.inputs == {"app": "web", "size": 2}
    assert [[answer.spec for answer in second.tools[name]] for name in ("look", "enter")] == [
        [{"value": 3}],
        [{"value": 2}],
    ]
    assert first.clock == second.clock
    assert [wanted.value for wanted in second.no_secrets] == ["open sesame", "abracadabra"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("skil: x", ["1:1: unknown-key the key `skil` is not known here (did you mean `skill`?)"]),
        ("name: x", ["1:1: missing-key the key `skill` is missing (write `skill: NAME` here, or once beside `reh"]),
        ("skill: x\nclock: today", ["2:8: wrong-form this is not a moment (write it as 2026-03-01T09:00:00Z)"]),
        ("skill: x\ntools: {look: []}", ["2:15: out-of-range `look` must not be empty"]),
        ("skill: x\ntools: {look: {value: 1}}", ["2:15: wrong-type `look` must be a list, but is a mapping"]),
        ("skill: x\ntools: {look: [vale: 1]}", ["2:16: unknown-key the key `vale` is not known here (did you mean"]),
        ("skill: x\ntools: {look: [{value: 1, failure: {}}]}", ["2:27: no-choice only one of `value`, `failure` "]),
        ("skill: x\ntools: {look: [delay: 1]}", ["2:16: no-choice one of `value`, `works`, `not_found`, `failure`, "]),
        ("skill: x\ntools: {look: [failure: {kind: tmeout}]}", ["2:32: not-allowed `kind` must be one of auth"]),
        ("skill: x\ninject: [{failure: {}}]", ["2:10: no-choice one of `step`, `tool` is needed here"]),
        ("skill: x\ninject: [{tool: look}]", ["2:10: no-choice one of `failure`, `garbled`, `raw`, `delay` is n"]),
        ("skill: x\nno_secrets: [abc]", ["2:14: out-of-range a secret of less than 4 characters is not masked"]),
        ("skill: x\nexpect: {status: okay}", ["2:18: not-allowed `status` must be one of ok, failed, blocked"]),
        ("skill: x\nexpect: {steps: {a: okay}}", ["2:21: no-choice `a` must be ok or healed or "]),
        ("skill: x\nexpect: {steps: {a: {stat: ok}}}", ["2:22: unknown-key the key `stat` is not known here"]),
        ("skill: x\nexpect: {no_events: [notce]}", ["2:22: not-allowed item 1 of `no_events` must be one of"]),
        ("skill: x\nexpect: {outputs: {a: {matches: '('}}}", ["2:33: wrong-form '(' is no regular expression"]),
        (
            "skill: x\nexpect: {}\nrehearsals: [{name: a}, {name: a}]",
            ["2:9: not-allowed `expect` belongs into one of the `rehearsals`, not beside them (move it into the list)"],
        ),
        ("skill: x\nrehearsals: [{name: a}, {name: a}]", ["2:32: given-twice there is already a rehearsal called"]),
        ("skill: x\nrehearsals: [{}]", ["2:14: missing-key the key `name` is missing in item 1 of `rehearsals`"]),
        ("rehearsals: [{name: a}]", ["1:14: missing-key the key `skill` is missing"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(text: str, sentences: list[str], tmp_path: Path) -> None:
    """One sentence for each, at its line and column, with the way out."""
    found = said(text, tmp_path)
    assert [each[: len(sentence)] for each, sentence in zip(found, sentences, strict=True)] == sentences


def _described(part: Any, way: str = "") -> Iterator[tuple[str, Any]]:
    """Every key in the schema, with its rules."""
    if isinstance(part, dict):
        for key, rules in part.get("properties", {}).items():
            yield f"{way}.{key}", rules
        for name, inner in part.items():
            if name not in {"default", "enum", "then"}:
                yield from _described(inner, f"{way}/{name}")


def test_every_key_is_described_to_editors() -> None:
    """Completion shows a sentence for every key, its own or that of what it refers to."""
    whole = dict(schema("rehearsal"))
    shared = whole["$defs"]
    bare = [
        way
        for way, rules in _described(whole)
        if not rules.get("description")
        and not shared.get(str(rules.get("$ref", "")).rpartition("/")[2], {}).get("description")
    ]
    assert bare == []


def test_closed_sets_agree_with_the_model() -> None:
    """Statuses, kinds and events are those of the enums; failures have the fields of canned ones."""
    parts = schema("rehearsal")["$defs"]
    expect = parts["expect"]["properties"]
    assert expect["status"]["enum"] == [status.value for status in RunStatus if status is not RunStatus.RUNNING]
    assert expect["no_events"]["items"]["enum"] == [kind.value for kind in EventKind]
    statuses, ending = parts["ending"]["anyOf"]
    assert (
        statuses["enum"]
        == ending["properties"]["status"]["enum"]
        == [*(each.value for each in StepStatus), NOT_REACHED]
    )
    assert ending["properties"]["kind"]["enum"] == [kind.value for kind in FailureKind]
    assert parts["heal"]["enum"] == [mode.value for mode in HealMode]
    assert set(parts["answer"]["properties"]) >= canned.ANSWER_KEYS


def test_a_list_shares_every_key_but_those_of_a_single_rehearsal() -> None:
    """The file and an entry of its list know the same keys."""
    whole = schema("rehearsal")
    assert set(whole["properties"]) - {"rehearsals"} == set(whole["$defs"]["rehearsal"]["properties"])
    assert set(whole["then"]["properties"]) == {"inject", "crash_after", "crash_during", "expect"}


def test_the_page_explains_every_key() -> None:
    """docs/rehearsals.md has a line for each key of a rehearsal, an answer, an injection and an expectation."""
    page = (ROOT / "docs" / "rehearsals.md").read_text(encoding="utf-8")
    parts = schema("rehearsal")["$defs"]
    keys = {key for part in ("rehearsal", "answer", "expect") for key in parts[part]["properties"]}
    assert [key for key in sorted(keys) if f"| `{key}` |" not in page] == []
