"""A real Kubernetes API server and its etcd, for those who have one: nothing in CI needs it.

Debian has no package of the server, only its source (`apt-get source kubernetes`, 1.20). What builds it, and how the
programs named by `KUBE_APISERVER`, `ETCD` and, if there is one, `KUBE_CONTROLLER_MANAGER` are used, says
tests/data/kubernetes/README.md. There is no kubelet and no scheduler: pods stay pending until a test says otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.daemons import PATIENCE, free_port, program, serving, stop

TOKENS = {"admin": "token-of-the-admin", "ann": "token-of-ann"}
"""Who may come: the admin may everything, ann what a role allows her."""
GROUPS = {"admin": "system:masters", "ann": "staff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServer:
    """Where it answers, whom to trust, and the folder of its files."""

    url: str
    authority: Path
    folder: Path

    def trust(self) -> ssl.SSLContext:
        """What trusts its certificate."""
        return ssl.create_default_context(cafile=str(self.authority))

    def kubeconfig(self, user: str) -> Path:
        """Writes a kubeconfig for that user, whose namespace is `shop`."""
        place = {"server": self.url, "certificate-authority": str(self.authority)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "real",
            "clusters": [{"name": "here", "cluster": place}],
            "users": [{"name": user, "user": {"token": TOKENS[user]}}],
            "contexts": [{"name": "real", "context": {"cluster": "here", "user": user, "namespace": "shop"}}],
        }
        path = self.folder / f"config-of-{user}"
        path.write_text(json.dumps(content))
        return path


def named(variable: str, usual: str) -> str:
    """The program of the variable, or of this name in PATH; without it the test is skipped, in CI too."""
    found = os.environ.get(variable) or shutil.which(usual)
    if not found:
        pytest.skip(f"{variable} names no {usual} (tests/data/kubernetes/README.md)")
    return found


@contextmanager
def api_server(folder: Path, *, managed: bool = False) -> Iterator[ApiServer]:
    """The server, empty but for what it makes itself, for as long as the block lasts; `managed`: with controllers."""
    argv = [named("KUBE_APISERVER", "kube-apiserver")]
    _papers(folder)
    with ExitStack() as ends:
        etcd = ends.enter_context(serving(lambda port: _etcd(folder, port), "/health", folder / "etcd.log"))
        port = free_port()
        made = ApiServer(url=f"https://127.0.0.1:{port}", authority=folder / "certs" / "apiserver.crt", folder=folder)
        ends.enter_context(_running([*argv, *_options(folder, etcd, port)], folder / "apiserver.log"))
        _answers(made)
        if managed:
            manager = named("KUBE_CONTROLLER_MANAGER", "kube-controller-manager")
            ends.enter_context(_running([manager, *_managing(made)], folder / "manager.log"))
        yield made


def _papers(folder: Path) -> None:
    """The users, and the key that signs what service accounts show."""
    rows = [f'{token},{user},{user},"{GROUPS[user]}"' for user, token in TOKENS.items()]
    (folder / "tokens.csv").write_text("\n".join(rows) + "\n")
    key = str(folder / "accounts.key")
    subprocess.run([program("openssl"), "genrsa", "-out", key, "2048"], check=True, capture_output=True)


def _etcd(folder: Path, port: int) -> list[str]:
    here, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    return [
        named("ETCD", "etcd"),
        f"--data-dir={folder / f'etcd-{port}'}",
        f"--listen-client-urls={here}",
        f"--advertise-client-urls={here}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]


def _options(folder: Path, etcd: str, port: int) -> list[str]:
    return [
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        f"--service-account-issuer=https://127.0.0.1:{port}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-cluster-ip-range=10.0.0.0/24",
    ]


def _managing(server: ApiServer) -> list[str]:
    config = str(server.kubeconfig("admin"))
    return [f"--kubeconfig={config}", "--leader-elect=false", "--port=0", "--secure-port=0", "--controllers=*"]


@contextmanager
def _running(argv: list[str], log: Path) -> Iterator[None]:
    with log.open("ab") as out:
        process = subprocess.Popen(
            [program("setpriv"), "--pdeathsig", "KILL", *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
    finally:
        stop(process)


def _answers(server: ApiServer) -> None:
    """Waits until it is ready and has made its own namespaces and roles."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if all(_status(server, path) == 200 for path in ("/readyz", "/api/v1/namespaces/default")):
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail(f"kube-apiserver does not get ready: {(server.folder / 'apiserver.log').read_text()[-2_000:]}")


def _status(server: ApiServer, path: str) -> int:
    try:
        return asked(server, "GET", path, headers={"Authorization": f"Bearer {TOKENS['admin']}"})[0]
    except FileNotFoundError:
        return 0


def asked(
    server: ApiServer, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
) -> tuple[int, str, bytes]:
    """The status, the type and the body of what it answers."""
    request = urllib.request.Request(f"{server.url}{path}", data=body, method=method, headers=dict(headers))  # noqa: S310 - an address of ours
    try:
        with urllib.request.urlopen(request, timeout=30, context=server.trust()) as reply:  # noqa: S310 - the same
            return reply.status, reply.headers.get("Content-Type", ""), reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers.get("Content-Type", ""), refused.read()
