"""Files for this person alone that a server makes at its first start: a key, a token."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from engine.errors import WorkspaceError
from engine.workspace import make_private


def made_once(path: Path, content: bytes) -> None:
    """Makes the file unless it is there; linked into place whole, so that servers that start at once agree on one."""
    if path.exists():
        return
    make_private(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.close(descriptor)
        draft.unlink()


def opened_private(path: Path) -> BinaryIO:
    """The file, opened to be read, once nobody else can have read or written it.

    Raises WorkspaceError for one of somebody else's, one that others may use, and what is no file: a pipe would keep
    its reader waiting.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(descriptor)
    refused = ""
    if not stat.S_ISREG(found.st_mode):
        refused, hint = "is no plain file", "name another one"
    elif found.st_uid not in {os.geteuid(), 0}:
        refused, hint = "belongs to somebody else, who knows what is in it", "make one of your own"
    elif found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        refused, hint = "can be read by others than you", f"chmod 600 {path}"
    if refused:
        os.close(descriptor)
        raise WorkspaceError(f"{path} {refused}", hint=hint)
    return os.fdopen(descriptor, "rb")
