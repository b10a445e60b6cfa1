"""The story of a run, from events to lines: each step's end at its place in the tree, and what led to it.

A step that holds others has a line where its first inner step begins (`▸`) and one where it ends. What stands in it is
indented between the two as long as only one thing happens at a time; of steps that overlap the path is told instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any

from engine.frontends.cli.details import Detail, detail_of, doing_of, first_line, plain, short
from engine.frontends.cli.layout import beside
from engine.frontends.cli.steps import INDENT, SECTIONS, accent_of, cause_lines, colour_of, step_lines
from engine.frontends.cli.tree import BAD, FEW, Node, Tree, within
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.remediation import root_cause_of

HEAD = "▸"
QUIET_FOR = 10.0
"""Seconds after which a long list says how far it is, where nothing is drawn over and over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line for a person, fitted to the screen; with `accent`, only so many signs at its beginning are in colour."""

    text: str
    fg: str | None = None
    dim: bool = False
    bold: bool = False
    accent: int = 0

    @property
    def style(self) -> dict[str, Any]:
        """How a `Screen` is to write it."""
        return {"fg": self.fg, "dim": self.dim or None, "bold": self.bold or None, "accent": self.accent}


@dataclass(slots=True)
class Alike:
    """Steps of one parent that ended one after the other in the same uneventful way, and are not told yet."""

    word: str = ""
    parent: Node | None = None
    paths: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Story:
    """Tells a run; `names` are the columns of a step's name, `live` says that steps under way are drawn elsewhere."""

    names: int = 28
    headline: str = ""
    verbose: bool = False
    live: bool = False
    tree: Tree = field(default_factory=Tree)
    skill: str = ""
    _shown: list[Node] = field(default_factory=list)
    _alike: Alike = field(default_factory=Alike)
    _last: str = ""
    _section: dict[str, str] = field(default_factory=dict)

    def tell(self, event: Event, width: int | None) -> list[Line]:
        """The lines of one event, none wider than `width` (None: no limit)."""
        return list(self._told(event, width))

    def recall(self, event: Event) -> None:
        """Takes note of an event of long ago, without a word."""
        match event.kind:
            case EventKind.RUN_STARTED:
                self.skill = str(event.data["skill"])
            case EventKind.STEP_STARTED:
                self.tree.begin(event)
            case EventKind.STEP_FINISHED:
                self.tree.end(event)

    def place(self, node: Node) -> tuple[int, str]:
        """How deep a step under way stands now, and what it is called there."""
        shown = [outer for outer in node.chain if outer in self._shown or outer.foreach]
        return len(shown), within(node.path, shown[-1].path if shown else "")

    def _told(self, event: Event, width: int | None) -> Iterator[Line]:
        match event.kind:
            case EventKind.RUN_STARTED:
                self.skill = str(event.data["skill"])
                yield from self._begun(event, width)
            case EventKind.RUN_RESUMED:
                yield from self._resumed(event)
            case EventKind.STEP_STARTED:
                yield from self._started(event, width)
            case EventKind.STEP_FINISHED:
                yield from self._ended(event, width)
            case EventKind.NOTICE:
                yield from self._alike_told(width)
                yield from _lines(beside("  ! ", str(event.data["text"]), width), fg="yellow")
            case EventKind.RUN_FINISHED | EventKind.RUN_WAITING:
                yield from self._alike_told(width)
            case _:
                yield from self._within(event, width)

    def _begun(self, event: Event, width: int | None) -> Iterator[Line]:
        yield Line(text=f"{self.skill}  {event.run_id}", bold=True)
        yield from _lines(beside("  ", self.headline, width) if self.headline else [], dim=True)
        if self.verbose:
            given = {name: value for name, value in event.data["inputs"].items() if value is not None}
            yield from _lines(beside("  inputs  ", short(given), width))

    def _resumed(self, event: Event) -> Iterator[Line]:
        if not self._last and self.skill:
            yield Line(text=f"{self.skill}  {event.run_id}", bold=True)
        self.tree.cut_off()
        self._shown = []
        count = self.tree.ended
        after = f" after {count} {'step' if count == 1 else 'steps'} that had ended before" if count else ""
        yield Line(text=f"  goes on{after}", dim=True)

    def _started(self, event: Event, width: int | None) -> Iterator[Line]:
        node = self.tree.begin(event)
        if node.hushed and not node.foreach:
            return
        parent = node.parent or self.tree.root
        if parent.path and not any(outer.element or outer.flat or outer.hushed for outer in node.chain):
            yield from self._enter(node, width)
        before, self._section[parent.path] = self._section.get(parent.path, "steps"), node.section
        if node.section != before and node.section in SECTIONS:
            yield from self._alike_told(width)
            yield from self._enter(node, width)
            if self._shown[-1:] == [parent] or not parent.path:
                yield Line(text=f"{self._pad}  {SECTIONS[node.section]}", dim=True)

    def _within(self, event: Event, width: int | None) -> Iterator[Line]:
        """What happens inside a step, in the order failure, diagnosis, fix."""
        if not event.step and (seen := detail_of(event, verbose=self.verbose)):
            yield from _lines(beside("  pre-flight  ", seen.text, width), fg=seen.fg, dim=seen.dim)
        if not event.step:
            return
        node = self.tree.at(event.step)
        doing = doing_of(event)
        node.doing = node.doing if doing is None else doing
        detail = detail_of(event, verbose=self.verbose)
        hidden = event.kind is EventKind.PROGRESS and not self.verbose and (self.live or _hushed(node))
        if detail is None or hidden:
            return
        if detail.opens:
            node.said = str(event.data["failure"]["message"])
        if node.held is None and detail.opens and not self.tree.alone():
            node.held = []
        if node.held is not None and event.kind is not EventKind.PROGRESS:
            node.held.append(detail)
            return
        yield from self._alike_told(width)
        yield from self._enter(node, width)
        yield from self._detail(node, detail, width)

    def _detail(self, node: Node, detail: Detail, width: int | None) -> Iterator[Line]:
        told = ": ".join(filter(None, [node.item, detail.text])) if detail.opens else detail.text
        if detail.opens:
            yield from _lines(beside(f"{self._pad}  ✗ {self._name(node)}  ", told, width), fg=detail.fg)
        else:
            label = f"{detail.label:<7}  " if detail.label else ""
            whose = "" if self._last == node.path else f"{self._label(node)}  "
            yield from _lines(beside(f"{self._pad}{INDENT}{whose}{label}", told, width), fg=detail.fg, dim=detail.dim)
        self._last = node.path

    def _ended(self, event: Event, width: int | None) -> Iterator[Line]:
        node, data = self.tree.end(event), event.data
        outer = node.parent or self.tree.root
        status = str(data["status"])
        if data.get("reused") or (status == "skipped" and not outer.hushed):
            if not self.verbose:
                yield from self._alike_so(node, "reused" if data.get("reused") else status, width)
                return
        elif status in {"ok", "skipped"} and outer.hushed and not self.verbose:
            yield from self._how_far(node, event.at, width)
            return
        yield from self._alike_told(width)
        yield from self._enter(node, width)
        for detail in node.held or ():
            yield from self._detail(node, detail, width)
        yield from self._end(node, data, width)

    def _end(self, node: Node, data: Any, width: int | None) -> Iterator[Line]:
        drawn = step_lines(
            self._label(node),
            data["status"],
            duration=data["duration"],
            told="; ".join(filter(None, [node.item, self._reason(node, data)])),
            names=self.names,
            width=width,
            depth=len(self._shown),
        )
        colour, accent = colour_of(data["status"]), accent_of(data["status"], drawn)
        yield from (Line(text=text, fg=colour, accent=accent) for text in drawn)
        if self.verbose and data["value"] is not None:
            yield from _lines(beside(f"{self._pad}{INDENT}value    ", short(data["value"]), width), dim=True)
        cause = root_cause_of(data.get("root_cause"))
        yield from _lines(cause_lines(cause, data["remediation"], width, indent=f"{self._pad}{INDENT}"))
        self._last = node.path

    def _reason(self, node: Node, data: Any) -> str:
        """What is told of a step's end beside its status: why, unless that stands just above."""
        status = data["status"]
        if node.foreach and status != "skipped" and not (status == "failed" and not node.done):
            return node.summed
        if status in BAD and node.blame:
            return f"because of {within(node.blame, node.path)}{_rounds(node)}"
        match status:
            case "healed":
                return str(data["reason"]).removeprefix("healed ")
            case "failed" | "tolerated":
                message = str((data["failure"] or {}).get("message", ""))
                told = str(data["reason"]) if message == node.said else message
                return first_line(told) if told else ""
            case "skipped":
                return str(data["reason"])
        return f"answered {plain(data['value'])}" if node.action == "ask" else _rounds(node).removeprefix(" ")

    def _enter(self, node: Node, width: int | None) -> Iterator[Line]:
        """Makes what the step stands in the place where lines go, with a line for each that has none yet."""
        chain = node.chain
        same = 0
        while same < min(len(chain), len(self._shown)) and chain[same] is self._shown[same]:
            same += 1
        self._shown = self._shown[:same]
        for outer in chain[same:]:
            if outer.headed or outer.flat:
                return
            yield from self._alike_told(width)
            yield from _lines(self._head(outer, width))
            outer.headed = True
            self._shown.append(outer)
            self._last = outer.path

    def _head(self, node: Node, width: int | None) -> list[str]:
        told = [node.item, f"skill {node.skill}" if node.skill else "", "once more" if node.round_of else ""]
        told += [f"{node.total} item{'' if node.total == 1 else 's'}" if node.total is not None else ""]
        told += ["at the same time" if node.action == "parallel" and not node.foreach else ""]
        return beside(f"{self._pad}  {HEAD} {self._name(node)}  ", ", ".join(filter(None, told)), width)

    def _alike_so(self, node: Node, word: str, width: int | None) -> Iterator[Line]:
        """Steps in a row that ended alike and did nothing share a line; most of the time nobody asks about them."""
        alike = self._alike
        if alike.paths and (alike.word != word or alike.parent is not node.parent):
            yield from self._alike_told(width)
            alike = self._alike
        alike.word, alike.parent = word, node.parent
        while alike.paths and alike.paths[-1].startswith((f"{node.path}/", f"{node.path}[")):
            alike.paths.pop()
        alike.paths.append(node.path)

    def _alike_told(self, width: int | None) -> Iterator[Line]:
        told, self._alike = self._alike, Alike()
        if not told.paths:
            return
        yield from self._enter(Node(path=told.paths[0], parent=told.parent), width)
        names = [self._label(Node(path=path, parent=told.parent)) for path in told.paths[:FEW]]
        names += [f"{left} more"] if (left := len(told.paths) - FEW) > 0 else []
        yield from _lines(beside(f"{self._pad}  · {told.word}: ", ", ".join(names), width), dim=True)
        self._last = told.paths[-1]

    def _how_far(self, node: Node, at: float, width: int | None) -> Iterator[Line]:
        """Now and then, where nothing is drawn over and over, a line about a long list."""
        whole = node.parent
        if self.live or whole is None or not node.element:
            return
        whole.told_at = whole.told_at or whole.since
        if at - whole.told_at >= QUIET_FOR:
            whole.told_at = at
            yield from self._enter(whole, width)
            yield Line(
                text=f"{self._pad}  … {self._name(whole)}  {'  '.join([whole.so_far, *whole.counted])}", dim=True
            )

    def _label(self, node: Node) -> str:
        return within(node.path, self._shown[-1].path if self._shown else "")

    def _name(self, node: Node) -> str:
        """The label, as wide as the column of names is there."""
        return self._label(node).ljust(self.names - len(self._pad))

    @property
    def _pad(self) -> str:
        return "  " * len(self._shown)


def _rounds(node: Node) -> str:
    return f" in {number} rounds" if (number := node.rounds) > 1 else ""


def _hushed(node: Node) -> bool:
    return node.parent is not None and node.parent.hushed


def _lines(texts: list[str], *, fg: str | None = None, dim: bool = False) -> Iterator[Line]:
    return (Line(text=text, fg=fg, dim=dim) for text in texts)
