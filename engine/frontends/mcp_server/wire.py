"""Standard input and output for nothing but the protocol; claimed before anything that might print is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD_CLOEXEC, fcntl

from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The file descriptors of the protocol, which nobody else has: not a `print`, not a program that is started."""

    incoming: int
    outgoing: int


@contextmanager
def claimed() -> Iterator[Wire]:
    """Takes standard input and output away from everything else in this process and its children.

    Meanwhile descriptor 0 reads nothing, and 1 and `sys.stdout` are standard error.
    """
    _with_standard_error()
    sys.stdout.flush()
    wire = Wire(incoming=fcntl(0, F_DUPFD_CLOEXEC, 3), outgoing=fcntl(1, F_DUPFD_CLOEXEC, 3))
    nothing, printed = os.open(os.devnull, os.O_RDONLY), sys.stdout
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield wire
    finally:
        sys.stdout = printed
        os.dup2(wire.incoming, 0)
        os.dup2(wire.outgoing, 1)
        os.close(wire.incoming)
        os.close(wire.outgoing)


def _with_standard_error() -> None:
    """A host may have closed it: what would go there goes nowhere, and to no file that is opened in its place."""
    if sys.stderr is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != 2:  # noqa: PLR2004 - its descriptor
            os.dup2(nowhere, 2)
            os.close(nowhere)
        sys.stderr = os.fdopen(2, "w", closefd=False)
