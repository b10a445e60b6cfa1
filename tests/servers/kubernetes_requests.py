"""What a request to the stand-in for the Kubernetes API does to its objects, and what it is answered."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.servers.kubernetes_answers import listed, scale_of, table
from tests.servers.kubernetes_checks import NoApiError, RefusedError, Target, check, unchanged
from tests.servers.kubernetes_objects import Objects
from tests.servers.kubernetes_patches import Object, merge, merge_by_name, selects
from tests.servers.kubernetes_resources import RESOURCES, qualified
from tests.servers.kubernetes_store import now

SUBS = ("log", "scale", "status")
MERGE, STRATEGIC, APPLY = (
    f"application/{sort}" for sort in ("merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
)
TOKEN_LENGTH = 5
UNKNOWN_PATCH = (
    "the body of the request was in an unknown format - accepted media types include: "
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, taken apart; `sort` is the type of its body."""

    method: str
    query: Mapping[str, str]
    body: bytes = b""
    sort: str = ""
    as_table: bool = False

    def content(self) -> Object:
        """The object that it carries; YAML only where it is JSON, too."""
        if "protobuf" in self.sort:
            raise RefusedError(
                415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {self.sort}"
            )
        try:
            said = json.loads(self.body or b"{}")
        except ValueError as error:
            raise RefusedError(400, "BadRequest", f"the body of the request is not JSON: {error}") from error
        return dict(said)


def target(path: str, objects: Objects) -> Target:
    """What a path means; RefusedError where the API has nothing there."""
    words = [unquote(word) for word in path.strip("/").split("/")]
    version, rest = ("v1", words[2:]) if words[:1] == ["api"] else ("/".join(words[1:3]), words[3:])
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in SUBS:
        namespace, rest = rest[1], rest[2:]
    resource, name, sub = [*rest, "", "", ""][:3]
    known = RESOURCES.get(resource)
    odd = len(rest) > 3 or (sub and sub not in SUBS)
    if version != "v1" and version not in {
        each.version for each in RESOURCES.values() if each.group not in objects.absent
    }:
        raise NoApiError
    if known is None or known.version != version or odd:
        raise RefusedError(404, "NotFound", "the server could not find the requested resource")
    return Target(resource=resource, namespace=namespace, name=name, sub=sub)


def verb(asked: Request, what: Target) -> str:
    """As rules name it."""
    if asked.method == "GET":
        return "get" if what.name else "watch" if asked.query.get("watch") in ("1", "true") else "list"
    named = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}[asked.method]
    return "deletecollection" if named == "delete" and not what.name else named


def forbidden(rules: Collection[tuple[str, str]], doing: str, what: Target, user: str) -> None:
    """Refuses what a rule forbids to everybody, and everything to those who have not said who they are."""
    also = ("list", what.full) if doing == "watch" else ("", "")
    if user != "system:anonymous" and not {(doing, what.full), ("*", what.full), also} & set(rules):
        return
    group = RESOURCES[what.resource].group
    where = f'in the namespace "{what.namespace}"' if what.namespace else "at the cluster scope"
    named = qualified(what.resource)
    subject = f'{named} "{what.name}"' if what.name else named
    tried = f'User "{user}" cannot {doing} resource "{what.full}" in API group "{group}" {where}'
    raise RefusedError(403, "Forbidden", f"{subject} is forbidden: {tried}", **what.details)


def answer(objects: Objects, asked: Request, what: Target) -> tuple[int, Any]:
    """The status and what is said: an object, or a log's lines as text."""
    if not what.name:
        return _together(objects, asked, what)
    one = objects.find(what.resource, what.namespace, what.name)
    if one is None:
        if asked.sort == APPLY and asked.method == "PATCH" and not what.sub:
            return 201, _create(objects, what, _applied(asked))
        raise not_found(what)
    if what.sub == "log":
        return 200, _log(objects, what, one, asked.query)
    if asked.method == "GET":
        shown = scale_of(one) if what.sub == "scale" else one
        return 200, table(what.resource, [shown], {}) if asked.as_table and not what.sub else shown
    return 200, (_delete if asked.method == "DELETE" else _change)(objects, what, one, asked)


def not_found(what: Target) -> RefusedError:
    """There is nothing of that name; a scale is missed as a part, other parts as what they are parts of."""
    sub = "/scale" if what.sub == "scale" else ""
    group = RESOURCES[what.resource].group
    named = f"{what.resource}{sub}.{group}" if group else f"{what.resource}{sub}"
    details = {**what.details, "kind": f"{what.resource}{sub}"}
    return RefusedError(404, "NotFound", f'{named} "{what.name}" not found', **details)


def _together(objects: Objects, asked: Request, what: Target) -> tuple[int, Object]:
    match asked.method:
        case "GET":
            return 200, _list(objects, asked, what)
        case "POST":
            return 201, _create(objects, what, asked.content())
    raise RefusedError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _list(objects: Objects, asked: Request, what: Target) -> Object:
    query = asked.query
    found = [one for one in objects.within(what.resource, what.namespace) if selects(one, query)]
    place = query.get("continue") or "0"
    if not place.isdecimal():
        raise RefusedError(400, "BadRequest", f"invalid continue token: continue key is not valid: {place}")
    first = int(place)
    most = int(query.get("limit") or 0) or len(found)
    page, left = found[first : first + most], len(found) - first - most
    meta: Object = {"resourceVersion": str(objects.version)}
    if left > 0:
        meta["continue"] = str(first + most)
        if not {"labelSelector", "fieldSelector"} & set(query):
            meta["remainingItemCount"] = left
    return table(what.resource, page, meta) if asked.as_table else listed(what.resource, page, meta)


def _applied(asked: Request) -> Object:
    if not asked.query.get("fieldManager"):
        details = {"kind": "PatchOptions", "group": "meta.k8s.io"}
        told = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
        raise RefusedError(422, "Invalid", told, **details)
    return asked.content()


def _create(objects: Objects, what: Target, said: Object) -> Object:
    meta = said.setdefault("metadata", {})
    if not meta.get("name") and (prefix := meta.get("generateName")):
        meta["name"] = prefix + secrets.token_hex(TOKEN_LENGTH)[:TOKEN_LENGTH]
    named = Target(resource=what.resource, namespace=what.namespace, name=str(meta.get("name") or ""))
    check(objects, named, said)
    if RESOURCES[what.resource].namespaced:
        meta["namespace"] = what.namespace
    if what.resource == "pods":
        said["status"] = {"phase": "Pending"}
    made = objects.put(what.resource, said)
    objects.tell(what.resource, made, "created")
    return made


def _change(objects: Objects, what: Target, one: Object, asked: Request) -> Object:
    patch = _applied(asked) if asked.sort == APPLY else asked.content()
    if what.sub == "scale":
        return _scaled(objects, what, one, patch)
    version = patch.get("metadata", {}).pop("resourceVersion", None)
    if version not in (None, one["metadata"]["resourceVersion"]):
        changed = "the object has been modified; please apply your changes to the latest version and try again"
        told = f'Operation cannot be fulfilled on {qualified(what.resource)} "{what.name}": {changed}'
        raise RefusedError(409, "Conflict", told, **what.details)
    before = copy.deepcopy(_without_version(one))
    wanted = {"status": patch.get("status", {})} if what.sub == "status" else patch
    if not what.sub and what.resource != "events":
        wanted = {name: part for name, part in wanted.items() if name != "status"}
    if asked.method == "PUT":
        _replace(objects, one, wanted)
    else:
        lay = {MERGE: merge, APPLY: merge_by_name, STRATEGIC: merge_by_name}.get(asked.sort)
        if lay is None or (asked.sort == STRATEGIC and RESOURCES[what.resource].custom):
            raise RefusedError(415, "UnsupportedMediaType", UNKNOWN_PATCH)
        trial = copy.deepcopy(one)
        lay(trial, wanted)
        unchanged(what, one, trial)
        if trial == one:
            return one
        objects.change(one, wanted, lay)
    if _without_version(one) != before:
        objects.tell(what.resource, one, "changed")
    return one


def _without_version(one: Object) -> Object:
    return {**one, "metadata": {**one["metadata"], "resourceVersion": ""}}


def _replace(objects: Objects, one: Object, wanted: Object) -> None:
    """Puts the object in the place of the old one; what only the API says stays as it was."""
    meta = wanted.pop("metadata", {})
    for name in ("labels", "annotations"):
        one["metadata"].pop(name, None)
    absent = {name: None for name in one if name not in (*wanted, "metadata", "status", "kind", "apiVersion")}
    kept = {name: part for name, part in meta.items() if name in ("labels", "annotations", "finalizers")}

    def lay(old: Object, new: Mapping[str, Any]) -> None:
        for name in [name for name in new if name != "metadata"]:
            old.pop(name, None)
        merge(old, new)

    objects.change(one, {**absent, **wanted, "metadata": kept}, lay)


def _scaled(objects: Objects, what: Target, one: Object, patch: Object) -> Object:
    wanted = patch["spec"]["replicas"]
    if not isinstance(wanted, int) or wanted < 0:
        told = f'Scale.autoscaling "{what.name}" is invalid: spec.replicas: Invalid value: {wanted}: '
        details = {"name": what.name, "kind": "Scale", "group": "autoscaling"}
        raise RefusedError(422, "Invalid", f"{told}must be greater than or equal to 0", **details)
    return scale_of(objects.change(one, {"spec": {"replicas": wanted}}))


def _delete(objects: Objects, what: Target, one: Object, asked: Request) -> Object:
    only = (asked.content().get("preconditions") or {}).get("uid")
    meta = one["metadata"]
    if only not in (None, meta["uid"]):
        kind = RESOURCES[what.resource].kind
        why = f"the UID in the precondition ({only}) does not match the UID in record ({meta['uid']})"
        told = f'Operation cannot be fulfilled on {kind} "{what.name}": {why}. The object might have been deleted'
        raise RefusedError(409, "Conflict", f"{told} and then recreated", **{**what.details, "kind": kind})
    objects.remove(what.resource, one)
    objects.tell(what.resource, one, "deleted")
    if what.resource in ("namespaces", "pods"):
        return {**one, "metadata": {"deletionTimestamp": now(), **one["metadata"]}}
    details = {name: value for name, value in what.details.items() if value} | {"uid": meta["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _log(objects: Objects, what: Target, one: Object, query: Mapping[str, str]) -> str:
    containers = [each["name"] for each in one["spec"]["containers"]]
    chosen = query.get("container") or containers[0]
    if len(containers) > 1 and not query.get("container"):
        told = f"a container name must be specified for pod {what.name}, choose one of: [{' '.join(containers)}]"
        raise RefusedError(400, "BadRequest", told)
    if chosen not in containers:
        raise RefusedError(400, "BadRequest", f"container {chosen} is not valid for pod {what.name}")
    if one["status"]["phase"] == "Pending":
        why = f'container "{chosen}" in pod "{what.name}" is waiting to start: ContainerCreating'
        raise RefusedError(400, "BadRequest", why)
    key = f"{what.namespace}/{what.name}"
    lines = objects.logs.get(f"{key}/{chosen}", objects.logs.get(key, []))
    if query.get("previous") in ("1", "true"):
        if f"{key}/previous" not in objects.logs:
            why = f'previous terminated container "{chosen}" in pod "{what.name}" not found'
            raise RefusedError(400, "BadRequest", why)
        lines = objects.logs[f"{key}/previous"]
    tail = int(query.get("tailLines", len(lines)))
    return "".join(f"{line}\n" for line in lines[len(lines) - min(tail, len(lines)) :])
