"""The tools that look: real sockets that listen, refuse and keep silent, real programs, a real disk."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest

from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.checks import disk_space, network_reachable, program_version
from tool_registry.tool import ToolError

LOOK = """
import anyio, json
from tool_registry.functions.checks import network_reachable
from tool_registry.tool import ToolContext, ToolError

async def main():
    try:
        await network_reachable("192.0.2.1", 443, ToolContext())
    except ToolError as error:
        print(json.dumps([error.errno, error.sent]))

anyio.run(main)
"""


@contextmanager
def listening(*, backlog: int = 5) -> Iterator[int]:
    """The port of a socket that listens on the loopback interface."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(backlog)
        yield server.getsockname()[1]


async def test_who_takes_a_connection_is_reachable(contexts: Contexts) -> None:
    """By name and by address; nothing is sent."""
    with listening() as port:
        by_address = await network_reachable("127.0.0.1", port, contexts())
        by_name = await network_reachable("localhost", port, contexts())
    assert (by_address["host"], by_address["port"], by_address["address"]) == ("127.0.0.1", port, "127.0.0.1")
    assert by_name["address"] == "127.0.0.1"


async def test_a_port_where_nobody_listens_is_refused(contexts: Contexts) -> None:
    """The system's own word for it, and the request never left."""
    with listening() as port:
        pass
    with pytest.raises(ToolError, match=f"127.0.0.1:{port}: Connection refused") as caught:
        await network_reachable("127.0.0.1", port, contexts())
    assert (caught.value.errno, caught.value.sent) == ("ECONNREFUSED", False)


async def test_a_name_that_nobody_knows_is_told_as_one(contexts: Contexts) -> None:
    """`.invalid` is reserved to be unknown (RFC 2606)."""
    with pytest.raises(ToolError, match="its name is not known") as caught:
        await network_reachable("no-such-host.invalid", 443, contexts(timeout=30))
    assert (caught.value.errno, caught.value.sent) == ("ENOTFOUND", False)


async def test_who_says_nothing_is_given_up(contexts: Contexts) -> None:
    """A socket whose queue is full lets new connections wait without a word, as a firewall does."""
    with listening(backlog=0) as port, socket.socket() as first, socket.socket() as second:
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        with pytest.raises(ToolError) as caught:
            await network_reachable("127.0.0.1", port, contexts(timeout=0.4))
    assert (caught.value.errno, caught.value.sent) == ("ETIMEDOUT", False)


def test_where_no_way_leads_is_told_at_once() -> None:
    """In a network namespace of its own without a route: ENETUNREACH, not a time-out."""
    if which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        pytest.skip("this machine makes no network namespaces")
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", LOOK],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert json.loads(done.stdout) == ["ENETUNREACH", False]


def program(folder: Path, name: str, script: str) -> str:
    """A small program; gives the PATH it is on."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("says", "minimum", "ok"),
    [
        ("paint version 1.10.2", "1.9", True),
        ("paint version 1.10.2", "1.10.2", True),
        ("paint version 1.10.2", "1.11", False),
        ("v2.0", "", True),
        ("paint 1.10 (build 99.1)", "1.10", True),
    ],
)
async def test_versions_are_compared_by_their_numbers(
    contexts: Contexts, tmp_path: Path, says: str, minimum: str, ok: bool
) -> None:
    """1.10 is newer than 1.9; the first number with a dot that a program tells is its version."""
    path = program(tmp_path, "paint", f"echo '{says}' >&2")
    found = await program_version("paint", contexts(PATH=path), minimum=minimum)
    assert found["ok"] is ok
    assert found["path"] == str(tmp_path / "paint")
    assert found["message"] == ("" if ok else "paint is 1.10.2, and at least 1.11 is needed")


async def test_a_program_that_is_not_there_is_not_good(contexts: Contexts, tmp_path: Path) -> None:
    """And one that tells no version cannot be judged."""
    found = await program_version("no-such-program", contexts(PATH=str(tmp_path)))
    assert (found["ok"], found["path"], found["kind"]) == (False, None, "dependency_missing")
    path = program(tmp_path, "mute", "true")
    with pytest.raises(ToolError, match="tells no version"):
        await program_version("mute", contexts(PATH=path), minimum="1.0")


def test_room_on_a_disk_is_counted(contexts: Contexts, tmp_path: Path) -> None:
    """In the workspace, and where a folder is yet to be made."""
    assert disk_space(0, contexts())["ok"] is True
    scarce = disk_space(10**9, contexts(), path="not/yet/there")
    assert (scarce["ok"], scarce["path"], scarce["kind"]) == (False, str(tmp_path), "resource_exhausted")
    assert "1000000000 MB are needed" in scarce["message"]
