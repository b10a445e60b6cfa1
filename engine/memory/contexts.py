"""The context book: what tends to come before a failure, and how often that was right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.documents import Document
from engine.memory.store import Store
from engine.model.place import Finding
from engine.model.prevention import Learning
from engine.model.prevention import Sequence as Foresight

FILE = "learned/failure_contexts.yaml"
EMPTY = "# What tends to come before a failure. Fields: memory/README.md.\n\nsequences: []\n"

Plan = Callable[[tuple[Foresight, ...]], Sequence[Learning]]
"""Given the sequences as they stand, says what they should say."""


Read = tuple[tuple[Foresight, ...], tuple[Finding, ...]]
"""The usable sequences of a file, and the mistakes of the others."""


class ContextBook:
    """The sequences in `learned/failure_contexts.yaml`; one with a mistake in it is left out and reported."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[Document, Read] | None = None

    def live(self) -> tuple[Foresight, ...]:
        """The usable sequences of the live file; none while there is only the shipped one, which knows no counts.

        Raises DocumentError when the live file is broken.
        """
        if not self._store.live(FILE).exists():
            return ()
        return self._read(self._store.document(FILE))[0]

    def all(self) -> tuple[Foresight, ...]:
        """Every usable sequence of the live file, else of the shipped one; a broken live file has none."""
        return self._read(self._store.readable(FILE))[0]

    def learn(self, plan: Plan) -> tuple[str, ...]:
        """Makes the file say what `plan` says of the sequences in it; new ones are added at its end.

        Asked again while the file is locked, so that the last of several writers leaves the newest counts. Only what
        the engine counts is changed: comments, order, and what a person wrote stay. Returns the names of the sequences
        that changed. Raises DocumentError when the file is broken or cannot be written.
        """
        from engine.memory.context_rows import changes, written  # noqa: PLC0415 - late: only the nightly job learns

        document = self._store.document(FILE)
        if not changes(document, plan):
            return ()
        with self._store.editing(FILE, empty=EMPTY) as editing:
            return written(editing, plan)

    def findings(self) -> tuple[Finding, ...]:
        """The sequences that are left out, and why."""
        return self._read(self._store.readable(FILE))[1]

    def _read(self, document: Document | None) -> Read:
        if document is None:
            return (), ()
        if self._known is None or self._known[0] is not document:
            from engine.memory.context_rows import rows  # noqa: PLC0415 - late: a new workspace has no sequences

            found = rows(document)
            self._known = (document, (found.all(), found.findings))
        return self._known[1]
