"""The registry: names, families, and the shared end of every call."""

from __future__ import annotations

import subprocess
import sys
import time
import types
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from tests.unit.tool_registry.small_server import Told, small_server
from tool_registry import (
    Tool,
    ToolContext,
    ToolError,
    ToolOutput,
    ToolRegistry,
    UnknownToolError,
    default_registry,
    functions,
)
from tool_registry.functions import general
from tool_registry.sources.python import tool_of, tools_in


async def _nothing(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
    return ToolOutput()


PROBE = Tool(name="probe", call=_nothing, location="a.py:1")


def test_name_is_taken_once() -> None:
    """A second tool of the same name is refused, and the first named; replacing has to be said."""
    registry = ToolRegistry(PROBE)
    with pytest.raises(ValueError, match=r"already a tool called probe at a\.py:1"):
        registry.add(PROBE)
    other = replace(PROBE, timeout=1)
    assert registry.add(other, replace=True) is registry["probe"] is other


def test_unknown_tool_names_the_nearest() -> None:
    """A wrong name is answered with the nearest ones."""
    with pytest.raises(UnknownToolError, match="did you mean http_get") as caught:
        default_registry().get_tool("htp_get")
    assert (caught.value.kind, caught.value.sent, caught.value.nearest[0]) == ("usage_error", False, "http_get")


def test_registry_is_a_mapping() -> None:
    """Lookups, membership, length and iteration work as for any mapping."""
    registry = ToolRegistry(PROBE)
    registry.add(general.echo)
    assert list(registry) == ["probe", "echo"]
    assert len(registry) == 2
    assert registry["echo"] is tool_of(general.echo)
    assert registry.get("nothing") is None
    assert "probe" in registry


def test_every_family_is_listed() -> None:
    """The list that keeps start-up cheap says exactly what the families define."""
    import importlib  # noqa: PLC0415 - only here

    defined = {
        family: tuple(tool.name for tool in tools_in(importlib.import_module(f"tool_registry.functions.{family}")))
        for family in functions.families()
    }
    assert {family: names for family, names in defined.items() if names} == dict(functions.NAMES)


def test_every_shipped_tool_is_sound() -> None:
    """Each shipped tool has a description, valid schemas and examples that fit, and `verify` names a tool."""
    registry = default_registry()
    assert len(registry) >= 6
    for tool in registry.values():
        Draft202012Validator.check_schema(dict(tool.parameters))
        assert tool.description, tool.name
        if tool.result is not None:
            Draft202012Validator.check_schema(dict(tool.result))
        for example in tool.examples:
            assert Draft202012Validator(dict(tool.parameters)).is_valid(dict(example)), (tool.name, example)
        assert tool.verify is None or tool.verify in registry, tool.name


def test_one_tool_imports_one_family() -> None:
    """A run that uses one tool imports neither the other families nor anything heavy."""
    program = (
        "import sys; from tool_registry import default_registry; default_registry()['echo'];"
        "families = sorted(name for name in sys.modules if name.startswith('tool_registry.functions.'));"
        "assert families == ['tool_registry.functions.general'], families;"
        "heavy = {'httpx', 'jsonschema', 'sqlite3', 'email', 'http.client', 'difflib', 'importlib.metadata'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_registering_sixty_tools_is_cheap() -> None:
    """Sixty decorated functions cost next to nothing: schemas are worked out when they are read."""
    source = "from __future__ import annotations\nfrom tool_registry import ToolContext, tool\n" + "".join(
        f"@tool(domain='x')\nasync def probe_{number}(a: str, context: ToolContext, b: int = 1) -> dict[str, int]:\n"
        f"    '''Probes.\n\n    Args:\n        a: one\n        b: two\n    '''\n    return {{}}\n"
        for number in range(60)
    )
    code = compile(source, "probes", "exec")
    taken = []
    for _ in range(5):
        module = types.ModuleType("probes")
        began = time.process_time()
        exec(code, vars(module))  # noqa: S102 - sixty functions, written above
        registry = ToolRegistry(*tools_in(module))
        taken.append(time.process_time() - began)
        assert len(registry) == 60
    assert min(taken) < 0.1


def test_unlisted_tool_is_found_all_the_same() -> None:
    """A tool missing from its family's list is found by importing the families."""
    registry = ToolRegistry()
    registry.add_family("tool_registry.functions.general", ["something_else"])
    assert registry.get_tool("echo").name == "echo"


def test_family_does_not_replace_an_added_tool() -> None:
    """A tool that takes a listed name is refused, although its family has not been imported yet."""
    registry = default_registry()
    with pytest.raises(ValueError, match="already a tool called echo"):
        registry.add(replace(PROBE, name="echo"))
    assert registry.add(replace(PROBE, name="echo"), replace=True).location == "a.py:1"
    assert registry["echo"].location == "a.py:1"


async def test_connections_are_shared_and_closed() -> None:
    """Two calls of one registry use one connection; closing the registry closes it, and it can be used again."""
    with small_server(lambda _: Told(body=b"hello")) as server:
        registry = default_registry()
        for _ in range(3):
            output = await registry.call("http_get", {"url": server.url}, ToolContext(timeout=10))
        assert output.value["text"] == "hello"
        assert server.connections == 1
        await registry.aclose()
        await registry.call("http_get", {"url": server.url}, ToolContext(timeout=10))
        await registry.aclose()
        assert server.connections == 2


def test_registry_survives_several_event_loops() -> None:
    """One registry used in two event loops, one after the other, does not mix their connections."""
    registry = default_registry()

    async def ask(url: str) -> None:
        await registry.call("http_get", {"url": url}, ToolContext(timeout=10))
        await registry.aclose()

    with small_server(lambda _: Told()) as server:
        anyio.run(ask, server.url)
        anyio.run(ask, server.url)


async def test_source_that_forgets_its_deadline_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that does not keep to its time itself is ended by the registry a little later."""
    monkeypatch.setattr("tool_registry.registry.OVERTIME", 0.05)

    async def forgetful(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
        await anyio.sleep(60)
        return ToolOutput()

    with pytest.raises(ToolError) as caught:
        await ToolRegistry(replace(PROBE, call=forgetful)).call("probe", {}, ToolContext(timeout=0.05))
    assert caught.value.kind == "timeout"
