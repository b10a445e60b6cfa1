"""Random skills of nested control flow, as data: how they are drawn, and how they are written as skill files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

TOOLS = ("say", "put", "make", "create")
"""A read, an idempotent write, a write, and a write that can be looked for; `take` takes back what a step did."""
GROUPS = ("steps", "parallel")
OUTCOMES = ("safe", "before", "after")
"""How a call fails: nothing was sent; the answer was lost before its effect, or after it. Every other call works."""
PATIENCE = 600
"""Seconds an `until` may take that will hold at its second round; one in vain gives up before it waits that long."""
DEPTH = 3
ENDINGS = ("ok", "failed", "blocked", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a step asks of something earlier; `reach` reads a key, which fails where there is no value."""

    how: Literal["has", "lacks", "ok", "isnt", "reach"]
    name: str

    @property
    def text(self) -> str:
        """The expression."""
        return {
            "has": self.name,
            "lacks": f"not {self.name}",
            "ok": f"steps.{self.name}.status == 'ok'",
            "isnt": f"{self.name} != 1",
            "reach": f"{self.name}.word",
        }[self.how]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step. `does` is a tool or another action; `items` makes it a `foreach` over so many numbers, named `bind`.

    `tags` are the names whose values make a call's word different from the same step's other calls; `reads` is an
    earlier value that goes along, `peeks` are names whose existence is looked at. `only`: `retry` is for lost answers
    only. `expect` refuses the first call of a tool, and a group that lacks the value of its first step.
    """

    name: str
    does: str
    inner: tuple[Node, ...] = ()
    skill: str = ""
    stop: str = "ok"
    tags: tuple[str, ...] = ()
    reads: str = ""
    peeks: tuple[str, ...] = ()
    raises: bool = False
    when: Condition | None = None
    items: int | None = None
    items_if: Condition | None = None
    bind: str = ""
    limit: int = 1
    tolerated: bool = False
    attempts: int = 1
    only: bool = False
    until: Literal["", "second", "in vain"] = ""
    expect: bool = False
    undo: Literal["", "plain", "reads"] = ""

    @property
    def per_element(self) -> bool:
        """Whether the condition is about the element."""
        return self.when is not None and self.when.name == self.bind


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One skill; its output is the value of the step `gives`, or a key of it when it `reaches` inside."""

    name: str
    steps: tuple[Node, ...]
    always: tuple[Node, ...] = ()
    gives: str = ""
    reaches: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Story:
    """A skill with those it calls, and what goes wrong: the outcomes of a word's first calls.

    `pauses` say how long calls take, so that what runs at the same time gets mixed.
    """

    skills: Mapping[str, Drawn]
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pauses: tuple[int, ...] = (0,)

    @property
    def texts(self) -> dict[str, str]:
        """The skill files by name; JSON is YAML."""
        return {name: json.dumps(_skill(drawn), indent=1) for name, drawn in self.skills.items()}

    def __repr__(self) -> str:
        """The skills as a person reads them, and what fails."""
        skills = [_shown(_skill(drawn)) for drawn in self.skills.values()]
        return "\n".join([*skills, f"outcomes: {dict(self.outcomes)}", f"pauses: {self.pauses}"])

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:  # noqa: ARG002 - the name and form are theirs
        """How Hypothesis prints it."""
        printer.text(f"\n{self!r}\n")


def word_of(node: Node, undo: str = "") -> str:
    """The word a step's calls carry, as a template."""
    return "-".join([undo + node.name, *(f"{{{{ {tag} }}}}" for tag in node.tags)])


def everything(nodes: Sequence[Node]) -> Iterator[Node]:
    """The steps, and those inside them."""
    for node in nodes:
        yield node
        yield from everything(node.inner)


def _skill(drawn: Drawn) -> dict[str, Any]:
    inputs = [] if drawn.name == "main" else [{"name": "at", "type": "string", "required": True}]
    gives = f"{drawn.gives}.word" if drawn.reaches else drawn.gives
    return {
        "name": drawn.name,
        "description": "Drawn at random.",
        "inputs": inputs,
        "steps": [_step(node) for node in drawn.steps],
        "always": [_step(node) for node in drawn.always],
        "outputs": [{"name": "out", "value": f"{{{{ {gives} }}}}"}],
    }


def _shown(value: Any, depth: int = 0) -> str:
    """A skill, a line for each step."""
    nested = {
        key: part for key, part in value.items() if key in {"steps", "always", *GROUPS} and isinstance(part, list)
    }
    here = "  " * depth + json.dumps({key: part for key, part in value.items() if key not in nested})
    inner = (f"{'  ' * depth} {key}:\n{_shown(step, depth + 1)}" for key, part in nested.items() for step in part)
    return "\n".join([here, *inner])


def _step(node: Node) -> dict[str, Any]:
    return {"name": node.name, **_action(node), **_options(node)}


def _action(node: Node) -> dict[str, Any]:
    match node.does:
        case "compute":
            return {"compute": _block(node)}
        case "stop":
            return {"stop": {"status": node.stop, "message": f"{node.name} stops"}}
        case "ask":
            return {"ask": {"question": f"{node.name}?", "type": "boolean"}}
        case "skill":
            return {"skill": node.skill, "inputs": {"at": word_of(node)}}
        case "steps" | "parallel":
            return {node.does: [_step(inner) for inner in node.inner]}
        case tool:
            return {"tool": tool, "args": _args(word_of(node), node.reads)}


def _args(word: str, reads: str) -> dict[str, str]:
    return {"word": word, "saw": f"{{{{ {reads}.word }}}}" if reads else "-"}


def _block(node: Node) -> str:
    if node.raises:
        return "result = None\nraise ValueError('no')"
    seen = " + ".join(["[]", *(f"['{name}'] * ('{name}' in dir())" for name in node.peeks)])
    word = f"{node.reads}.word" if node.reads else f"'{node.name}'"
    return f"result = {{'word': {word}, 'sees': {seen}}}"


def _options(node: Node) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if node.when:
        options["condition"] = node.when.text
    if node.items is not None:
        items = str([*range(node.items)])
        options["foreach"] = f"{items} if {node.items_if.text} else []" if node.items_if else items
        options["as"] = node.bind
        options |= {"parallel": node.limit} if node.limit > 1 and node.does != "parallel" else {}
    if node.tolerated:
        options["on_error"] = "continue"
    if node.attempts > 1:
        options["retry"] = {"attempts": node.attempts, "delay": 0, **({"on": ["server_error"]} if node.only else {})}
    if node.until:
        options["until"] = {"condition": until_of(node), "every": _pause(node), "timeout": PATIENCE}
    if node.expect:
        options["expect"] = f"result.{node.inner[0].name}" if node.inner else "result.n > 1"
    if node.undo:
        reads = node.name if node.undo == "reads" else ""
        options["undo"] = {"tool": "take", "args": _args(word_of(node, "un"), reads)}
    return options


def until_of(node: Node) -> str:
    """The condition of the step's `until`, over its value: the second call, of the first step inside for a group."""
    return f"result.{node.inner[0].name}.n > 1" if node.inner else "result.n > 1"


def _pause(node: Node) -> float:
    return 0.001 if node.until == "second" else 10 * PATIENCE


class Names(NamedTuple):
    """What a step may read: values, those of them that are mappings with a `word` or nothing, and how steps ended."""

    values: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Drawer:
    """Draws the steps of one skill, so that each reads only what `skill check` lets it read."""

    def __init__(self, draw: st.DrawFn, numbers: Iterator[int], callable_skills: Sequence[str]) -> None:
        self._draw = draw
        self._numbers = numbers
        self._skills = callable_skills
        self._names: list[str] = []
        self._cleaning = False

    def skill(self, name: str) -> Drawn:
        """A whole skill."""
        tags = () if name == "main" else ("inputs.at",)
        steps, seen = self._sequence(Names(tags=tags), depth=0, most=5 if name == "main" else 3)
        self._cleaning = True
        always: tuple[Node, ...] = ()
        if self._rarely(2):
            always, seen = self._sequence(seen._replace(tags=(*tags, "run.status")), depth=1, most=2)
        reaches = bool(seen.words) and self._rarely(4)
        gives = self._one(seen.words if reaches else seen.values)
        return Drawn(name=name, steps=steps, always=always, gives=gives, reaches=reaches)

    def _rarely(self, times: int) -> bool:
        """True once in so many times; shrinks to False."""
        return self._draw(st.sampled_from([False] * (times - 1) + [True]))

    def _one(self, choices: Sequence[str]) -> str:
        return self._draw(st.sampled_from(choices))

    def _sequence(self, seen: Names, *, depth: int, most: int) -> tuple[tuple[Node, ...], Names]:
        node, seen = self._node(seen, depth=depth)
        nodes = [node]
        while len(nodes) < most and self._draw(st.booleans()):
            node, seen = self._node(seen, depth=depth)
            nodes.append(node)
        return tuple(nodes), seen

    def _node(self, seen: Names, *, depth: int) -> tuple[Node, Names]:
        """A step, and what may be read after it."""
        name = f"{'abcdefgh'[depth]}{next(self._numbers)}"
        does = self._one(self._actions(depth))
        node = Node(name=name, does=does, tags=seen.tags)
        inside = seen
        if does != "stop" and self._rarely(5):
            node = self._looped(node, seen)
            inside = seen._replace(values=(*seen.values, node.bind), tags=(*seen.tags, node.bind))
            node = replace(node, tags=inside.tags)
        if self._rarely(3):
            node = replace(node, when=self._condition(seen, node.bind))
        node, ended = self._filled(node, inside, depth)
        self._names.append(name)
        listed = node.items is not None
        words = (name,) if does in {*TOOLS, "compute"} and not listed else ()
        after = Names(
            (*seen.values, name), (*seen.words, *words), (*seen.steps, *(() if listed else ended), name), seen.tags
        )
        return self._optioned(node), after

    def _actions(self, depth: int) -> list[str]:
        """The actions to choose from, likely ones several times."""
        plain = [*TOOLS, "say", "make", "create", "compute"]
        plain += [] if self._cleaning else ["ask", "stop"]
        deeper = [*GROUPS, *GROUPS, "parallel"] if depth < DEPTH else []
        return [*plain, *deeper, *(["skill", "skill"] if self._skills else [])]

    def _looped(self, node: Node, seen: Names) -> Node:
        return replace(
            node,
            bind=f"i{next(self._numbers)}",
            items=self._draw(st.integers(0, 3)),
            items_if=self._condition(seen, "") if self._rarely(4) else None,
            limit=1 if node.does == "parallel" else self._draw(st.integers(1, 2)),
        )

    def _condition(self, seen: Names, bind: str) -> Condition | None:
        choices = [Condition(how="isnt", name=bind)] * 3 if bind else []
        choices += [Condition(how=how, name=name) for name in seen.values for how in ("has", "lacks")]
        choices += [Condition(how="reach", name=name) for name in seen.words]
        choices += [Condition(how="ok", name=name) for name in seen.steps]
        return self._draw(st.sampled_from(choices)) if choices else None

    def _filled(self, node: Node, seen: Names, depth: int) -> tuple[Node, tuple[str, ...]]:
        """The step with what its action needs, and the names of the steps inside."""
        match node.does:
            case "steps":
                inner, after = self._sequence(seen, depth=depth + 1, most=3)
                return replace(node, inner=inner), after.steps
            case "parallel":
                branches = [self._node(seen, depth=depth + 1) for _ in range(2)]
                branches += [self._node(seen, depth=depth + 1)] if self._rarely(3) else []
                ended = tuple(name for _, after in branches for name in after.steps)
                return replace(node, inner=tuple(branch for branch, _ in branches)), ended
            case "skill":
                return replace(node, skill=self._one(self._skills)), ()
            case "stop":
                return replace(node, stop=self._one(["ok", "blocked", "failed"])), ()
            case "ask":
                return node, ()
        reads = self._one(seen.words) if seen.words and self._rarely(4) else ""
        if node.does != "compute":
            return replace(node, reads=reads), ()
        peeks = tuple(self._names[-4:])
        return replace(node, reads=reads, peeks=peeks, raises=self._rarely(5)), ()

    def _optioned(self, node: Node) -> Node:
        if node.does == "stop":
            return node
        node = replace(node, tolerated=self._rarely(4))
        if node.does == "ask":
            return node
        repeated = node.does != "compute" and self._rarely(5)
        counted = node.inner[0].does in TOOLS and node.inner[0].items is None if node.inner else node.does in TOOLS
        until: Any = self._one(["second", "in vain"]) if counted and self._rarely(7) else ""
        return replace(
            node,
            attempts=self._draw(st.integers(2, 3)) if repeated else 1,
            only=self._rarely(5),
            until=until,
            expect=(bool(node.inner) or node.does in TOOLS) and self._rarely(8),
            undo=self._undo(node),
        )

    def _undo(self, node: Node) -> Any:
        if self._cleaning or not self._rarely(2):
            return ""
        return "reads" if node.does in TOOLS and self._rarely(4) else "plain"


def words(story: Story, drawn: Drawn, known: Mapping[str, str]) -> Iterator[str]:
    """Every word a call of the skill may carry, whatever is skipped."""
    for nodes, endings in ((drawn.steps, ("",)), (drawn.always, ENDINGS)):
        for ending in endings:
            yield from _words(story, nodes, {**known, "run.status": ending})


def _words(story: Story, nodes: Sequence[Node], known: Mapping[str, str]) -> Iterator[str]:
    for node in nodes:
        for item in [None] if node.items is None else range(node.items):
            here = {**known, node.bind: str(item)}
            tagged = "-".join([node.name, *(here[tag] for tag in node.tags)])
            if node.does in TOOLS:
                yield tagged
            if node.undo:
                yield f"un{tagged}"
            yield from _words(story, node.inner, here)
            if node.does == "skill":
                yield from words(story, story.skills[node.skill], {"inputs.at": tagged})


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Skills that call each other, and a few calls that fail."""
    numbers = count(1)
    skills: dict[str, Drawn] = {}
    for name in [*["sub1", "sub2"][: draw(st.integers(0, 2))], "main"]:
        skills[name] = Drawer(draw, numbers, [*skills]).skill(name)
    story = Story(skills=skills)
    found = sorted(set(words(story, skills["main"], {})))
    failing = st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=3).map(tuple)
    outcomes = draw(st.dictionaries(st.sampled_from(found), failing, max_size=4)) if found else {}
    return replace(
        story, outcomes=outcomes, pauses=draw(st.lists(st.integers(0, 6), min_size=1, max_size=5).map(tuple))
    )
