"""What the ephemeral-namespace-operator does to reservations, for the stand-in of the Kubernetes API.

A reservation gets a namespace of the pool after a moment, as long as one is free; its end follows its duration; one of
`0s` is gone after a moment with its namespace. It does not: prepare namespaces ahead, or end leases by the clock.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

from tests.servers.kubernetes_objects import Objects
from tests.servers.kubernetes_patches import Object
from tests.servers.kubernetes_store import Store, What

GIVEN_AFTER = 0.1
"""Seconds until a reservation has its namespace, and until one that is given back is gone."""


class Operator:
    """Gives namespaces out; of each pool there are `free`."""

    def __init__(self, objects: Objects, free: int = 5) -> None:
        self.free = free
        objects.add(
            "namespacepools", "default", spec={"size": 2, "sizeLimit": free}, status={"ready": 2, "reserved": 0}
        )
        objects.controllers.setdefault("namespacereservations", []).append(self.reservation)

    def reservation(self, store: Store, one: Object, what: What) -> None:
        """Does what the operator does about a reservation."""
        if what == "created":
            one["status"] = {"state": "waiting", "pool": one["spec"].get("pool") or "default"}
            store.later(GIVEN_AFTER, lambda: self._give(store, one))
        elif what == "changed" and one["spec"]["duration"] == "0s":
            store.later(GIVEN_AFTER, lambda: _end(store, one))
        elif what == "changed" and "namespace" in one.get("status", {}):
            one["status"]["expiration"] = _expiration(one)

    def _give(self, store: Store, one: Object) -> None:
        if one not in store.all("namespacereservations") or one["spec"]["duration"] == "0s":
            return
        if self.free <= 0:
            store.later(GIVEN_AFTER, lambda: self._give(store, one))
            return
        self.free -= 1
        name = f"ephemeral-{secrets.token_hex(3)}"
        labels = {"operator-ns": "true", "pool": one["status"]["pool"]}
        store.put(
            "namespaces",
            {"metadata": {"name": name, "labels": labels, "annotations": {"reserved": "true", "env-status": "ready"}}},
        )
        one["status"] |= {"state": "active", "namespace": name, "expiration": _expiration(one)}
        store.touched(one)


def _end(store: Store, one: Object) -> None:
    if one not in store.all("namespacereservations"):
        return
    namespace = store.find("namespaces", "", one.get("status", {}).get("namespace", ""))
    store.remove("namespacereservations", one)
    if namespace:
        store.remove("namespaces", namespace)


def _expiration(one: Object) -> str:
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", one["spec"]["duration"])
    assert found is not None, one["spec"]["duration"]
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    begun = datetime.fromisoformat(one["metadata"]["creationTimestamp"])
    ends = begun + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return ends.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
