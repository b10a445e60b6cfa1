"""Deployments of the stand-in for the Kubernetes API: their pods, which get ready by themselves after a moment."""

from __future__ import annotations

import copy
import time
from typing import Any

from tests.servers.kubernetes_patches import Object
from tests.servers.kubernetes_store import Store, now

OBSERVED_AFTER, READY_AFTER = 0.1, 0.5
"""Seconds until a controller has seen a change, and until the pods it wants are ready."""
REVISION = "deployment.kubernetes.io/revision"
USUAL: Object = {
    "replicas": 1,
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
    "progressDeadlineSeconds": 600,
}


def completed(one: Object) -> None:
    """Gives a deployment what the API gives where nothing is said."""
    one["spec"] = {**copy.deepcopy(USUAL), **one["spec"]}
    one["metadata"].setdefault("annotations", {})[REVISION] = "1"
    one["metadata"]["generation"] = 1
    one.setdefault("status", {})
    for container in one["spec"]["template"]["spec"]["containers"]:
        for name, value in (("resources", {}), ("imagePullPolicy", "IfNotPresent")):
            container.setdefault(name, value)
    one["spec"]["template"]["spec"].setdefault("restartPolicy", "Always")


def renewed(one: Object, before: Any) -> None:
    """Counts a revision where the template is another one than before."""
    if one["spec"]["template"] != before:
        notes = one["metadata"].setdefault("annotations", {})
        notes[REVISION] = str(int(notes.get(REVISION, "0")) + 1)


def roll(store: Store, one: Object) -> None:
    """Does what the controller of a deployment would have done by now."""
    meta, wanted = one["metadata"], one["spec"]["replicas"]
    passed = time.monotonic() - store.changed[meta["uid"]]
    if passed < OBSERVED_AFTER:
        return
    stuck = bool({meta["name"], f"{meta.get('namespace')}/{meta['name']}"} & store.stuck)
    ready = passed >= READY_AFTER and not stuck
    fresh = _pods(store, one, wanted, ready=ready)
    old = _others(store, one, fresh) if not ready else []
    if ready:
        for pod in _others(store, one, fresh):
            store.remove("pods", pod)
    available = sum(is_ready(pod) for pod in [*fresh, *old])
    status = {
        "observedGeneration": meta["generation"],
        "replicas": len(fresh) + len(old),
        "updatedReplicas": len(fresh),
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
        "conditions": _conditions(one, available >= wanted, ready or not stuck),
    }
    told = {name: value for name, value in status.items() if value}
    if told != one.get("status"):
        one["status"] = told
        store.touched(one)


def _pods(store: Store, one: Object, wanted: int, *, ready: bool) -> list[Object]:
    """The pods of the newest revision: made where they are missing, removed where there are too many."""
    meta, prefix = one["metadata"], _prefix(one)
    mine = [pod for pod in _all(store, one) if pod["metadata"]["name"].startswith(prefix)]
    for pod in mine[wanted:]:
        store.remove("pods", pod)
    for number in range(len(mine), wanted):
        add_pod(store, meta["namespace"], f"{prefix}{number:05}", one["spec"]["template"], owner=prefix[:-1])
    mine = [pod for pod in _all(store, one) if pod["metadata"]["name"].startswith(prefix)]
    for pod in mine:
        if ready and not is_ready(pod):
            _set_ready(pod)
            store.touched(pod)
    return mine


def _prefix(one: Object) -> str:
    """What the names of the newest revision's pods begin with: that of its replica set."""
    meta = one["metadata"]
    return f"{meta['name']}-{5_000_000 + int(meta['annotations'][REVISION]):x}-"


def add_pod(store: Store, namespace: str, name: str, template: Object, owner: str = "") -> Object:
    """Adds a pod of a template that is not ready yet."""
    spec = {"restartPolicy": "Always", **copy.deepcopy(template["spec"]), "nodeName": "node-1"}
    status = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": []}
    meta = copy.deepcopy({"labels": {}, **template.get("metadata", {})})
    if owner:
        meta["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}
        ]
    app = meta["labels"].get("app", name)
    store.logs[f"{namespace}/{name}"] = [f"{app} listens", "GET / 200", "no error found, 0 failed"]
    return store.add("pods", name, namespace, metadata=meta, spec=spec, status=status)


def _all(store: Store, one: Object) -> list[Object]:
    meta, labels = one["metadata"], one["spec"]["selector"]["matchLabels"]
    return [
        pod
        for pod in store.all("pods")
        if pod["metadata"].get("namespace") == meta["namespace"]
        and labels.items() <= (pod["metadata"].get("labels") or {}).items()
        and _is_replica(pod)
    ]


def _is_replica(pod: Object) -> bool:
    return any(each["kind"] == "ReplicaSet" for each in pod["metadata"].get("ownerReferences") or ())


def _others(store: Store, one: Object, fresh: list[Object]) -> list[Object]:
    return [pod for pod in _all(store, one) if pod not in fresh]


def end(store: Store, one: Object) -> None:
    """Ends the pods of a deployment that is deleted."""
    for pod in _all(store, one):
        store.remove("pods", pod)


def is_ready(pod: Object) -> bool:
    """Whether the pod counts as ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions") or ())


def _set_ready(pod: Object) -> None:
    if any(each.get("restartCount") for each in pod["status"]["containerStatuses"]):
        return
    state = {"running": {"startedAt": now()}}
    pod["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now()}],
        "containerStatuses": [
            container(each, state) | {"ready": True, "started": True} for each in pod["spec"]["containers"]
        ],
        "startTime": now(),
        "podIP": "10.0.0.7",
        "podIPs": [{"ip": "10.0.0.7"}],
    }


def container(named: Object, state: Object) -> Object:
    """The status of a container that is in a state."""
    return {
        "name": named["name"],
        "image": named["image"],
        "imageID": "sha256:1",
        "restartCount": 0,
        "state": state,
        "lastState": {},
    }


def _conditions(one: Object, available: bool, progressing: bool) -> list[Object]:
    replica_set = f'ReplicaSet "{_prefix(one)[:-1]}"'
    has, enough = ("True", "has") if available else ("False", "does not have")
    reason = "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable"
    known = {
        "type": "Available",
        "status": has,
        "reason": reason,
        "message": f"Deployment {enough} minimum availability.",
    }
    if not progressing:
        told = ("False", "ProgressDeadlineExceeded", f"{replica_set} has timed out progressing.")
    elif available:
        told = ("True", "NewReplicaSetAvailable", f"{replica_set} has successfully progressed.")
    else:
        told = ("True", "ReplicaSetUpdated", f"{replica_set} is progressing.")
    return [known, {"type": "Progressing", "status": told[0], "reason": told[1], "message": told[2]}]
