"""Where things are: the folder a person works in, the folder live files go to, and the settings between them.

The workspace is the nearest folder upwards with a `skill.toml`, else the current one. Live files (memory, history,
state) go to `SKILL_HOME`, else to `.skill/` of the workspace when it has a `skill.toml` or is a checkout of this
project, else to the user's data folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from engine.bundle import bundle, checkout
from engine.errors import WorkspaceError
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place

SETTINGS_FILE = "skill.toml"
LIVE = ".skill"
"""The folder of live files in a workspace: tokens and history, which belong in no repository."""
LONGEST_SETTINGS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The places and settings one engine works with; `folder` is where skills of one's own live (`skills/`).

    `home` is the folder of live files, made when first written to; `settings` are what `skill.toml` would hold, and
    `settings_file` where they stand, None for those made in code. `find_workspace` finds one as the command does.
    Unless it `remembers`, nothing is kept that could be computed again: looking around leaves no files.
    """

    folder: Path
    home: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_file: Path | None = None
    remembers: bool = True

    @property
    def skill_folders(self) -> tuple[Path, ...]:
        """Folders of skills; earlier ones hide later ones."""
        own, shipped = self.folder / "skills", bundle("skills")
        return (own, shipped) if own.is_dir() and own.resolve() != shipped.resolve() else (shipped,)

    @property
    def tool_folders(self) -> tuple[Path, ...]:
        """Folders of YAML tool definitions of the workspace's own."""
        own = self.folder / "tools"
        return (own,) if own.is_dir() else ()

    @property
    def rehearsal_folders(self) -> tuple[Path, ...]:
        """Folders of rehearsals: the workspace's own, and in a checkout of this project those of the shipped skills."""
        folders, project = [self.folder / "rehearsals"], checkout()
        if project and (self.folder == project or project in self.folder.parents):
            folders.append(project / "tests" / "rehearsals")
        return tuple(folder for folder in folders if folder.is_dir())

    @property
    def memory(self) -> Path:
        """The folder of the memory files that people read."""
        return self.home / "memory"

    @property
    def history(self) -> Path:
        """The history database."""
        return self.home / "history.db"

    @property
    def state(self) -> Path:
        """What tools and fixes keep between calls: locks, tokens, the local platform's data."""
        return self.home / "state"

    @property
    def cache(self) -> Path:
        """What can be computed again."""
        return self.home / "cache"

    @property
    def valid(self) -> Path | None:
        """The folder that remembers which files were found right; None when nothing may be kept."""
        return self.cache / "valid" if self.remembers else None


def make_private(folder: Path) -> None:
    """Makes the folder and those above it that are missing, each for this person alone: runs tell what they worked on.

    What is there already keeps its rights. The folder of live files in a workspace tells git to leave it alone.
    """
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        if missing.name == LIVE:
            (missing / ".gitignore").write_text("*\n", encoding="utf-8")


def find_workspace(
    folder: Path | None = None, *, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> Workspace:
    """The workspace seen from `folder` (default: the current one).

    Raises WorkspaceError when the settings file cannot be read or `folder` does not exist.
    """
    environment = os.environ if environment is None else environment
    start = _existing(folder or Path.cwd())
    settings_file = _settings_file(start)
    root = settings_file.parent if settings_file else start
    return Workspace(
        folder=root,
        home=(home or _home(root, has_settings=settings_file is not None, environment=environment)).absolute(),
        settings=_read_settings(settings_file) if settings_file else {},
        settings_file=settings_file,
    )


def place_of(place: Path | str | Workspace | None, *, home: Path | str | None = None) -> Workspace:
    """The workspace given, or seen from a folder; with `home`, live files go there. Raises WorkspaceError."""
    live = Path(home) if home else None
    if not isinstance(place, Workspace):
        return find_workspace(Path(place) if place else None, home=live)
    return replace(place, folder=_existing(place.folder), home=(live or place.home).absolute())


def under(workspace: Workspace, profile: str) -> Workspace:
    """The workspace with this profile in place of its own; the same where none is named."""
    return replace(workspace, settings={**workspace.settings, "profile": profile}) if profile else workspace


def _existing(folder: Path) -> Path:
    if folder.is_dir():
        return folder.absolute()
    raise WorkspaceError(f"{folder} is not a folder", hint="give the folder you work in")


def _settings_file(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        candidate = folder / SETTINGS_FILE
        if candidate.is_file():
            return candidate
    return None


def _home(root: Path, *, has_settings: bool, environment: Mapping[str, str]) -> Path:
    if chosen := environment.get("SKILL_HOME"):
        return Path(chosen).expanduser()
    project = checkout()
    if has_settings:
        return root / LIVE
    if project and (root == project or project in root.parents):
        return project / LIVE
    shared = environment.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "skill-engine"


def _read_settings(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - late: only workspaces with settings pay for the parser

    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_SETTINGS + 1)
        if len(raw) > LONGEST_SETTINGS:
            raise WorkspaceError(f"{path} is larger than {LONGEST_SETTINGS:,} bytes", hint="shorten the file")
        return tomllib.loads(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        place = _place_in(path, str(error))
        raise WorkspaceError(f"{path} cannot be read: {error}", hint="mend or remove the file", place=place) from error


def _place_in(path: Path, said: str) -> Place | None:
    """Where the parser of TOML says that it stopped; None where it does not say."""
    import re  # noqa: PLC0415 - late: only a broken file needs it

    found = re.search(r"\(at line (\d+), column (\d+)\)", said)
    return Place(file=str(path), line=int(found[1]), column=int(found[2])) if found else None
