"""Texts of which some values are unknown: what can be known is, and the rest says what it hangs on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.errors import SandboxError
from engine.model.place import Place, Severity, Text
from engine.run.dry.evaluate import Evaluator, ImpossibleError
from engine.run.dry.unknown import Unknown, marked, sources_in
from engine.sandbox import Sandbox

TAG = {
    "type": "object",
    "properties": {"found": {"type": "boolean"}, "digest": {"type": "string"}},
    "additionalProperties": False,
}
PODS = {"type": "object", "properties": {"pods": {"type": "array", "items": TAG}}}
NAMES: dict[str, Any] = {
    "image": Unknown(sources=("image",), origin="image", schema=TAG),
    "pods": Unknown(sources=("pods",), origin="pods", schema=PODS),
    "free": Unknown(sources=("free",), origin="free"),
    "group": {"a": 1, "b": Unknown(sources=("group/b",), origin="group/b")},
    "inputs": {"sha": None, "name": "shop", "list": [], "yes": True},
    "steps": {"a": {"status": "ok"}, "b": {"status": Unknown(sources=("b",), origin="steps.b")}},
}


def text(source: str) -> Text:
    """A text at the start of a file."""
    return Text(text=source, place=Place(file="f", line=1, column=1))


@pytest.fixture
def evaluator() -> Evaluator:
    """An evaluator with a sandbox of its own."""
    return Evaluator(sandbox=Sandbox())


@pytest.fixture
async def computing() -> AsyncIterator[Evaluator]:
    """An evaluator whose workers are stopped at the end."""
    sandbox = Sandbox()
    yield Evaluator(sandbox=sandbox)
    await sandbox.aclose()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("inputs.name", "shop"),
        ("inputs.sha or inputs.name", "shop"),
        ("inputs.name or image.digest", "shop"),
        ("inputs.sha and image.digest", None),
        ("inputs.list and image.digest", []),
        ("image.digest if inputs.sha else inputs.name", "shop"),
        ("'same' if image else 'same'", "same"),
        ("not (image and inputs.sha)", True),
        ("steps.a.status", "ok"),
        ("group.a + 1", 2),
        ("[x for x in [1, 2]]", [1, 2]),
    ],
)
def test_what_hangs_on_nothing_unknown_is_evaluated(evaluator: Evaluator, source: str, value: Any) -> None:
    """Also behind a part that decides alone, as `and`, `or` and `if` have it."""
    assert evaluator.value(text(source), NAMES) == value


@pytest.mark.parametrize(
    ("source", "mark", "sources"),
    [
        ("image", "<image>", ["image"]),
        ("image.digest", "<digest of image>", ["image"]),
        ("inputs.sha or image.digest", "<digest of image>", ["image"]),
        ("pods.pods[0].digest", "<digest of pods.pods[0]>", ["pods"]),
        ("free.a['b'][2]", "<b[2] of free.a>", ["free"]),
        ("image.found and pods.pods", "<depends on image, pods>", ["image", "pods"]),
        ("image.digest ~ '!'", "<depends on image>", ["image"]),
        ("len(pods.pods) > 1", "<depends on pods>", ["pods"]),
        ("image.digest if free.x else inputs.name", "<depends on free, image>", ["free", "image"]),
        ("not image.found", "<depends on image>", ["image"]),
        ("image.digest | default('x')", "<depends on image>", ["image"]),
        ("group.b", "<group/b>", ["group/b"]),
        ("[s for s in steps]", "<depends on b>", ["b"]),
        ("steps[inputs.name].status", "<depends on b>", ["b"]),
    ],
)
def test_what_hangs_on_the_unknown_says_so(evaluator: Evaluator, source: str, mark: str, sources: list[str]) -> None:
    """With a mark for people, and the steps it hangs on."""
    found = evaluator.value(text(f"{{{{ {source} }}}}"), NAMES)
    assert (str(found), list(sources_in(found))) == (mark, sources)


def test_lists_and_mappings_are_known_in_part(evaluator: Evaluator) -> None:
    """What is known of them stays known."""
    assert marked(evaluator.value(text("[inputs.name, image.digest]"), NAMES)) == ["shop", "<digest of image>"]
    assert marked(evaluator.value(text("{'a': group, 'b': 1}"), NAMES)) == {"a": {"a": 1, "b": "<group/b>"}, "b": 1}
    assert marked(evaluator.value(text("group"), NAMES)) == {"a": 1, "b": "<group/b>"}


@pytest.mark.parametrize(
    ("source", "truth"),
    [
        ("image and inputs.sha", False),
        ("not image or inputs.yes", True),
        ("not ((image and free) or inputs.yes)", False),
        ("inputs.yes if image else true", True),
        ("group", True),
        ("[image.digest]", True),
    ],
)
def test_a_condition_is_decided_by_one_part_that_is_known(evaluator: Evaluator, source: str, truth: bool) -> None:
    """Whatever the unknown turns out to be, if only its name is read, which cannot fail."""
    assert evaluator.truth(text(source), NAMES) is truth


@pytest.mark.parametrize(
    "source", ["image.found", "image.found and inputs.yes", "not image", "image.found or inputs.yes"]
)
def test_a_condition_that_may_go_either_way_is_unknown(evaluator: Evaluator, source: str) -> None:
    """Never a guess."""
    assert isinstance(evaluator.truth(text(source), NAMES), Unknown)


def test_a_part_that_can_never_be_is_a_mistake(evaluator: Evaluator) -> None:
    """With its place, and what there is; not where the author asks first, nor where it is never read."""
    with pytest.raises(ImpossibleError) as caught:
        evaluator.value(text("inputs.sha or image.digst"), NAMES)
    assert (str(caught.value.place), caught.value.message) == ("f:1:15", "image never has digst")
    assert caught.value.hint == "did you mean digest?"
    with pytest.raises(ImpossibleError):
        evaluator.text(text("{% if image.found %}{{ image.nothing }}{% endif %}"), NAMES)
    assert isinstance(evaluator.value(text("image.digst is defined"), NAMES), Unknown)
    assert evaluator.value(text("inputs.name or image.digst"), NAMES) == "shop"


def test_a_part_that_nobody_promises_is_only_told(evaluator: Evaluator) -> None:
    """The schema does not rule it out, so nobody knows."""
    assert isinstance(evaluator.value(text("pods.nodes"), NAMES), Unknown)
    assert [(found.message, found.severity) for found in evaluator.findings] == [
        ("pods does not promise nodes", Severity.WARNING)
    ]


def test_an_error_behind_a_doubt_is_no_failure_yet(evaluator: Evaluator) -> None:
    """`image.found and list[0]` fails only if the first holds; alone it fails for certain."""
    assert isinstance(evaluator.value(text("image.found and inputs.list[0]"), NAMES), Unknown)
    with pytest.raises(SandboxError, match="there is no element 0"):
        evaluator.value(text("inputs.list[0] and image.found"), NAMES)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("to {{ inputs.name }}@{{ image.digest }}", "to shop@<digest of image>"),
        ("{{ inputs.name or image.digest }} {{- image.found }}", "shop<found of image>"),
        ("{% if inputs.yes %}{{ image.digest }}{% else %}no{% endif %}", "<digest of image>"),
        ("{% for x in ['a'] %}{{ x }}{{ free }}{% endfor %}", "a<free>"),
        ("{% if image.found %}yes{% endif %}", "<depends on image>"),
        ("{% for p in pods.pods %}{{ p.digest }}{% endfor %}", "<depends on pods>"),
        ("{% set d = image.digest %}{{ d }}", "<depends on image>"),
        ("{# {{ a }} #}{{ image.digest }}", "<depends on image>"),
        ("a {{ group }}", "a <depends on group/b>"),
    ],
)
def test_a_template_shows_what_is_known_of_it(evaluator: Evaluator, source: str, shown: str) -> None:
    """A mark in each hole that is unknown; one for the whole where its shape hangs on the unknown."""
    assert str(evaluator.text(text(source), NAMES)) == shown


def test_a_template_without_unknowns_is_rendered(evaluator: Evaluator) -> None:
    """As in a run, errors and all."""
    assert evaluator.text(text("a {{ inputs.name }}"), NAMES) == "a shop"
    with pytest.raises(SandboxError, match="there is no nonsense here"):
        evaluator.text(text("a {{ nonsense }}"), NAMES)


def test_a_name_that_a_loop_binds_is_not_the_one_outside(evaluator: Evaluator) -> None:
    """`image` in the loop is an element of the list, and known."""
    assert evaluator.text(text("x{% for image in ['a'] %}{{ image }}{% endfor %}"), NAMES) == "xa"


async def test_a_block_runs_when_all_it_reads_is_known(computing: Evaluator) -> None:
    """A local name may be one that is unknown outside."""
    assert await computing.compute(text("image = inputs['name']\nresult = image + '!'"), NAMES) == "shop!"
    assert await computing.compute(text("result = steps['a']['status']"), NAMES) == "ok"


@pytest.mark.parametrize(
    ("source", "sources"),
    [
        ("result = image['digest']", ["image"]),
        ("result = [p for p in pods.pods if image.found]", ["pods", "image"]),
        ("result = len(steps)", ["b"]),
        ("result = 'free' in dir()", ["free"]),
    ],
)
async def test_a_block_that_reads_the_unknown_does_not_run(
    computing: Evaluator, source: str, sources: list[str]
) -> None:
    """Its value hangs on what it reads."""
    assert list(sources_in(await computing.compute(text(source), NAMES))) == sources


async def test_a_block_that_raises_fails(computing: Evaluator) -> None:
    """It is pure, so it would fail in the run too."""
    with pytest.raises(SandboxError, match="no good"):
        await computing.compute(text("raise ValueError('no good')"), NAMES)
