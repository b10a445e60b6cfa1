"""Connecting a network that a domain lies in: the fix for hosts that cannot be reached.

The domain's setting `network` says which one: its `name`, the `command` that connects it (a program and its arguments),
and the `probe`, a `host:port` that can be reached only when it is connected. What `password` refers to (a reference of
`tool_registry.functions.credential`) the command reads from its standard input. In skill.toml it is written once, as
`[networks.NAME]`, for all domains with `network = "NAME"`.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypedDict

import anyio

from tool_registry.functions.checks import network_reachable
from tool_registry.functions.credential import credential
from tool_registry.sources.process import run_program
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, FixScope, Needs, ToolContext, ToolError

NETWORK = Needs(settings=("network.command", "network.probe"))
READY_WITHIN = 15.0
"""Seconds in which the probe must answer once the command has ended; a network may say itself (`ready_within`)."""
POLL = 0.2
"""Seconds between two looks at the probe, and at the lock: a link that is up takes up to a second to carry packets."""
PROBE = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/\[\]]{1,253})):([1-9][0-9]{0,4})")


class Connected(TypedDict):
    """A network whose probe answers; `changed` False: it did already, and nothing was done."""

    network: str
    probe: str
    changed: bool
    seconds: float


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=180,
    fix=FixScope.CONNECTIVITY,
    examples=({}, {"network": "corporate"}),
    exact=True,
    needs=NETWORK,
)
async def vpn_connect(context: ToolContext, network: str = "") -> Connected:
    """Connects the network that the domain lies in, unless its probe answers already, and waits until it does.

    Several callers at once, of whatever domains and processes, connect it once: the others wait and find it connected.

    Args:
        network: Its name, where the call should say it; only the domain's own is connected.

    Returns:
        network, probe, changed (whether the command was run), and seconds until the probe answered.
    """
    began, settings = time.monotonic(), _settings(network, context)
    name, (host, port) = str(settings.get("name") or "network"), _probe(settings)
    done: Connected = {"network": name, "probe": str(settings["probe"]), "changed": False, "seconds": 0.0}
    if await _unreachable(host, port, context) is not None:
        async with _alone(name, context):
            if await _unreachable(host, port, context) is not None:
                await _connect(name, settings, context)
                await _answers(name, settings, context)
                done["changed"] = True
    return {**done, "seconds": round(time.monotonic() - began, 3)}


def _settings(wanted: str, context: ToolContext) -> Mapping[str, Any]:
    """What the domain says of its network; ToolError (`configuration_error`) where that is not enough to connect it."""
    told = context.settings.get("network")
    if not isinstance(told, Mapping):
        message = 'the domain lies in no network: describe it as [networks.NAME], and give the domain network = "NAME"'
        raise ToolError(message, kind="configuration_error", sent=False)
    name = str(told.get("name") or "")
    if wanted not in {"", name}:
        message = f"the domain lies in the network {name or 'without a name'}, and not in {wanted}"
        raise ToolError(message, kind="configuration_error", sent=False)
    return told


def _probe(settings: Mapping[str, Any]) -> tuple[str, int]:
    found = PROBE.fullmatch(str(settings.get("probe") or ""))
    if found is None or int(found[3]) > 65_535:  # noqa: PLR2004 - the largest port there is
        message = f"the network's probe is {settings.get('probe')!r}, and must be host:port, as in vpn.example:443"
        raise ToolError(message, kind="configuration_error", sent=False)
    return found[1] or found[2], int(found[3])


async def _unreachable(host: str, port: int, context: ToolContext) -> ToolError | None:
    """Why the probe cannot be reached; None when it can."""
    try:
        await network_reachable(host, port, context)
    except ToolError as error:
        return error
    return None


@asynccontextmanager
async def _alone(name: str, context: ToolContext) -> AsyncIterator[None]:
    """Meanwhile nobody else of this workspace connects that network; a process that dies lets go of it."""
    path = context.state / f"network--{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


async def _lock(descriptor: int) -> None:
    """Waits for the lock without blocking the event loop; a cancelled wait leaves nothing behind."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await anyio.sleep(POLL)
        else:
            return


async def _connect(name: str, settings: Mapping[str, Any], context: ToolContext) -> None:
    """Runs the network's command to its end; what it leaves running in the background is the connection."""
    command = settings.get("command")
    if not isinstance(command, list | tuple) or not command or not all(isinstance(word, str) for word in command):
        message = 'a network\'s command is a list of words, as in ["nmcli", "connection", "up", "corporate"]'
        raise ToolError(message, kind="configuration_error", sent=False)
    context.report(f"connecting {name}")
    password = await credential(context, usual="", setting="network.password")
    done = await run_program(
        list(command),
        stdin=f"{password}\n".encode() if password else None,
        cwd=context.folder,
        environment=context.environment,
        timeout=context.timeout,
        shared=context.connections,
    )
    if done.exit_status != 0:
        program = Path(command[0]).name
        raise done.failure(f"{name} was not connected: {program} ended with exit status {done.exit_status}")


async def _answers(name: str, settings: Mapping[str, Any], context: ToolContext) -> None:
    """Waits until the probe answers; ToolError with the last look's reason when it never does."""
    (host, port), within = _probe(settings), float(settings.get("ready_within") or READY_WITHIN)
    ends = time.monotonic() + within
    while (reason := await _unreachable(host, port, context)) is not None:
        if time.monotonic() >= ends:
            raise ToolError(
                f"{name} was connected, but within {within:g} s its probe did not answer: {reason.message}",
                kind="network_unreachable",
                errno=reason.errno,
                output=reason.output,
                details={"network": name, "probe": str(settings["probe"])},
            )
        await anyio.sleep(POLL)
