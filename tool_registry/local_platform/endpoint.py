"""The platform's place on disk: one folder, one server at a time, and where it answers."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tool_registry.local_platform.files import read_json, write_json

LOOKS, PAUSE = 10, 0.01


class OccupiedError(Exception):
    """Another platform holds the folder; `url` is where it answers, empty while it is still starting."""

    def __init__(self, folder: Path, url: str) -> None:
        where = f"and answers at {url}" if url else "and is just starting"
        super().__init__(f"a platform already runs on {folder} {where}")
        self.url = url


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder alone; the kernel lets go of it when the process ends in whatever way."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "platform.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor):
            known = read_json(folder / "endpoint.json")
            raise OccupiedError(folder, known.get("url", "") if isinstance(known, dict) else "")
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    """Take the lock; whoever only looks whether a platform runs has it for a moment, and is waited for."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False


def announce(folder: Path, port: int) -> str:
    """Write where this process answers, and give it."""
    url = f"http://127.0.0.1:{port}"
    write_json(folder / "endpoint.json", {"url": url, "pid": os.getpid(), "started_at": time.time()}, 0o644)
    return url


def withdraw(folder: Path) -> None:
    """Take the announcement back."""
    (folder / "endpoint.json").unlink(missing_ok=True)
