"""Judging a skill file with all that it runs: each file is read and looked at once, however many others run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from engine.documents import Document
from engine.errors import SkillInvalidError
from engine.library.check import Surroundings, check_document
from engine.library.check_heal import Domains
from engine.library.check_skills import called_by, reached
from engine.library.part import Part, whole
from engine.library.shelf import read_skill, refusal
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Severity
from engine.sandbox import Sandbox
from tool_registry.tool import Tool


@dataclass(slots=True, kw_only=True)
class Judge:
    """Checks skill files as they are at one moment; `right` says whether a text was found right before."""

    files: Mapping[str, Sequence[Path]]
    sandbox: Sandbox
    tools: Mapping[str, Tool]
    cache: Path | None
    right: Callable[[Document], bool]
    domains: Domains | None = None
    _read: dict[str, Document | SkillInvalidError] = field(default_factory=dict)
    _parts: dict[str, Part | None] = field(default_factory=dict)
    _errors: dict[str, tuple[Finding, ...]] = field(default_factory=dict)

    def findings(self, document: Document) -> tuple[Finding, ...]:
        """Every mistake in a skill file, skills it runs that cannot be run among them."""
        return check_document(document, replace(self._around, errors=self._errors_of))

    def others(self, document: Document) -> dict[str, Document]:
        """The skills that one comes to, by name, those that cannot be read left out."""
        names = {name for called in called_by(document.value) for name in reached(called, self._part)}
        found = ((name, self._document(name)) for name in sorted(names))
        return {name: other for name, other in found if isinstance(other, Document)}

    @property
    def _around(self) -> Surroundings:
        return Surroundings(
            sandbox=self.sandbox,
            tools=self.tools,
            skills=self.files,
            find=self._part,
            cache=self.cache,
            domains=self.domains,
        )

    def _part(self, name: str) -> Part | None:
        if name not in self._parts:
            document = self._document(name)
            self._parts[name] = whole(document) if isinstance(document, Document) else None
        return self._parts[name]

    def _document(self, name: str) -> Document | SkillInvalidError | None:
        if name not in self._read and name in self.files:
            path = self.files[name][0]
            try:
                self._read[name] = SkillInvalidError(why) if (why := refusal(path)) else read_skill(path)
            except SkillInvalidError as error:
                self._read[name] = error
        return self._read.get(name)

    def _errors_of(self, name: str) -> tuple[Finding, ...]:
        """The errors of one skill by itself."""
        if name not in self._errors:
            found = self._look_at(name)
            self._errors[name] = tuple(finding for finding in found if finding.severity is Severity.ERROR)
        return self._errors[name]

    def _look_at(self, name: str) -> tuple[Finding, ...]:
        match self._document(name):
            case Document() as document:
                return () if self.right(document) else check_document(document, self._around)
            case SkillInvalidError() as error:
                return error.told(str(self.files[name][0]))
            case None:
                return ()
