"""Reading a text tells what it uses and what is wrong with it, without evaluating anything."""

from __future__ import annotations

import pytest

from engine.model.place import Place, Text
from engine.sandbox import Reading, Sandbox, helper_names


def written(text: str) -> Text:
    """`text` on line 3, from column 5."""
    return Text(text=text, place=Place(file="skill.yaml", line=3, column=5), indent=4)


def used(reading: Reading) -> list[tuple[str, bool]]:
    """The names a reading found, dotted, and whether they are only asked about."""
    return [(".".join(use.path), use.guarded) for use in reading.uses]


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("steps.reserve.status == 'ok'", [("steps.reserve.status", False)]),
        ("steps['reserve'].outputs[0].name", [("steps.reserve.outputs.0.name", False)]),
        ("steps[name].status", [("name", False), ("steps", False)]),
        ("image.tag.upper()", [("image.tag", False)]),
        ("image.tag is defined and image.tag", [("image.tag", True), ("image.tag", False)]),
        ("image.tag | default(other)", [("image.tag", True), ("other", False)]),
        ("not image.tag is defined", [("image.tag", True)]),
        ("[t for t in tags if t != skip]", [("tags", False), ("skip", False)]),
        ("len(tags) + now().year", [("tags", False)]),
        ("isinstance(tags, list)", [("tags", False)]),
        ("true and None", []),
        ("{{ a.b }}", [("a.b", False)]),
    ],
)
def test_an_expression_tells_its_names(sandbox: Sandbox, text: str, uses: list[tuple[str, bool]]) -> None:
    """Names come with their literal prefix; helpers, constants and loop variables are not names."""
    reading = sandbox.read_expression(written(text))
    assert used(reading) == uses
    assert reading.findings == ()


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("no names", []),
        ("a {{ image.tag }} b {{ count }}", [("image.tag", False), ("count", False)]),
        ("{% for t in tags %}{{ t.name }}{{ loop.index }}{% endfor %}{{ t }}", [("tags", False), ("t", False)]),
        ("{% set n = count %}{{ n }}", [("count", False)]),
        ("{% if a is defined %}{{ a.b }}{% endif %}", [("a", True), ("a.b", False)]),
        ("x{{ a.b | default('c') }}", [("a.b", True)]),
        ("{{ whole.value }}", [("whole.value", False)]),
    ],
)
def test_a_template_tells_its_names(sandbox: Sandbox, text: str, uses: list[tuple[str, bool]]) -> None:
    """Names of a template's loops and sets are its own."""
    reading = sandbox.read_template(written(text))
    assert used(reading) == uses
    assert reading.findings == ()


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("result = image.tag", [("image.tag", False)]),
        ("result = image['tag'][0]", [("image.tag.0", False)]),
        ("y = 1\nresult = y", []),
        ("result = y\ny = 1", [("y", False)]),
        ("y = y + 1\nresult = y", [("y", False)]),
        ("count += 1\nresult = count", [("count", False)]),
        ("result = [t for t in tags if t != skip]", [("tags", False), ("skip", False)]),
        ("def f(a, b=start):\n    c = a\n    return c + base\nresult = f(1)", [("start", False), ("base", False)]),
        ("import re\nresult = re.sub('a', 'b', text)", [("text", False)]),
        ("try:\n    result = maybe\nexcept NameError:\n    result = 1", [("maybe", True)]),
        ("result = maybe if 'maybe' in dir() else 1", [("maybe", True)]),
        ("for k, v in pairs.items():\n    result = k", [("pairs", False)]),
        ("result = len(tags) if isinstance(tags, list) else now()", [("tags", False), ("tags", False)]),
        ("match a:\n    case {'b': c, **d}:\n        result = [c, d]", [("a", False)]),
        ("result = (lambda x: x + y)(1)", [("y", False)]),
        ("result = f'{a} {b.c}'", [("a", False), ("b.c", False)]),
    ],
)
def test_a_compute_block_tells_its_names(sandbox: Sandbox, text: str, uses: list[tuple[str, bool]]) -> None:
    """A name is used when nothing in the block sets it before it is read."""
    reading = sandbox.read_compute(written(text))
    assert sorted(used(reading)) == sorted(uses)
    assert reading.findings == ()


@pytest.mark.parametrize(
    ("language", "text", "column", "message"),
    [
        ("expression", "a and pow(2, 3)", 11, "pow is not available"),
        ("expression", "a.append(1)", 5, ".append is not available"),
        ("expression", "a = 1", 5, "this is not an expression"),
        ("template", "x {% macro m() %}{% endmacro %}", 10, "macro is not available"),
        ("template", "x {{ a | nofilter }}", 14, "the filter nofilter is not available"),
        ("template", "x {{ a", 10, "this is no complete template"),
        ("compute", "import os\nresult = 1", 5, "the module os is not available"),
        ("compute", "result = open('f')", 14, "open is not available"),
        ("compute", "x = 1", 5, "this block never sets result"),
        ("compute", "result = (", 14, "this is no complete Python"),
    ],
)
def test_what_is_wrong_is_a_finding(sandbox: Sandbox, language: str, text: str, column: int, message: str) -> None:
    """A mistake that can be seen without running is a finding with its place, a code and a sentence."""
    read = {
        "expression": sandbox.read_expression,
        "template": sandbox.read_template,
        "compute": sandbox.read_compute,
    }[language]
    (finding, *_) = read(written(text)).findings
    assert finding.message.startswith(message)
    assert finding.place == Place(file="skill.yaml", line=3, column=column)
    assert finding.code.startswith(language)


def test_every_use_has_its_place(sandbox: Sandbox) -> None:
    """A use stands where its name begins."""
    reading = sandbox.read_template(written("one\n{{ a }} and {{ b.c }}"))
    assert [str(use.place) for use in reading.uses] == ["skill.yaml:4:8", "skill.yaml:4:20"]


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("pod", True),
        ("{{ pod.name == 'a' }}", True),
        ("other.pod", False),
        ("pods", False),
        ("[pod for pod in pods]", False),
        ("[each for each in pod.parts]", True),
        ("pod is defined", True),
        ("pod +", False),
    ],
)
def test_an_expression_says_whether_it_reads_a_name(sandbox: Sandbox, text: str, reads: bool) -> None:
    """Bare or as the beginning of a path; a key or a name of its own that is spelt alike is another."""
    assert sandbox.reads(written(text), "pod") is reads


def test_helper_names_are_told(sandbox: Sandbox) -> None:
    """The library learns from the sandbox which names are functions."""
    assert {"now", "len", "isinstance", "basename"} <= helper_names() == sandbox.helper_names()


def test_the_same_text_at_two_places_is_read_once_and_placed_twice(sandbox: Sandbox) -> None:
    """What is remembered of a text holds no place."""
    first = sandbox.read_expression(Text(text="gone", place=Place(file="a.yaml", line=1, column=1)))
    second = sandbox.read_expression(Text(text="gone", place=Place(file="b.yaml", line=9, column=9)))
    assert [str(use.place) for use in (*first.uses, *second.uses)] == ["a.yaml:1:1", "b.yaml:9:9"]
