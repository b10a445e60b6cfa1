"""The pages about tools: every example on them works as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.documents import findings, parse
from tests.unit.tool_registry.small_server import Asked, Told, small_server
from tool_registry import Effect, ToolContext, ToolError, ToolRegistry
from tool_registry.sources.python import tools_in

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "tools-authoring.md"


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def _definitions() -> Mapping[str, Any]:
    documents = [parse(text, "example.yaml") for text in _blocks(PAGE, "yaml")]
    return {document.value["name"]: document for document in documents}


@pytest.fixture
def registry() -> ToolRegistry:
    """Every tool on the page."""
    module = types.ModuleType("tools_authoring_page")
    (source,) = _blocks(PAGE, "python")
    sys.modules[module.__name__] = module
    exec(compile(source, str(PAGE), "exec"), vars(module))  # noqa: S102 - our own page, and to run it is the point
    found = ToolRegistry(*tools_in(module))
    for document in _definitions().values():
        found.define(document.value, str(PAGE))
    return found


def _world(tmp_path: Path, **settings: Any) -> ToolContext:
    return ToolContext(timeout=20, folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}, settings=settings)


def test_definitions_fit_the_schema() -> None:
    """What the page shows is what `schemas/tool.schema.json` accepts."""
    for document in _definitions().values():
        assert findings(document, "tool") == ()


def test_page_shows_these_tools(registry: ToolRegistry) -> None:
    """The page shows five definitions and two functions, and their effects are as it says."""
    effects = {name: tool.effect for name, tool in registry.items()}
    assert effects == {
        "image_labels": Effect.READ,
        "free_space": Effect.READ,
        "git_head": Effect.READ,
        "cache_get": Effect.READ,
        "silence_get": Effect.READ,
        "silence_create": Effect.WRITE,
        "namespace_owner": Effect.READ,
    }


async def test_functions_work(registry: ToolRegistry, tmp_path: Path) -> None:
    """The two Python tools do what they say."""
    answers = {"/labels/shop/v1?limit=10": Told(body=b'{"version": "1"}'), "/labels/shop/v2?limit=10": Told(status=404)}
    with small_server(lambda asked: answers[asked.path]) as server:
        context = _world(tmp_path, url=server.url)
        labels = await registry.call("image_labels", {"repository": "shop", "tag": "v1"}, context)
        missing = await registry.call("image_labels", {"repository": "shop", "tag": "v2"}, context)
        await registry.aclose()
    assert (labels.value, missing.found) == ({"version": "1"}, False)
    assert (await registry.call("free_space", {"path": "."}, _world(tmp_path))).value["free"] > 0
    with pytest.raises(ToolError) as caught:
        await registry.call("free_space", {"path": "gone"}, _world(tmp_path))
    assert caught.value.exit_status == 1


async def test_program_works(registry: ToolRegistry, tmp_path: Path) -> None:
    """The git example reads a real repository."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)  # noqa: ASYNC221 - set-up, and short
    whole = (await registry.call("git_head", {"repo": "."}, _world(tmp_path))).value
    short = (await registry.call("git_head", {"repo": ".", "short": True}, _world(tmp_path))).value
    assert re.fullmatch("[0-9a-f]{40}", whole)
    assert whole.startswith(short)
    assert len(short) < 40


async def test_program_that_fails_with_status_zero(registry: ToolRegistry, tmp_path: Path) -> None:
    """The cache example reads a good answer and knows a bad one, told by a stand-in for the client."""
    client = tmp_path / "redis-cli"
    client.write_text(
        '#!/bin/sh\n[ "$REDISCLI_AUTH" = pass-word ] && echo "\\"$5 of $2\\"" || echo "AUTH failed" >&2\n'
    )
    client.chmod(0o755)
    kept: list[Any] = []

    def world(password: str) -> ToolContext:
        settings = {"host": "here", "password": password}
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        return ToolContext(timeout=20, environment=environment, settings=settings, secret=kept.append)

    assert (await registry.call("cache_get", {"key": "k"}, world("pass-word"))).value == "k of here"
    assert kept == ["pass-word", "k of here"]
    with pytest.raises(ToolError) as caught:
        await registry.call("cache_get", {"key": "k"}, world("wrong"))
    assert caught.value.kind == "auth_expired"


async def test_requests_work(registry: ToolRegistry, tmp_path: Path) -> None:
    """The two HTTP examples speak with a server."""

    def answer(asked: Asked) -> Told:
        assert asked.headers["authorization"] == "Bearer t0ken"
        if asked.method == "POST":
            wanted = {"matchers": [{"name": "alertname", "value": "Down"}], "minutes": 60}
            assert json.loads(asked.body) == wanted
            return Told(status=201, body=b'{"silence": {"id": "s-1"}}')
        return Told(body=b'{"id": 1}') if asked.path == "/api/v2/silence/a%20b" else Told(status=404)

    with small_server(answer) as server:
        context = _world(tmp_path, url=server.url, token="t0ken")
        assert (await registry.call("silence_get", {"id": "a b"}, context)).value == {"id": 1}
        assert (await registry.call("silence_get", {"id": "c"}, context)).found is False
        assert (await registry.call("silence_create", {"alert": "Down"}, context)).value == "s-1"
        await registry.aclose()


async def test_canned_answers_work(registry: ToolRegistry, tmp_path: Path) -> None:
    """The rehearsal example fails once, and then answers by name."""
    with pytest.raises(ToolError) as caught:
        await registry.call("namespace_owner", {"name": "ns-1"}, _world(tmp_path))
    assert caught.value.http_status == 401
    assert (await registry.call("namespace_owner", {"name": "ns-2"}, _world(tmp_path))).found is False
    assert (await registry.call("namespace_owner", {"name": "ns-1"}, _world(tmp_path))).value == {"owner": "ada"}


def test_example_of_the_package_runs() -> None:
    """The program in the package's README prints what it should."""
    (program,) = _blocks(ROOT / "tool_registry" / "README.md", "python")
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[1, 2]\n"
