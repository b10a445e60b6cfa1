"""What the stand-in for the Kubernetes API holds, and how it changes by itself while time goes by."""

from __future__ import annotations

import base64
import copy
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
KINDS = {
    "namespaces": "Namespace",
    "nodes": "Node",
    "pods": "Pod",
    "secrets": "Secret",
    "events": "Event",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
}
OBSERVED_AFTER, READY_AFTER = 0.1, 0.5
"""Seconds until a controller has seen a change, and until the pods it wants are ready."""
REVISION = "deployment.kubernetes.io/revision"


def now() -> str:
    """This moment as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Objects:
    """The objects by resource; all access under `lock`. `stuck` names deployments whose new pods never get ready."""

    kept: dict[str, list[Object]] = field(default_factory=lambda: {name: [] for name in KINDS})
    logs: dict[str, list[str]] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 1000
    changed: dict[str, float] = field(default_factory=dict)

    def add(self, resource: str, name: str, namespace: str = "", **parts: Any) -> Object:
        """Puts an object there; `metadata` is laid over what the API itself gives."""
        meta: Object = {"name": name, "uid": f"uid-{resource}-{namespace}-{name}", "creationTimestamp": now()}
        if namespace:
            meta["namespace"] = namespace
        made: Object = {"kind": KINDS[resource], "apiVersion": api_version(resource)}
        made["metadata"] = {**meta, **parts.pop("metadata", {})}
        made.update(parts)
        with self.lock:
            self.kept[resource].append(self.touched(made))
        return made

    def touched(self, one: Object) -> Object:
        """The object with a new version."""
        self.version += 1
        one["metadata"]["resourceVersion"] = str(self.version)
        return one

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """The object, if there is one."""
        return next((one for one in self.within(resource, namespace) if one["metadata"]["name"] == name), None)

    def within(self, resource: str, namespace: str) -> list[Object]:
        """Those of a namespace, or of all."""
        self.settle()
        return [one for one in self.kept[resource] if namespace in ("", one["metadata"].get("namespace"))]

    def namespace(self, name: str) -> None:
        """Adds a namespace."""
        labels = {"labels": {"kubernetes.io/metadata.name": name}}
        self.add("namespaces", name, metadata=labels, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"})

    def node(self, name: str, *, ready: bool = True) -> None:
        """Adds a machine."""
        condition = {
            "type": "Ready",
            "status": "True" if ready else "False",
            "reason": "KubeletReady" if ready else "KubeletNotReady",
            "message": "",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": now(),
        }
        info = {"kubeletVersion": "v1.32.4", "osImage": "Debian GNU/Linux 12", "kernelVersion": "6.1.0"}
        status = {"conditions": [condition], "capacity": {"cpu": "4"}, "allocatable": {"cpu": "4"}, "nodeInfo": info}
        self.add("nodes", name, spec={}, status=status)

    def secret(self, namespace: str, name: str, values: Mapping[str, str], sort: str = "Opaque") -> None:
        """Adds a secret."""
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        self.add("secrets", name, namespace, type=sort, data=data)

    def event(self, namespace: str, about: tuple[str, str], reason: str, message: str, sort: str = "Warning") -> None:
        """Adds an event about an object (its kind and name)."""
        kind, name = about
        uid = f"uid-{kind.lower()}s-{namespace}-{name}"
        self.add(
            "events",
            f"{name}.{self.version:x}",
            namespace,
            involvedObject={"kind": kind, "namespace": namespace, "name": name, "uid": uid, "apiVersion": "v1"},
            reason=reason,
            message=message,
            type=sort,
            count=3,
            firstTimestamp=now(),
            lastTimestamp=now(),
            source={"component": "kubelet", "host": "node-1"},
        )

    def deployment(self, namespace: str, name: str, replicas: int, image: str = "shop:1") -> Object:
        """Adds a deployment whose pods are ready."""
        labels = {"app": name}
        container = {"name": name, "image": image, "resources": {}, "imagePullPolicy": "IfNotPresent"}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "restartPolicy": "Always"},
            },
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "progressDeadlineSeconds": 600,
        }
        meta = {"labels": labels, "generation": 1, "annotations": {REVISION: "1"}}
        made = self.add("deployments", name, namespace, metadata=meta, spec=spec, status={})
        self.changed[made["metadata"]["uid"]] = time.monotonic() - 60
        self.settle()
        return made

    def change(self, one: Object, patch: Mapping[str, Any]) -> Object:
        """Lays a merge patch over a deployment; a change of what is wanted begins a new generation."""
        before = copy.deepcopy(one["spec"])
        merge(one, patch)
        if one["spec"] != before:
            one["metadata"]["generation"] += 1
            self.changed[one["metadata"]["uid"]] = time.monotonic()
            if one["spec"]["template"] != before["template"]:
                one["metadata"]["annotations"][REVISION] = str(int(one["metadata"]["annotations"][REVISION]) + 1)
        return self.touched(one)

    def settle(self) -> None:
        """Does what controllers would have done by now."""
        with self.lock:
            for one in self.kept["deployments"]:
                self._roll(one)

    def _roll(self, one: Object) -> None:
        meta, wanted = one["metadata"], one["spec"]["replicas"]
        passed = time.monotonic() - self.changed[meta["uid"]]
        if passed < OBSERVED_AFTER:
            return
        ready = passed >= READY_AFTER and meta["name"] not in self.stuck
        fresh = self._pods(one, wanted, ready=ready)
        old = self._others(one, fresh) if not ready else []
        if ready:
            self._forget(one, fresh)
        available = sum(is_ready(pod) for pod in [*fresh, *old])
        status = {
            "observedGeneration": meta["generation"],
            "replicas": len(fresh) + len(old),
            "updatedReplicas": len(fresh),
            "readyReplicas": available,
            "availableReplicas": available,
            "unavailableReplicas": max(0, wanted - available),
            "conditions": _conditions(one, available >= wanted, ready or meta["name"] not in self.stuck),
        }
        told = {name: value for name, value in status.items() if value}
        if told != one["status"]:
            one["status"] = told
            self.touched(one)

    def _pods(self, one: Object, wanted: int, *, ready: bool) -> list[Object]:
        """The pods of the newest revision: made where they are missing, removed where there are too many."""
        meta = one["metadata"]
        prefix = f"{meta['name']}-{5_000_000 + int(meta['annotations'][REVISION]):x}-"
        mine = [pod for pod in self._all(one) if pod["metadata"]["name"].startswith(prefix)]
        for pod in mine[wanted:]:
            self.kept["pods"].remove(pod)
        for number in range(len(mine), wanted):
            self.pod(meta["namespace"], f"{prefix}{number:05}", meta["name"], owner=prefix[:-1])
        mine = [pod for pod in self._all(one) if pod["metadata"]["name"].startswith(prefix)]
        for pod in mine:
            if ready and not is_ready(pod):
                _set_ready(pod)
                self.touched(pod)
        return mine

    def pod(self, namespace: str, name: str, app: str, owner: str = "") -> Object:
        """Adds a pod that is not ready yet."""
        image = "shop:1"
        spec = {"containers": [{"name": app, "image": image}], "nodeName": "node-1", "restartPolicy": "Always"}
        status = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": []}
        meta: Object = {"labels": {"app": app}}
        if owner:
            meta["ownerReferences"] = [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}
            ]
        self.logs[f"{namespace}/{name}"] = [f"{app} listens", "GET / 200", "no error found, 0 failed"]
        return self.add("pods", name, namespace, metadata=meta, spec=spec, status=status)

    def crash(self, pod: Object) -> None:
        """Lets a pod crash over and over."""
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
        ended = {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": now(), "finishedAt": now()}}
        container = _container(pod, state) | {"ready": False, "restartCount": 7, "lastState": ended}
        pod["status"] = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [container],
        }
        self.touched(pod)

    def _all(self, one: Object) -> list[Object]:
        meta = one["metadata"]
        return [
            pod
            for pod in self.kept["pods"]
            if pod["metadata"]["namespace"] == meta["namespace"]
            and pod["metadata"]["labels"].get("app") == meta["name"]
            and pod["metadata"].get("ownerReferences")
        ]

    def _others(self, one: Object, fresh: list[Object]) -> list[Object]:
        return [pod for pod in self._all(one) if pod not in fresh]

    def _forget(self, one: Object, fresh: list[Object]) -> None:
        for pod in self._others(one, fresh):
            self.kept["pods"].remove(pod)


def api_version(resource: str) -> str:
    """The API a resource belongs to."""
    return "apps/v1" if resource in ("deployments", "replicasets") else "v1"


def merge(one: Object, patch: Mapping[str, Any]) -> None:
    """A JSON merge patch (RFC 7386); for what is patched here, a strategic one does the same."""
    for name, value in patch.items():
        if value is None:
            one.pop(name, None)
        elif isinstance(value, Mapping):
            inner = one.setdefault(name, {})
            merge(inner, value)
        else:
            one[name] = value


def is_ready(pod: Object) -> bool:
    """Whether the pod counts as ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])


def _set_ready(pod: Object) -> None:
    if any(each.get("restartCount") for each in pod["status"]["containerStatuses"]):
        return
    container = _container(pod, {"running": {"startedAt": now()}}) | {"ready": True, "started": True}
    pod["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now()}],
        "containerStatuses": [container],
        "startTime": now(),
        "podIP": "10.0.0.7",
        "podIPs": [{"ip": "10.0.0.7"}],
    }


def _container(pod: Object, state: Object) -> Object:
    named = pod["spec"]["containers"][0]
    return {
        "name": named["name"],
        "image": named["image"],
        "imageID": "sha256:1",
        "restartCount": 0,
        "state": state,
        "lastState": {},
    }


def _conditions(one: Object, available: bool, progressing: bool) -> list[Object]:
    name = one["metadata"]["name"]
    reason = "NewReplicaSetAvailable" if available and progressing else "ReplicaSetUpdated"
    told = {
        "Available": ("True", "MinimumReplicasAvailable") if available else ("False", "MinimumReplicasUnavailable"),
        "Progressing": ("True", reason) if progressing else ("False", "ProgressDeadlineExceeded"),
    }
    return [
        {"type": sort, "status": status, "reason": why, "message": f'ReplicaSet "{name}" {why}'}
        for sort, (status, why) in told.items()
    ]
