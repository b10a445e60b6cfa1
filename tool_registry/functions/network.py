"""The way to a host, as this machine's routing table has it; nothing is sent to the host."""

from __future__ import annotations

import errno
import json
import os
import socket
from typing import Annotated, Any, TypedDict

import anyio

from tool_registry.sources.process import run_program
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError


class Route(TypedDict):
    """How packets to a host leave this machine; what is not known is empty. `reason` is an errno's or EAI's name."""

    host: str
    address: str
    found: bool
    source: str
    device: str
    gateway: str
    reason: str
    message: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=5,
    examples=({"host": "192.0.2.1"}, {"host": "localhost", "port": 8080}),
    exact=True,
)
async def network_route(
    host: Annotated[str, {"minLength": 1, "maxLength": 253}],
    context: ToolContext,
    port: Annotated[int, {"minimum": 1, "maximum": 65535}] = 443,
) -> Route:
    """Says by which device, gateway and source address packets to a host would leave, or why there is no way.

    That there is a route does not say that the host answers.

    Args:
        host: Its name or address.
        port: The port that is meant.

    Returns:
        host, address, found, source, device and gateway (both empty where the program `ip` is missing), reason
        (`ENETUNREACH`, `EAI_NONAME`, ...) and message (the system's words for it).
    """
    none = _route(host)
    try:
        family, kind, protocol, _, address = (await anyio.getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0]
    except (socket.gaierror, UnicodeError) as error:
        return {**none, "reason": _resolver_symbol(error), "message": str(getattr(error, "strerror", None) or error)}
    known: Route = {**none, "address": str(address[0])}
    with socket.socket(family, kind, protocol) as probe:
        try:
            probe.connect(address)  # of a datagram socket: the kernel looks up the route, and nothing leaves
        except OSError as error:
            symbol = errno.errorcode.get(error.errno or 0, "")
            return {**known, "reason": symbol, "message": os.strerror(error.errno or 0)}
        known = {**known, "found": True, "source": str(probe.getsockname()[0])}
    return {**known, **await _told_by_ip(str(address[0]), context)}  # type: ignore[typeddict-item]  # its own two keys


def _route(host: str) -> Route:
    return {
        "host": host,
        "address": "",
        "found": False,
        "source": "",
        "device": "",
        "gateway": "",
        "reason": "",
        "message": "",
    }


async def _told_by_ip(address: str, context: ToolContext) -> dict[str, str]:
    """Device and gateway by `ip route get`; nothing where that program is missing or says something else."""
    argv = ["ip", "-json", "route", "get", address]
    try:
        done = await run_program(
            argv, environment=context.environment, timeout=context.timeout, shared=context.connections
        )
        told: dict[str, Any] = json.loads(done.stdout)[0]
        return {"device": str(told.get("dev", "")), "gateway": str(told.get("gateway", ""))}
    except (ToolError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _resolver_symbol(error: Exception) -> str:
    number = getattr(error, "errno", None)
    names = (name for name in vars(socket) if name.startswith("EAI_"))
    return next((name for name in names if getattr(socket, name) == number), "EAI_NONAME")
