"""A real Alertmanager (Debian `prometheus-alertmanager`) that tells nobody."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.daemons import program, serving

CONFIGURATION = """
route: {receiver: nobody, group_by: [alertname], group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """Its address, for as long as the block lasts; it keeps its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "alertmanager.yml"
    configuration.write_text(CONFIGURATION)

    def argv(port: int) -> list[str]:
        return [
            program("prometheus-alertmanager"),
            f"--config.file={configuration}",
            f"--storage.path={folder / 'kept'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]

    with serving(argv, "/-/ready", folder / "alertmanager.log") as url:
        yield url


def told(url: str, path: str, *, method: str = "GET", body: Any = None) -> Any:
    """What its API answers, asked past all of ours."""
    asked = urllib.request.Request(  # noqa: S310 - an address of ours
        f"{url}/api/v2{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=20) as reply:  # noqa: S310 - as above
        content = reply.read()
    return json.loads(content) if content else None


def state(url: str) -> Any:
    """Everything an unwanted write would change: silences, and by which of them alerts are silenced."""
    alerts = {each["fingerprint"]: each["status"]["silencedBy"] for each in told(url, "/alerts")}
    return told(url, "/silences"), alerts


def post_alerts(url: str, *labels: dict[str, str], summary: str = "") -> None:
    """Has alerts fire as Prometheus would tell it."""
    told(url, "/alerts", method="POST", body=[{"labels": each, "annotations": {"summary": summary}} for each in labels])
