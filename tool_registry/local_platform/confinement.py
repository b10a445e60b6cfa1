"""What the first process of a namespace does to its own surroundings, by system calls (Linux only).

It runs as root of a fresh user namespace, which is nobody outside it. Sources: mount(2), mount_setattr(2), prctl(2),
capabilities(7), netdevice(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

MS_NOSUID, MS_NODEV, MS_BIND, MS_REC = 2, 4, 4096, 16384
SYS_MOUNT_SETATTR = 442
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
MOUNT_ATTR_RDONLY = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 24, 38
LAST_CAPABILITY = 63
SCRATCH_SIZE = "size=64m,mode=0755"


def raise_loopback() -> None:
    """Bring `lo` up; a fresh network namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(asked, SIOCGIFFLAGS, request))
        fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def narrow_files(own: Path, hidden: Sequence[Path], needed: Sequence[Path]) -> None:
    """Make everything read-only except `own`; put empty scratch folders over `hidden`, with `needed` still in sight.

    Services can thus not read what the person's home holds, nor write anywhere but their own folder and scratch space.
    """
    shown = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in (own, *needed) if path.is_dir()}
    covers = [path for path in hidden if path.is_dir() and path != Path("/") and not _below_another(path, hidden)]
    for cover in covers:
        _mount("tmpfs", cover, "tmpfs", MS_NOSUID | MS_NODEV, SCRATCH_SIZE)
    for path, descriptor in shown.items():
        if path == own or any(path.is_relative_to(cover) for cover in covers):
            path.mkdir(parents=True, exist_ok=True)
            _mount(f"/proc/self/fd/{descriptor}", path, None, MS_BIND | MS_REC, None)
        os.close(descriptor)
    _set_attributes(Path("/"), AT_RECURSIVE, set_=MOUNT_ATTR_RDONLY)
    for path in (own, *covers):
        _set_attributes(path, 0, clear=MOUNT_ATTR_RDONLY)


def give_up_privileges() -> None:
    """Leave no capability to any program started from here, and let none of them read this process."""
    libc = _libc()
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for the numbers this kernel does not have
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _check(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")


def _below_another(path: Path, others: Sequence[Path]) -> bool:
    return any(path != other and path.is_relative_to(other) and other != Path("/") for other in others)


def _mount(source: str, target: Path, kind: str | None, flags: int, options: str | None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, str(target), kind, options)]
    result = _libc().mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _check(result, f"mount on {target}")


def _set_attributes(path: Path, flags: int, *, set_: int = 0, clear: int = 0) -> None:
    attributes = struct.pack("=QQQQ", set_, clear, 0, 0)
    result = _libc().syscall(SYS_MOUNT_SETATTR, AT_FDCWD, str(path).encode(), flags, attributes, len(attributes))
    _check(result, f"mount attributes of {path}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
