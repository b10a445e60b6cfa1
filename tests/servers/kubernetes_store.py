"""What the stand-in for the Kubernetes API holds: objects of every resource, and what is still to happen to them."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.servers.kubernetes_patches import Object, merge
from tests.servers.kubernetes_resources import RESOURCES, api_version

ENDED_AFTER = 0.15
"""Seconds until what is in a namespace that is deleted is gone, and the namespace with it."""
What = Literal["created", "changed", "deleted"]
Controller = Callable[["Store", Object, What], None]


def now() -> str:
    """This moment as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Store:
    """The objects by resource; all access under `lock`.

    `controllers` are called, under the lock, for every object of their resource that was created, changed or deleted by
    a request; what one of them wants to happen later it says by `later`. `running` are asked at every look whether
    they have ended, until they say so. `absent` are API groups that this cluster does not have.
    """

    kept: dict[str, list[Object]] = field(default_factory=lambda: {name: [] for name in RESOURCES})
    logs: dict[str, list[str]] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 1000
    changed: dict[str, float] = field(default_factory=dict)
    born: dict[str, int] = field(default_factory=dict)
    gone: list[tuple[int, str, Object]] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    controllers: dict[str, list[Controller]] = field(default_factory=dict)
    running: list[Callable[[], bool]] = field(default_factory=list)
    count: int = 0

    def add(self, resource: str, name: str, namespace: str = "", **parts: Any) -> Object:
        """Puts an object there; `metadata` is laid over what the API itself gives."""
        meta: Object = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
        return self.put(resource, {"metadata": meta, **parts})

    def put(self, resource: str, said: Mapping[str, Any]) -> Object:
        """Puts an object there as it is said, with what the API itself gives."""
        with self.lock:
            self.count += 1
            meta = copy.deepcopy(dict(said["metadata"]))
            uid = f"uid-{resource}-{meta.get('namespace', '')}-{meta['name']}"
            uid += f"-{self.count}" if uid in self.born else ""
            given = {"name": meta["name"], "uid": uid, "creationTimestamp": now()}
            made: Object = {"kind": RESOURCES[resource].kind, "apiVersion": api_version(resource)}
            made["metadata"] = {**given, **meta}
            made.update({name: copy.deepcopy(part) for name, part in said.items() if name not in (*made, "metadata")})
            self.kept.setdefault(resource, []).append(self.touched(made))
            self.born[uid] = self.version
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
        return [one for one in self.all(resource) if namespace in ("", one["metadata"].get("namespace"))]

    def all(self, resource: str) -> list[Object]:
        """Every one that there is at this moment."""
        return self.kept.setdefault(resource, [])

    def change(
        self, one: Object, patch: Mapping[str, Any], lay: Callable[[Object, Mapping[str, Any]], None] = merge
    ) -> Object:
        """Lays a patch over an object; a change of what is wanted begins a new generation."""
        before = copy.deepcopy(one.get("spec"))
        lay(one, patch)
        if one.get("spec") != before:
            self.wanted(one)
        return self.touched(one)

    def wanted(self, one: Object) -> None:
        """Notes that something else is wanted than before."""
        one["metadata"]["generation"] = int(one["metadata"].get("generation", 0)) + 1
        self.changed[one["metadata"]["uid"]] = time.monotonic()

    def remove(self, resource: str, one: Object) -> None:
        """Takes an object away, and those that it owns; a namespace ends a little later, with all that is in it."""
        if resource == "namespaces":
            self._end(one)
            return
        if one not in self.all(resource):
            return
        self.all(resource).remove(one)
        self.gone.append((int(self.touched(one)["metadata"]["resourceVersion"]), resource, one))
        owner = one["metadata"]["uid"]
        for name in list(self.kept):
            for each in [each for each in self.all(name) if owner in _owners(each)]:
                self.remove(name, each)

    def _end(self, namespace: Object) -> None:
        if "deletionTimestamp" in namespace["metadata"]:
            return
        namespace["metadata"]["deletionTimestamp"] = now()
        namespace["status"] = {"phase": "Terminating"}
        self.touched(namespace)
        self.later(ENDED_AFTER, lambda: self._ended(namespace))

    def _ended(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        for resource in [each for each in self.kept if each != "namespaces"]:
            for one in [one for one in self.all(resource) if one["metadata"].get("namespace") == name]:
                self.remove(resource, one)
                self.tell(resource, one, "deleted")
        self.all("namespaces").remove(namespace)
        self.gone.append((int(self.touched(namespace)["metadata"]["resourceVersion"]), "namespaces", namespace))

    def tell(self, resource: str, one: Object, what: What) -> None:
        """Calls the controllers of a resource."""
        for controller in self.controllers.get(resource, ()):
            controller(self, one, what)

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Has something done at the first look after so many seconds."""
        due = time.monotonic() + seconds

        def done() -> bool:
            if time.monotonic() < due:
                return False
            do()
            return True

        self.running.append(done)

    def settle(self) -> None:
        """Does what would have happened by now."""
        with self.lock:
            due, self.running = self.running, []  # whoever is asked may look, and so come here again
            left = [each for each in due if not each()]
            self.running = [*left, *self.running]


def _owners(one: Object) -> list[str]:
    return [each.get("uid", "") for each in one["metadata"].get("ownerReferences") or ()]
