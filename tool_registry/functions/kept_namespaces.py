"""Namespaces that were kept on purpose: written down, so that a person finds them again."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

FILE = "kept_namespaces.json"


class Kept(TypedDict):
    """A namespace that was written down; `until` is when its lease ends, as a person reads it."""

    namespace: str
    until: str
    file: str


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=10,
    examples=({"namespace": "ephemeral-abc", "expires_at": 1_800_000_000},),
    exact=True,
)
def remember_namespace(
    namespace: str,
    expires_at: float,
    context: ToolContext,
    commit_sha: str = "",
    mr_id: int | None = None,
) -> Kept:
    """Writes a namespace that is kept into the state folder's kept_namespaces.json, and drops leases that ended.

    Args:
        namespace: The namespace.
        expires_at: When its lease ends, in seconds since the epoch.
        commit_sha: What is deployed in it.
        mr_id: The merge request it was kept for.

    Returns:
        namespace, until (local time), and file (where it was written down).
    """
    path = context.state / FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    entry = {"namespace": namespace, "expires_at": expires_at, "commit_sha": commit_sha, "mr_id": mr_id}
    with _alone(path):
        others = [one for one in _read(path) if one["namespace"] != namespace and one["expires_at"] > time.time()]
        _write(path, [*others, {**entry, "run": context.run_id}])
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at))
    return {"namespace": namespace, "until": until, "file": str(path)}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Runs that end at the same time write one after the other."""
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text())["namespaces"]
    except FileNotFoundError:
        return []
    return list(entries)


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_text(json.dumps({"namespaces": entries}, indent=2) + "\n")
    beside.replace(path)
