"""A dry run walks the whole skill: it decides what it can, says what the rest hangs on, and touches nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import pytest

from engine.errors import InputError
from engine.model.outcome import RunStatus
from engine.run.dry import DryRunner, Plan, Verdict
from tests.flow.conftest import Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Needs, Tool


class Room(TypedDict):
    """What `find_room` gives."""

    name: str
    doors: list[str]
    open: bool


@tool(effect=Effect.READ, exact=True)
async def find_room(floor: Annotated[int, {"minimum": 0}] = 0) -> Room:
    """Finds a room."""
    raise AssertionError(f"called for floor {floor}")


@tool(effect=Effect.WRITE, needs=Needs(programs=("no-such-program",), environment=("NO_SUCH_VARIABLE",)))
async def paint(room: str, colour: str = "white") -> dict[str, Any]:
    """Paints a room."""
    raise AssertionError(f"painted {room} {colour}")


@tool(effect=Effect.READ, domain="castle")
async def castle() -> dict[str, Any]:
    """Looks at a castle that nobody configured."""
    raise AssertionError("looked")


EXTRA: tuple[Tool, ...] = tuple(tool_of(each) for each in (find_room, paint, castle))


@pytest.fixture
async def dry(make_rig: Callable[..., Rig]) -> AsyncIterator[Rig]:
    """A rig whose engine keeps nothing."""
    rig = make_rig(tools=EXTRA)
    rig.engine.workspace = replace(rig.engine.workspace, remembers=False)
    yield rig
    await rig.engine.aclose()


async def plan(rig: Rig, text: str, inputs: dict[str, Any] | None = None, **options: Any) -> Plan:
    """Writes a skill and plans its run."""
    return await DryRunner(parts=rig.engine, **options).plan(rig.write(text), inputs or {})


def verdicts(found: Plan) -> dict[str, str]:
    """The verdict of every step by path."""
    return {step.path: step.verdict.value for step in found.walk()}


def step(found: Plan, path: str) -> Any:
    """The planned step at a path."""
    return next(each for each in found.walk() if each.path == path)


EVERYTHING = """
inputs:
  - {name: floor, type: integer, default: 1}
  - {name: paints, type: boolean, default: false}
steps:
  - name: room
    tool: find_room
    args: {floor: "{{ inputs.floor }}"}
  - name: closed
    condition: not room.open
    stop: {status: blocked, message: "{{ room.name }} is closed"}
  - name: colour
    compute: "result = 'red' if inputs['floor'] else 'blue'"
  - name: repaint
    condition: inputs.paints
    tool: enter
  - name: go
    tool: enter
    args: {name: "{{ room.name }} in {{ colour }}"}
    undo: {name: back, tool: leave, args: {name: "{{ go.name }}"}}
  - name: sure
    ask: {question: "Enter {{ room.name }}?", type: boolean, default: true}
  - name: doors
    foreach: room.doors
    as: door
    tool: look
  - name: corners
    foreach: [1, 2]
    compute: result = item * 2
  - name: both
    parallel:
      - {name: left, compute: result = 1}
      - {name: right, tool: look}
always:
  - {name: out, condition: run.status != 'ok', tool: leave}
outputs:
  - {name: doors, value: "{{ doors }}"}
  - {name: corners, value: "{{ corners }}"}
  - {name: both, value: "{{ both }}"}
""".replace("foreach: [1, 2]", 'foreach: "[1, 2]"')


async def test_every_step_has_its_verdict_and_nothing_is_called(dry: Rig) -> None:
    """Reads and writes, loops, branches, questions, undos and `always`; the home folder is not even made."""
    found = await plan(dry, EVERYTHING)
    assert verdicts(found) == {
        "room": "would_run",
        "closed": "may_stop",
        "colour": "would_run",
        "repaint": "would_be_skipped",
        "go": "would_run",
        "back": "would_run",
        "sure": "would_run",
        "doors": "would_run",
        "doors[*]": "would_run",
        "corners": "would_run",
        "corners[0]": "would_run",
        "corners[1]": "would_run",
        "both": "would_run",
        "both/left": "would_run",
        "both/right": "would_run",
        "out": "depends",
    }
    assert dry.door.log == []
    assert not (dry.folder / "home").exists()
    assert (found.status, found.findings, found.tools) == (RunStatus.OK, (), ("enter", "find_room", "leave", "look"))


async def test_what_is_not_known_says_what_it_hangs_on(dry: Rig) -> None:
    """Marks in arguments, messages, questions and outputs, and a list of every unknown with who waits for it."""
    found = await plan(dry, EVERYTHING)
    assert step(found, "room").args == {"floor": 1}
    assert step(found, "colour").value == "red"
    assert step(found, "go").args == {"name": "<name of room> in red"}
    assert step(found, "go").unknown == {"name": ("room",)}
    assert step(found, "back").args == {"name": "<name of go>"}
    assert step(found, "closed").depends == ("room",)
    assert step(found, "closed").message == "<name of room> is closed"
    assert step(found, "sure").question.text == "Enter <name of room>?"
    assert {output.name: output.value for output in found.outputs} == {
        "doors": "<doors>",
        "corners": [2, 4],
        "both": {"left": 1, "right": "<both/right>"},
    }
    assert {source.name: source.steps for source in found.sources} == {
        "room": ("closed", "go", "sure", "doors", "outputs.doors"),
        "go": ("back",),
        "doors": ("outputs.doors",),
        "both/right": ("outputs.both",),
        "run": ("out",),
    }


@pytest.mark.parametrize("value", [-1, "many"])
async def test_inputs_are_bound_as_in_a_run(dry: Rig, value: Any) -> None:
    """What a run would refuse is refused."""
    with pytest.raises(InputError):
        await plan(dry, EVERYTHING.replace("default: 1", "default: 1, minimum: 0"), {"floor": value})


async def test_what_would_surely_stop_keeps_the_rest_from_being_reached(dry: Rig) -> None:
    """In a group too; `always` runs all the same, and knows the status when it is certain."""
    found = await plan(
        dry,
        """
        inputs: [{name: ready, type: boolean, default: false}]
        steps:
          - name: check
            steps:
              - {name: stop, condition: not inputs.ready, stop: {status: blocked, message: not ready}}
              - {name: after, tool: enter}
          - {name: later, tool: enter, undo: {tool: leave}}
        always:
          - {name: tell, condition: run.status == 'blocked', tool: look}
        """,
    )
    assert verdicts(found) == {
        "check": "would_run",
        "check/stop": "would_stop",
        "check/after": "not_reached",
        "later": "not_reached",
        "later.undo": "not_reached",
        "tell": "would_run",
    }
    assert (found.status, found.end.step if found.end else "") == (RunStatus.BLOCKED, "check/stop")
    assert found.tools == ("look",)


async def test_a_mistake_found_only_with_values_is_told_with_its_place(dry: Rig) -> None:
    """And the walk goes on, to find the others."""
    found = await plan(
        dry,
        """
        defaults: {rooms: []}
        steps:
          - {name: room, tool: find_room}
          - {name: first, tool: enter, args: {name: "{{ defaults.rooms[0] }}"}}
          - {name: typo, tool: enter, args: {name: "{{ room.nmae }}"}}
          - {name: low, tool: find_room, args: {floor: "{{ 0 - 1 }}"}}
          - {name: raises, compute: "raise ValueError('never')"}
          - {name: wants, compute: result = 1, expect: result == 2}
          - {name: kind, foreach: room, tool: look}
          - {name: last, tool: enter, args: {name: "{{ first.name }}"}}
        """,
    )
    failing = [each.path for each in found.walk() if each.verdict is Verdict.WOULD_FAIL]
    assert failing == ["first", "typo", "low", "raises", "wants", "kind"]
    assert step(found, "typo").because == "room never has nmae"
    told = {finding.place.line: str(finding) for finding in found.findings}
    assert "first would fail: there is no element 0" in told[7]
    assert "did you mean name?" in told[8]
    assert "`floor`" in told[9]
    assert "expected result == 2, but the result is 1" in told[11]
    assert "`foreach` wants a list" in told[12]
    assert step(found, "last").args == {"name": "<name of first>"}
    assert (found.status, found.end.step if found.end else "") == (RunStatus.FAILED, "first")


async def test_a_failure_that_is_tolerated_fails_no_run(dry: Rig) -> None:
    """Its value is None to later steps, as in a run."""
    found = await plan(
        dry,
        """
        steps:
          - {name: a, compute: "raise ValueError('no')", on_error: continue}
          - {name: b, condition: a is none and steps.a.status == 'tolerated', compute: result = 1}
          - name: group
            on_error: continue
            steps:
              - {name: inner, compute: "raise ValueError('no')"}
          - {name: c, condition: group, compute: result = 1}
        """,
    )
    assert verdicts(found) == {
        "a": "would_fail",
        "b": "would_run",
        "group": "would_fail",
        "group/inner": "would_fail",
        "c": "would_be_skipped",
    }
    assert (found.status, found.end) == (RunStatus.OK, None)


async def test_what_would_fail_in_a_step_that_perhaps_does_not_run_is_only_told(dry: Rig) -> None:
    """The condition may be what keeps it from failing; only what can never be is a failure."""
    found = await plan(
        dry,
        """
        defaults: {rooms: []}
        steps:
          - {name: room, tool: find_room}
          - {name: a, condition: room.doors, tool: enter, args: {name: "{{ defaults.rooms[0] }}"}}
          - {name: b, condition: room.doors, tool: enter, args: {name: "{{ room.windows }}"}}
        """,
    )
    assert verdicts(found)["a"] == "depends"
    assert verdicts(found)["b"] == "would_fail"
    assert [finding.code for finding in found.findings] == ["may-fail", "would-fail"]


async def test_all_that_is_missing_is_told_at_once(dry: Rig) -> None:
    """Programs, variables and domains; of steps that do not run nothing is asked."""
    found = await plan(
        dry,
        """
        steps:
          - {name: a, tool: paint, args: {room: hall}}
          - {name: b, condition: "false", tool: castle}
          - {name: c, tool: paint, args: {room: yard}}
          - {name: d, tool: castle, on_error: continue}
          - {name: e, tool: look}
        """,
    )
    needs = {f"{need.kind} {need.name}": (need.there, need.needed, need.steps) for need in found.needs}
    assert needs == {
        "program no-such-program": (False, True, ("a", "c")),
        "environment NO_SUCH_VARIABLE": (False, True, ("a", "c")),
        "domain castle": (False, False, ("d",)),
        "domain door": (True, True, ("e",)),
    }
    assert [step(found, path).verdict.value for path in "abcde"] == [
        "cannot_run",
        "would_be_skipped",
        "cannot_run",
        "cannot_run",
        "would_run",
    ]
    assert "no-such-program is not on the PATH" in step(found, "a").because
    assert found.status is RunStatus.BLOCKED


async def test_answers_are_taken_where_they_are_given(dry: Rig) -> None:
    """By path or name, coerced and checked; without one the step hangs on the answer."""
    text = """
        steps:
          - {name: sure, ask: {question: Enter?, type: boolean, default: false}}
          - {name: go, condition: sure, tool: enter}
        """
    assert verdicts(await plan(dry, text))["go"] == "depends"
    assert verdicts(await plan(dry, text, answers={"sure": "yes"}))["go"] == "would_run"
    assert verdicts(await plan(dry, text, takes_defaults=True))["go"] == "would_be_skipped"
    refused = await plan(dry, text, answers={"sure": "perhaps"})
    assert (step(refused, "sure").verdict.value, refused.status) == ("would_fail", RunStatus.FAILED)


SUB = """
inputs:
  - {name: room, type: string, required: true}
  - {name: many, type: integer, default: 2}
steps:
  - {name: enter, tool: enter, args: {name: "{{ inputs.room }}"}}
  - {name: enough, condition: inputs.many < 1, stop: {status: blocked, message: too few}}
  - {name: count, compute: "result = inputs['many'] * 2"}
outputs:
  - {name: who, value: "{{ enter.name }}"}
  - {name: count, value: "{{ count }}"}
"""


async def test_another_skill_is_walked_with_a_scope_of_its_own(dry: Rig) -> None:
    """Its inputs are bound as far as they are known, its outputs flow back, its end is the step's."""
    dry.write(SUB, "visit")
    found = await plan(
        dry,
        """
        steps:
          - {name: room, tool: find_room}
          - {name: visit, skill: visit, inputs: {room: "{{ room.name }}"}}
          - {name: twice, compute: "result = visit['count'] * 2"}
          - {name: again, tool: enter, args: {name: "{{ visit.who }}"}}
        """,
    )
    assert step(found, "visit/enter").args == {"name": "<name of room>"}
    assert step(found, "visit/count").value == 4
    assert step(found, "twice").verdict is Verdict.WOULD_RUN
    assert step(found, "again").args == {"name": "<name of visit/enter>"}
    few = await plan(dry, "steps: [{name: visit, skill: visit, inputs: {room: x, many: 0}}, {name: b, tool: look}]\n")
    assert (few.status, few.end.message if few.end else "") == (RunStatus.BLOCKED, "too few")
    assert verdicts(few)["b"] == "not_reached"
    none = await plan(dry, "steps: [{name: visit, skill: visit, inputs: {room: x, many: '{{ [] }}'}}]\n")
    assert "many got []" in step(none, "visit").because


async def test_long_lists_are_planned_up_to_a_limit(dry: Rig) -> None:
    """Ten thousand elements end soon, and what was left out is said."""
    found = await plan(
        dry, 'steps: [{name: every, foreach: "range(10000)", tool: enter, args: {name: "{{ str(item) }}"}}]\n'
    )
    planned = step(found, "every")
    assert (len(planned.steps), planned.elements.count, planned.elements.left_out) == (1000, 10_000, 9000)
    assert planned.steps[999].args == {"name": "999"}


async def test_secrets_are_masked_in_everything(dry: Rig) -> None:
    """By value, wherever they stand; a secret step's value as a whole."""
    found = await plan(
        dry,
        """
        inputs: [{name: key, type: string, secret: true}]
        steps:
          - {name: a, tool: enter, args: {name: "Bearer {{ inputs.key }}"}}
          - {name: b, compute: "result = [inputs['key']]", secret: true}
          - {name: c, compute: "raise ValueError(inputs['key'])"}
        """,
        {"key": "hunter2-hunter2"},
    )
    assert "hunter2" not in repr(found)
    assert step(found, "a").args == {"name": "Bearer •••"}


async def test_how_an_author_repeats_and_heals_is_told(dry: Rig) -> None:
    """`until`, `retry`, `heal`, and which fixes the domain has."""
    found = await plan(
        dry,
        """
        steps:
          - {name: a, tool: look, until: {condition: result, every: 5, timeout: 1m}, heal: false}
          - {name: b, tool: look, retry: {attempts: 3, on: [timeout]}, heal: {fixes: [login], max_fixes: 1}}
          - {name: c, tool: enter}
        """,
    )
    assert step(found, "a").repeats == "every 5 s until result, for at most 60 s"
    assert step(found, "b").repeats == "up to 3 times after a failure of timeout"
    assert [step(found, path).heal for path in "abc"] == [
        {"enabled": False, "fixes": [], "max_fixes": None, "narrowed": True},
        {"enabled": True, "fixes": ["login"], "max_fixes": 1, "narrowed": True},
        {"enabled": True, "fixes": ["login", "connect"], "max_fixes": None, "narrowed": False},
    ]
