"""From a document that fits the schema to a `Skill`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.documents import Document
from engine.library.durations import seconds
from engine.library.language import action_keys, output_name
from engine.library.part import Part, whole
from engine.model.place import Text
from engine.model.skill import (
    AskStep,
    ComputeStep,
    ForeachOption,
    GroupStep,
    HealOption,
    Input,
    InputType,
    OnError,
    Output,
    RetryOption,
    Skill,
    SkillStep,
    Step,
    StopStatus,
    StopStep,
    ToolStep,
    Tree,
    UntilOption,
)
from engine.sandbox import is_marked


def parse_skill(document: Document) -> Skill:
    """The skill a document describes, every text placed; the document must have passed `check`."""
    part = whole(document)
    return Skill(
        name=part.value["name"],
        file=document.name,
        text=document.text,
        description=part.get("description", ""),
        version=part.get("version", ""),
        tags=tuple(part.get("tags", ())),
        inputs=tuple(_input(inner) for inner in part.listed("inputs")),
        defaults=part.mapping("defaults"),
        steps=tuple(_step(inner) for inner in part.listed("steps")),
        always=tuple(_step(inner) for inner in part.listed("always")),
        outputs=tuple(_output(inner) for inner in part.listed("outputs")),
    )


def _input(part: Part) -> Input:
    return Input(
        name=part.value["name"],
        place=part.place,
        type=InputType(part.value["type"]) if "type" in part else None,
        description=part.get("description", ""),
        required=part.get("required", False),
        default=part.get("default"),
        has_default="default" in part,
        enum=tuple(part.get("enum", ())),
        pattern=part.get("pattern"),
        minimum=part.get("minimum"),
        maximum=part.get("maximum"),
        items=part.get("items"),
        secret=part.get("secret", False),
    )


def _output(part: Part) -> Output:
    return Output(
        name=part.value["name"],
        value=part.placed("value"),
        place=part.place,
        description=part.get("description", ""),
    )


def _step(part: Part) -> Step:
    match action_keys(part.value):
        case ("tool",):
            return ToolStep(**_options(part), tool=part.value["tool"], args=_trees(part, "args"))
        case ("compute",):
            return ComputeStep(**_options(part), source=_text(part, "compute"))
        case ("skill",):
            return SkillStep(**_options(part), skill=part.value["skill"], inputs=_trees(part, "inputs"))
        case (("steps" | "parallel") as action,):
            inner = tuple(_step(step) for step in part.listed(action))
            group = GroupStep(**_options(part), steps=inner, parallel=action == "parallel")
            return _kept_secret(group) if group.secret else group
        case ("stop",):
            stop = part["stop"]
            return StopStep(**_options(part), status=StopStatus(stop.value["status"]), message=_text(stop, "message"))
        case ("ask",):
            return _ask(part)
        case actions:
            raise ValueError(f"{part.place}: a step does exactly one thing, not {len(actions)}")


def _kept_secret(group: GroupStep) -> GroupStep:
    """A secret group, with its steps: what it gives is made of what they give, and they tell theirs first."""
    return replace(group, secret=True, steps=tuple(map(_secret_too, group.steps)))


def _secret_too(step: Step) -> Step:
    match step:
        case StopStep():
            return step
        case GroupStep():
            return _kept_secret(step)
        case _:
            return replace(step, secret=True)


def _ask(part: Part) -> AskStep:
    ask = part["ask"]
    return AskStep(
        **_options(part),
        question=_text(ask, "question"),
        answer_type=InputType(ask.get("type", "string")),
        choices=tuple(ask.get("choices", ())),
        default=ask.placed("default"),
    )


def _options(part: Part) -> dict[str, Any]:
    name = part.value["name"]
    return {
        "name": name,
        "place": part.place,
        "description": part.get("description", ""),
        "condition": part.text("condition"),
        "output": part.get("output", output_name(name)),
        "on_error": OnError.FAIL if part.get("on_error", "fail") == "fail" else OnError.CONTINUE,
        "heal": _heal(part),
        "timeout": _seconds(part, "timeout"),
        "retry": _retry(part["retry"]) if "retry" in part else None,
        "until": _until(part["until"]) if "until" in part else None,
        "foreach": _foreach(part) if "foreach" in part else None,
        "undo": _undo(part["undo"], name) if "undo" in part else None,
        "secret": part.get("secret", False),
        "expect": part.text("expect"),
    }


def _heal(part: Part) -> HealOption:
    value = part.get("heal", True)
    if isinstance(value, bool):
        return HealOption(enabled=value)
    fixes, named = value.get("fixes"), part["heal"].text("domain")
    is_template = named is not None and is_marked(named.text)
    return HealOption(
        domain=None if is_template else value.get("domain"),
        domain_text=named if is_template else None,
        fixes=None if fixes is None else tuple(fixes),
        max_fixes=value.get("max_fixes"),
    )


def _retry(part: Part) -> RetryOption:
    return RetryOption(
        attempts=part.value["attempts"],
        delay=seconds(part.get("delay", 1)),
        backoff=float(part.get("backoff", 2)),
        jitter=float(part.get("jitter", 0)),
        on=tuple(part.get("on", ())),
    )


def _until(part: Part) -> UntilOption:
    return UntilOption(
        condition=_text(part, "condition"),
        every=seconds(part.value["every"]),
        timeout=seconds(part.value["timeout"]),
    )


def _foreach(part: Part) -> ForeachOption:
    count = part.get("parallel", 1)
    return ForeachOption(
        items=_text(part, "foreach"),
        bind=part.get("as", "item"),
        parallel=count if isinstance(count, int) else 1,
    )


def _undo(part: Part, step_name: str) -> ToolStep:
    # A step's name holds no dot, so the name given here is nobody else's.
    name = part.get("name", f"{step_name}.undo")
    return ToolStep(
        name=name,
        place=part.place,
        description=part.get("description", ""),
        condition=part.text("condition"),
        output=name,
        heal=_heal(part),
        timeout=_seconds(part, "timeout"),
        retry=_retry(part["retry"]) if "retry" in part else None,
        secret=part.get("secret", False),
        tool=part.value["tool"],
        args=_trees(part, "args"),
    )


def _seconds(part: Part, key: str) -> float | None:
    return seconds(part.value[key]) if key in part else None


def _trees(part: Part, key: str) -> dict[str, Tree]:
    tree: dict[str, Tree] = part.placed(key) or {}
    return tree


def _text(part: Part, key: str) -> Text:
    return part.text(key) or Text(text="", place=part.place)
