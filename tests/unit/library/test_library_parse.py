"""A valid file becomes a skill in which nothing the author wrote is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from engine.documents import parse
from engine.library.language import ACTIONS, BELONGS_TO, KEYS, NO_USE_FOR
from engine.library.parse import parse_skill
from engine.model.place import Text
from engine.model.skill import (
    AskStep,
    ComputeStep,
    GroupStep,
    HealOption,
    OnError,
    RetryOption,
    Skill,
    SkillStep,
    StopStatus,
    StopStep,
    ToolStep,
)

ITEMS = {
    "type": "string",
    "description": "d",
    "enum": ["a"],
    "pattern": "a",
    "minimum": 1,
    "maximum": 2,
    "items": {"type": "array"},
}
RETRY = {"attempts": 2, "delay": "5s", "backoff": 3, "jitter": 0.5, "on": ["timeout"]}
OPTIONS = {
    "name": "tool-step",
    "description": "d",
    "condition": "True",
    "output": "other",
    "on_error": "continue",
    "heal": {"domain": "d", "fixes": ["login"], "max_fixes": 1},
    "timeout": "1h30m",
    "retry": RETRY,
    "until": {"condition": "result", "every": 1, "timeout": 2},
    "foreach": "[1]",
    "as": "each",
    "secret": True,
    "expect": "result",
}
UNDO = {
    "name": "u",
    "description": "d",
    "tool": "t",
    "args": {"a": 1},
    "condition": "True",
    "heal": False,
    "timeout": 1,
    "retry": RETRY,
    "secret": True,
}
FULL: dict[str, Any] = {
    "name": "full",
    "description": "d",
    "version": "1",
    "tags": ["a"],
    "inputs": [{"name": "i", "required": True, "default": "x", "secret": True, **ITEMS, "items": ITEMS}],
    "defaults": {"a": 1},
    "steps": [
        {**OPTIONS, "tool": "t", "args": {"a": "{{ b }}"}, "undo": UNDO, "parallel": 3},
        {"name": "c", "compute": "result = 1"},
        {"name": "s", "skill": "other", "inputs": {"a": "{{ b }}"}},
        {"name": "g", "steps": [{"name": "g1", "compute": "result = 1"}]},
        {"name": "p", "parallel": [{"name": "p1", "compute": "result = 1"}]},
        {"name": "q", "ask": {"question": "q", "type": "integer", "choices": [1], "default": 2}},
        {"name": "e", "stop": {"status": "blocked", "message": "m"}},
    ],
    "always": [{"name": "a", "tool": "t"}],
    "outputs": [{"name": "o", "value": {"a": "{{ b }}"}, "description": "d"}],
}
"""A skill with every key of the language in it. JSON is YAML, so that it can be written down here."""


INNER = {
    ("skill", "inputs"): "input",
    ("skill", "steps"): "step",
    ("skill", "always"): "step",
    ("skill", "outputs"): "output",
    ("step", "steps"): "step",
    ("step", "parallel"): "step",
    ("undo", "retry"): "retry",
    ("input", "items"): "items",
    ("items", "items"): "items",
    **{("step", key): key for key in ("undo", "heal", "retry", "until", "stop", "ask")},
}
"""Which thing stands below a key of another."""


def _parsed(value: Mapping[str, Any]) -> Skill:
    return parse_skill(parse(json.dumps(value), "full.yaml"))


def _without_places(value: Any) -> Any:
    """A parsed value with texts as plain text, so that a move in the file is no difference."""
    match value:
        case Text():
            return value.text
        case dict():
            return {key: _without_places(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_places(inner) for inner in value]
        case _ if hasattr(value, "__dataclass_fields__"):
            fields = (name for name in value.__dataclass_fields__ if name not in {"place", "text"})
            return {name: _without_places(getattr(value, name)) for name in fields}
        case _:
            return value


def _routes(value: Any, thing: str) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """Every key of the language in `value`: the thing it belongs to, the key, and the way to it."""
    for key, below in value.items():
        yield thing, key, (key,)
        if (thing, key) in INNER and isinstance(below, dict | list):
            parts = (
                [((key,), below)] if isinstance(below, dict) else [((key, at), part) for at, part in enumerate(below)]
            )
            for way, part in parts:
                for found, name, route in _routes(part, INNER[thing, key]):
                    yield found, name, (*way, *route)


def _removed(route: tuple[str | int, ...]) -> Mapping[str, Any]:
    changed: Any = deepcopy(FULL)
    target = changed
    for step in route[:-1]:
        target = target[step]
    del target[route[-1]]
    return changed  # type: ignore[no-any-return]


ROUTES = tuple(_routes(FULL, "skill"))


def test_the_full_skill_has_every_key() -> None:
    """The example below all tests of this file leaves no key out."""
    assert {thing: frozenset(key for of, key, _ in ROUTES if of == thing) for thing in KEYS} == dict(KEYS)


@pytest.mark.parametrize("route", [route for _, _, route in ROUTES], ids=lambda route: ".".join(map(str, route)))
def test_every_key_counts(route: tuple[str | int, ...]) -> None:
    """Taking any key away changes the skill, or makes it one that cannot be parsed."""
    try:
        changed = _without_places(_parsed(_removed(route)))
    except (KeyError, ValueError):
        return
    assert changed != _without_places(_parsed(FULL))


def test_a_step_becomes_what_its_action_says() -> None:
    """Each action has its own kind of step."""
    kinds = [type(step) for step in _parsed(FULL).steps]
    assert kinds == [ToolStep, ComputeStep, SkillStep, GroupStep, GroupStep, AskStep, StopStep]


def test_options_in_the_forms_steps_use() -> None:
    """Durations are seconds, `parallel` beside `foreach` is a number, defaults are those the model names."""
    tool, compute, *_, stop = _parsed(FULL).steps
    assert tool.timeout == 5400
    assert tool.retry == RetryOption(attempts=2, delay=5, backoff=3, jitter=0.5, on=("timeout",))
    assert tool.heal == HealOption(domain="d", fixes=("login",), max_fixes=1)
    assert tool.foreach is not None
    assert (tool.foreach.bind, tool.foreach.parallel) == ("each", 3)
    assert (compute.output, compute.on_error, compute.heal, compute.timeout) == ("c", OnError.FAIL, HealOption(), None)
    assert isinstance(stop, StopStep)
    assert stop.status is StopStatus.BLOCKED
    bare = _parsed({"name": "full", "steps": [{"name": "r", "tool": "t", "retry": {"attempts": 2}}]}).steps[0]
    assert bare.retry == RetryOption(attempts=2)


def test_dashes_in_a_step_name_become_underscores_in_its_output() -> None:
    """What a step is called and what an expression can say need not be the same."""
    step = _parsed({"name": "full", "steps": [{"name": "first-step", "tool": "t"}]}).steps[0]
    assert (step.name, step.output) == ("first-step", "first_step")


def test_healing_is_on_unless_switched_off() -> None:
    """`heal: false` is the only way to switch it off; `on_error: auto_heal` is read as `continue`."""
    off, old = _parsed(
        {
            "name": "full",
            "steps": [{"name": "a", "tool": "t", "heal": False}, {"name": "b", "tool": "t", "on_error": "auto_heal"}],
        }
    ).steps
    assert off.heal.enabled is False
    assert (old.heal.enabled, old.on_error) == (True, OnError.CONTINUE)


def test_an_undo_has_a_name_that_no_step_can_have() -> None:
    """Left out, an undo's name is its step's with `.undo`, and a step's name holds no dot."""
    step = _parsed({"name": "full", "steps": [{"name": "a", "tool": "t", "undo": {"tool": "u"}}]}).steps[0]
    assert step.undo is not None
    assert (step.undo.name, step.undo.tool) == ("a.undo", "u")


def test_a_secret_group_keeps_all_its_steps_secret() -> None:
    """What it gives is made of what they give; a `stop` has nothing to keep."""
    inner = [
        {"name": "a", "tool": "t"},
        {"name": "b", "parallel": [{"name": "c", "ask": {"question": "q"}}]},
        {"name": "d", "stop": {"status": "ok", "message": "m"}},
    ]
    (group,) = _parsed({"name": "full", "steps": [{"name": "g", "secret": True, "steps": inner}]}).steps
    assert isinstance(group, GroupStep)
    tool, branches, stop = group.steps
    assert isinstance(branches, GroupStep)
    assert [step.secret for step in (group, tool, branches, *branches.steps, stop)] == [True, True, True, True, False]


def test_texts_know_their_places() -> None:
    """Every text an author may fill is at its line and column, in blocks too."""
    text = "name: placed\nsteps:\n  - name: a\n    compute: |\n      x = 1\n      result = x\n    condition: 'x'\n"
    (step,) = parse_skill(parse(text, "placed.yaml")).steps
    assert isinstance(step, ComputeStep)
    assert str(step.place) == "placed.yaml:3:5"
    assert str(step.source.at(2, 1)) == "placed.yaml:6:7"
    assert step.condition is not None
    assert str(step.condition.at(1, 1)) == "placed.yaml:7:17"


def test_words_that_do_not_go_together_are_words_of_the_language() -> None:
    """The tables of what goes with what name actions and options that exist."""
    assert set(NO_USE_FOR) <= set(ACTIONS)
    assert {key for keys in NO_USE_FOR.values() for key in keys} | set(BELONGS_TO) <= KEYS["step"]
