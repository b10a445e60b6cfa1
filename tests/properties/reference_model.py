"""The language of skills in sixty lines: what a run of a drawn skill comes to, told by plain recursion.

A `Node` is a step as it was drawn. `Reference` says which calls are made in which order, how each step ends by its
path, and how the run ends; the tests beside it hold the engine against that.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step: `kind` is call, group, branches, each, skill or stop; `fails` says how many of its `tries` do so."""

    kind: str
    name: str
    runs: bool = True
    tolerated: bool = False
    undone: bool = False
    fails: int = 0
    tries: int = 1
    status: str = "ok"
    count: int = 2
    at_once: int = 1
    inner: tuple[Node, ...] = ()
    always: tuple[Node, ...] = ()


@dataclass(slots=True)
class Reference:
    """A run in the making; an ending with a `!` comes from a step that failed, one without from a `stop`."""

    calls: list[str] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)

    def run(self, steps: tuple[Node, ...], always: tuple[Node, ...], prefix: str = "") -> tuple[str, list[str]]:
        """How a skill ends, and the undos it leaves to whoever called it: its own when its steps ended well."""
        undos: list[str] = []
        ending = (self.walk(steps, prefix, undos) or "ok").removesuffix("!")
        left = undos if ending == "ok" else []
        for path in reversed(undos if ending != "ok" else []):
            self.calls.append(path)
            self.statuses[path] = "ok"
        for node in always:
            if self.step(node, prefix, []) and ending == "ok":
                ending = "failed"
        return ending, left

    def walk(self, steps: tuple[Node, ...], prefix: str, undos: list[str]) -> str | None:
        """The first ending that a step brings about; None when all go by."""
        return next((ending for node in steps if (ending := self.step(node, prefix, undos))), None)

    def step(self, node: Node, prefix: str, undos: list[str]) -> str | None:
        """One step with all its elements; how it ends what it stands in."""
        path = f"{prefix}{node.name}"
        if not node.runs:
            self.statuses[path] = "skipped"
            return None
        if node.kind != "each":
            return self.one(node, path, undos, self.inside(node, path, undos))
        tolerated, ending = False, None
        for element in (f"{path}[{index}]" for index in range(node.count)):
            ending = self.one(node, element, undos, self.walk(node.inner, f"{element}/", undos))
            tolerated = tolerated or self.statuses[element] == "tolerated"
            if ending:
                break
        failed = ending is not None and ending.endswith("!")
        self.statuses[path] = "failed" if failed else "tolerated" if tolerated else "ok"
        return ending

    def one(self, node: Node, path: str, undos: list[str], ending: str | None) -> str | None:
        """Notes how a step or an element ended, by how what is in it ended."""
        failed = ending is not None and ending.endswith("!")
        good = "healed" if node.kind == "call" and 0 < node.fails < node.tries else "ok"
        self.statuses[path] = ("tolerated" if node.tolerated else "failed") if failed else good
        if node.undone and not failed:
            undos.append(f"{path}.undo")
        return None if failed and node.tolerated else ending

    def inside(self, node: Node, path: str, undos: list[str]) -> str | None:
        """How what a step does ends: a call, a stop, another skill, or the steps in it."""
        if node.kind == "call":
            self.calls += [path] * min(node.fails + 1, node.tries)
            return "failed!" if node.fails >= node.tries else None
        if node.kind == "stop":
            return node.status
        if node.kind == "skill":
            ending, left = self.run(node.inner, node.always, f"{path}/")
            undos += left
            return None if ending == "ok" else f"{ending}!"
        return self.walk(node.inner, f"{path}/", undos)
