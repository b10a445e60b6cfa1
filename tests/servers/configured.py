"""`.mcp.json` of a workshop, the processes that it leads to, and a git repository for them to work on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.flow.workshop import Workshop, alive

MARK = "MARK_OF_THE_TEST"
"""A variable in the environment of a server, by which a test finds its process."""


def configure(workshop: Workshop, entries: Mapping[str, Any]) -> None:
    """Writes `.mcp.json`: a command as a list, an address as text, or an entry as it is."""
    written: dict[str, Any] = {}
    for name, entry in entries.items():
        if isinstance(entry, list):
            written[name] = {"command": entry[0], "args": entry[1:], "env": identity(workshop)}
        else:
            written[name] = {"url": entry} if isinstance(entry, str) else entry
    (workshop.folder / ".mcp.json").write_text(json.dumps({"mcpServers": written}))


def identity(workshop: Workshop) -> dict[str, str]:
    """The environment by which a server's process is found, and with which git commits."""
    who = {f"GIT_{role}_{part}": "ann@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return {MARK: str(workshop.folder), **who}


def marked(workshop: Workshop) -> list[int]:
    """The processes of servers that this workshop's runs have started and that live."""
    return living(MARK, workshop.folder)


def living(variable: str, value: Path) -> list[int]:
    """The living processes that have this variable in their environment."""
    wanted = f"{variable}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if alive(pid)]


def kill_servers(workshop: Workshop) -> None:
    """SIGKILL for all of them."""
    for pid in marked(workshop):
        os.kill(pid, signal.SIGKILL)


def repository(workshop: Workshop) -> Path:
    """A repository with one commit and one change that is staged."""
    shop = workshop.folder / "shop"
    shop.mkdir()
    (shop / "greeting.txt").write_text("Good morning.\n")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "First"]):
        git(shop, *words)
    (shop / "greeting.txt").write_text("Good evening.\n")
    git(shop, "add", ".")
    return shop


def git(folder: Path, *words: str) -> str:
    """What git says."""
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout
