"""Memory: all the books in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.documents import findings as schema_findings
from engine.errors import DocumentError
from engine.memory import fixes, patterns
from engine.memory.failures import FailureLog
from engine.memory.fixes import FixBook
from engine.memory.inbox import Inbox
from engine.memory.patterns import PatternBook
from engine.memory.store import Store
from engine.model.place import Finding
from engine.model.secret import Secrets

SCHEMAS = {
    patterns.FILE: "patterns",
    fixes.FILE: "tool_fixes",
    "learned/tool_failures.yaml": "tool_failures",
    "learned/failure_contexts.yaml": "failure_contexts",
    "state/environment_health.yaml": "environment_health",
    "stats/auto_heal_dashboard.yaml": "auto_heal_dashboard",
}
"""Every YAML file of memory, and the schema that says what may stand in it."""


class Memory:
    """What the engine knows, in files people read and edit.

    `folder` holds the live files; a file that is not there is read from `seeds`, and copied from there when it is first
    written. A broken file is reported by `findings`, never overwritten, and reading goes on without it.
    """

    def __init__(self, folder: Path, *, seeds: Path, secrets: Secrets, clock: Callable[[], float] = time.time) -> None:
        self._store = Store(folder, seeds=seeds)
        self.patterns = PatternBook(self._store)
        self.fixes = FixBook(self._store, secrets=secrets, clock=clock)
        self.failures = FailureLog(self._store, secrets=secrets)
        self.inbox = Inbox(self._store, secrets=secrets, clock=clock)

    @property
    def folder(self) -> Path:
        """Where the live files are, or will be."""
        return self._store.folder

    def read(self, name: str) -> Any:
        """The content of one file of `SCHEMAS`, live or seed; None where there is none that can be read."""
        document = self._store.readable(name)
        return None if document is None else document.value

    def unreadable(self) -> tuple[Finding, ...]:
        """The files a run goes by that are so broken that it went on without them, each with its line."""
        found: list[Finding] = []
        for name in (patterns.FILE, fixes.FILE):
            try:
                self._store.document(name)
            except DocumentError as error:
                found.append(error.told(str(self._store.live(name)))[0])
        return tuple(found)

    def findings(self) -> tuple[Finding, ...]:
        """Every mistake in the files, with its line."""
        found = [finding for name, schema in SCHEMAS.items() for finding in self._findings(name, schema)]
        said = {(finding.place.file, finding.place.line) for finding in found}
        more = (each for each in self.patterns.findings() if (each.place.file, each.place.line) not in said)
        return (*found, *more)

    def _findings(self, name: str, schema: str) -> tuple[Finding, ...]:
        try:
            document = self._store.document(name)
        except DocumentError as error:
            return error.told(str(self._store.live(name)))
        return schema_findings(document, schema) if document is not None else ()
