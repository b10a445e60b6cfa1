"""What any skill may want: a value back, a pause, a page, a file of the workspace, JSON read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, TypedDict

import anyio

from tool_registry.sources.http import request
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError, ToolOutput

FILE_LIMIT = 1_000_000
"""Bytes a file may have to be read or written by a skill."""

LIVE = ("state", "memory", "cache", "history.db", "history.db-wal", "history.db-shm")
"""What the engine keeps in its home (docs/history.md), which may lie inside the workspace."""

SETTINGS = ("tools", "config")
"""Folders of a workspace that say which programs and fixes there are."""
SETTINGS_FILES = ("skill.toml", ".mcp.json")
"""Files of a workspace that say so."""


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


@tool(effect=Effect.READ, idempotent=True, timeout=30, examples=[{"url": "https://example.org/health"}], exact=True)
async def http_get(url: str, context: ToolContext, headers: dict[str, str] | None = None) -> Page:
    """Asks a web server for a page, and follows redirects; any status but a good one is a failure.

    Args:
        url: where, beginning with http:// or https://
        headers: headers to send; they do not follow a redirect to another server
        context: handed in by the registry
    """
    reply = await request("GET", url, context=context, headers=headers, follow_redirects=True)
    return Page(status=reply.status, headers=dict(reply.headers), text=reply.text)


@tool(effect=Effect.READ, idempotent=True, result={"type": ["string", "null"]}, examples=[{"path": "config/app.json"}])
def file_read(path: str, context: ToolContext) -> ToolOutput:
    """Reads a text file of the workspace; null, and not a failure, when there is none.

    Args:
        path: relative to the workspace
        context: handed in by the registry
    """
    place = _inside(path, context.folder)
    if _kept_apart(context) and place.is_relative_to(context.state.resolve()):
        raise ToolError(f"{path} belongs to the engine; tokens are kept there", kind="usage_error", sent=False)
    try:
        content = _content(place, path)
    except FileNotFoundError:
        return ToolOutput(found=False)
    if len(content) > FILE_LIMIT:
        raise ToolError(f"{path} has more than {FILE_LIMIT:,} bytes", kind="resource_exhausted", sent=False)
    return ToolOutput(value=content.decode("utf-8", "replace"))


@tool(effect=Effect.WRITE, idempotent=True, examples=[{"path": "out/report.txt", "text": "done\n"}], exact=True)
def file_write(path: str, text: str, context: ToolContext) -> Written:
    """Writes a text file of the workspace, whole or not at all; missing folders are made.

    Args:
        path: relative to the workspace
        text: what the file holds afterwards
        context: handed in by the registry
    """
    place, content = _inside(path, context.folder), _encoded(text)
    if len(content) > FILE_LIMIT:
        raise ToolError(f"{path} would have more than {FILE_LIMIT:,} bytes", kind="usage_error", sent=False)
    if owner := _owner(place, context):
        raise ToolError(f"{path} belongs to {owner}", kind="usage_error", sent=False)
    if place.exists() and not place.is_file():
        raise ToolError(f"{path} is there, and is not a file", kind="usage_error", sent=False)
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


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolError(f"the text cannot be written: {error}", kind="usage_error", sent=False) from error


def _kept_apart(context: ToolContext) -> bool:
    """Whether the engine's own files lie in a folder of their own inside the workspace."""
    root, state = context.folder.resolve(), context.state.resolve()
    return state != root and state.is_relative_to(root)


def _content(place: Path, path: str) -> bytes:
    """What a regular file holds, up to a byte more than it may; nothing else is opened for longer than a look at it.

    A pipe would block until somebody writes to it, and a thread that blocks cannot be ended.
    """
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ToolError(f"{path} is not a file that holds text", kind="usage_error", sent=False)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(FILE_LIMIT + 1)


def _owner(place: Path, context: ToolContext) -> str:
    """Whose a file is that no skill may write; empty for all others.

    What tools there are, what repairs them and what is remembered is for a person to say: a skill that could write it
    would give itself what it was not given.
    """
    root, home = context.folder.resolve(), context.state.resolve().parent
    first, *rest = place.relative_to(root).parts
    if ".git" in (part.lower() for part in place.parts):
        return "git"
    if _kept_apart(context) and any(place.is_relative_to(home / name) for name in LIVE):
        return "the engine"
    return "the workspace's settings" if (first in SETTINGS and rest) or (first in SETTINGS_FILES and not rest) else ""


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
