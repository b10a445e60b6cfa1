"""What every test needs: a process that can be interrupted."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Hears signals that whoever started the tests ignores.

    A job in the background ignores SIGINT, one under nohup SIGHUP, and so would every program it starts: the tests that
    press Ctrl-C or close a terminal would then wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
