"""Every error stands at the line and column of the author's file, and says the way out."""

from __future__ import annotations

import pytest

from engine.errors import RaisedError, SandboxError, SandboxLimitError
from engine.model.outcome import Absent
from engine.model.place import Place, Text
from engine.sandbox import Sandbox

SKIPPED = Absent(step="reserve", reason="its condition was false")
NAMES: dict[str, object] = {"x": {"a": 1}, "reserve": SKIPPED, "nothing": None, "tags": ["a"]}

BLOCK = Place(file="skills/deploy.yaml", line=20, column=7)
LINE = Place(file="skills/deploy.yaml", line=8, column=16)


def block(text: str) -> Text:
    """`text` in a block scalar whose first line is line 20, six characters in."""
    return Text(text=text, place=BLOCK, indent=6)


def line(text: str) -> Text:
    """`text` on one line, from column 16."""
    return Text(text=text, place=LINE)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("x.missing", 18, "there is no key missing"),
        ("x.a + x.missing", 24, "there is no key missing"),
        ("{{ x.a + x.missing }}", 27, "there is no key missing"),
        ("  x.missing", 20, "there is no key missing"),
        ("unknown and x.a", 16, "there is no unknown here"),
        ("x.a and unknown", 24, "there is no unknown here"),
        ("'\u00e9' ~ x.missing", 24, "there is no key missing"),
        ("pow(2, 3)", 16, "pow is not available"),
        ("x.a > 1 and pow(2, 3)", 28, "pow is not available"),
        ("tags[3]", 16, "there is no element 3: a list of 1"),
        ("x.a ** 2", 16, "** is not available"),
        ("nothing.value", 24, "this is None, so it has no value"),
        ("reserve.name", 24, "reserve has no value, so it has no name: its condition was false"),
        ("tags | unknown_filter", 23, "there is no unknown_filter here"),
        ("x.a +", 21, "this is not a complete expression: invalid syntax"),
    ],
)
def test_an_expression_error_stands_at_its_column(sandbox: Sandbox, text: str, column: int, message: str) -> None:
    """The place of an error is where the part of the expression that failed begins."""
    with pytest.raises(SandboxError) as caught:
        sandbox.evaluate(line(text), NAMES)
    assert caught.value.place == Place(file="skills/deploy.yaml", line=8, column=column)
    assert caught.value.message == message


def test_an_expression_over_lines_knows_its_line(sandbox: Sandbox) -> None:
    """In a block scalar the second line of an expression is the second line in the file."""
    with pytest.raises(SandboxError) as caught:
        sandbox.evaluate(block("x.a == 1 and\n  x.missing == 2\n"), NAMES)
    assert caught.value.place == Place(file="skills/deploy.yaml", line=21, column=11)


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("a {{ x.missing }}", 20, 13),
        ("one\ntwo {{ x.a }}\nthree {{ x.missing }}", 22, 17),
        ("{% for t in tags %}\n{{ t.missing }}\n{% endfor %}", 21, 11),
        ("one\n{{ 1 / 0 }}", 21, 10),
        ("one\n{% if unknown %}a{% endif %}", 21, 10),
        ("one\n{{ x.a | unknown_filter }}", 21, 16),
        ("one\n{% include 'a' %}", 21, 10),
        ("one\n  {{ pow(2, 3) }}", 21, 15),
        ("one\n{{ x.a", 21, 12),
    ],
)
def test_a_template_error_stands_in_its_expression(sandbox: Sandbox, text: str, row: int, column: int) -> None:
    """The place of an error is in the `{{ }}` or `{% %}` that failed, not just in the text."""
    with pytest.raises(SandboxError) as caught:
        sandbox.render(block(text), NAMES)
    assert caught.value.place == Place(file="skills/deploy.yaml", line=row, column=column)


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("y = 1\nresult = y + unknown", 21, 20),
        ("y = x.a; z = x.missing\nresult = 1", 20, 20),
        ("\u00e9 = 1; z = x.missing\nresult = 1", 20, 18),
        ("def f(a):\n    return a / 0\n\nresult = f(1)", 21, 18),
        ("d = {'a': 1}\ndel d['b']\nresult = d", 21, 7),
        ("import textwrap\nresult = textwrap.dedent(1 / 0)", 21, 32),
        ("result = [\n  1,\n  x.missing,\n]", 22, 9),
        ("result = (x.a\n  +\n  ", 20, 16),
        ("import os\nresult = 1", 20, 7),
        ("result = f'{x.a} {x.missing}'", 20, 16),
        ("result = 1\nif x.a: y = {1, 2}\nresult = y", 22, 7),
    ],
)
async def test_a_compute_error_stands_at_its_line(sandbox: Sandbox, text: str, row: int, column: int) -> None:
    """The place of an error is in the author's lines, also where the text was rewritten for the interpreter."""
    with pytest.raises(SandboxError) as caught:
        await sandbox.compute(block(text), NAMES)
    assert caught.value.place == Place(file="skills/deploy.yaml", line=row, column=column)


async def test_raising_on_purpose_is_its_own_error(sandbox: Sandbox) -> None:
    """`raise SomeError("text")` is a RaisedError with that text, at that place."""
    with pytest.raises(RaisedError) as caught:
        await sandbox.compute(block("if x.a == 1:\n    raise ValueError('no image ' + str(x.a))\nresult = 1"), NAMES)
    assert caught.value.message == "no image 1"
    assert caught.value.place == Place(file="skills/deploy.yaml", line=21, column=17)


async def test_an_error_that_happened_is_not_raised_on_purpose(sandbox: Sandbox) -> None:
    """A failing call inside `raise` is an error of the block, not the author's word."""
    with pytest.raises(SandboxError) as caught:
        await sandbox.compute(block("raise ValueError(1 / 0)\nresult = 1"), NAMES)
    assert not isinstance(caught.value, RaisedError)


async def test_no_value_names_the_step(sandbox: Sandbox) -> None:
    """Asking for a part of an output without value names the step and why it has none, in every language."""
    for attempt in ("reserve.name", "{{ reserve['name'] }}", "reserve.upper()", "reserve.name.length + 1"):
        with pytest.raises(SandboxError, match=r"reserve has no value.*its condition was false"):
            sandbox.evaluate(line(attempt), NAMES)
    with pytest.raises(SandboxError, match=r"reserve has no value.*its condition was false"):
        sandbox.render(line("at {{ reserve.name }}"), NAMES)
    with pytest.raises(SandboxError, match="reserve has no value: its condition was false"):
        await sandbox.compute(line("result = reserve.name"), NAMES)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("pow(2, 3)", "multiply"),
        ("tags.append(1)", "a \\+ \\[x\\]"),
        ("f'{x}'", "format"),
        ("x.b", "there are: a"),
        ("lenn(tags)", "did you mean len\\?"),
        ("tagz", "did you mean tags\\?"),
        ("open('f')", "tool"),
        ("lambda: 1", "compute step"),
        ("x.a = 2", "=="),
        ("len", "call it: len"),
    ],
)
def test_an_error_says_the_way_out(sandbox: Sandbox, text: str, hint: str) -> None:
    """The hint of an error says what to write instead."""
    with pytest.raises(SandboxError, match=hint):
        sandbox.evaluate(line(text), NAMES)


async def test_limits_have_their_own_error(sandbox: Sandbox) -> None:
    """Asking for too much is a SandboxLimitError, so that nobody takes it for a mistake in a value."""
    with pytest.raises(SandboxLimitError, match="100,000 numbers"):
        sandbox.evaluate(line("range(1000000)"), NAMES)
    with pytest.raises(SandboxLimitError, match="1,000,000 characters"):
        sandbox.render(line("a {{ 'a' * 9999999 }}"), NAMES)
    with pytest.raises(SandboxLimitError, match="64 MB"):
        await sandbox.compute(line("result = 'a' * 99999999"), NAMES)
    with pytest.raises(SandboxLimitError, match="200 times"):
        await sandbox.compute(block("def f(n):\n    return f(n)\nresult = f(1)"), NAMES)
