"""How the stand-in for the Kubernetes API shapes what it says: discovery, lists, tables, scales, errors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.servers.kubernetes_patches import Object, at
from tests.servers.kubernetes_resources import RESOURCES, api_version

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
VERSION = {"major": "1", "minor": "32", "gitVersion": "v1.32.4", "platform": "linux/amd64", "goVersion": "go1.23"}
REVIEWS = "authentication.k8s.io/v1"


def discovery(path: str, absent: Collection[str] = ()) -> Any:
    """What the API says of itself at a path, without the groups that are absent; None where that is no part of it."""
    versions = sorted({each.version for each in RESOURCES.values() if each.group and each.group not in absent})
    review = {"name": "selfsubjectreviews", "singularName": "", "kind": "SelfSubjectReview", "namespaced": False}
    groups = [_group(each) for each in [*versions, REVIEWS]]
    said: dict[str, Any] = {
        "/version": VERSION,
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "/api/v1": _resources("v1"),
        f"/apis/{REVIEWS}": _listing(REVIEWS, [{**review, "verbs": ["create"]}]),
        **{f"/apis/{version}": _resources(version) for version in versions},
        **{f"/apis/{each['name']}": {"kind": "APIGroup", "apiVersion": "v1", **each} for each in groups},
    }
    return said.get(path)


def _group(version: str) -> Object:
    one = {"groupVersion": version, "version": version.rpartition("/")[2]}
    return {"name": version.rpartition("/")[0], "versions": [one], "preferredVersion": one}


def _resources(version: str) -> Object:
    told: list[Object] = []
    for name, each in RESOURCES.items():
        if each.version != version:
            continue
        short = {"shortNames": [each.short]} if each.short else {}
        row = {"name": name, "singularName": each.kind.lower(), "namespaced": each.namespaced, "kind": each.kind}
        told.append({**row, "verbs": VERBS, **short})
        told.append({**row, "name": f"{name}/status", "singularName": "", "verbs": ["get", "patch", "update"]})
    if version == "apps/v1":
        scale = {"name": "deployments/scale", "singularName": "", "namespaced": True, "kind": "Scale"}
        told.append({**scale, "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]})
    if version == "v1":
        told.append({"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]})
    return _listing(version, told)


def _listing(version: str, resources: list[Object]) -> Object:
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def status(code: int, reason: str, message: str, *, name: str = "", kind: str = "", group: str = "") -> Object:
    """An error as the API tells it."""
    details = {key: value for key, value in (("name", name), ("group", group), ("kind", kind)) if value}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        **({"details": details} if details else {}),
        "code": code,
    }


def listed(resource: str, items: list[Object], meta: Object) -> Object:
    """A list of objects; its items do not repeat their kind, but where it is a custom one."""
    custom = RESOURCES[resource].custom
    shown = [one if custom else _without(one, ("kind", "apiVersion")) for one in items]
    return {
        "kind": f"{RESOURCES[resource].kind}List",
        "apiVersion": api_version(resource),
        "metadata": meta,
        "items": shown,
    }


def _without(one: Object, names: tuple[str, ...]) -> Object:
    return {name: part for name, part in one.items() if name not in names}


def table(resource: str, items: list[Object], meta: Object) -> Object:
    """A table, as kubectl prints it; resources without columns of their own have a name and an age."""
    known = RESOURCES[resource]
    columns = ("Name", *known.columns, *(() if known.custom and known.columns else ("Age",)))
    head = [
        {"name": each, "type": "string", "format": "name" if each == "Name" else "", "description": "", "priority": 0}
        for each in columns
    ]
    rows = [
        {
            "cells": [_cell(resource, one, each) for each in columns],
            "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": one["metadata"]},
        }
        for one in items
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": head,
        "rows": rows,
    }


def _cell(resource: str, one: Object, column: str) -> Any:
    if column in ("Name", "Age"):
        return one["metadata"]["name"] if column == "Name" else "1m"
    path = RESOURCES[resource].columns[column]
    if path:
        return at(one, path)
    return {"pods": _pod_cells, "deployments": _deployment_cells, "secrets": _secret_cells}[resource](one)[column]


def _pod_cells(one: Object) -> Object:
    containers = one["status"].get("containerStatuses") or []
    waiting = [each["state"].get("waiting") for each in containers]
    return {
        "Ready": f"{sum(bool(each['ready']) for each in containers)}/{len(one['spec']['containers'])}",
        "Status": next((each["reason"] for each in waiting if each), one["status"]["phase"]),
        "Restarts": str(sum(each["restartCount"] for each in containers)),
    }


def _deployment_cells(one: Object) -> Object:
    said = one["status"]
    return {
        "Ready": f"{said.get('readyReplicas', 0)}/{one['spec']['replicas']}",
        "Up-to-date": said.get("updatedReplicas", 0),
        "Available": said.get("availableReplicas", 0),
    }


def _secret_cells(one: Object) -> Object:
    return {"Data": len(one.get("data") or {})}


def scale_of(one: Object) -> Object:
    """A deployment as the scale subresource shows it."""
    meta = {
        name: one["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    labels = one["spec"]["selector"]["matchLabels"]
    said = {"replicas": one["status"].get("replicas", 0), "selector": ",".join(f"{k}={v}" for k, v in labels.items())}
    spec = {"replicas": one["spec"]["replicas"]}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": said}
