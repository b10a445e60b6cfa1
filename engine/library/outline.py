"""A skill file seen from above: its steps, every text an author may fill, and which names exist where.

Forgiving: what a broken file does say is looked at, the rest left to the schema. The walk numbers the texts in the
order in which a run would meet them, and a name is known from one number up to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from enum import StrEnum
from math import inf
from typing import Any

from engine.library.language import action_keys, output_name
from engine.library.part import Part
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Text
from engine.model.skill import Tree
from engine.sandbox import is_marked, is_whole


class Language(StrEnum):
    """The three languages an author's text can be in."""

    EXPRESSION = "expression"
    TEMPLATE = "template"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A text that a run evaluates: its number in the walk, its language, and the key and step it belongs to.

    `target` is what it is given to, where that has a name: an output of the skill, an input of a called one.
    """

    number: int
    text: Text
    language: Language
    key: str
    step: OutlinedStep | None = None
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A name that texts numbered `since` up to `until` (not included) can use; `step` is whose value it is."""

    name: str
    since: float
    until: float = inf
    step: OutlinedStep | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutlinedStep:
    """A step as written; `group` is the step it stands in, `section` `steps` or `always`."""

    part: Part
    section: str
    group: OutlinedStep | None = None

    @property
    def name(self) -> str:
        """The step's name; empty when the author gave none."""
        return self.part.name()

    @property
    def output(self) -> str:
        """The name by which later text reads the step."""
        output = self.part.get("output")
        return output if isinstance(output, str) else output_name(self.name)

    @property
    def bound(self) -> str:
        """The name of the element of its `foreach`; empty without one."""
        name = self.part.get("as", "item") if "foreach" in self.part else ""
        return name if isinstance(name, str) else ""

    @property
    def around(self) -> tuple[OutlinedStep, ...]:
        """The steps it stands in, the innermost first."""
        return (self.group, *self.group.around) if self.group else ()

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions it asks for; exactly one in a valid step."""
        return action_keys(self.part.value)


@dataclass(slots=True)
class Outline:
    """What one walk over a skill file finds."""

    skill: Part
    steps: list[OutlinedStep] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    outputs: list[Definition] = field(default_factory=list)
    step_names: list[Definition] = field(default_factory=list)
    special: list[Definition] = field(default_factory=list)


def outline(skill: Part) -> Outline:
    """The outline of a whole skill file."""
    walk = _Walk(Outline(skill=skill))
    for section in ("steps", "always"):
        for part in skill.listed(section):
            walk.step(OutlinedStep(part=part, section=section))
    for output in skill.listed("outputs"):
        walk.texts(output.placed("value"), key="value", target=output.name())
    return walk.found


@dataclass(slots=True)
class _Walk:
    found: Outline

    @property
    def now(self) -> int:
        return len(self.found.sites)

    def step(self, step: OutlinedStep) -> None:
        """Notes one step, in the order in which a run meets its texts."""
        self.found.steps.append(step)
        part = step.part
        before = len(self.found.step_names)
        self._expression(part, "foreach", step)
        element = self.now
        self._expression(part, "condition", step)
        self._action(step)
        value = self.now
        self._expression(part, "expect", step)
        if "until" in part:
            self._expression(part["until"], "condition", step, key="until")
        judged = self.now
        self._define(step, value, judged)
        if step.bound:
            self.found.special.append(Definition(name=step.bound, since=element, until=self.now, step=step))
        if "foreach" in part:
            self._end(self.found.step_names, before)
        if step.name:
            self.found.step_names.append(Definition(name=step.name, since=judged, step=step))

    def _action(self, step: OutlinedStep) -> None:
        part = step.part
        self._domain(part, "heal", step)
        self.texts(part.placed("args"), key="args", step=step)
        for name in part.mapping("inputs"):
            self.texts(part["inputs"].placed(name), key="inputs", step=step, target=name)
        if (source := part.text("compute")) is not None:
            self._site(source, Language.COMPUTE, "compute", step)
        if "stop" in part:
            self.texts(part["stop"].text("message"), key="message", step=step)
        if "ask" in part:
            self.texts(part["ask"].text("question"), key="question", step=step)
            self.texts(part["ask"].placed("default") if "default" in part["ask"] else None, key="default", step=step)
        self._group(step)
        self._branches(step)

    def _group(self, step: OutlinedStep) -> None:
        """Steps in order: what they define ends with the group."""
        begin = len(self.found.outputs)
        for part in step.part.listed("steps"):
            self.step(OutlinedStep(part=part, section=step.section, group=step))
        self._end(self.found.outputs, begin)

    def _branches(self, step: OutlinedStep) -> None:
        """Steps at the same time: none sees what another defines; how they ended is seen when all have."""
        hidden: list[Definition] = []
        for part in step.part.listed("parallel"):
            outputs, step_names = len(self.found.outputs), len(self.found.step_names)
            self.step(OutlinedStep(part=part, section=step.section, group=step))
            self._end(self.found.outputs, outputs)
            hidden += self._end(self.found.step_names, step_names)
        self.found.step_names += [replace(known, since=self.now) for known in hidden]

    def _end(self, names: list[Definition], begin: int) -> list[Definition]:
        """Ends every name noted since `begin` here; those that had not ended before."""
        still = [known for known in names[begin:] if known.until > self.now]
        names[begin:] = [replace(known, until=min(known.until, self.now)) for known in names[begin:]]
        return still

    def _define(self, step: OutlinedStep, value: int, judged: int) -> None:
        """What exists once the step has acted; its undo sees it too."""
        self.found.special.append(Definition(name="result", since=value, until=judged, step=step))
        if step.output:
            self.found.outputs.append(Definition(name=step.output, since=judged, step=step))
        if "undo" in step.part:
            self._expression(step.part["undo"], "condition", step, key="undo")
            self._domain(step.part["undo"], "undo", step)
            self.texts(step.part["undo"].placed("args"), key="undo", step=step)

    def _expression(self, part: Part, name: str, step: OutlinedStep, *, key: str = "") -> None:
        if (text := part.text(name)) is not None:
            self._site(text, Language.EXPRESSION, key or name, step)

    def _domain(self, part: Part, key: str, step: OutlinedStep) -> None:
        if "heal" in part:
            self.texts(part["heal"].placed("domain"), key=key, step=step)

    def texts(self, tree: Tree, *, key: str, step: OutlinedStep | None = None, target: str = "") -> None:
        """Notes every template inside a value."""
        for text in placed_texts(tree):
            if is_marked(text.text):
                self._site(text, Language.TEMPLATE, key, step, target)

    def _site(
        self, text: Text, language: Language, key: str, step: OutlinedStep | None = None, target: str = ""
    ) -> None:
        site = Site(number=self.now, text=text, language=language, key=key, step=step, target=target)
        self.found.sites.append(site)


def placed_texts(tree: Tree) -> Iterator[Text]:
    """Every text inside a placed value."""
    match tree:
        case Text():
            yield tree
        case dict():
            for inner in tree.values():
                yield from placed_texts(inner)
        case list():
            for inner in tree:
                yield from placed_texts(inner)


def is_whole_expression(value: Any) -> bool:
    """Whether the value is one `{{ expression }}` and nothing else, so that its type is only known in a run."""
    return isinstance(value, str) and is_marked(value) and is_whole(value)


def holds_template(value: Any) -> bool:
    """Whether a run would render any text inside a plain value."""
    match value:
        case str():
            return is_marked(value)
        case Mapping():
            return any(holds_template(inner) for inner in value.values())
        case list():
            return any(holds_template(inner) for inner in value)
        case _:
            return False
