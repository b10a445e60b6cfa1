"""`skill mcp serve` as its users start it: as the command of a client, or listening with a token."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import Any

from tests.e2e.mcp_clients.typescript import over_stdio
from tests.shell import SKILL, Shell

PATIENCE = 60.0
TOKEN = "a-token-of-the-tests"


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that listens, and what it wants to see."""

    url: str
    token: str
    process: subprocess.Popen[str]


def as_command(shell: Shell, *words: str) -> dict[str, Any]:
    """What a host's configuration says: the client starts the server itself."""
    return over_stdio([str(SKILL), "mcp", "serve", *words], folder=shell.folder, environment=shell.environment)


@contextmanager
def listening(shell: Shell, *words: str, token: str = TOKEN) -> Iterator[Listening]:
    """A server over HTTP on a free port; it is gone at the end in any case."""
    process = subprocess.Popen(
        [SKILL, "mcp", "serve", "--http", "--port", "0", *words],
        cwd=shell.folder,
        env={**shell.environment, "SKILL_MCP_TOKEN": token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told: Queue[str] = Queue()
    reader = threading.Thread(target=_hear, args=(process, told))
    reader.start()
    try:
        url = told.get(timeout=PATIENCE)
        assert url.startswith("http"), url
        yield Listening(url, token, process)
    finally:
        process.kill()
        reader.join()
        with process:
            pass


def _hear(process: subprocess.Popen[str], told: Queue[str]) -> None:
    """Passes on the first address a server tells, or all it said; reads on, so that it never waits for a reader."""
    said = ["the server ended before it listened:\n"]
    for line in process.stdout or ():
        said.append(line)
        if match := re.search(r"http://127\.0\.0\.1:\d+/mcp", line):
            told.put(match[0])
    told.put("".join(said))
