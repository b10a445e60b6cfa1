"""Looking before a call: can a host be reached, is a program new enough, is there room, is somebody logged in.

All of them only read. What they find goes into a domain's `checks` (docs/preflight.md): a failure, or `ok: false`, says
that what was looked at is not good.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import time
from typing import Annotated, TypedDict

import anyio

from tool_registry.sources.plain_file import named_path
from tool_registry.sources.process import run_program
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

CONNECT_WITHIN = 2.0
"""Seconds after which a host that says nothing counts as not reachable (issue 4: route and TCP within 2 s)."""

VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
MEGABYTE = 1_000_000


class Reached(TypedDict):
    """A host that took a connection, under which address, and after how many seconds."""

    host: str
    port: int
    address: str
    seconds: float


class Version(TypedDict):
    """A program and its version (null where it does not tell); `ok` says whether it is there and new enough."""

    program: str
    path: str | None
    version: str | None
    ok: bool
    message: str
    kind: str


class Room(TypedDict):
    """How much room a folder's disk has, in megabytes (10^6 bytes); `ok` says whether that is enough."""

    path: str
    free_mb: int
    ok: bool
    message: str
    kind: str


@tool(effect=Effect.READ, idempotent=True, timeout=10, examples=({"host": "127.0.0.1", "port": 443},), exact=True)
async def network_reachable(
    host: str, port: Annotated[int, {"minimum": 1, "maximum": 65535}], context: ToolContext
) -> Reached:
    """Says whether a host can be reached: its name, the route to it, and a TCP connection, within two seconds.

    Nothing is sent. A failure says by its errno what is missing: ENOTFOUND the name, EHOSTUNREACH or ENETUNREACH the
    route, ECONNREFUSED whoever should listen, ETIMEDOUT any answer at all.

    Args:
        host: Its name or address.
        port: The TCP port.
    """
    began = time.monotonic()
    last: OSError | None = None
    # Shorter than the call itself may take, or it would be ended before it can say what was missing.
    with anyio.move_on_after(min(CONNECT_WITHIN, 0.9 * context.timeout)):
        for address in await _addresses(host, port):
            try:
                await (await anyio.connect_tcp(address, port)).aclose()
            except OSError as error:
                last = _first_cause(error)
            else:
                return {"host": host, "port": port, "address": address, "seconds": round(time.monotonic() - began, 4)}
    raise _unreachable(host, port, last)


@tool(effect=Effect.READ, idempotent=True, timeout=10, examples=({"program": "git", "minimum": "2.30"},), exact=True)
async def program_version(
    program: Annotated[str, {"pattern": r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$"}],
    context: ToolContext,
    minimum: Annotated[str, {"pattern": r"^([0-9]+(\.[0-9]+){0,3})?$"}] = "",
    argument: Annotated[str, {"pattern": "^-{0,2}[a-z][a-z-]{0,20}$"}] = "--version",
) -> Version:
    """Says which version of a program is on the PATH, and whether it is at least `minimum`.

    Args:
        program: Its name.
        minimum: The oldest version that will do, as in 2.30; left out, any will.
        argument: What makes it tell its version.
    """
    path = shutil.which(program, path=context.environment.get("PATH"))
    if path is None:
        return _version(program, None, None, f"the program {program} is not on the PATH")
    done = await run_program(
        [path, argument], environment=context.environment, timeout=context.timeout, shared=context.connections
    )
    told = VERSION.search(f"{done.stdout}\n{done.stderr}")
    if told is None:
        raise ToolError(f"{program} {argument} tells no version", kind="api_contract_mismatch", output=done.stdout)
    if minimum and _parts(told[0]) < _parts(minimum):
        return _version(program, path, told[0], f"{program} is {told[0]}, and at least {minimum} is needed")
    return _version(program, path, told[0], "")


@tool(effect=Effect.READ, idempotent=True, timeout=5, examples=({"path": ".", "needed_mb": 500},), exact=True)
def disk_space(needed_mb: Annotated[int, {"minimum": 0}], context: ToolContext, path: str = ".") -> Room:
    """Says whether the disk that a folder is on has as much room as is needed.

    Args:
        needed_mb: Megabytes (10^6 bytes).
        path: The folder, or where it will be; relative ones are inside the workspace.
    """
    place = named_path(path, context.folder, context.environment)
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free // MEGABYTE
    message = "" if free >= needed_mb else f"{place} has {free} MB free, and {needed_mb} MB are needed"
    return {"path": str(place), "free_mb": free, "ok": not message, "message": message, "kind": "resource_exhausted"}


async def _addresses(host: str, port: int) -> list[str]:
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ToolError(f"{host}: its name is not known ({error})", errno="ENOTFOUND", sent=False) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _first_cause(error: OSError) -> OSError:
    """The error of the system call; anyio tells it as the cause of its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return cause
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause.__cause__
    return error


def _unreachable(host: str, port: int, error: OSError | None) -> ToolError:
    number = error.errno if error is not None else None
    said = os.strerror(number) if number else f"no answer within {CONNECT_WITHIN:g} s"
    name = errno.errorcode.get(number, "") if number else "ETIMEDOUT"
    return ToolError(f"{host}:{port}: {said}", errno=name, sent=False, output=said)


def _version(program: str, path: str | None, version: str | None, message: str) -> Version:
    return {
        "program": program,
        "path": path,
        "version": version,
        "ok": not message,
        "message": message,
        "kind": "dependency_missing",
    }


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
