"""From a skill to its graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import field, replace

from engine.library.graph.nodes import ALWAYS, END, START, Edge, EdgeKind, Graph, Mark, MarkKind, Node, NodeKind
from engine.library.graph.wording import marks_of
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import (
    AskStep,
    GroupStep,
    Skill,
    SkillStep,
    Step,
    StopStatus,
    StopStep,
    ToolStep,
    action_of,
)
from engine.sandbox import Sandbox

Find = Callable[[str, str], Skill | None]
"""The skill that the step at a path calls by a name; None when it cannot be had."""

_Way = tuple[str, EdgeKind, str]
"""A way out of a node that has no target yet: the node, the kind of the edge, its label."""


def graph_of(skill: Skill, *, sandbox: Sandbox, find: Find, depth: int = 1) -> Graph:
    """The graph of a skill; the skills it calls are opened `depth` levels deep, each found by `find`."""
    build = _Build(sandbox=sandbox, find=find)
    told = f"{skill.name} {skill.version}".rstrip()
    build.nodes.append(Node(id=START, kind=NodeKind.START, name=told, description=_line(skill.description)))
    here = _Here(skill=skill, depth=depth, called=(skill.name,))
    ways = build.skill(here, [(START, EdgeKind.ORDER, "")])
    outputs = ", ".join(output.name for output in skill.outputs)
    build.nodes.append(Node(id=END, kind=NodeKind.END, name="end", description=f"returns {outputs}" if outputs else ""))
    build.link([*ways, *build.ended], END)
    return Graph(
        skill=skill.name,
        version=skill.version,
        description=_line(skill.description),
        file=skill.file,
        nodes=tuple(build.nodes),
        edges=tuple(build.edges),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Here:
    """Where the walk is: in which skill, under which path, and how many more levels may be opened."""

    skill: Skill
    depth: int
    called: tuple[str, ...]
    inside: str = ""

    def path(self, name: str) -> str:
        return f"{self.inside}/{name}" if self.inside else name


@dataclass(slots=True, kw_only=True)
class _Build:
    """Nodes and edges as they are found; `ended` are the ways out of a skill by `stop`."""

    sandbox: Sandbox
    find: Find
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    ended: list[_Way] = field(default_factory=list)

    def link(self, ways: Sequence[_Way], target: str) -> None:
        """Leads every way to the target."""
        self.edges += [Edge(source=source, target=target, kind=kind, label=label) for source, kind, label in ways]

    def skill(self, here: _Here, ways: list[_Way]) -> list[_Way]:
        """The steps of a skill and what it always does; stops that nothing follows stay in `ended`."""
        before, self.ended = self.ended, []
        ways = self._sequence(here.skill.steps, here, ways)
        if here.skill.always:
            section = here.path(ALWAYS) if here.inside else ALWAYS
            told = "however the run ends" if not here.inside else "however it ends"
            self.nodes.append(
                Node(
                    id=section,
                    kind=NodeKind.ALWAYS,
                    name="always",
                    inside=here.inside,
                    description=told,
                    opened=True,
                )
            )
            ways, self.ended = [*ways, *self.ended], []
            ways = self._always(here, section, ways)
        self.ended = [*before, *self.ended]
        return ways

    def _always(self, here: _Here, section: str, ways: list[_Way]) -> list[_Way]:
        for step in here.skill.always:
            ways = self._step(step, here, ways, section=section)
        return ways

    def _sequence(self, steps: Sequence[Step], here: _Here, ways: list[_Way]) -> list[_Way]:
        for step in steps:
            ways = self._step(step, here, ways)
        return ways

    def _step(self, step: Step, here: _Here, ways: list[_Way], *, section: str = "") -> list[_Way]:
        """One step with its condition before and its undo beside it; the ways that lead on from there."""
        inside = section or here.inside
        node = self._node(step, here, inside)
        skipping: list[_Way] = []
        if step.condition is not None and not self._per_element(step):
            gate = f"{node.id}.if"
            told = node.mark(MarkKind.CONDITION)
            self.nodes.append(
                Node(
                    id=gate,
                    kind=NodeKind.CONDITION,
                    name=told,
                    inside=inside,
                    of=node.id,
                    file=node.file,
                    line=node.line,
                )
            )
            self.link(ways, gate)
            ways, skipping = [(gate, EdgeKind.ORDER, "yes")], [(gate, EdgeKind.SKIP, "no")]
        position = len(self.nodes)
        self.nodes.append(node)
        ways = self._action(step, node, here, ways, position)
        self._undo(step, node, here)
        return [*ways, *skipping]

    def _action(self, step: Step, node: Node, here: _Here, ways: list[_Way], position: int) -> list[_Way]:
        match step:
            case GroupStep(parallel=True):
                return self._parallel(step, replace(here, inside=node.id), ways)
            case GroupStep():
                return self._sequence(step.steps, replace(here, inside=node.id), ways)
            case SkillStep() if (inner := self._inner(step, node, here, position)) is not None:
                return self._called(inner, ways)
        self.link(ways, node.id)
        if isinstance(step, StopStep):
            self._stopped(step, node, here)
            return []
        return [(node.id, EdgeKind.ORDER, "")]

    def _stopped(self, step: StopStep, node: Node, here: _Here) -> None:
        """A stop leads to the end of its skill; one that did not go well inside of another skill leads nowhere."""
        if len(here.called) == 1 or step.status is StopStatus.OK:
            self.ended.append((node.id, EdgeKind.END, step.status.value))

    def _parallel(self, step: GroupStep, here: _Here, ways: list[_Way]) -> list[_Way]:
        fork, join = f"{here.inside}.fork", f"{here.inside}.join"
        self.nodes.append(Node(id=fork, kind=NodeKind.FORK, name="", inside=here.inside, of=here.inside))
        self.link(ways, fork)
        joining: list[_Way] = []
        for branch in step.steps:
            for source, kind, label in self._step(branch, here, [(fork, EdgeKind.FORK, "")]):
                joining.append((source, EdgeKind.JOIN if kind is EdgeKind.ORDER else kind, label))
        self.nodes.append(Node(id=join, kind=NodeKind.JOIN, name="", inside=here.inside, of=here.inside))
        self.link(joining, join)
        return [(join, EdgeKind.ORDER, "")] if joining else []

    def _inner(self, step: SkillStep, node: Node, here: _Here, position: int) -> _Here | None:
        """The called skill, if it is to be opened; the step's node is told what became of that."""
        if here.depth <= 0:
            return None
        found = self.find(node.id, step.skill) if step.skill not in here.called else None
        if found is None:
            why = "would call itself" if step.skill in here.called else "cannot be found"
            note = Mark(kind=MarkKind.NOTE, text=f"the skill {step.skill} {why}")
            self.nodes[position] = replace(node, marks=(*node.marks, note))
            return None
        told = node.description or _line(found.description)
        self.nodes[position] = replace(node, opened=True, description=told)
        return _Here(skill=found, depth=here.depth - 1, called=(*here.called, found.name), inside=node.id)

    def _called(self, inner: _Here, ways: list[_Way]) -> list[_Way]:
        before, self.ended = self.ended, []
        ways = self.skill(inner, ways)
        ways, self.ended = [*ways, *self.ended], before
        return ways

    def _undo(self, step: Step, of: Node, here: _Here) -> None:
        if step.undo is None:
            return
        node = self._node(step.undo, here, of.inside)
        undo = replace(node, id=f"{of.id}.undo", kind=NodeKind.UNDO, of=of.id)
        self.nodes.append(undo)
        self.edges.append(Edge(source=of.id, target=undo.id, kind=EdgeKind.UNDO, label="undo"))

    def _node(self, step: Step, here: _Here, inside: str) -> Node:
        target, told = _target(step)
        return Node(
            id=here.path(step.name),
            kind=NodeKind(action_of(step)),
            name=step.name,
            inside=inside,
            target=target,
            description=_line(step.description) or told,
            marks=tuple(marks_of(step, per_element=self._per_element(step))),
            opened=isinstance(step, GroupStep),
            file=here.skill.file,
            line=step.place.line,
        )

    def _per_element(self, step: Step) -> bool:
        """Whether the step's condition reads the element of its `foreach`, so that it is looked at for each."""
        if step.foreach is None or step.condition is None:
            return False
        uses = self.sandbox.read_expression(step.condition).uses
        return any(use.path[0] == step.foreach.bind for use in uses)


_STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)
"""What a template does rather than says; it would only be in the way of reading its words."""


def _target(step: Step) -> tuple[str, str]:
    """What a step calls, and what it says for itself when nobody described it."""
    match step:
        case ToolStep(tool=tool):
            return tool, ""
        case SkillStep(skill=skill):
            return skill, ""
        case StopStep(status=status, message=message):
            return status.value, _line(_STATEMENT.sub(" ", message.text))
        case AskStep(question=question):
            return "", _line(question.text)
        case _:
            return "", ""


def _line(text: str) -> str:
    return " ".join(text.split())
