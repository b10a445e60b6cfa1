"""Slack's and Google's servers as the npm package `emulate` has them, each a process of its own on the loopback.

What it does not do: searching messages, messages `oldest`, tokens that end, rate limits (Slack); identifiers that
whoever makes an event chose, private properties, recurring events, tokens that end (Google Calendar). It takes any
token that it does not know for its first user.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import npm
from tests.servers.third_party import listening

PACKAGES = {"emulate": "0.11.2"}
SLACK_TOKEN, READER_TOKEN = "xoxb-emulated-ada", "xoxb-emulated-reader"
ALL = ["channels:read", "channels:history", "groups:read", "groups:history", "chat:write", "reactions:write"]
SLACK: Mapping[str, Any] = {
    "team": {"name": "Shop", "domain": "shop"},
    "users": [{"name": "ada", "real_name": "Ada Moor"}],
    "channels": [{"name": "releases", "topic": "What goes out"}, {"name": "incidents"}],
    "tokens": [
        {"token": SLACK_TOKEN, "user": "ada", "scopes": ALL},
        {"token": READER_TOKEN, "user": "ada", "scopes": ["channels:read", "channels:history"]},
    ],
    "strict_scopes": True,
}
GOOGLE_TOKEN = "emulated-google-token"
GOOGLE: Mapping[str, Any] = {
    "users": [{"email": "ada@example.org", "name": "Ada Moor"}],
    "calendars": [
        {"id": "primary", "user_email": "ada@example.org", "summary": "Ada", "primary": True, "time_zone": "UTC"},
        {"id": "releases", "user_email": "ada@example.org", "summary": "Releases", "time_zone": "Europe/Berlin"},
    ],
}


@contextmanager
def slack(folder: Path) -> Iterator[str]:
    """The address of Slack's API; `folder` keeps what it begins with."""
    seed = {"slack": SLACK, "tokens": {SLACK_TOKEN: {"login": "ada"}, READER_TOKEN: {"login": "ada"}}}
    with _emulated("slack", seed, folder) as url:
        yield f"{url}/api"


@contextmanager
def google(folder: Path) -> Iterator[str]:
    """The address of Google Calendar's API; `folder` keeps what it begins with."""
    seed = {"google": GOOGLE, "tokens": {GOOGLE_TOKEN: {"login": "ada@example.org"}}}
    with _emulated("google", seed, folder) as url:
        yield f"{url}/calendar/v3"


@contextmanager
def _emulated(service: str, seed: Mapping[str, Any], folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{service}.json"
    kept.write_text(json.dumps(seed))
    program = npm.installed(PACKAGES) / "emulate" / "dist" / "index.js"
    with listening(program, "start", "--service", service, "--seed", str(kept)) as url:
        yield url
