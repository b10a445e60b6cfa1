"""The words of the skill language, and which of them go together.

`schemas/skill.schema.json` and `docs/skill-format.md` say the same; a house test keeps the three in step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYS: Mapping[str, frozenset[str]] = {
    "skill": frozenset(["name", "description", "version", "tags", "inputs", "defaults", "steps", "always", "outputs"]),
    "input": frozenset(
        [
            "name",
            "type",
            "description",
            "required",
            "default",
            "enum",
            "pattern",
            "minimum",
            "maximum",
            "items",
            "secret",
        ]
    ),
    "items": frozenset(["type", "description", "enum", "pattern", "minimum", "maximum", "items"]),
    "step": frozenset(
        [
            "name",
            "description",
            "tool",
            "args",
            "compute",
            "skill",
            "inputs",
            "steps",
            "parallel",
            "stop",
            "ask",
            "condition",
            "output",
            "on_error",
            "heal",
            "timeout",
            "retry",
            "until",
            "foreach",
            "as",
            "undo",
            "secret",
            "expect",
        ]
    ),
    "undo": frozenset(["name", "description", "tool", "args", "condition", "heal", "timeout", "retry", "secret"]),
    "heal": frozenset(["domain", "fixes", "max_fixes"]),
    "retry": frozenset(["attempts", "delay", "backoff", "jitter", "on"]),
    "until": frozenset(["condition", "every", "timeout"]),
    "stop": frozenset(["status", "message"]),
    "ask": frozenset(["question", "type", "choices", "default"]),
    "output": frozenset(["name", "value", "description"]),
}
"""Every key of the language, by the thing it belongs to (the names of the schema's `$defs`)."""

ACTIONS = ("tool", "compute", "skill", "steps", "parallel", "stop", "ask")
"""What a step can do; each step does exactly one of them."""

BELONGS_TO: Mapping[str, str] = {"args": "tool", "inputs": "skill", "as": "foreach"}
"""Keys of a step that mean nothing without another."""

_REMOVE = "remove it"
_NOT_HEALED = "remove it: only calls of tools are healed"
_HEAL_INSIDE = "put it on the tool steps inside"
NO_USE_FOR: Mapping[str, Mapping[str, str]] = {
    "compute": {"heal": _NOT_HEALED},
    "skill": {"heal": "put it on the tool steps of that skill"},
    "steps": {"heal": _HEAL_INSIDE},
    "parallel": {"heal": _HEAL_INSIDE},
    "stop": {
        "heal": _NOT_HEALED,
        "foreach": "one stop ends it all: say in `condition` when",
        **dict.fromkeys(["retry", "until", "expect", "secret", "timeout", "undo"], _REMOVE),
    },
    "ask": {
        "heal": _NOT_HEALED,
        **dict.fromkeys(["retry", "until", "undo"], _REMOVE),
    },
}
"""By action: the options that mean nothing beside it, and the way out."""

RESERVED = frozenset(
    ["inputs", "defaults", "config", "env", "run", "steps", "result", "True", "False", "None", "true", "false", "none"]
)
"""Names that every expression already has, so that no output may take them."""

RUN_FIELDS = frozenset(["id", "name", "started_at", "status", "message"])
"""What `run.` offers."""

STEP_FIELDS = frozenset(["status", "error", "kind", "attempts", "healed", "duration"])
"""What `steps.NAME.` offers."""


def output_name(step_name: str) -> str:
    """The name by which later text reads a step that names no `output`: its own, dashes as underscores."""
    return step_name.replace("-", "_")


def action_keys(step: Mapping[str, Any]) -> tuple[str, ...]:
    """The actions a written step asks for; a `parallel` number beside `foreach` is an option, not an action."""
    return tuple(key for key in ACTIONS if key in step and not (key == "parallel" and _is_count(step[key])))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
