"""Files that somebody else names: where they are, and read so that nothing but a plain file is waited for."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path


def plain_text(path: Path, limit: int) -> str:
    """At most `limit` characters of a plain file, undecodable bytes replaced; links are followed.

    Raises OSError: it cannot be read, or is a pipe, a device or a folder. A pipe would keep its reader waiting until
    somebody writes to it, and with it everything else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read(limit)


def named_path(named: str, folder: Path, environment: Mapping[str, str] | None = None) -> Path:
    """The place that a text names, from `folder`; `~` is the home of who has that environment, else of this process.

    Never raises: what begins with the home of somebody unknown (`~nobody/x`) is a name like any other.
    """
    home = (environment or {}).get("HOME")
    if home and (named == "~" or named.startswith("~/")):
        return Path(home) / named[2:]
    return folder / os.path.expanduser(named)  # noqa: PTH111 - `Path` raises where it knows no such home
