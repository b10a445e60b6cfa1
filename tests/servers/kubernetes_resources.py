"""Which resources the stand-in for the Kubernetes API has: a table, and a row more is a resource more.

The key is the plural, so two groups cannot have the same one here (a real cluster can).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A sort of objects; `columns` (name → where it stands in the object) are what tables show beside its name.

    `required` are paths of what an object must say. The age is the last column of what is not custom, or has no other.
    """

    kind: str
    version: str = "v1"
    namespaced: bool = True
    short: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    custom: bool = False
    required: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.version.rpartition("/")[0]

    @property
    def path(self) -> str:
        """Where its API is."""
        return f"/apis/{self.version}" if self.group else f"/api/{self.version}"


EPHEMERAL = "cloud.redhat.com/v1alpha1"
"""The API of the ephemeral-namespace-operator (its `api/v1alpha1`), as the tool bonfire uses it."""

RESOURCES: dict[str, Resource] = {
    "namespaces": Resource(kind="Namespace", namespaced=False, short="ns", columns={"Status": "status.phase"}),
    "nodes": Resource(kind="Node", namespaced=False, short="no"),
    "pods": Resource(kind="Pod", short="po", columns={"Ready": "", "Status": "", "Restarts": ""}),
    "secrets": Resource(kind="Secret", columns={"Type": "type", "Data": ""}),
    "configmaps": Resource(kind="ConfigMap", short="cm"),
    "services": Resource(kind="Service", short="svc", columns={"Type": "spec.type", "Cluster-IP": "spec.clusterIP"}),
    "events": Resource(kind="Event", short="ev"),
    "deployments": Resource(
        kind="Deployment", version="apps/v1", short="deploy", columns={"Ready": "", "Up-to-date": "", "Available": ""}
    ),
    "replicasets": Resource(kind="ReplicaSet", version="apps/v1", short="rs"),
    "jobs": Resource(kind="Job", version="batch/v1", columns={"Completions": "status.succeeded"}),
    "ingresses": Resource(kind="Ingress", version="networking.k8s.io/v1", short="ing"),
    "routes": Resource(kind="Route", version="route.openshift.io/v1", columns={"Host": "spec.host"}, custom=True),
    "namespacereservations": Resource(
        kind="NamespaceReservation",
        version=EPHEMERAL,
        namespaced=False,
        short="reservation",
        columns={
            "Requester": "spec.requester",
            "State": "status.state",
            "Namespace": "status.namespace",
            "Expiration": "status.expiration",
        },
        custom=True,
        required=("spec.requester",),
    ),
    "namespacepools": Resource(kind="NamespacePool", version=EPHEMERAL, namespaced=False, short="pool", custom=True),
}

APPSTUDIO, TEKTON = "appstudio.redhat.com/v1alpha1", "tekton.dev/v1"
"""The APIs of Konflux (konflux-ci/application-api, release-service; its tests are at v1beta2) and Tekton."""
OF_RUNS = {
    "Succeeded": "status.conditions[Succeeded].status",
    "Reason": "status.conditions[Succeeded].reason",
    "StartTime": "status.startTime",
    "CompletionTime": "status.completionTime",
}

RESOURCES |= {
    "applications": Resource(kind="Application", version=APPSTUDIO, short="hasapp", custom=True),
    "components": Resource(kind="Component", version=APPSTUDIO, short="comp", custom=True),
    "snapshots": Resource(kind="Snapshot", version=APPSTUDIO, short="snapshot", custom=True),
    "releaseplans": Resource(
        kind="ReleasePlan",
        version=APPSTUDIO,
        short="rp",
        columns={"Application": "spec.application", "Target": "spec.target"},
        custom=True,
    ),
    "releases": Resource(
        kind="Release",
        version=APPSTUDIO,
        short="rel",
        columns={
            "Snapshot": "spec.snapshot",
            "ReleasePlan": "spec.releasePlan",
            "Release status": "status.conditions[Released].reason",
            "Age": "",
        },
        custom=True,
        required=("spec.releasePlan", "spec.snapshot"),
    ),
    "integrationtestscenarios": Resource(
        kind="IntegrationTestScenario",
        version="appstudio.redhat.com/v1beta2",
        short="its",
        columns={"Application": "spec.application"},
        custom=True,
    ),
    "pipelineruns": Resource(kind="PipelineRun", version=TEKTON, short="pr", columns=OF_RUNS, custom=True),
    "taskruns": Resource(kind="TaskRun", version=TEKTON, short="tr", columns=OF_RUNS, custom=True),
}


def api_version(resource: str) -> str:
    """The API that a resource belongs to."""
    return RESOURCES[resource].version


def qualified(resource: str) -> str:
    """A resource as messages of the API name it: with its group, as in `deployments.apps`."""
    group = RESOURCES[resource].group
    return f"{resource}.{group}" if group else resource
