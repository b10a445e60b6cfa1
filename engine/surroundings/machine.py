"""The machine as the ladder sees it: its environment, its home, the folder one works in, and what files there say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.documents import parse
from engine.errors import EngineError
from engine.model.lazy_dataclass import dataclass

LARGEST = 5_000_000
"""Bytes of a file that is looked into; a larger one is none that a person keeps logins in."""

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is looked at, and nothing else: `environment` tells the PATH, `home` where programs keep what they know."""

    environment: Mapping[str, str]
    home: Path
    folder: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], folder: Path) -> Machine:
        """The machine of who has that environment, seen from a folder."""
        return cls(environment=environment, home=Path(environment.get("HOME") or "/nonexistent"), folder=folder)

    def program(self, name: str) -> str | None:
        """Where the program is; None when it is not on the PATH."""
        return shutil.which(name, path=self.environment.get("PATH", ""))

    def variable(self, *names: str) -> tuple[str, str]:
        """The first of the variables that is set, and its value; both empty where none is."""
        return next(((name, self.environment[name]) for name in names if self.environment.get(name)), ("", ""))

    @property
    def settings(self) -> Path:
        """Where programs keep their settings (XDG)."""
        return Path(self.environment.get("XDG_CONFIG_HOME") or self.home / ".config")

    def spoken(self, path: Path) -> str:
        """A path as settings have it, with `~` for the home."""
        return f"~/{path.relative_to(self.home)}" if path.is_relative_to(self.home) else str(path)


def text_of(path: Path) -> str:
    """What a file says; empty for one that is not there, cannot be read or is none."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def yaml_of(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file; an empty one where there is none, or nothing that can be read."""
    # glab marks its tokens `!!null`, a tag that no reader of tokens can mean
    text = text_of(path).replace("!!null ", "")
    try:
        return mapping(parse(text, str(path), tolerant=True).value) if text.strip() else {}
    except EngineError:
        return {}


def json_of(path: Path) -> Mapping[str, Any]:
    """The mapping in a JSON file; an empty one where there is none, or nothing that can be read."""
    try:
        return mapping(json.loads(text_of(path) or "{}"))
    except (ValueError, RecursionError):
        return {}


def address(said: str) -> str:
    """A web address as settings have it: no name or password in it, and no query; empty for what is none.

    HTTPS is meant where it does not say.
    """
    try:
        parts = urlsplit(said if "://" in said else f"https://{said}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}{'' if port is None else f':{port}'}{parts.path}".rstrip("/")


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; none where it is no list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
