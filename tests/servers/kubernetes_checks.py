"""What the stand-in for the Kubernetes API refuses to create or to change, in the words of a real one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.servers.kubernetes_answers import status
from tests.servers.kubernetes_objects import Objects
from tests.servers.kubernetes_patches import Object, at
from tests.servers.kubernetes_resources import RESOURCES, qualified

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


class RefusedError(Exception):
    """A request that is answered by a `Status`."""

    def __init__(self, code: int, reason: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.code = code
        self.said: Any = status(code, reason, message, **details)


class NoApiError(RefusedError):
    """A request for an API that nobody serves here, which is answered by plain text."""

    def __init__(self) -> None:
        super().__init__(404, "NotFound", "404 page not found")
        self.said = "404 page not found\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path means."""

    resource: str
    namespace: str = ""
    name: str = ""
    sub: str = ""

    @property
    def full(self) -> str:
        """The resource as rules name it."""
        return f"{self.resource}/{self.sub}" if self.sub else self.resource

    @property
    def details(self) -> dict[str, str]:
        """What a `Status` says of it."""
        return {"name": self.name, "kind": self.resource, "group": RESOURCES[self.resource].group}


def invalid(what: Target, why: str) -> RefusedError:
    """An object that cannot be as it is said."""
    known = RESOURCES[what.resource]
    named = f"{known.kind}.{known.group}" if known.group else known.kind
    return RefusedError(
        422, "Invalid", f'{named} "{what.name}" is invalid: {why}', **{**what.details, "kind": known.kind}
    )


def check(objects: Objects, what: Target, said: Object) -> None:
    """Refuses what cannot be created there."""
    resource, name = RESOURCES[what.resource], qualified(what.resource)
    where = str(said["metadata"].get("namespace") or what.namespace)
    if said.get("kind", resource.kind) != resource.kind or said.get("apiVersion", resource.version) != resource.version:
        told = f'{said.get("kind")} in version "{said.get("apiVersion")}" cannot be handled as a {resource.kind}'
        raise RefusedError(400, "BadRequest", told)
    if where != what.namespace and resource.namespaced:
        told = "the namespace of the provided object does not match the namespace sent on the request"
        raise RefusedError(400, "BadRequest", told)
    if not NAME.fullmatch(what.name):
        rule = LABEL if what.resource == "namespaces" else SUBDOMAIN
        wrong = f'Invalid value: "{what.name}": {rule}'
        required = "Required value: name or generateName is required"
        raise invalid(what, f"metadata.name: {wrong if what.name else required}")
    if resource.namespaced:
        _check_namespace(objects, what)
    if objects.find(what.resource, what.namespace, what.name):
        raise RefusedError(409, "AlreadyExists", f'{name} "{what.name}" already exists', **what.details)
    _check_parts(what, said)


def _check_namespace(objects: Objects, what: Target) -> None:
    namespace = objects.find("namespaces", "", what.namespace)
    if namespace is None:
        details = {"name": what.namespace, "kind": "namespaces"}
        raise RefusedError(404, "NotFound", f'namespaces "{what.namespace}" not found', **details)
    if "deletionTimestamp" in namespace["metadata"]:
        why = f"unable to create new content in namespace {what.namespace} because it is being terminated"
        told = f'{qualified(what.resource)} "{what.name}" is forbidden: {why}'
        raise RefusedError(403, "Forbidden", told, **what.details)


def _check_parts(what: Target, said: Object) -> None:
    missing = [path for path in RESOURCES[what.resource].required if at(said, path) is None]
    if missing:
        told = [f"{path}: Required value" for path in missing]
        raise invalid(what, told[0] if len(told) == 1 else f"[{', '.join(told)}]")
    if what.resource == "deployments":
        labels = at(said, "spec.template.metadata.labels") or {}
        wanted = at(said, "spec.selector.matchLabels") or {}
        if not wanted.items() <= labels.items():
            shown = ", ".join(f'"{key}":"{value}"' for key, value in sorted(labels.items()))
            why = "`selector` does not match template `labels`"
            raise invalid(what, f"spec.template.metadata.labels: Invalid value: map[string]string{{{shown}}}: {why}")


def unchanged(what: Target, one: Object, wanted: Object) -> None:
    """Refuses to change what may not be changed: a deployment's selector."""
    if what.resource == "deployments" and at(one, "spec.selector") != at(wanted, "spec.selector"):
        raise invalid(what, f"spec.selector: Invalid value: {at(wanted, 'spec.selector')}: field is immutable")
