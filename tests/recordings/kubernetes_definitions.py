"""Custom resources as a real API server is told of them: shortened to what tools of ours read.

Group, names, scope, columns and required fields are those of the public definitions (their schemas are longer):
RedHatInsights/ephemeral-namespace-operator (`cloud.redhat.com/v1alpha1`), konflux-ci/application-api and
konflux-ci/release-service (`appstudio.redhat.com/v1alpha1`), tektoncd/pipeline (`tekton.dev/v1`).
"""

from __future__ import annotations

from typing import Any

AGE = ("Age", "date", ".metadata.creationTimestamp")
TEXT: dict[str, Any] = {"type": "string"}
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}


def definitions() -> list[dict[str, Any]]:
    """The custom resource definitions."""
    reservation = _defined(
        "cloud.redhat.com/v1alpha1",
        ("NamespaceReservation", "namespacereservations", "reservation", "nsr"),
        spec=_record({"requester": TEXT, "duration": TEXT, "pool": TEXT, "team": TEXT}, "requester"),
        status=_record(
            {"expiration": {"type": "string", "format": "date-time"}, "namespace": TEXT, "state": TEXT, "pool": TEXT},
            *("expiration", "namespace", "state"),
        ),
        columns=(
            ("Requester", "string", ".spec.requester"),
            ("State", "string", ".status.state"),
            ("Namespace", "string", ".status.namespace"),
            ("Expiration", "string", ".status.expiration"),
        ),
        scope="Cluster",
    )
    component = {"containerImage": TEXT, "name": TEXT, "source": ANYTHING}
    snapshot = _defined(
        "appstudio.redhat.com/v1alpha1",
        ("Snapshot", "snapshots", "as", "snapshot"),
        spec=_record({"application": TEXT, "components": {"type": "array", "items": _record(component)}}),
        columns=(),
    )
    release = _defined(
        "appstudio.redhat.com/v1alpha1",
        ("Release", "releases", "rel"),
        spec=_record({"snapshot": NAME, "releasePlan": NAME, "data": ANYTHING}, "releasePlan", "snapshot"),
        columns=(
            ("Snapshot", "string", ".spec.snapshot"),
            ("ReleasePlan", "string", ".spec.releasePlan"),
            ("Release status", "string", '.status.conditions[?(@.type=="Released")].reason'),
            AGE,
        ),
    )
    run = _defined(
        "tekton.dev/v1",
        ("PipelineRun", "pipelineruns", "pr", "prs"),
        columns=(
            ("Succeeded", "string", '.status.conditions[?(@.type=="Succeeded")].status'),
            ("Reason", "string", '.status.conditions[?(@.type=="Succeeded")].reason'),
            ("StartTime", "date", ".status.startTime"),
            ("CompletionTime", "date", ".status.completionTime"),
        ),
    )
    return [reservation, snapshot, release, run]


def _record(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _defined(
    version: str,
    names: tuple[str, ...],
    *,
    columns: tuple[tuple[str, str, str], ...],
    spec: dict[str, Any] = ANYTHING,
    status: dict[str, Any] = ANYTHING,
    scope: str = "Namespaced",
) -> dict[str, Any]:
    group, _, number = version.partition("/")
    kind, plural, *short = names
    told: dict[str, Any] = {
        "name": number,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": _record({"spec": spec, "status": status})},
    }
    if columns:
        told["additionalPrinterColumns"] = [{"name": a, "type": b, "jsonPath": c} for a, b, c in columns]
    named = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower(), "shortNames": short}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": named, "scope": scope, "versions": [told]},
    }
