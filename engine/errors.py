"""What the engine raises.

    EngineError
    ├── WorkspaceError        a place or a setting that cannot be used
    ├── DocumentError         a file that cannot be read, or breaks its schema; carries every finding
    │   └── SkillInvalidError a skill file with errors
    ├── SkillNotFoundError    no skill of that name
    ├── InputError            values given for a skill's inputs do not fit
    ├── SandboxError          an author's expression, template or compute block failed; knows where
    │   ├── SandboxLimitError it asked for more time, memory or depth than it may have
    │   └── RaisedError       a compute block said `raise SomeError("text")`
    ├── JournalError          history cannot be written or read
    │   └── OwnershipLostError another process has taken the run over
    ├── RunNotFoundError      no run of that id
    ├── RunBusyError          another process has the run
    ├── JobBusyError          another process does the job of which there is one at a time
    ├── MonitorBusyError      another process watches this workspace
    ├── PreflightError        a look before a call says that it cannot work; it was not made
    ├── MissingExtraError     a part that is installed apart is not there
    ├── UnansweredError       nobody answers a question now; raised by whoever was asked
    └── RunStateError         a run cannot be resumed, answered or retried as it is

Tools raise `tool_registry.tool.ToolError`; `engine.attempt` turns it into data. Every error says what is
wrong, where, and the way out. `exit_status` is what the command `skill` exits with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from engine.model.failure import FailureKind
from engine.model.place import Finding, Place


class EngineError(Exception):
    """The root of everything the engine raises; `message` is a whole sentence, `hint` the way out."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None) -> None:
        self.message = message
        self.hint = hint
        self.place = place
        super().__init__(message)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        way_out = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{way_out}"


class WorkspaceError(EngineError):
    """A folder or a setting that cannot be used."""

    exit_status = 2


class DocumentError(EngineError):
    """A file that cannot be read or breaks its schema; `findings` names every mistake with its place."""

    exit_status = 6

    def __init__(
        self, message: str, *, findings: Sequence[Finding] = (), hint: str = "", place: Place | None = None
    ) -> None:
        super().__init__(message, hint=hint, place=place or (findings[0].place if findings else None))
        self.findings = tuple(findings)

    def told(self, file: str) -> tuple[Finding, ...]:
        """What is wrong with the file, one finding at least: of one that cannot be read, the error itself."""
        place = self.place or Place(file=file, line=1, column=1)
        return self.findings or (Finding(place=place, code="unreadable", message=self.message, hint=self.hint),)


class SkillInvalidError(DocumentError):
    """A skill file with errors; it was not run."""


class SkillNotFoundError(EngineError):
    """No skill of that name."""

    exit_status = 3


class InputError(EngineError):
    """Values given for a skill's inputs do not fit; refused before the first step."""

    exit_status = 2


class SandboxError(EngineError):
    """An author's text failed; `place` is the line and column in the author's file."""


class SandboxLimitError(SandboxError):
    """An author's text asked for more time, memory, depth or size than it may have."""


class RaisedError(SandboxError):
    """A compute block raised on purpose; `message` is its text."""


class JournalError(EngineError):
    """History cannot be written or read."""


class OwnershipLostError(JournalError):
    """Another process has taken the run over; nothing more of this one is kept."""


class RunNotFoundError(EngineError):
    """No run of that id."""

    exit_status = 3


class RunBusyError(EngineError):
    """Another process has the run; it was left alone."""

    exit_status = 5


class MonitorBusyError(EngineError):
    """Another process watches this workspace; it was left alone."""

    exit_status = 5


class JobBusyError(EngineError):
    """Another process does this job already, of which there is one at a time in a workspace."""

    exit_status = 5


class PreflightError(EngineError):
    """A look before a call says that it cannot work, so it was not made; its notes say what a person can do.

    `kind` is the failure that would have come.
    """

    exit_status = 5

    def __init__(self, message: str, *, kind: FailureKind = FailureKind.UNKNOWN, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class MissingExtraError(EngineError):
    """A part of the engine that is installed apart is needed, and is not there; `extra` is its name.

    `needed_for` begins the sentence, as in "serving agents by MCP".
    """

    exit_status = 2

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra `{extra}`, which is not installed",
            hint=f"pip install 'skill-engine[{extra}]'",
        )
        self.extra = extra


class UnansweredError(EngineError):
    """Nobody answers a question now; whoever is asked raises it, and the run parks."""

    exit_status = 4


class RunStateError(EngineError):
    """A run cannot be resumed, answered, retried or cancelled as it is."""

    exit_status = 2
