"""In which workspace a decorated function is healed."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext

from engine.wiring import Engine


def surroundings(given: Engine | None) -> AbstractAsyncContextManager[Engine]:
    """The engine that was given, or one of its own for the workspace of the current folder, closed afterwards.

    An engine's open connections belong to one event loop, and a function that is not async has a new one at every
    call: that is why none is kept.
    """
    return Engine.open() if given is None else nullcontext(given)
