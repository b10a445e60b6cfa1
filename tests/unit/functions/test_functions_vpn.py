"""Connecting a network: looked at first, run once, waited for, and never called connected when its probe is silent."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.vpn import vpn_connect
from tool_registry.tool import ToolError

OPENS = """
import os, pathlib, socket, sys, time
port, log, word = int(sys.argv[1]), pathlib.Path(sys.argv[2]), ""
if len(sys.argv) > 3:
    word = sys.stdin.readline()
with log.open("a") as file:
    file.write("connect" + (f" {len(word)}" if word else "") + "\\n")
if os.fork():
    os._exit(0)
os.closerange(0, 3)
time.sleep(0.1)
server = socket.create_server(("127.0.0.1", port))
server.settimeout(5)
try:
    while True:
        server.accept()[0].close()
except TimeoutError:
    pass
"""
"""Connects as a VPN client in the background does: it ends at once, the probe answers a little later, for a while."""


@contextmanager
def listening() -> Iterator[int]:
    """A port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free() -> int:
    """A port at which nobody listens."""
    with listening() as port:
        return port


def network(port: int, *command: str, **more: Any) -> dict[str, Any]:
    """The settings of a domain in a network whose probe is that port."""
    return {"network": {"name": "lab", "command": list(command), "probe": f"127.0.0.1:{port}", **more}}


async def test_a_network_whose_probe_answers_is_left_alone(contexts: Contexts) -> None:
    """Nothing is run, and it says so."""
    with listening() as port:
        done = await vpn_connect(contexts(settings=network(port, "/nonexistent/vpn")), network="lab")
    assert {**done, "seconds": 0} == {"network": "lab", "probe": f"127.0.0.1:{port}", "changed": False, "seconds": 0}


async def test_callers_at_once_connect_a_network_once(contexts: Contexts, tmp_path: Path) -> None:
    """Whoever comes first runs the command; the others wait for it and find the network connected."""
    port, log = free(), tmp_path / "log"
    settings = network(port, sys.executable, "-S", "-c", OPENS, str(port), str(log))
    changed = []

    async def call() -> None:
        changed.append((await vpn_connect(contexts(settings=settings)))["changed"])

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(call)
    assert sorted(changed) == [False, False, False, True]
    assert log.read_text() == "connect\n"


async def test_a_password_reaches_the_command_by_its_standard_input(
    contexts: Contexts, secrets: list[Any], tmp_path: Path
) -> None:
    """It stands on no command line, and is kept out of everything shown."""
    port, log = free(), tmp_path / "log"
    settings = network(port, sys.executable, "-S", "-c", OPENS, str(port), str(log), "-", password={"env": "LAB_WORD"})
    assert (await vpn_connect(contexts(settings=settings, LAB_WORD="hush-hush")))["changed"]
    assert log.read_text() == f"connect {len('hush-hush') + 1}\n"
    assert "hush-hush" in secrets


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        (["sh", "-c", "echo 'lab: wrong password' >&2; exit 3"], None, "lab was not connected: sh ended with exit"),
        (["/nonexistent/vpn"], "dependency_missing", "there is no program /nonexistent/vpn"),
        (["true"], "network_unreachable", "within 0.3 s its probe did not answer: 127.0.0.1"),
    ],
)
async def test_a_network_that_cannot_be_connected_says_why(
    contexts: Contexts, command: list[str], kind: str | None, said: str
) -> None:
    """The command's own ending, or the probe's."""
    settings = network(free(), *command, ready_within=0.3)
    with pytest.raises(ToolError, match=said) as caught:
        await vpn_connect(contexts(settings=settings))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("told", "called", "said"),
    [
        (None, "", r"describe it as \[networks.NAME\]"),
        ({"name": "lab", "command": ["true"], "probe": "127.0.0.1"}, "", "must be host:port"),
        ({"name": "lab", "command": ["true"], "probe": "127.0.0.1:99999"}, "", "must be host:port"),
        ({"name": "lab", "command": "vpn up", "probe": "127.0.0.1:1"}, "", "list of words"),
        ({"name": "lab", "command": ["true"], "probe": "127.0.0.1:1"}, "office", "in the network lab, and not in off"),
    ],
)
async def test_a_network_that_is_not_described_is_a_mistake_of_the_configuration(
    contexts: Contexts, told: Any, called: str, said: str
) -> None:
    """What is missing, and how it is written; nothing is run."""
    with pytest.raises(ToolError, match=said) as caught:
        await vpn_connect(contexts(settings={"network": told}), network=called)
    assert (caught.value.kind, caught.value.sent) == ("configuration_error", False)
