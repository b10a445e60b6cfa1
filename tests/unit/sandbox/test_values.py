"""What a text may see and give: plain values, unchanged types, and nothing of the program."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pytest

from engine.errors import SandboxError
from engine.model.outcome import Absent, StepStatus
from engine.model.place import Place, Text
from engine.sandbox import Sandbox


def written(text: str) -> Text:
    """`text` somewhere."""
    return Text(text=text, place=Place(file="skill.yaml", line=1, column=1))


def test_a_tree_is_rendered_through_and_through(sandbox: Sandbox) -> None:
    """Mappings and lists keep their form; whole values keep their type; what is no text stays."""
    tree = {"a": written("{{ n }}"), "b": [written("n={{ n }}"), 5, None], "c": {"d": written("plain")}}
    assert sandbox.render(tree, {"n": 7}) == {"a": 7, "b": ["n=7", 5, None], "c": {"d": "plain"}}


def test_data_is_never_rendered_again(sandbox: Sandbox) -> None:
    """A value that looks like a template stays as it is, in every language."""
    names = {"text": "{{ secret }}", "secret": "no"}
    assert sandbox.evaluate(written("text"), names) == "{{ secret }}"
    assert sandbox.render(written("a {{ text }}"), names) == "a {{ secret }}"
    assert sandbox.render(written("{{ text }}"), names) == "{{ secret }}"


async def test_values_of_the_program_become_plain(sandbox: Sandbox) -> None:
    """Enumerations are their texts and read-only mappings are mappings, in every language."""
    names: Mapping[str, object] = {"run": MappingProxyType({"status": StepStatus.OK}), "days": (date(2026, 1, 2),)}
    assert sandbox.evaluate(written("run.status == 'ok' and run.status"), names) == "ok"
    assert sandbox.render(written("is {{ run.status }}"), names) == "is ok"
    assert await sandbox.compute(written("result = [run.status, days[0].year]"), names) == ["ok", 2026]


class Machine:
    """An object of the program, which no text may touch."""

    def __str__(self) -> str:
        raise AssertionError

    __repr__ = __str__


@pytest.mark.parametrize(
    "text", ["machine", "[machine]", "str(machine)", "machine.name", "inside | string", "inside == [1]"]
)
async def test_objects_of_the_program_are_refused(sandbox: Sandbox, text: str) -> None:
    """An object that slipped into the names is refused before anything of it is called."""
    names = {"machine": Machine(), "inside": [Machine()]}
    with pytest.raises(SandboxError, match="Machine is no value that text may use"):
        sandbox.evaluate(written(text), names)
    with pytest.raises(SandboxError, match="Machine is no value that text may use"):
        sandbox.render(written(f"a {{{{ {text} }}}}"), names)
    with pytest.raises(SandboxError, match="Machine is no value that text may use"):
        await sandbox.compute(written("result = [machine, inside]"), names)


async def test_an_output_without_value_is_none(sandbox: Sandbox) -> None:
    """A skipped step's output is None where it is used, and absent where that is asked."""
    names = {"gone": Absent(step="gone", reason="skipped")}
    assert sandbox.evaluate(written("gone"), names) is None
    assert sandbox.evaluate(written("[gone, gone is none, gone == None, gone is defined]"), names) == [
        None,
        True,
        True,
        False,
    ]
    assert sandbox.evaluate(written("gone or 'other'"), names) == "other"
    assert (
        sandbox.render(written("{{ gone }}, {{ gone or 'other' }}, {{ gone is none }}"), names) == "None, other, True"
    )
    assert await sandbox.compute(written("result = [gone, 'gone' in dir()]"), names) == [None, False]


def test_threads_evaluate_at_the_same_time(sandbox: Sandbox) -> None:
    """Two threads do not see each other's comprehension variables or limits."""
    wrong: list[object] = []

    def evaluate(start: int) -> None:
        for _ in range(100):
            value = sandbox.evaluate(written("[i + start for i in range(20)]"), {"start": start})
            text = sandbox.render(written("{% for i in range(5) %}{{ i + start }} {% endfor %}"), {"start": start})
            if value != list(range(start, start + 20)) or not text.startswith(str(start)):
                wrong.append((start, value, text))

    threads = [threading.Thread(target=evaluate, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_filter_binds_as_in_a_template(sandbox: Sandbox) -> None:
    """A filter in an expression takes what a filter in a template takes."""
    names = {"a": [1, 2], "b": 3}
    for text in (
        "b + a | length",
        "a | length * b",
        "not a | length",
        "b ~ a | first",
        "a | first if b else b | string",
    ):
        whole = sandbox.evaluate(written(text), names)
        assert f"={whole}" == sandbox.render(written("={{ " + text + " }}"), names)
