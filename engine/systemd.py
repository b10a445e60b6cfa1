"""What systemd reads in a person's units: quotes, `%`, `$`, and where the units lie."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from engine.errors import WorkspaceError


def slug(folder: Path) -> str:
    """A name for the folder that no other folder has."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", folder.name).strip("-").lower()[:40] or "folder"
    return f"{readable}-{sha256(str(folder).encode()).hexdigest()[:8]}"


def units_folder(environment: Mapping[str, str]) -> Path:
    """Where a person's own units lie (systemd.unit(5))."""
    configured = environment.get("XDG_CONFIG_HOME")
    return (Path(configured) if configured else Path.home() / ".config") / "systemd" / "user"


def environment_lines(environment: Mapping[str, str]) -> str:
    """The settings of a service that give it these variables. Raises WorkspaceError for what none can say."""
    given = (_quoted(f"{name}={value}", dollars=False) for name, value in sorted(environment.items()))
    return "".join(f"Environment={each}\n" for each in given)


def command_line(words: Sequence[str]) -> str:
    """A command line that systemd takes apart into these words. Raises WorkspaceError for what none can say."""
    return " ".join(map(_quoted, words))


def escaped(text: str) -> str:
    """A text in a setting that is not split into words: `%` begins a specifier (systemd.unit(5)).

    Raises WorkspaceError for what no setting can say.
    """
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise WorkspaceError(f"{text!r} cannot stand in a unit file", hint="rename the folder")
    return text.replace("%", "%%")


def _quoted(word: str, *, dollars: bool = True) -> str:
    """One word of a command line or an environment, as systemd reads quotes, `%` and `$` (systemd.service(5))."""
    said = escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    said = said.replace("$", "$$") if dollars else said
    return said if re.fullmatch(r"[A-Za-z0-9_./:=@+,%-]+", said) else f'"{said}"'
