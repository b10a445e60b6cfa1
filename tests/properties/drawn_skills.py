"""Random skills: drawn as nodes, written as YAML, and the tools they call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.properties.reference_model import Node
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool, ToolError

DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A skill as it was drawn."""

    steps: tuple[Node, ...]
    always: tuple[Node, ...]


@st.composite
def drawn_skills(draw: st.DrawFn) -> Drawn:
    """A skill with groups, branches, lists and other skills in it, some of whose calls fail."""
    names = iter(f"s{number}" for number in range(10_000))
    steps = _nodes(draw, names, DEPTH, calm=False)
    return Drawn(steps=steps, always=_nodes(draw, names, 1, calm=False, stops=False, undoes=False, least=0))


def _nodes(
    draw: st.DrawFn,
    names: Iterator[str],
    depth: int,
    *,
    calm: bool,
    stops: bool = True,
    undoes: bool = True,
    least: int = 1,
) -> tuple[Node, ...]:
    """Steps in a row; `calm` ones never end what they stand in, so that what runs beside them runs to its end."""
    count = draw(st.integers(least, 3))
    return tuple(_node(draw, names, depth, calm=calm, stops=stops, undoes=undoes) for _ in range(count))


def _node(draw: st.DrawFn, names: Iterator[str], depth: int, *, calm: bool, stops: bool, undoes: bool) -> Node:
    kinds = ["call", "call", "call"] + (["group", "branches", "each", "skill"] if depth else [])
    kind = draw(st.sampled_from(kinds + (["stop"] if stops and not calm else [])))
    runs = draw(st.sampled_from([True, True, True, False]))
    common: dict[str, Any] = {"kind": kind, "name": next(names), "runs": runs}
    if kind == "stop":
        return Node(**common, status=draw(st.sampled_from(["ok", "blocked"])))
    if kind == "call":
        tries = draw(st.sampled_from([1, 1, 3]))
        fails = draw(st.sampled_from([0, 0, 0, 0, 1, 3]))
        tolerated = calm or draw(st.booleans())
        return Node(**common, tries=tries, fails=fails, tolerated=tolerated, undone=undoes and draw(st.booleans()))
    at_once = draw(st.sampled_from([1, 1, 2])) if kind == "each" else 1
    beside = calm or kind == "branches" or at_once > 1
    inner = _nodes(draw, names, depth - 1, calm=beside, stops=stops, undoes=undoes)
    always = _nodes(draw, names, 0, calm=beside, stops=False, undoes=False, least=0) if kind == "skill" else ()
    tolerated = calm or draw(st.booleans())
    count = draw(st.integers(0, 3))
    return Node(**common, inner=inner, always=always, tolerated=tolerated, count=count, at_once=at_once)


def free(nodes: tuple[Node, ...], prefix: str = "") -> Iterator[str]:
    """The beginnings of the paths between whose steps no order is promised."""
    for node in nodes:
        path = f"{prefix}{node.name}"
        if node.kind == "branches" or node.at_once > 1:
            yield path
        elif node.kind == "each":
            yield from (each for index in range(node.count) for each in free(node.inner, f"{path}[{index}]/"))
        else:
            yield from free((*node.inner, *node.always), f"{path}/")


def write(drawn: Drawn, folder: Path, name: str = "main") -> None:
    """Writes the skill, and those it calls, into a workspace."""
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    (folder / "skill.toml").touch()
    _write_skill(drawn.steps, drawn.always, folder, name)


def _write_skill(steps: tuple[Node, ...], always: tuple[Node, ...], folder: Path, name: str) -> None:
    skill = {
        "name": name,
        "description": "Drawn.",
        "inputs": [{"name": "at", "type": "string", "default": ""}],
        "steps": [_step(node, folder, "{{ inputs.at }}") for node in steps],
        "always": [_step(node, folder, "{{ inputs.at }}") for node in always],
    }
    (folder / "skills" / f"{name}.yaml").write_text(json.dumps(skill, indent=1))


def _step(node: Node, folder: Path, prefix: str) -> dict[str, Any]:
    """A step as an author writes it; `prefix` is the template of the path it stands in."""
    path = f"{prefix}{node.name}"
    step: dict[str, Any] = {"name": node.name}
    if not node.runs:
        step["condition"] = "inputs.at == 'nowhere'"
    if node.tolerated and node.kind != "stop":
        step["on_error"] = "continue"
    match node.kind:
        case "call":
            step |= {"tool": "act", "args": {"word": path, "fails": 99 if node.fails >= node.tries else node.fails}}
            if node.tries > 1:
                step["retry"] = {"attempts": node.tries, "delay": 0}
            if node.undone:
                step["undo"] = {"tool": "act", "args": {"word": f"{path}.undo"}}
        case "stop":
            step["stop"] = {"status": node.status, "message": "drawn"}
        case "skill":
            _write_skill(node.inner, node.always, folder, f"called_{node.name}")
            step |= {"skill": f"called_{node.name}", "inputs": {"at": f"{path}/"}}
        case "each":
            bound = f"at_{node.name}"
            step |= {"foreach": f"range({node.count})", "as": bound}
            step |= {"parallel": node.at_once} if node.at_once > 1 else {}
            element = f"{path}[{{{{ {bound} }}}}]/"
            step["steps"] = [_step(inner, folder, element) for inner in node.inner]
        case _:
            key = "parallel" if node.kind == "branches" else "steps"
            step[key] = [_step(inner, folder, f"{path}/") for inner in node.inner]
    return step


@dataclass(frozen=True, slots=True)
class Calls:
    """A write that can be looked for, and the log of its calls, whatever process made them."""

    folder: Path

    @property
    def made(self) -> list[str]:
        """Every call, in order."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def tools(self) -> list[Tool]:
        """The tools a drawn skill calls."""

        @tool(effect=Effect.WRITE, verify="acted", timeout=20)
        async def act(word: str, fails: int = 0) -> str:
            """Notes a word; the first calls with it fail, and have done nothing."""
            with (self.folder / "calls").open("a") as calls:
                calls.write(f"{word}\n")
            if self.made.count(word) <= fails:
                raise ToolError(f"{word} is not to work yet", kind="usage_error", sent=False)
            return word

        @tool(effect=Effect.READ, timeout=20)
        async def acted(word: str, fails: int = 0) -> bool:
            """Whether a call with that word worked."""
            return self.made.count(word) > fails

        return [tool_of(act), tool_of(acted)]
