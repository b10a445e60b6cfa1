"""Secret values, and how they are kept out of everything that is written or shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from threading import Lock
from typing import Any, Protocol, Self

MASK = "•••"


class _Known(Protocol):
    """All that is secret at a moment (`engine.model.masking`)."""

    def with_texts(self, texts: Collection[str]) -> Self:
        """The same and these texts."""

    def masked(self, value: Any, *, event: bool = False) -> Any:
        """The value with a mask in place of every secret."""

    def inside(self, text: str) -> bool:
        """False only if no secret stands in a JSON text."""

    def name(self, name: str) -> str:
        """The path of a step as it may be shown."""


class Secrets:
    """The secret values of one process, masked by value wherever they stand and however programs write them.

    Additions come from secret inputs, answers and variables, steps marked `secret`, and tools that hand out
    credentials. Everyday values are not masked; short numbers and very short texts only where they are the whole of a
    value. At a cut, a part of a secret counts as well. Several threads may use it. `docs/secrets.md` is the promise.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._texts: set[str] = set()
        # Replaced as a whole, so that no thread ever sees a part of it.
        self._known: _Known | None = None

    def add(self, value: Any) -> None:
        """Keeps every text inside `value` (a string, or mappings and lists of them) secret from now on."""
        # late: most processes have no secret, and need none of the expressions
        from engine.model.masking import Known  # noqa: PLC0415 - see above
        from engine.model.secret_texts import texts_in  # noqa: PLC0415 - see above

        with self._lock:
            fresh = texts_in(value) - self._texts
            if fresh:
                self._texts |= fresh
                self._known = (self._known or Known(MASK)).with_texts(fresh)

    def mask(self, value: Any) -> Any:
        """`value` with every secret text in it, keys included, replaced by `•••`; the same object if there is none.

        Members of enumerations are the engine's own words, and stay.
        """
        return self._known.masked(value) if self._known else value

    def mask_event(self, fields: Mapping[str, Any]) -> Any:
        """The fields of an event, masked; the engine's own numbers and the names of steps and tools stay."""
        return self._known.masked(fields, event=True) if self._known else fields

    def mask_name(self, name: str) -> str:
        """The path of a step. It stays as it is: it stands in the skill, and a resume finds its way by it."""
        return self._known.name(name) if self._known else name

    def inside(self, text: str) -> bool:
        """False only if no secret stands in a JSON text."""
        return self._known is not None and self._known.inside(text)
