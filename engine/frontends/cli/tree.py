"""A run as a tree of the steps that are under way: what each stands in, what it does, how much of a list is done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from itertools import count, islice
from typing import Any

from engine.frontends.cli.details import Detail
from engine.frontends.cli.layout import cut, one_line
from engine.model.event import Event
from engine.model.lazy_dataclass import dataclass

FEW = 12
"""Elements of a list that are shown each on a line of its own; of a longer list only those worth a look are."""
FEW_ROUNDS = 3
"""Rounds of a group that are told whole; of later ones only what is worth a look."""
LONGEST_ITEM = 40
BAD = ("failed", "tolerated")
HOLDING = ("steps", "parallel", "skill")
"""The actions that hold other steps."""
_LAST_PART = re.compile(r"/[^/\[#]*$|\[\d+\]$|#\d+$")
_ELEMENT = re.compile(r"\[(\d+)\]$")
_ROUND = re.compile(r"#\d+$")


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A step under way, or one round of it.

    `number` counts what began before it. `items` are the elements of a `foreach` as far as they are known, `total` how
    many there are (None: nobody knows, or it is no `foreach`), `done` is how they ended. `inner` counts the steps under
    way in it; `crowded` says that they overlap, `hushed` that they are many, so that only those worth a look are shown.
    `blame` is the path of the last step in it that failed. `held` are the details of a step that is one of several,
    told together when it ends. `round` is the round of it that is under way after the first, and that one's `round_of`
    is this.
    """

    path: str
    parent: Node | None = None
    number: int = 0
    action: str = ""
    section: str = "steps"
    since: float = 0.0
    foreach: bool = False
    items: Sequence[Any] = ()
    total: int | None = None
    skill: str = ""
    inner: int = 0
    crowded: bool = False
    hushed: bool = False
    doing: str = ""
    done: Counter[str] = field(default_factory=Counter)
    headed: bool = False
    blame: str = ""
    said: str = ""
    told_at: float = 0.0
    held: list[Detail] | None = None
    rounds: int = 1
    round: Node | None = None
    round_of: Node | None = None

    @property
    def chain(self) -> list[Node]:
        """What it stands in, outermost first."""
        found: list[Node] = []
        node = self.parent
        while node is not None and node.path:
            found.append(node)
            node = node.parent
        return found[::-1]

    @property
    def order(self) -> tuple[int, ...]:
        """Where it stands in the tree: what it stands in comes before it, and what began earlier beside it."""
        return (*(outer.number for outer in self.chain), self.number)

    @property
    def element(self) -> bool:
        """Whether it is one element of a `foreach`."""
        return self.parent is not None and self.parent.foreach and self.path.startswith(f"{self.parent.path}[")

    @property
    def item(self) -> str:
        """The element it is for, in a word or two; empty when that takes more."""
        found = _ELEMENT.search(self.path)
        items = self.parent.items if self.parent and self.element else ()
        if not found or int(found[1]) >= len(items):
            return ""
        item = named(items[int(found[1])])
        return "" if item == found[1] else item

    @property
    def flat(self) -> bool:
        """Whether others run beside it, so that what it holds is told by path and not by indentation."""
        return self.parent is not None and self.parent.crowded

    @property
    def so_far(self) -> str:
        """How far a list has come: `37/1000`."""
        whole = "" if self.total is None else f"/{self.total}"
        return f"{sum(self.done.values())}{whole}"

    @property
    def summed(self) -> str:
        """What the elements of a list came to: `1000 items, 8 healed, 2 failed`."""
        begun = sum(self.done.values())
        count = f"{begun} of {self.total}" if begun < (self.total or 0) else str(begun)
        return ", ".join([f"{count} {'item' if count == '1' else 'items'}", *self.counted])

    @property
    def counted(self) -> list[str]:
        """The elements that did not simply work, by how they ended."""
        bad = sum(self.done[status] for status in BAD)
        found = {"healed": self.done["healed"], "failed": bad, "skipped": self.done["skipped"]}
        return [f"{count} {status}" for status, count in found.items() if count]


class Tree:
    """Follows a run by its events; `open` are the steps under way in the order they began, by path."""

    def __init__(self) -> None:
        self.root = Node(path="")
        self.open: dict[str, Node] = {}
        self.ended = 0
        self._numbers = count(1)

    def begin(self, event: Event) -> Node:
        """Notes that a step began; one that was cut off and begins again keeps what is known of it."""
        data = event.data
        node = self.open.get(event.step)
        if node is None:
            parent = self._parent(event.step)
            node = self.open[event.step] = Node(path=event.step, parent=parent, number=next(self._numbers))
            self._joined(node)
        node.action, node.section, node.since = str(data.get("action", "")), str(data.get("section", "steps")), event.at
        node.foreach = bool(data.get("foreach"))
        _listed(node, data)
        node.skill = " ".join(str(data[name]) for name in ("skill", "version") if data.get(name))
        node.doing = ""
        return node

    def end(self, event: Event) -> Node:
        """Notes that a step ended, and gives it once more."""
        node, status = self.at(event.step), str(event.data.get("status", ""))
        parent = node.parent or self.root
        if self.open.pop(event.step, None) is not None:
            parent.inner -= 1
        if node.round is not None:
            self.open.pop(node.round.path, None)
        self.ended += 1
        if node.element:
            parent.done[status] += 1
        if status == "failed":
            (parent.round_of or parent).blame = node.path
        return node

    def at(self, path: str) -> Node:
        """The step at `path`; one that nobody knows when it is not under way."""
        return self.open.get(path) or Node(path=path, parent=self._parent(path))

    def leaves(self) -> Iterator[Node]:
        """The steps under way that hold no other."""
        return (node for node in self.open.values() if node.inner == 0)

    def alone(self) -> bool:
        """Whether at most one step is under way."""
        return len(list(islice(self.leaves(), 2))) < 2  # noqa: PLR2004 - one is alone

    def cut_off(self) -> None:
        """Forgets what was under way in a process that went away; what holds other steps goes on in the next one."""
        for node in [leaf for leaf in self.leaves() if not leaf.foreach and leaf.action not in HOLDING]:
            del self.open[node.path]
            (node.parent or self.root).inner -= 1

    def _joined(self, node: Node) -> None:
        parent = node.parent or self.root
        parent.crowded = parent.crowded or parent.inner > 0 or parent.action == "parallel"
        parent.inner += 1
        node.hushed = parent.hushed

    def _parent(self, path: str) -> Node:
        for outer in above(path):
            if outer in self.open:
                return self.open[outer]
            base = _ROUND.sub("", outer)
            if base != outer and base in self.open:
                return self._round(outer, self.open[base])
        return self.root

    def _round(self, path: str, base: Node) -> Node:
        """A new round of a step that holds others takes the place of the round before."""
        if base.round is not None:
            self.open.pop(base.round.path, None)
            base.inner -= 1
        base.inner += 1
        base.rounds += 1
        hushed = base.hushed or base.rounds > FEW_ROUNDS
        base.round = Node(path=path, parent=base.parent, action=base.action, hushed=hushed, round_of=base)
        base.round.section, base.round.since, base.round.number = base.section, base.since, base.number
        self.open[path] = base.round
        return base.round


def _listed(node: Node, data: Mapping[str, Any]) -> None:
    """Notes what a `foreach` goes through; history cuts a list that is long, and says so."""
    if not node.foreach:
        return
    items = data.get("items")
    cut = not isinstance(items, list | tuple) or "items" in (data.get("truncated") or ())
    node.items = items if isinstance(items, list | tuple) else ()
    known = data.get("count", None if cut else len(node.items))
    node.total = known if isinstance(known, int) else None
    node.hushed = node.hushed or node.total is None or node.total > FEW


def above(path: str) -> Iterator[str]:
    """The paths of what a step may stand in, innermost first: `a[2]#2/b` in `a[2]#2`, `a[2]`, `a`."""
    while found := _LAST_PART.search(path):
        path = path[: found.start()]
        yield path


def within(path: str, outer: str) -> str:
    """What a step is called inside `outer`: `a/b/c` is `b/c` in `a`, and `a/b[3]` is `b[3]` in `a/b`."""
    if not outer:
        return path
    if path.startswith(f"{outer}["):
        return path[len(outer.rpartition("/")[0]) :].lstrip("/")
    return path.removeprefix(f"{outer}/")


def named(item: Any) -> str:
    """A list's element in a word or two: short text, a number, or the `name` of a mapping; empty for anything else."""
    if isinstance(item, dict):
        item = item.get("name")
    if isinstance(item, str | int | float) and not isinstance(item, bool):
        return cut(one_line(str(item)), LONGEST_ITEM)
    return ""
