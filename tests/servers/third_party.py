"""MCP servers that others wrote: their commands over stdio, and some as processes that listen on the loopback.

Everything is installed when it is first asked for, once for this user (`tests/npm.py`, `tests/pypi.py`).
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import npm, pypi

PACKAGES = {
    "@modelcontextprotocol/sdk": "1.32.2",
    "@modelcontextprotocol/client": "2.4.0",
    "@modelcontextprotocol/server-everything": "2026.8.31",
    "@modelcontextprotocol/server-filesystem": "2026.8.31",
    "@modelcontextprotocol/server-system-monitor": "2.0.3",
}
"""One folder for the servers and both generations of the TypeScript SDK: `sdk` knows one era, `client` both."""
INSPECTOR = {"@modelcontextprotocol/inspector": "2.12.0"}
CONFORMANCE = {"@modelcontextprotocol/conformance": "0.1.16"}
PYTHON = ("mcp==2.3.0", "mcp-server-git==2026.10.19", "mcp-server-time==2026.10.19", "mcp-server-fetch==2026.10.24")
PATIENCE = 60.0
"""Seconds a server may take to listen on a machine that is busy with other things."""
LOOPBACK = Path(__file__).with_name("loopback.cjs")


def modules() -> Path:
    """The `node_modules` with the servers and the TypeScript SDKs."""
    return npm.installed(PACKAGES)


def everything() -> list[str]:
    """Server "everything" over stdio (legacy era): echo, sums, progress, structured results, resources, prompts."""
    return [npm.node(), str(_script("server-everything")), "stdio"]


def filesystem(*folders: Path) -> list[str]:
    """Server "filesystem" over stdio (legacy era): reads and writes below `folders`."""
    return [npm.node(), str(_script("server-filesystem")), *(str(folder) for folder in folders)]


def system_monitor() -> list[str]:
    """Server "system-monitor" over stdio, of the TypeScript SDK's second generation."""
    return [npm.node(), str(_script("server-system-monitor")), "--stdio"]


def git(repository: Path) -> list[str]:
    """`mcp-server-git` over stdio for one repository."""
    return [str(pypi.installed(*PYTHON) / "mcp-server-git"), "--repository", str(repository)]


def time() -> list[str]:
    """`mcp-server-time` over stdio; its local time zone is UTC."""
    return [str(pypi.installed(*PYTHON) / "mcp-server-time"), "--local-timezone", "UTC"]


def fetch() -> list[str]:
    """`mcp-server-fetch` over stdio, allowed to fetch from this machine whatever a robots.txt says."""
    program = pypi.installed(*PYTHON) / "mcp-server-fetch"
    return [str(program), "--ignore-robots-txt", "--allow-private-ips"]


def inspector() -> list[str]:
    """The MCP Inspector's command line; what follows are its options."""
    package = npm.installed(INSPECTOR) / "@modelcontextprotocol" / "inspector"
    return [npm.node(), str(package / "clients" / "launcher" / "build" / "index.js"), "--cli"]


def conformance() -> list[str]:
    """The protocol's own conformance suite; what follows are its options."""
    package = npm.installed(CONFORMANCE) / "@modelcontextprotocol" / "conformance"
    return [npm.node(), str(package / "dist" / "index.js")]


@contextmanager
def everything_over_http() -> Iterator[str]:
    """The address of server "everything" over streamable HTTP (legacy era, with sessions)."""
    with listening(_script("server-everything"), "streamableHttp") as url:
        yield f"{url}/mcp"


@contextmanager
def system_monitor_over_http() -> Iterator[str]:
    """The address of server "system-monitor" over streamable HTTP, of the TypeScript SDK's second generation."""
    with listening(_script("server-system-monitor")) as url:
        yield f"{url}/mcp"


def _script(name: str) -> Path:
    return modules() / "@modelcontextprotocol" / name / "dist" / "index.js"


@contextmanager
def listening(script: Path, *words: str) -> Iterator[str]:
    """Runs a server of Node.js at a free port of the loopback interface; it ends with us in whatever way we end."""
    process = subprocess.Popen(
        [npm.node(), "--require", str(LOOPBACK), str(script), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    told: queue.Queue[int] = queue.Queue()
    reader = threading.Thread(target=_hear, args=(process, told))
    reader.start()
    try:
        port = told.get(timeout=PATIENCE)
        assert port, f"{script} ended before it listened"
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        reader.join()
        with process:
            pass


def _hear(process: subprocess.Popen[str], told: queue.Queue[int]) -> None:
    """Passes on the port a server tells; 0 when it ends without; reads on, so that it never waits for a reader."""
    for line in process.stderr or ():
        if match := re.search(r"listening at port (\d+)", line):
            told.put(int(match[1]))
    told.put(0)
