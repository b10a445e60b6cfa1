"""A real server of CalDAV (PyPI `radicale`) with a person, her password and two calendars."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import pypi
from tests.servers.daemons import serving

SERVER = ("radicale==3.9.0",)
USER, PASSWORD = "ada", "pass word of ada"
CONFIGURATION = """
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/kept
[web]
type = none
"""
MADE = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:set><D:prop><D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"""


@contextmanager
def radicale(folder: Path) -> Iterator[str]:
    """The address of her calendars (`releases` and `holidays`), for as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    configuration = folder / "config"
    configuration.write_text(CONFIGURATION.format(folder=folder))

    def argv(port: int) -> list[str]:
        python = str(pypi.installed(*SERVER) / "python")
        return [python, "-m", "radicale", "--config", str(configuration), "--server-hosts", f"127.0.0.1:{port}"]

    with serving(argv, "/.web/", folder / "radicale.log") as url:
        for name in ("releases", "holidays"):
            sent(f"{url}/{USER}/{name}/", "MKCALENDAR", MADE.format(name=name.title()))
        yield f"{url}/{USER}/"


def sent(url: str, method: str, body: str, kind: str = "application/xml") -> str:
    """What it answers to her, asked past all of ours."""
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": f"{kind}; charset=utf-8"}
    asked = urllib.request.Request(url, method=method, data=body.encode(), headers=headers)  # noqa: S310 - ours
    with urllib.request.urlopen(asked, timeout=20) as reply:  # noqa: S310 - as above
        return str(reply.read().decode())
