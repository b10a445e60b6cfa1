"""Which step reads what which other step defines: the edges of data in a graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from engine.documents import parse
from engine.errors import DocumentError
from engine.library.graph.nodes import Edge, EdgeKind, Graph
from engine.library.outline import Definition, Language, Outline, OutlinedStep, Site, outline
from engine.library.part import whole
from engine.model.skill import Skill
from engine.sandbox import Reading, Sandbox

_UNDO = "undo"


def with_data(graph: Graph, skills: Mapping[str, Skill], *, sandbox: Sandbox) -> Graph:
    """The graph with an edge from each step that defines a name to each step that reads it, labelled with the names.

    `skills` are those the graph shows, by the id of the node they are opened in ("" for the graph's own).
    """
    known = {node.id for node in graph.nodes}
    named: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for inside, skill in skills.items():
        for source, target, name in _uses(skill, sandbox):
            ends = (_within(inside, source), _within(inside, target))
            if known.issuperset(ends) and not _is_within(*ends):
                named[ends][name] = None
    found = [
        Edge(source=source, target=target, kind=EdgeKind.DATA, label=", ".join(names))
        for (source, target), names in named.items()
    ]
    return replace(graph, edges=(*graph.edges, *found))


def _within(inside: str, path: str) -> str:
    return f"{inside}/{path}" if inside else path


def _is_within(source: str, target: str) -> bool:
    """Whether one is the other or stands in it: what a group reads of its own steps needs no edge."""
    return source == target or source.startswith(f"{target}/") or target.startswith(f"{source}/")


def _uses(skill: Skill, sandbox: Sandbox) -> Iterator[tuple[str, str, str]]:
    """The step that defines, the step that reads, and the name, for every name some step reads of another."""
    try:
        outlined = outline(whole(parse(skill.text, skill.file, tolerant=True)))
    except DocumentError:
        return
    outputs, steps = _by_name(outlined.outputs), _by_name(outlined.step_names)
    bound = _by_name(outlined.special)
    for site, reading in _readings(outlined, sandbox):
        if site.step is None:
            continue
        for use in reading.uses:
            match use.path:
                case ("steps", name, *_):
                    found = _defined(steps.get(name, ()), site)
                case (name, *_) if _defined(bound.get(name, ()), site) is None:
                    found = _defined(outputs.get(name, ()), site)
                case _:
                    found = None
            if found is not None and found is not site.step:
                yield _path(found), _reader(site, site.step), name


def _readings(outlined: Outline, sandbox: Sandbox) -> Iterator[tuple[Site, Reading]]:
    for site in outlined.sites:
        match site.language:
            case Language.EXPRESSION:
                yield site, sandbox.read_expression(site.text)
            case Language.TEMPLATE:
                yield site, sandbox.read_template(site.text)
            case Language.COMPUTE:
                yield site, sandbox.read_compute(site.text)


def _by_name(definitions: Iterable[Definition]) -> dict[str, list[Definition]]:
    named: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        named[definition.name].append(definition)
    return named


def _defined(definitions: Sequence[Definition], site: Site) -> OutlinedStep | None:
    """The step whose value a name is at a site; the one that defined it last."""
    known = [each for each in definitions if each.since <= site.number < each.until]
    return known[-1].step if known else None


def _reader(site: Site, step: OutlinedStep) -> str:
    return f"{_path(step)}.{_UNDO}" if site.key == _UNDO else _path(step)


def _path(step: OutlinedStep) -> str:
    return "/".join(each.name for each in (*reversed(step.around), step))
