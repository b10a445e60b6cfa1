"""One call of the command line: where it works, what it must not show, and whether in colour."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from engine.model.lazy_dataclass import dataclass
from engine.model.secret import Secrets
from engine.workspace import Workspace, find_workspace, under


@dataclass(slots=True, kw_only=True)
class Session:
    """What every command of one call shares; options fill it in as they are read."""

    folder: Path | None = None
    color: bool | None = None
    profile: str = ""
    secrets: Secrets = field(default_factory=Secrets)

    def workspace(self) -> Workspace:
        """The workspace seen from here, with the profile that was asked for, if one was. Raises WorkspaceError."""
        return under(find_workspace(self.folder), self.profile)
