"""HTTP tools declared in YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.tool_registry.small_server import Asked, Told, small_server
from tool_registry import Effect, Tool, ToolContext, ToolError, ToolOutput, ToolRegistry
from tool_registry.sources.definition import tool_from
from tool_registry.sources.placeholders import DefinitionError

PLACE = "tools/probe.yaml"


def _tool(http: Mapping[str, Any], **rest: Any) -> Tool:
    properties = rest.pop("properties", {})
    required = rest.pop("required", list(properties))
    parameters = {"type": "object", "properties": properties, "required": required}
    return tool_from({"name": "probe", "parameters": parameters, "http": dict(http), **rest}, PLACE)


async def _call(tool: Tool, context: ToolContext, **arguments: Any) -> ToolOutput:
    async with ToolRegistry(tool) as registry:
        return await registry.call("probe", arguments, context)


async def _failure(tool: Tool, context: ToolContext, **arguments: Any) -> ToolError:
    with pytest.raises(ToolError) as caught:
        await _call(tool, context, **arguments)
    return caught.value


def _mirror(asked: Asked) -> Told:
    return Told(body=json.dumps({"path": asked.path, "body": asked.body.decode()}).encode())


async def test_request_is_filled_in() -> None:
    """Values arrive encoded in the path, the query, the headers and the JSON, which keeps their types."""
    secrets: list[Any] = []
    tool = _tool(
        {
            "method": "post",
            "url": "{settings.url}/api/{name}/x?v={name}",
            "query": {"n": "{n}", "gone": "{gone}", "tags": "{tags}"},
            "headers": {
                "Authorization": "Bearer {settings.token}",
                "X-Key": {"settings": "key"},
                "X-Gone": "{gone}",
                "X-N": "n={n}",
            },
            "json": {"n": "{n}", "text": "n is {n}", "gone": "{gone}", "null": None, "list": ["{tags}"]},
            "select": "body",
        },
        properties={"name": {"type": "string"}, "n": {"type": "integer"}, "gone": {}, "tags": {"type": "array"}},
        required=["name", "n", "tags"],
    )
    with small_server(_mirror) as server:
        settings = {"url": f"{server.url}/", "token": "t0ken", "key": "k3y-value"}
        context = ToolContext(timeout=10, settings=settings, secret=secrets.append)
        output = await _call(tool, context, name="a/b c?&", n=3, tags=["x", "y"])
    (asked,) = server.asked
    assert asked.path == "/api/a%2Fb%20c%3F%26/x?v=a%2Fb%20c%3F%26&n=3&tags=x&tags=y"
    assert (asked.headers["authorization"], asked.headers["x-key"], asked.headers["x-n"]) == (
        "Bearer t0ken",
        "k3y-value",
        "n=3",
    )
    assert "x-gone" not in asked.headers
    assert json.loads(output.value) == {"n": 3, "text": "n is 3", "null": None, "list": [["x", "y"]]}
    assert secrets == ["t0ken", "k3y-value"]


async def test_form_is_sent() -> None:
    """`form` sends a form, as token endpoints want it."""
    tool = _tool(
        {"method": "POST", "url": "{settings.url}", "form": {"grant_type": "password", "user": "{user}"}},
        properties={"user": {}},
    )
    with small_server(_mirror) as server:
        output = await _call(tool, ToolContext(timeout=10, settings={"url": server.url}), user="a&b")
    assert output.value["body"] == "grant_type=password&user=a%26b"


@pytest.mark.parametrize("value", ["", ".", ".."])
async def test_path_cannot_be_climbed(value: str) -> None:
    """A value that would change which resource is asked is refused before anything is sent."""
    tool = _tool({"url": "{settings.url}/api/{name}/x"}, properties={"name": {"type": "string"}})
    with small_server(_mirror) as server:
        failure = await _failure(tool, ToolContext(timeout=10, settings={"url": server.url}), name=value)
    assert (failure.kind, failure.sent, server.asked) == ("usage_error", False, [])


async def test_caller_may_give_the_address() -> None:
    """A parameter at the beginning of the URL is an address as it is."""
    tool = _tool({"url": "{base}/x/{id}", "select": "path"}, properties={"base": {}, "id": {}})
    with small_server(_mirror) as server:
        assert (await _call(tool, ToolContext(timeout=10), base=server.url, id=7)).value == "/x/7"


async def test_output_forms() -> None:
    """An answer is read as JSON, as text, or not at all."""
    with small_server(lambda _: Told(body=b"[1]\n")) as server:
        context = ToolContext(timeout=10, settings={"url": server.url})
        values = [
            (await _call(_tool({"url": "{settings.url}", "output": form}), context)).value
            for form in ("json", "text", "none")
        ]
    assert values == [[1], "[1]", None]


async def test_statuses_and_markers() -> None:
    """`ok`, `not_found` and `failed_when` say what an answer means."""
    tool = _tool(
        {
            "url": "{settings.url}/{path}",
            "ok": [200, 202],
            "not_found": [404],
            "failed_when": [{"json": {"ok": False}, "kind": "conflict"}, {"body": "^PANIC"}],
            "output": "text",
        },
        properties={"path": {}},
    )
    answers = {
        "/fine": Told(status=202, body=b"error 401"),
        "/gone": Told(status=404),
        "/no": Told(body=b'{"ok": false}'),
        "/panic": Told(body=b"PANIC"),
        "/created": Told(status=201),
    }
    with small_server(lambda asked: answers[asked.path]) as server:
        context = ToolContext(timeout=10, settings={"url": server.url})
        assert (await _call(tool, context, path="fine")).value == "error 401"
        assert (await _call(tool, context, path="gone")).found is False
        refused = await _failure(tool, context, path="no")
        assert (refused.kind, refused.http_status, refused.output) == ("conflict", 200, '{"ok": false}')
        assert (await _failure(tool, context, path="panic")).kind is None
        assert (await _failure(tool, context, path="created")).http_status == 201


async def test_missing_setting_is_named() -> None:
    """A setting that the domain lacks is a configuration error, and nothing is sent."""
    failure = await _failure(_tool({"url": "{settings.url}/x"}), ToolContext(timeout=10))
    assert (failure.kind, failure.sent) == ("configuration_error", False)
    assert "url" in failure.message


def test_effect_follows_the_method() -> None:
    """A GET is taken for a read, everything else for a write, unless the definition says."""
    assert _tool({"url": "http://x/"}).effect is Effect.READ
    assert _tool({"url": "http://x/", "method": "POST"}).effect is Effect.WRITE
    assert _tool({"url": "http://x/", "method": "POST"}, effect="read").effect is Effect.READ


@pytest.mark.parametrize(
    ("http", "rest", "says"),
    [
        ({}, {}, "needs a url"),
        ({"url": "http://x/{id}"}, {"properties": {"id": {}}, "required": []}, "may be left out"),
        ({"url": "http://x/{id}"}, {}, "is no parameter"),
        ({"url": "http://x/", "method": "BREW"}, {}, "method is one of"),
        ({"url": "http://x/", "ok": ["fine"]}, {}, "statuses are numbers"),
        ({"url": "{b}/", "headers": {"A": {"settings": "t"}}}, {"properties": {"b": {}}}, "chooses the address"),
        ({"url": "{b}/", "headers": {"A": "{settings.t}"}}, {"properties": {"b": {}}}, "chooses the address"),
        ({"url": "http://x/", "body": "x"}, {}, "is no key"),
    ],
)
def test_mistakes_are_found_when_defined(http: dict[str, Any], rest: dict[str, Any], says: str) -> None:
    """A definition that cannot work, or would give credentials away, is refused with its place."""
    with pytest.raises(DefinitionError, match=PLACE) as caught:
        _tool(http, **rest)
    assert says in caught.value.message
