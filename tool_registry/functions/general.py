"""What any skill may want: a value back, a pause, a page, a file of the workspace, JSON read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypedDict

import anyio

from tool_registry.sources.http import request
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError, ToolOutput

FILE_LIMIT = 1_000_000
"""Bytes a file may have to be read or written by a skill."""


class Page(TypedDict):
    """A server's answer."""

    status: int
    headers: dict[str, str]
    text: str


class Written(TypedDict):
    """A file that was written."""

    path: str
    size: int


@tool(effect=Effect.READ, idempotent=True, examples=[{"value": "hello"}])
async def echo(value: Any) -> Any:
    """Gives back the value it is called with.

    Args:
        value: anything
    """
    return value


@tool(effect=Effect.READ, idempotent=True, timeout=3600, examples=[{"seconds": 2}])
async def wait(seconds: float) -> float:
    """Waits, and gives back how long.

    Args:
        seconds: how long to wait
    """
    await anyio.sleep(seconds)
    return seconds


@tool(effect=Effect.READ, idempotent=True, timeout=30, examples=[{"url": "https://example.org/health"}])
async def http_get(url: str, context: ToolContext, headers: dict[str, str] | None = None) -> Page:
    """Asks a web server for a page, and follows redirects; any status but a good one is a failure.

    Args:
        url: where, beginning with http:// or https://
        headers: headers to send; they do not follow a redirect to another server
        context: handed in by the registry
    """
    reply = await request("GET", url, context=context, headers=headers, follow_redirects=True)
    return Page(status=reply.status, headers=dict(reply.headers), text=reply.text)


@tool(effect=Effect.READ, idempotent=True, examples=[{"path": "config/app.json"}])
def file_read(path: str, context: ToolContext) -> ToolOutput:
    """Reads a text file of the workspace; null, and not a failure, when there is none.

    Args:
        path: relative to the workspace
        context: handed in by the registry
    """
    place = _inside(path, context.folder)
    try:
        if place.stat().st_size > FILE_LIMIT:
            raise ToolError(f"{path} has more than {FILE_LIMIT:,} bytes", kind="resource_exhausted", sent=False)
        return ToolOutput(value=place.read_bytes().decode("utf-8", "replace"))
    except FileNotFoundError:
        return ToolOutput(found=False)


@tool(effect=Effect.WRITE, idempotent=True, examples=[{"path": "out/report.txt", "text": "done\n"}])
def file_write(path: str, text: str, context: ToolContext) -> Written:
    """Writes a text file of the workspace, whole or not at all; missing folders are made.

    Args:
        path: relative to the workspace
        text: what the file holds afterwards
        context: handed in by the registry
    """
    place, content = _inside(path, context.folder), text.encode()
    if len(content) > FILE_LIMIT:
        raise ToolError(f"{path} would have more than {FILE_LIMIT:,} bytes", kind="usage_error", sent=False)
    if ".git" in place.parts:
        raise ToolError(f"{path} belongs to git", kind="usage_error", sent=False)
    place.parent.mkdir(parents=True, exist_ok=True)
    _replace(place, content)
    return Written(path=path, size=len(content))


@tool(effect=Effect.READ, idempotent=True, examples=[{"text": '{"a": 1}'}])
async def json_parse(text: str) -> Any:
    """Reads JSON text into a value.

    Args:
        text: the JSON text
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"the text is not JSON: {error}", kind="syntax_error", output=text[:8_000]) from error


def _inside(path: str, folder: Path) -> Path:
    """The file a path means; ToolError (`usage_error`) when it leads out of the workspace, links followed."""
    root = folder.resolve()
    try:
        place = (root / path).resolve()
    except (ValueError, RuntimeError, OSError) as error:
        raise ToolError(f"{path!r} is no path: {error}", kind="usage_error", sent=False) from error
    if not place.is_relative_to(root) or place == root:
        raise ToolError(f"{path} is not a file inside the workspace", kind="usage_error", sent=False)
    return place


def _replace(place: Path, content: bytes) -> None:
    import tempfile  # noqa: PLC0415 - late: costs 2 ms, and only writing needs it

    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            if place.exists():
                os.fchmod(stream.fileno(), place.stat().st_mode & 0o7777)
            else:
                os.fchmod(stream.fileno(), 0o644)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
