"""Files that somebody else names: read so that nothing but a plain file is waited for."""

from __future__ import annotations

import errno
import os
import stat
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
