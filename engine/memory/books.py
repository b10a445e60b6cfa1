"""Memory: all the books in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from engine.documents import Document, Editing
from engine.documents import findings as schema_findings
from engine.errors import DocumentError
from engine.memory import fixes, inbox, patterns
from engine.memory.backups import Backups
from engine.memory.contexts import ContextBook
from engine.memory.dashboard import Dashboard
from engine.memory.failures import FailureLog
from engine.memory.fixes import FixBook
from engine.memory.health import HealthBook
from engine.memory.inbox import Inbox
from engine.memory.patterns import PatternBook
from engine.memory.proposals import ProposalBook
from engine.memory.store import Store
from engine.model.place import Finding
from engine.model.secret import Secrets

SCHEMAS = {
    patterns.FILE: "patterns",
    fixes.FILE: "tool_fixes",
    "learned/tool_failures.yaml": "tool_failures",
    "learned/failure_contexts.yaml": "failure_contexts",
    "learned/proposals.yaml": "proposals",
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
        self._secrets = secrets
        self._clock = clock
        self.patterns = PatternBook(self._store)
        self.fixes = FixBook(self._store, secrets=secrets, clock=clock)
        self.contexts = ContextBook(self._store)
        self.failures = FailureLog(self._store, secrets=secrets)
        self.health = HealthBook(self._store, secrets=secrets)
        self.inbox = Inbox(self._store, secrets=secrets, clock=clock)

    @property
    def dashboard(self) -> Dashboard:
        """Writes how well healing works."""
        return Dashboard(self._store, secrets=self._secrets)

    @property
    def proposals(self) -> ProposalBook:
        """What was learnt and waits for a person."""
        return ProposalBook(self._store, secrets=self._secrets)

    @property
    def folder(self) -> Path:
        """Where the live files are, or will be."""
        return self._store.folder

    def read(self, name: str) -> Any:
        """The content of one file of `SCHEMAS` as it counts; None where there is none that can be read.

        Of patterns and fixes that is the live file over what is shipped, of the others the live file, else the seed.
        """
        if name == patterns.FILE:
            return {"patterns": [dict(row) for row in self.patterns.told()]}
        document = self._store.readable(name)
        content = None if document is None else document.value
        if name == fixes.FILE:
            return {**_common(self._store, name), "tool_fixes": [dict(entry) for entry in self.fixes.told()]}
        return content

    @property
    def backups(self) -> Backups:
        """What the files said before somebody changed them."""
        return Backups(self.folder, clock=self._clock)

    def files(self) -> tuple[str, ...]:
        """The files that can be read, live or shipped, by their names in the folder; no back-ups, nothing hidden."""
        live = (path for path in self.folder.rglob("*") if path.suffix in {".yaml", ".md"} and path.is_file())
        names = {str(path.relative_to(self.folder)) for path in live}
        shown = {name for name in names if not any(part.startswith(".") for part in name.split("/"))}
        own = {name for name in shown if not name.startswith("backups/") and ".edited." not in name}
        return tuple(sorted(own | {name for name in SCHEMAS if self._store.seed(name) is not None}))

    def document(self, name: str) -> Document | None:
        """One YAML file, live or seed, as it is written; None where there is none. DocumentError if it is broken."""
        return self._store.document(name)

    def written(self, name: str) -> Document | None:
        """One YAML file as a person or the engine wrote it; None when it is not there, or cannot be read."""
        return self._store.written_if_readable(name)

    def seed(self, name: str) -> Document | None:
        """What is shipped of one YAML file; None where nothing is."""
        return self._store.seed(name)

    def start(self, name: str) -> str:
        """The text with which a file of that name begins."""
        own = {patterns.FILE: patterns.EMPTY, fixes.FILE: fixes.EMPTY, inbox.FILE: inbox.HEADER}
        seed = self._store.seed(name)
        return own.get(name, seed.text if seed is not None else "")

    def editing(self, name: str) -> AbstractContextManager[Editing]:
        """A YAML file to be changed under the lock all processes share; made when it is not there yet."""
        merged = {patterns.FILE: patterns.EMPTY, fixes.FILE: fixes.EMPTY}
        return self._store.editing(name, empty=merged.get(name, ""), seeded=name not in merged)

    def mistakes(self, name: str, document: Document) -> tuple[Finding, ...]:
        """What is wrong with a document that is, or is to be, the file of that name."""
        found = schema_findings(document, SCHEMAS[name]) if name in SCHEMAS else ()
        return (*found, *self.patterns.mistakes(document)) if name == patterns.FILE else found

    def unreadable(self) -> tuple[Finding, ...]:
        """The files and patterns a run goes by that are so broken that it went on without them, each with its line."""
        found: list[Finding] = []
        for name in (patterns.FILE, fixes.FILE):
            try:
                self._store.document(name)
            except DocumentError as error:
                found.append(error.told(str(self._store.live(name)))[0])
        own = (*self.patterns.misshapen(), *self.patterns.findings(), *self.fixes.misshapen())
        return (*found, *dict.fromkeys(own))

    def findings(self) -> tuple[Finding, ...]:
        """Every mistake in the files, with its line."""
        found = [finding for name, schema in SCHEMAS.items() for finding in self._findings(name, schema)]
        said = {(finding.place.file, finding.place.line) for finding in found}
        own = (*self.patterns.findings(), *self.fixes.findings(), *self.contexts.findings())
        more = (each for each in own if (each.place.file, each.place.line) not in said)
        return (*found, *more)

    def _findings(self, name: str, schema: str) -> tuple[Finding, ...]:
        try:
            document = self._store.document(name)
        except DocumentError as error:
            return error.told(str(self._store.live(name)))
        return schema_findings(document, schema) if document is not None else ()


def _common(store: Store, name: str) -> dict[str, Any]:
    """What the file and what is shipped say beside the list of entries."""
    told: dict[str, Any] = {}
    for document in (store.seed(name), store.written_if_readable(name)):
        if document is not None and isinstance(document.value, dict):
            given = document.value.get("common_mistakes")
            told |= given if isinstance(given, dict) else {}
    return {"common_mistakes": told}
