"""What the stand-in for the Kubernetes API holds, furnished by one line each, and how it changes by itself."""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.servers import kubernetes_rollouts as rollouts
from tests.servers.kubernetes_patches import Object, merge
from tests.servers.kubernetes_store import Store, now


@dataclass(slots=True)
class Objects(Store):
    """A store with furniture. `stuck` names deployments (or NAMESPACE/NAME) whose new pods never get ready."""

    def namespace(self, name: str, **metadata: Any) -> Object:
        """Adds a namespace."""
        meta = {**metadata, "labels": {"kubernetes.io/metadata.name": name, **metadata.get("labels", {})}}
        return self.add(
            "namespaces", name, metadata=meta, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"}
        )

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
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        made = self.put(
            "deployments", {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec}
        )
        self.changed[made["metadata"]["uid"]] = time.monotonic() - 60
        self.settle()
        return made

    def pod(self, namespace: str, name: str, app: str, owner: str = "") -> Object:
        """Adds a pod that is not ready yet."""
        template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": app, "image": "shop:1"}]}}
        return rollouts.add_pod(self, namespace, name, template, owner)

    def crash(self, pod: Object) -> None:
        """Lets a pod crash over and over."""
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
        ended = {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": now(), "finishedAt": now()}}
        status = rollouts.container(pod["spec"]["containers"][0], state)
        status |= {"ready": False, "restartCount": 7, "lastState": ended}
        pod["status"] = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [status],
        }
        self.touched(pod)

    def put(self, resource: str, said: Mapping[str, Any]) -> Object:
        """Puts an object there as it is said, with what the API itself gives."""
        made = Store.put(self, resource, said)
        if resource == "deployments":
            rollouts.completed(made)
        elif resource == "namespaces":
            self._begun(made)
        elif "spec" in made and resource not in ("nodes", "pods"):
            made["metadata"].setdefault("generation", 1)
        self.changed[made["metadata"]["uid"]] = time.monotonic()
        return made

    def _begun(self, namespace: Object) -> None:
        meta = namespace["metadata"]
        meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]
        namespace.update(spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"})

    def change(
        self, one: Object, patch: Mapping[str, Any], lay: Callable[[Object, Mapping[str, Any]], None] = merge
    ) -> Object:
        """Lays a patch over an object; another template of a deployment is a new revision."""
        before = copy.deepcopy(one["spec"]["template"]) if one["kind"] == "Deployment" else None
        Store.change(self, one, patch, lay)
        if one["kind"] == "Deployment":
            rollouts.renewed(one, before)
        return one

    def remove(self, resource: str, one: Object) -> None:
        """Takes an object away, and those that it owns."""
        Store.remove(self, resource, one)
        if resource == "deployments":
            rollouts.end(self, one)

    def settle(self) -> None:
        """Does what would have happened by now."""
        with self.lock:
            Store.settle(self)
            for one in self.all("deployments"):
                rollouts.roll(self, one)
