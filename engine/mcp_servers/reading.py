"""Reads `.mcp.json`, the file in which agents' programs keep their MCP servers.

What is wrong with the file as a whole is an error; what is wrong with one server is told when that one is used, so that
a variable missing for one leaves the others working.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.documents import Document, findings, parse
from engine.errors import DocumentError, EngineError, MissingExtraError, WorkspaceError
from engine.mcp_servers.variables import Unset, expanded
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place, Severity
from tool_registry.sources.mcp_server import McpServer

SERVERS = "mcpServers"
LONGEST_FILE = 1_000_000
KEYS = ("command", "args", "env", "cwd", "url", "headers", "type", "disabled")
NAMED_LIKE_A_SECRET = ("token", "key", "secret", "password", "passwd", "auth", "credential", "pat", "cookie", "session")
"""Parts of names whose values are masked; a header that is none of `HARMLESS` is, too."""
HARMLESS = frozenset({"accept", "accept-language", "content-type", "user-agent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One server as the file has it, its `${VAR}` not yet filled in; `settings` are those of `[mcp.servers.NAME]`."""

    name: str
    raw: Mapping[str, Any]
    document: Document
    environment: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)

    @property
    def enabled(self) -> bool:
        """Whether its tools are there to be called."""
        return bool(self.settings.get("enabled", not (self.raw.get("disabled", False) or self.own)))

    @property
    def own(self) -> bool:
        """Whether it is what serves this very workspace to agents: to its skills it would be themselves, from outside.

        One file often names both, for the agent's host and for the engine.
        """
        return self.kind == "stdio" and serves(self._words(), self.folder)

    @property
    def program(self) -> str:
        """The program that must be on the PATH; empty where the command is a path, or the PATH is not this one."""
        command = self.raw.get("command", "") if self.kind == "stdio" else ""
        sought = command and "/" not in command and "$" not in command and "PATH" not in self.raw.get("env", {})
        return str(command) if sought else ""

    @property
    def kind(self) -> str:
        """`stdio` or `http`."""
        return "http" if "url" in self.raw else "stdio"

    @property
    def place(self) -> Place:
        """Where it stands in the file."""
        return self.document.place((SERVERS, self.name), key=True)

    @property
    def unset(self) -> tuple[str, ...]:
        """The variables it needs that nobody has set."""
        return tuple(dict.fromkeys(each.name for _, each in self._unset()))

    def server(self, *, log: Path | None = None) -> McpServer:
        """How it is reached, every variable filled in.

        Raises WorkspaceError for a variable that is not set, and for a kind of server that nobody speaks to here.
        """
        for path, each in self._unset():
            key = ".".join(str(part) for part in path)
            raise WorkspaceError(
                f"the MCP server {self.name} needs the environment variable {each.name} (in {key}), which is not set",
                hint=f"set it, or write ${{{each.name}:-DEFAULT}}",
                place=self.document.place((SERVERS, self.name, *path)),
            )
        if self.raw.get("type") == "sse":
            raise WorkspaceError(
                f"the MCP server {self.name} is of type sse, which the protocol gave up",
                hint='most such servers have an address of type "http", too',
                place=self.place,
            )
        filled = {key: expanded(value, self.environment) for key, value in self.raw.items()}
        given = {key: float(self.settings[key]) for key in ("timeout", "start_within") if key in self.settings}
        return McpServer(
            name=self.name,
            command=_home(filled.get("command", "")),
            args=tuple(filled.get("args", ())),
            env=filled.get("env", {}),
            cwd=self.folder / _home(filled["cwd"]) if "cwd" in filled else self.folder,
            url=filled.get("url", ""),
            headers=filled.get("headers", {}),
            log=log,
            **given,
        )

    def secrets(self) -> Iterator[str]:
        """The values that must not be shown: those filled in for variables, and those whose names say so."""
        for where, name, value in self._named_values():
            if where == "headers" and name.lower() in HARMLESS:
                continue
            text = expanded(value, self.environment, unset="")
            if where == "headers" or any(part in name.lower() for part in NAMED_LIKE_A_SECRET):
                yield text
                yield text.rpartition(" ")[2]

    def _words(self) -> tuple[str, ...]:
        words = (self.raw.get("command", ""), *self.raw.get("args", ()))
        return tuple(_home(expanded(word, self.environment, unset="")) for word in words)

    def _named_values(self) -> Iterator[tuple[str, str, str]]:
        for where in ("env", "headers"):
            for name, value in self.raw.get(where, {}).items():
                yield where, name, value

    def _unset(self) -> Iterator[tuple[tuple[str | int, ...], Unset]]:
        for path, text in _texts(self.raw):
            yield from ((path, each) for each in Unset.in_text(text, self.environment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers of one file, by name; `findings` are warnings about it."""

    path: Path
    entries: Mapping[str, Entry] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def read_servers(
    path: Path,
    *,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    cache: Path | None = None,
) -> Servers:
    """The servers that a file names; `settings` are the workspace's `[mcp.servers]`, `cache` as for `findings`.

    Raises DocumentError, with a place, when the file cannot be read, is no JSON, or breaks its schema.
    """
    known = os.environ if environment is None else environment
    document = _document(path)
    wrong = findings(document, "mcp_servers", cache=cache)
    if wrong:
        raise DocumentError(f"{path} is not a valid list of MCP servers: {wrong[0].message}", findings=wrong)
    entries = {
        name: Entry(
            name=name,
            raw=raw,
            document=document,
            environment=known,
            settings=(settings or {}).get(name, {}),
            folder=path.absolute().parent,
        )
        for name, raw in document.value.get(SERVERS, {}).items()
    }
    return Servers(path=path, entries=entries, findings=tuple(_warnings(document, entries, settings or {})))


def _document(path: Path) -> Document:
    try:
        raw = path.read_bytes()
        if len(raw) > LONGEST_FILE:
            raise DocumentError(f"{path} is larger than {LONGEST_FILE:,} bytes", hint="shorten the file")
        text = raw.decode("utf-8-sig")
        value = json.loads(text)
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path} is not UTF-8", place=Place(file=str(path), line=1, column=1)) from error
    except json.JSONDecodeError as error:
        place = Place(file=str(path), line=error.lineno, column=error.colno)
        raise DocumentError(f"this is no JSON: {error.msg}", place=place, hint="mend the file here") from error
    except RecursionError as error:
        raise DocumentError(f"{path} is nested too deeply", hint="mend the file") from error
    return Document(value=value, name=str(path), text=text, root=_nodes(text, str(path)))


def _nodes(text: str, name: str) -> Any:
    """The places of what stands in a JSON text: JSON is YAML, once its tabs, which stand in no string, are blanks."""
    try:
        return parse(text.replace("\t", " "), name).root
    except DocumentError as error:
        if any(finding.code == "duplicate-key" for finding in error.findings):
            raise
        return None  # no places are worse than places, and better than refusing what every other program reads


def _warnings(document: Document, entries: Mapping[str, Entry], settings: Mapping[str, Any]) -> Iterator[Finding]:
    for name, entry in entries.items():
        for key in entry.raw:
            if key not in KEYS:
                yield Finding(
                    place=document.place((SERVERS, name, key), key=True),
                    code="unknown-key",
                    message=f"the key {key} of the MCP server {name} means nothing here",
                    hint=f"there are {', '.join(KEYS)}; more can be said in skill.toml, [mcp.servers.{name}]",
                    severity=Severity.WARNING,
                )
        if {"command", "url"} <= set(entry.raw):
            yield Finding(
                place=document.place((SERVERS, name, "command"), key=True),
                code="not-allowed",
                message=f"the MCP server {name} has a command and a url; the url counts",
                hint="remove one of them",
                severity=Severity.WARNING,
            )
    for name in settings:
        if name not in entries:
            yield Finding(
                place=Place(file=document.name, line=1, column=1),
                code="unknown-key",
                message=f"skill.toml has settings for the MCP server {name}, which this file does not name",
                severity=Severity.WARNING,
            )


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, inner in value.items():
                if path or key in KEYS:
                    yield from _texts(inner, (*path, key))
        case list():
            for number, inner in enumerate(value):
                yield from _texts(inner, (*path, number))


def _home(path: str) -> str:
    """A path, `~` at its beginning standing for the home folder."""
    return os.path.expanduser(path) if path.startswith("~") else path  # noqa: PTH111 - `Path` would change "./x"


def why_not(entry: Entry) -> str:
    """Why a server cannot be used as it is configured, and as this machine is; empty if it can."""
    try:
        entry.server()
    except EngineError as error:
        return str(error)
    if find_spec("mcp") is None:
        return str(MissingExtraError("mcp", f"the MCP server {entry.name}"))
    missing = bool(entry.program) and shutil.which(entry.program) is None
    return f"there is no program {entry.program} on this machine" if missing else ""


def switched_off(entry: Entry) -> str:
    """Why the tools of a server that is not enabled are not there."""
    return "this workspace's own server, for agents" if entry.own else "disabled"


def serves(words: Sequence[str], folder: Path) -> bool:
    """Whether a command is `skill mcp serve` for the workspace in `folder`, which is also where it is run."""
    following = list(pairwise(words))
    ours = any(Path(word).name == "skill" for word in words) or ("-m", "engine") in following
    if not ours or ("mcp", "serve") not in following:
        return False
    named = next((after for option, after in following if option in {"-C", "--workspace"}), ".")
    return (folder / named).resolve() == folder.resolve()
