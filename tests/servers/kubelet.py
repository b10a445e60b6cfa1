"""A kubelet for the stand-in of the Kubernetes API: the pods of its Jobs are processes of this machine.

An image is a folder: what `pull` gives for its name, unpacked from a real registry (`pulling`). The environment of a
container is built from its `env`, also from secrets. It does not: isolate anything, mount volumes, run init containers,
or more than the first container; only Jobs are run.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.request import Request, urlopen

from tests.servers.kubernetes_patches import Object
from tests.servers.kubernetes_rollouts import add_pod, container
from tests.servers.kubernetes_store import Store, What, now

Pull = Callable[[str], Path]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PYTHON = ("python", "python3")


class Kubelet:
    """Runs the pods of Jobs; `ran` are the commands."""

    def __init__(self, pull: Pull) -> None:
        self.pull = pull
        self.ran: list[list[str]] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.printed: dict[int, BinaryIO] = {}

    def job(self, store: Store, job: Object, what: What) -> None:
        """Begins the pod of a job that was created, and ends that of one that was deleted."""
        name = job["metadata"]["uid"]
        if what == "deleted" and name in self.processes:
            self.processes[name].kill()
        if what != "created":
            return
        pod = add_pod(store, job["metadata"]["namespace"], f"{job['metadata']['name']}-x7k2p", job["spec"]["template"])
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": name}
        pod["metadata"]["ownerReferences"] = [owner]
        self.processes[name] = process = self._start(store, pod)
        store.running.append(lambda: self._looked_at(store, job, pod, process))

    def _start(self, store: Store, pod: Object) -> subprocess.Popen[bytes]:
        first = pod["spec"]["containers"][0]
        command = [*first.get("command", ()), *first.get("args", ())]
        self.ran.append(command)
        words = [sys.executable if command[0] in PYTHON else command[0], *command[1:]]
        pod["status"] = {"phase": "Running", "conditions": [], "containerStatuses": [
            container(first, {"running": {"startedAt": now()}})
        ]}  # fmt: skip
        printed = tempfile.TemporaryFile()  # noqa: SIM115 - open until the process has ended
        process = subprocess.Popen(
            words,
            cwd=self.pull(first["image"]),
            env={
                "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                **_environment(store, pod, first),
            },
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        self.printed[process.pid] = printed
        return process

    def _looked_at(self, store: Store, job: Object, pod: Object, process: subprocess.Popen[bytes]) -> bool:
        """Notes how the process ended; whether it has."""
        if process.poll() is None:
            return False
        with self.printed.pop(process.pid) as printed:
            printed.seek(0)
            text = printed.read().decode()
        meta, first = pod["metadata"], pod["spec"]["containers"][0]
        store.logs[f"{meta['namespace']}/{meta['name']}"] = text.splitlines()
        good = process.returncode == 0
        ended = {"exitCode": process.returncode, "reason": "Completed" if good else "Error", "finishedAt": now()}
        pod["status"]["containerStatuses"] = [container(first, {"terminated": ended})]
        pod["status"]["phase"] = "Succeeded" if good else "Failed"
        sort, reason = ("Complete", "CompletionsReached") if good else ("Failed", "BackoffLimitExceeded")
        counted = {"succeeded": 1} if good else {"failed": 1}
        job["status"] = {"conditions": [{"type": sort, "status": "True", "reason": reason}], **counted}
        store.touched(pod)
        store.touched(job)
        return True

    def stop(self) -> None:
        """Ends what still runs."""
        for process in self.processes.values():
            process.kill()
            process.wait()
        for printed in self.printed.values():
            printed.close()


def _environment(store: Store, pod: Object, first: Object) -> dict[str, str]:
    made = {}
    for each in first.get("env") or ():
        reference = (each.get("valueFrom") or {}).get("secretKeyRef")
        if reference:
            secret = store.find("secrets", pod["metadata"]["namespace"], reference["name"])
            given = {**(secret or {}).get("stringData", {})}
            coded = (secret or {}).get("data", {}).get(reference["key"], "")
            made[each["name"]] = given.get(reference["key"]) or base64.b64decode(coded).decode()
        else:
            made[each["name"]] = each.get("value", "")
    return made


def pulling(folder: Path) -> Pull:
    """Unpacks images (HOST/NAME@DIGEST) of a registry on this machine below a folder, once each."""

    def pull(image: str) -> Path:
        name, _, digest = image.partition("@")
        host, _, path = name.partition("/")
        place = folder / digest.replace(":", "-")
        if not place.exists():
            place.mkdir(parents=True)
            manifest = json.loads(_got(f"http://{host}/v2/{path}/manifests/{digest}"))
            for layer in manifest["layers"]:
                content = _got(f"http://{host}/v2/{path}/blobs/{layer['digest']}")
                with tarfile.open(fileobj=BytesIO(content)) as archive:
                    archive.extractall(place, filter="data")
        return place

    return pull


def _got(url: str) -> bytes:
    with urlopen(Request(url, headers={"Accept": MANIFEST}), timeout=10) as answer:  # noqa: S310 - loopback http of ours
        content: bytes = answer.read()
        return content


@contextmanager
def kubelet(store: Store, folder: Path) -> Iterator[Kubelet]:
    """A kubelet of that cluster, for as long as the block lasts."""
    made = Kubelet(pulling(folder))
    store.controllers.setdefault("jobs", []).append(made.job)
    try:
        yield made
    finally:
        made.stop()
