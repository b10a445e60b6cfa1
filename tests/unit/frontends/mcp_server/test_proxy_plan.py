"""What a proxied server is called, and what history keeps of what passes."""

from __future__ import annotations

import json

import pytest

from engine.frontends.mcp_server.proxy_kept import kept
from engine.frontends.mcp_server.proxy_plan import named_after, named_at


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["uvx", "mcp-server-git"], "mcp-server-git"),
        (["npx", "-y", "@modelcontextprotocol/server-everything", "stdio"], "server-everything"),
        (["npx", "-y", "some-server@1.2.3"], "some-server"),
        (["/usr/bin/python3.11", "-m", "mcp_server_time", "--local-timezone", "UTC"], "mcp_server_time"),
        (["python", "/opt/shelf.py"], "shelf"),
        (["node", "/opt/shelf/dist/index.js"], "shelf"),
        (["/opt/bin/my server"], "my-server"),
        (["docker", "run", "-i", "--rm", "ghcr.io/github/github-mcp-server"], "github-mcp-server"),
        (["uvx"], "uvx"),
    ],
)
def test_a_server_is_called_after_what_is_started(command: list[str], name: str) -> None:
    """After the program, or what a runner is to start."""
    assert named_after(command) == name


def test_a_server_behind_an_address_is_called_after_its_host() -> None:
    """Without port, path and secrets."""
    assert named_at("https://user:secret@tools.example.com:8443/mcp?key=x") == "tools-example-com"


def test_what_is_small_is_kept_as_it_is() -> None:
    """The same value, whatever is in it."""
    value = {"content": [{"type": "text", "text": "a"}], "n": [None, True, 1.5]}
    assert kept(value) == value


def test_what_is_large_is_cut_and_says_so() -> None:
    """Texts, lists, mappings, depth and pictures: what is kept has room in one event of a journal."""
    deep: object = "deep"
    for _ in range(100):
        deep = [deep]
    value = {
        "content": [
            {"type": "image", "mimeType": "image/png", "data": "A" * 1_000_000},
            {"type": "text", "text": "b" * 1_000_000},
        ],
        "list": list(range(1_000)),
        "names": {f"n{number}": number for number in range(1_000)},
        "deep": deep,
    }
    text = json.dumps(kept(value))
    assert len(text) < 16_000
    assert "(1,000,000 characters of base64)" in text
    assert "(998,000 characters more)" in text
    assert "(950 more)" in text
