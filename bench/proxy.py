"""What the healing proxy adds to a call: latency direct and through `skill mcp proxy`, over pipes and HTTP.

    python bench/proxy.py    prints the section that `make bench` writes

One client, one call after the other, the same server behind; the client's own time is in all of the figures.
"""

from __future__ import annotations

import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio

SERVER = Path(__file__).with_name("scripts") / "echoing.py"
SKILL = Path(sys.executable).with_name("skill")
CALLS = 300
WARM = 20
PATIENCE = 30.0
TEXT = "x" * 200
ROWS = ("pipes, direct", "pipes, through the proxy", "HTTP, direct", "HTTP, through the proxy")


def latencies(calls: int = CALLS) -> dict[str, list[float]]:
    """Seconds of each call, by the way it went."""
    with tempfile.TemporaryDirectory() as folder, over_http() as url:
        commands = (
            [sys.executable, str(SERVER)],
            [str(SKILL), "mcp", "proxy", "--", sys.executable, str(SERVER)],
            url,
            [str(SKILL), "mcp", "proxy", url],
        )
        return anyio.run(interleaved, dict(zip(ROWS, commands, strict=True)), Path(folder), calls)


async def interleaved(commands: Mapping[str, Sequence[str] | str], folder: Path, calls: int) -> dict[str, list[float]]:
    """Seconds that each of the calls took; one of each way in turn, so that a busy machine slows all of them."""
    taken: dict[str, list[float]] = {way: [] for way in commands}
    async with AsyncExitStack() as open_ones:
        clients = {way: await open_ones.enter_async_context(client(each, folder)) for way, each in commands.items()}
        for number in range(WARM + calls):
            for way, asked in clients.items():
                begun = time.perf_counter()
                await asked.call_tool("echo", {"text": f"{number} {TEXT}"})
                taken[way].append(time.perf_counter() - begun)
    return {way: seconds[WARM:] for way, seconds in taken.items()}


def processor(calls: int = CALLS) -> float:
    """Seconds of processor that the proxy itself takes for a call over pipes, whatever else the machine does."""
    with tempfile.TemporaryDirectory() as folder:
        direct = [sys.executable, str(SERVER)]
        ways = ([str(SKILL), "mcp", "proxy", "--", *direct], direct)
        through, without = (spent(way, Path(folder), calls) - spent(way, Path(folder), 0) for way in ways)
    return (through - without) / calls


def spent(command: Sequence[str], folder: Path, calls: int) -> float:
    """Seconds of processor that a program took from its start to its end, with so many calls and those to warm up."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    anyio.run(interleaved, {"": command}, folder, calls)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@asynccontextmanager
async def client(command: Sequence[str] | str, folder: Path) -> AsyncIterator[Any]:
    """A client of that program or address."""
    from mcp import Client  # noqa: PLC0415 - late: the report is made without it, where it is not installed
    from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: PLC0415 - late, as above

    if isinstance(command, str):
        async with Client(command) as asked:
            yield asked
        return
    environment = {**os.environ, "SKILL_HOME": str(folder / "home")}
    program = StdioServerParameters(command=command[0], args=list(command[1:]), env=environment, cwd=folder)
    async with Client(stdio_client(program)) as asked:
        yield asked


@contextmanager
def over_http() -> Iterator[str]:
    """The address of the server, while it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, str(SERVER), str(port)]) as process:
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


def _wait(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def proxy_report(taken: Mapping[str, Sequence[float]], own: float) -> list[str]:
    """The section, as lines; `own` are the proxy's seconds of processor for a call."""
    head = f"| {len(taken[ROWS[0]])} calls of an MCP tool, ways in turn, milliseconds a call | p50 | p95 |"
    rows = [f"| {row} | {_at(taken[row], 50)} | {_at(taken[row], 95)} |" for row in ROWS]
    pipes, http = _added(taken, ROWS[1], ROWS[0]), _added(taken, ROWS[3], ROWS[2])
    return [
        "",
        head,
        "|---|---|---|",
        *rows,
        "",
        f"The healing proxy adds {pipes} over pipes and {http} over HTTP to a call that works, the run that history",
        f"keeps of it included; its own processor time is {own * 1e3:.1f} ms a call.",
    ]


def _added(taken: Mapping[str, Sequence[float]], through: str, direct: str) -> str:
    return f"{(statistics.median(taken[through]) - statistics.median(taken[direct])) * 1e3:.1f} ms"


def _at(taken: Sequence[float], percent: int) -> str:
    return f"{statistics.quantiles(taken, n=100)[percent - 1] * 1e3:.1f}"


if __name__ == "__main__":
    print("\n".join(proxy_report(latencies(), processor())))
