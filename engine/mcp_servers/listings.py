"""What servers said which tools they have, kept so that looking around starts no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.mcp_servers.reading import Entry
from engine.workspace import make_private

FOLDER = "mcp"
LONGEST = 20_000_000
VERSION = 1

Listing = tuple[Mapping[str, Any], ...]


class Listings:
    """A file for each server in the state folder; it counts as long as the server's configuration stays the same."""

    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER

    def known(self, entry: Entry) -> Listing | None:
        """The tools the server had when it was last asked; None if nobody has asked it as it is configured now."""
        path = self._path(entry.name)
        try:
            if path.stat().st_size > LONGEST:
                return None
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["version"] != VERSION or kept["key"] != _key(entry):
                return None
            return tuple(tool for tool in kept["tools"] if isinstance(tool["name"], str))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None  # a file that is not there, or was mangled: the server can be asked again

    def keep(self, entry: Entry, tools: Listing) -> None:
        """Keeps what the server said; where it cannot be kept, the server is asked again next time."""
        text = json.dumps({"version": VERSION, "key": _key(entry), "tools": list(tools)}, ensure_ascii=False)
        path = self._path(entry.name)
        with suppress(OSError):
            make_private(self.folder)
            draft = path.with_suffix(f".{sha256(text.encode()).hexdigest()[:8]}.new")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)

    def log(self, name: str) -> Path:
        """The file that keeps what the server writes to standard error."""
        return self.folder / f"{name}.log"

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.tools.json"


def _key(entry: Entry) -> str:
    """The configuration a listing was made with, as it stands in the file: no secret goes into it, filled in or not."""
    told = json.dumps([entry.raw, str(entry.folder)], sort_keys=True)
    return sha256(told.encode()).hexdigest()
