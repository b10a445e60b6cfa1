"""What every test needs: a process that can be interrupted; and in which order the files of tests go."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    """Hears signals that whoever started the tests ignores.

    A job in the background ignores SIGINT, one under nohup SIGHUP, and so would every program it starts: the tests that
    press Ctrl-C or close a terminal would then wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files with slow tests first, then other runs of whole programs, then the rest, each as they came.

    Workers take file by file in this order (`--no-loadscope-reorder`; else xdist sorts by the number of tests, and
    the longest files, which have few, would be left for the end, where most workers have nothing to do any more).
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, not {"e2e", "flow"} & set(item.path.parts)))
