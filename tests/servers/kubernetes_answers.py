"""How the stand-in for the Kubernetes API shapes what it says: discovery, lists, tables, scales, errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.servers.kubernetes_objects import KINDS, Object, api_version, is_ready

SHORT = {"namespaces": "ns", "nodes": "no", "pods": "po", "events": "ev", "deployments": "deploy", "replicasets": "rs"}
CLUSTERED = {"namespaces", "nodes"}
VERBS = ["get", "list", "patch", "update", "watch"]
VERSION = {"major": "1", "minor": "32", "gitVersion": "v1.32.4", "platform": "linux/amd64", "goVersion": "go1.23"}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pods": ("Name", "Ready", "Status", "Restarts", "Age"),
    "secrets": ("Name", "Type", "Data", "Age"),
    "deployments": ("Name", "Ready", "Up-to-date", "Available", "Age"),
}


def discovery(path: str) -> Any:
    """What the API says of itself at a path; None where that path is no part of it."""
    groups = [_group("apps"), _group("authentication.k8s.io")]
    review = {"name": "selfsubjectreviews", "singularName": "", "kind": "SelfSubjectReview", "namespaced": False}
    said: dict[str, Any] = {
        "/version": VERSION,
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "/api/v1": _resources("v1", [name for name in KINDS if api_version(name) == "v1"]),
        "/apis/apps/v1": _resources("apps/v1", [name for name in KINDS if api_version(name) != "v1"]),
        "/apis/authentication.k8s.io/v1": {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": "authentication.k8s.io/v1",
            "resources": [{**review, "verbs": ["create"]}],
        },
    }
    return said.get(path)


def _group(name: str) -> Object:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(group: str, names: list[str]) -> Object:
    told: list[Object] = []
    for name in names:
        kind = {"name": name, "singularName": KINDS[name].lower(), "namespaced": name not in CLUSTERED}
        told.append({**kind, "kind": KINDS[name], "verbs": VERBS, "shortNames": [SHORT.get(name, name)]})
    if "deployments" in names:
        scale = {"name": "deployments/scale", "singularName": "", "namespaced": True, "kind": "Scale"}
        told.append({**scale, "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]})
    if "pods" in names:
        told.append({"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": told}


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
    """A list of objects; its items do not repeat their kind."""
    shown = [{name: part for name, part in one.items() if name not in ("kind", "apiVersion")} for one in items]
    return {"kind": f"{KINDS[resource]}List", "apiVersion": api_version(resource), "metadata": meta, "items": shown}


def table(resource: str, items: list[Object], meta: Object) -> Object:
    """A table, as kubectl prints it; resources without columns of their own have a name and an age."""
    columns = COLUMNS.get(resource, ("Name", "Age"))
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
    told = {"pods": _pod_cells, "deployments": _deployment_cells, "secrets": _secret_cells}.get(resource, _no_cells)(
        one
    )
    return {"Name": one["metadata"]["name"], "Age": "1m", **told}[column]


def _no_cells(_: Object) -> Object:
    return {}


def _pod_cells(one: Object) -> Object:
    containers = one["status"]["containerStatuses"]
    waiting = [each["state"].get("waiting") for each in containers]
    return {
        "Ready": f"{int(is_ready(one))}/{len(one['spec']['containers'])}",
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
    return {"Type": one["type"], "Data": len(one["data"])}


def scale_of(one: Object) -> Object:
    """A deployment as the scale subresource shows it."""
    meta = {
        name: one["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    labels = one["spec"]["selector"]["matchLabels"]
    said = {"replicas": one["status"].get("replicas", 0), "selector": ",".join(f"{k}={v}" for k, v in labels.items())}
    spec = {"replicas": one["spec"]["replicas"]}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": said}


def selects(one: Object, query: Mapping[str, str]) -> bool:
    """Whether the label and field selectors of a request (equalities) choose the object."""
    labels = one["metadata"].get("labels") or {}
    return all(
        _equal(labels.get(name), sign, value) for name, sign, value in _terms(query.get("labelSelector", ""))
    ) and (all(_equal(_field(one, name), sign, value) for name, sign, value in _terms(query.get("fieldSelector", ""))))


def _terms(selector: str) -> list[tuple[str, str, str]]:
    found = []
    for term in filter(None, selector.split(",")):
        sign = "!=" if "!=" in term else "="
        name, _, value = term.replace("==", "=").partition(sign)
        found.append((name, sign, value))
    return found


def _equal(found: Any, sign: str, value: str) -> bool:
    return (found == value) is (sign == "=")


def _field(one: Object, path: str) -> Any:
    found: Any = one
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
