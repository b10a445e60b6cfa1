"""A skill as values: what an author wrote, parsed and placed, never changed after.

Strings an author may fill with expressions or templates are `Text`, so that every later error knows its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place, Text

Tree = Any
"""A YAML value whose strings are `Text`: `Text | int | float | bool | None | list[Tree] | dict[str, Tree]`."""


class InputType(StrEnum):
    """The types an input may have; the names of JSON Schema."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a skill; `type` None accepts any value."""

    name: str
    place: Place
    type: InputType | None = None
    description: str = ""
    required: bool = False
    default: Any = None
    has_default: bool = False
    enum: tuple[Any, ...] = ()
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    items: Mapping[str, Any] | None = None
    secret: bool = False

    @property
    def must_be_given(self) -> bool:
        """Whether a run cannot begin without a value for it."""
        return self.required and not self.has_default


class OnError(StrEnum):
    """What a step that failed for good does to the run."""

    FAIL = "fail"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealOption:
    """How an author narrows healing for one step; `fixes` None means any.

    `domain` is what the call depends on instead of its tool's own; `domain_text` the template that names it, where its
    name is only known in a run.
    """

    enabled: bool = True
    domain: str | None = None
    domain_text: Text | None = None
    fixes: tuple[str, ...] | None = None
    max_fixes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOption:
    """Plain repeats an author asks for; delays in seconds."""

    attempts: int
    delay: float = 1.0
    backoff: float = 2.0
    jitter: float = 0.0
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilOption:
    """Call again every `every` seconds until `condition` holds, for at most `timeout` seconds."""

    condition: Text
    every: float
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeachOption:
    """Run the step once per element of `items`, bound to `bind`, `parallel` at a time."""

    items: Text
    bind: str = "item"
    parallel: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has; the kinds below add their action. `output` is the name later text uses."""

    name: str
    place: Place
    description: str = ""
    condition: Text | None = None
    output: str
    on_error: OnError = OnError.FAIL
    heal: HealOption = field(default_factory=HealOption)
    timeout: float | None = None
    retry: RetryOption | None = None
    until: UntilOption | None = None
    foreach: ForeachOption | None = None
    undo: ToolStep | None = None
    secret: bool = False
    expect: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep(Step):
    """Calls a registered tool."""

    tool: str
    args: Mapping[str, Tree] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeStep(Step):
    """Runs a block of the compute language."""

    source: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillStep(Step):
    """Runs another skill."""

    skill: str
    inputs: Mapping[str, Tree] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStep(Step):
    """Runs inner steps in order, or all at once when `parallel`."""

    steps: tuple[Step, ...]
    parallel: bool = False


class StopStatus(StrEnum):
    """How a `stop` ends the run: the values of `RunStatus` that an author may choose."""

    OK = "ok"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStep(Step):
    """Ends the run early."""

    status: StopStatus
    message: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStep(Step):
    """Asks a person or an agent."""

    question: Text
    answer_type: InputType = InputType.STRING
    choices: tuple[Any, ...] = ()
    default: Tree = None


def action_of(step: Step) -> str:
    """The key under which an author wrote what the step does."""
    match step:
        case ToolStep():
            return "tool"
        case ComputeStep():
            return "compute"
        case SkillStep():
            return "skill"
        case GroupStep(parallel=parallel):
            return "parallel" if parallel else "steps"
        case StopStep():
            return "stop"
        case AskStep():
            return "ask"
    raise TypeError(f"{type(step).__name__} is no action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One value a run returns."""

    name: str
    value: Tree
    place: Place
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A parsed skill; `text` is the file as it was read, kept with each run."""

    name: str
    file: str
    text: str
    description: str = ""
    version: str = ""
    tags: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    always: tuple[Step, ...] = ()
    outputs: tuple[Output, ...] = ()
