"""The proxy before a server behind an address, which can go away and come back without it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.flow.proxying import Peer, Place
from tests.flow.workshop import until
from tests.ways import ways

SERVER = Path(__file__).parents[2] / "bench" / "scripts" / "echoing.py"
ERAS = pytest.mark.parametrize("era", ways("legacy", "modern"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace nothing has happened in."""
    return Place.made(tmp_path)


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def server(port: int) -> Iterator[None]:
    """The server on that port; killed afterwards."""
    with subprocess.Popen([sys.executable, str(SERVER), str(port)]) as process:
        try:
            until(lambda: listens(port), within=30)
            yield
        finally:
            process.send_signal(signal.SIGKILL)


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def echo(peer: Peer, said: str) -> dict[str, Any]:
    """The whole answer to one call."""
    return peer.call("echo", {"text": said})


@ERAS
def test_a_server_behind_an_address_is_called_in_both_eras(place: Place, port: int, era: str) -> None:
    """The session of the one era, the headers of the other; and each call is a run."""
    with server(port), place.talking(f"http://127.0.0.1:{port}/mcp", era=era) as peer:
        assert "result" in peer.hello()
        assert [tool["name"] for tool in peer.request("tools/list")["result"]["tools"]] == ["echo"]
        numbers = [peer.begin("tools/call", {"name": "echo", "arguments": {"text": f"{n}"}}) for n in range(40)]
        assert [peer.end(n)["result"]["content"][0]["text"] for n in numbers] == [f"{n}" for n in range(40)]
    assert len(place.runs()) == 40


@ERAS
def test_a_server_that_came_back_is_greeted_again(place: Place, port: int, era: str) -> None:
    """Its sessions are gone with it; the next call and the next list work, and the client has done nothing."""
    with place.talking(f"http://127.0.0.1:{port}/mcp", era=era) as peer:
        with server(port):
            peer.hello()
            assert "result" in echo(peer, "before")
        with server(port):
            answer = echo(peer, "after")
            assert answer["result"]["content"][0]["text"] == "after"
            assert "result" in peer.request("tools/list")
        with server(port):
            assert "result" in peer.request("tools/list")


def test_an_address_nobody_is_at_is_told_and_the_proxy_lives(place: Place, port: int) -> None:
    """As often as it is asked; and once somebody is there, it works."""
    with place.talking(f"http://127.0.0.1:{port}/mcp") as peer:
        assert "cannot be reached" in json.dumps(peer.hello()["error"])
        assert peer.request("ping") == {"result": {}}
        with server(port):
            assert "result" in peer.hello()
            assert "result" in echo(peer, "there")
