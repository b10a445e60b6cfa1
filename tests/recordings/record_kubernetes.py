"""Writes tests/data/kubernetes/*.json: what a real API server answers. Nothing of the suite needs it.

    KUBE_APISERVER=... ETCD=... [KUBE_CONTROLLER_MANAGER=...] python -m tests.recordings.record_kubernetes [THEME ...]

Every theme has a server of its own, empty but for the namespace `shop`. `rollouts` needs the controllers, and is left
as it is without them. How the programs are built says tests/data/kubernetes/README.md.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.recordings.kubernetes_definitions import definitions
from tests.recordings.kubernetes_exchanges import (
    JSON,
    PREPARED,
    STRATEGIC,
    THEMES,
    Exchange,
    get,
    patch,
    post,
)
from tests.recordings.steady import steady
from tests.servers.kube_apiserver import TOKENS, ApiServer, api_server, asked

FOLDER = Path(__file__).parents[1] / "data" / "kubernetes"
DEFINED = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PATIENCE = 60.0


def answer(server: ApiServer, exchange: Exchange) -> tuple[int, str, Any]:
    """The status, the type and the body of what it answers, once that is what is waited for."""
    until = time.monotonic() + PATIENCE
    while True:
        status, sort, said = _once(server, exchange)
        if exchange.holds(said):
            return status, sort, said
        if time.monotonic() > until:
            raise TimeoutError(f"{exchange.name}: it never came to {exchange.until}: {said}")
        time.sleep(0.1)


def _once(server: ApiServer, exchange: Exchange) -> tuple[int, str, Any]:
    headers = {"Accept": exchange.accept}
    token = {"nobody": "", "stranger": "token-of-nobody"}.get(exchange.by) or TOKENS.get(exchange.by, "")
    if token and exchange.by != "nobody":
        headers["Authorization"] = f"Bearer {token}"
    body = exchange.encoded()
    if body is not None:
        headers["Content-Type"] = exchange.sort
    status, sort, said = asked(server, exchange.method, exchange.path, headers=headers, body=body)
    return status, sort, json.loads(said) if "json" in sort else said.decode()


def prepare(server: ApiServer) -> None:
    """Makes the namespace and the custom resources, and waits until they are served."""
    for each in definitions():
        answer(server, post("a definition", DEFINED, each))
    for each in definitions():
        group, version = each["spec"]["group"], each["spec"]["versions"][0]["name"]
        plural = each["spec"]["names"]["plural"]
        answer(
            server,
            get(
                "it is served",
                f"/apis/{group}/{version}/{plural}",
                until=("kind", f"{each['spec']['names']['kind']}List"),
            ),
        )
    for one in PREPARED:
        answer(server, one)


def _as_kubelet(server: ApiServer) -> None:
    """Says of every pod of the shop that it is ready."""
    path = "/api/v1/namespaces/shop/pods"
    _, _, pods = answer(server, get("pods", path))
    for each in pods["items"]:
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        answer(server, patch("ready", f"{path}/{each['metadata']['name']}/status", {"status": status}, STRATEGIC))


def record(server: ApiServer, exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """The answers of a theme, in order."""
    prepare(server)
    told = []
    for each in exchanges:
        if each.name == "every pod is ready":
            _as_kubelet(server)
        status, sort, said = answer(server, each)
        row = {"name": each.name, "asked": f"{each.method} {each.path}", "status": status, "type": sort}
        told.append({**row, "said": steady(said)})
    return told


def main() -> None:
    """Writes the themes that are named, or every one."""
    for theme in sys.argv[1:] or THEMES:
        exchanges = THEMES[theme]
        if theme == "rollouts" and not os.environ.get("KUBE_CONTROLLER_MANAGER"):
            continue
        with tempfile.TemporaryDirectory() as folder, api_server(Path(folder), managed=theme == "rollouts") as server:
            _, _, version = answer(server, get("version", "/version", accept=JSON))
            told = {"recorded": f"kube-apiserver {version['gitVersion']}", "exchanges": record(server, exchanges)}
        (FOLDER / f"{theme}.json").write_text(json.dumps(told, indent=1) + "\n")
        sys.stdout.write(f"{theme}: {len(exchanges)} answers\n")


if __name__ == "__main__":
    main()
