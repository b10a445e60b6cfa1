"""`SkillLibrary`: which skills there are, and each of them by name or path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.documents import Document, dump, parse
from engine.errors import DocumentError, SkillInvalidError, SkillNotFoundError
from engine.library.approval import Approvals
from engine.library.parse import parse_skill
from engine.library.shelf import Shelf, SkillEntry, read_skill
from engine.model.heal import Domain
from engine.model.place import Finding, Severity
from engine.model.skill import Skill
from engine.sandbox import Sandbox
from tool_registry.tool import Tool

__all__ = ["SkillEntry", "SkillLibrary"]

MEMORY = "(memory)/{}.yaml"
"""What places call the file of a skill that stands in none."""


class SkillLibrary:
    """The skills of some folders; a skill in an earlier folder hides one of the same name in a later folder.

    `tools` are what steps may call; `cache` is a folder that remembers which files were found right, `domains` gives
    those that names under `heal:` are checked against.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        sandbox: Sandbox,
        tools: Mapping[str, Tool],
        cache: Path | None = None,
        domains: Callable[[], Mapping[str, Domain]] | None = None,
    ) -> None:
        self._shelf = Shelf(folders=tuple(folders))
        self._sandbox = sandbox
        self._tools = tools
        self._cache = cache
        self._domains = domains
        self._approvals = Approvals(tools=tools, cache=cache, find=self._shelf.named)

    def entries(self) -> tuple[SkillEntry, ...]:
        """Every skill by name, broken ones included, without checking them."""
        return self._shelf.entries()

    def path(self, name_or_path: str) -> Path:
        """The file of a skill. Raises SkillNotFoundError with the nearest names."""
        path, refusal = self._shelf.find(name_or_path)
        if refusal:
            raise SkillNotFoundError(f"{path} is not a skill: {refusal}")
        return path

    def load(self, name_or_path: str, *, digest: str = "") -> Skill:
        """The skill, ready to run, and with it every skill that it runs.

        `name_or_path` is a path when it contains a slash or ends in `.yaml`. Raises SkillNotFoundError with the nearest
        names, and SkillInvalidError with every finding when the file has errors; warnings keep nothing from running.
        With a `digest`, only the text of that SHA-256 will do: SkillInvalidError when the file has another.
        """
        document = read_skill(self.path(name_or_path))
        if digest and document.digest != digest:
            message = f"{document.name} has been changed since it was last looked at"
            raise SkillInvalidError(message, hint="bring the old text back, or go on with the new one")
        return self._checked(document, keep=True)

    def parse(self, skill: str | Mapping[str, Any], file: str = "") -> Skill:
        """The skill in a text, or in the mapping such a text holds, that stands in no file; places name `file`.

        Checked like a file, against the tools and skills of today. Raises SkillInvalidError with every finding.
        """
        text = skill if isinstance(skill, str) else dump(dict(skill))
        try:
            document = parse(text, file or MEMORY.format("skill"), tolerant=True)
            if not file and isinstance(document.value, dict):
                document = parse(text, MEMORY.format(document.value.get("name", "skill")), tolerant=True)
        except DocumentError as error:
            raise SkillInvalidError(
                error.message, findings=error.findings, hint=error.hint, place=error.place
            ) from error
        return self._checked(document, keep=False)

    def check(self, name_or_path: str) -> tuple[Finding, ...]:
        """Every finding about a skill file in one pass, in the order of the file. Raises SkillNotFoundError."""
        path, refusal = self._shelf.find(name_or_path)
        if refusal:
            return SkillInvalidError(refusal).told(str(path))
        try:
            return self._check(read_skill(path), keep=False)
        except SkillInvalidError as error:
            return error.told(str(path))

    def _checked(self, document: Document, *, keep: bool) -> Skill:
        if document.mistakes or not self._approvals.approved(document):
            found = self._check(document, keep=keep)
            errors = [finding for finding in found if finding.severity is Severity.ERROR]
            if errors:
                raise _invalid(document.name, errors)
        return parse_skill(document)

    def _check(self, document: Document, *, keep: bool) -> tuple[Finding, ...]:
        """Every finding; what is right is remembered, with all the skills it comes to, when it is to be kept."""
        from engine.library.judging import Judge  # noqa: PLC0415 - late: a file found right before needs none of it

        judge = Judge(
            files=self._shelf.files(),
            sandbox=self._sandbox,
            tools=self._tools,
            cache=self._cache,
            right=self._approvals.approved,
            domains=self._domains,
        )
        found = judge.findings(document)
        if keep and not any(finding.severity is Severity.ERROR for finding in found):
            others = judge.others(document)
            self._approvals.remember(document, others)
            for other in others.values():
                self._approvals.remember(other, judge.others(other))
        return found


def _invalid(file: str, errors: Sequence[Finding]) -> SkillInvalidError:
    if len(errors) == 1:
        return SkillInvalidError(errors[0].message, findings=errors, hint=errors[0].hint)
    hint = f"`skill check {file}` shows them all"
    return SkillInvalidError(
        f"the skill has {len(errors)} errors; the first: {errors[0].message}", findings=errors, hint=hint
    )
