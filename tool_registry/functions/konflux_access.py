"""Asking Konflux: its objects are custom resources of a Kubernetes API, in the namespace of a tenant.

The domain is `konflux`, and says like every cluster's where its API is and as whom (docs/kubernetes.md); its setting
`namespace` is the tenant's, else the one of the kubeconfig's context. The shapes are those of the public definitions:
konflux-ci/application-api and konflux-ci/release-service (`appstudio.redhat.com/v1alpha1`),
konflux-ci/integration-service (`appstudio.redhat.com/v1beta2`) and tektoncd/pipeline (`tekton.dev/v1`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from tool_registry.functions.cluster import ask_cluster, cluster_items, inside, insist_on_cluster
from tool_registry.functions.kubeconfig import load_kubeconfig, mapping, named_entry
from tool_registry.tool import ToolContext, ToolError

APPSTUDIO = "/apis/appstudio.redhat.com/v1alpha1"
SCENARIOS = "/apis/appstudio.redhat.com/v1beta2"
TEKTON = "/apis/tekton.dev/v1"
APPLICATION = "appstudio.openshift.io/application"
COMPONENT = "appstudio.openshift.io/component"
SNAPSHOT = "appstudio.openshift.io/snapshot"
SCENARIO = "test.appstudio.openshift.io/scenario"
MISSING = 404
MOST = 2_000
"""Objects of one sort that are looked at, to find the newest of them: the API lists them by name."""
PAGES: Mapping[str, int] = {"pipelineruns": 25, "taskruns": 25, "snapshots": 100, "releases": 100}
"""How many of the bulky ones are asked for at once, so that an answer stays small."""

Name = Annotated[str, {"pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}]
Named = Annotated[str, {"pattern": r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"}]
"""A name, or empty for what is usual."""
Limit = Annotated[int, {"minimum": 1, "maximum": 500}]


def tenant(namespace: str, context: ToolContext) -> str:
    """The namespace that is named, else the domain's, else the one of the kubeconfig's context."""
    insist_on_cluster(context)
    named = namespace or str(context.settings.get("namespace") or "")
    if not named and not context.settings.get("url"):
        named = _usual(context)
    if not named:
        message = "name a namespace, or set one: neither the domain nor its kubeconfig's context has a namespace"
        raise ToolError(message, kind="configuration_error", sent=False)
    return named


def _usual(context: ToolContext) -> str:
    config, _ = load_kubeconfig("", context)
    name = str(context.settings.get("context") or config.get("current-context") or "")
    return str(mapping(named_entry(config, "contexts", name).get("context")).get("namespace") or "")


async def one_of(resource: str, name: str, namespace: str, context: ToolContext, group: str = APPSTUDIO) -> Any:
    """The object of that name; None when there is none. That the cluster has no such resource at all is a failure."""
    try:
        return (await ask_cluster("GET", inside(namespace, resource, name, group=group), context)).json()
    except ToolError as error:
        if error.http_status == MISSING and error.details.get("name") == name:
            return None
        raise


async def newest_of(
    resource: str, namespace: str, context: ToolContext, labels: Mapping[str, str] | None = None, group: str = APPSTUDIO
) -> tuple[list[Any], bool]:
    """The objects with these labels (empty values do not count), the newest first; and whether there are more."""
    selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items() if value)
    found, more = await cluster_items(
        inside(namespace, resource, group=group),
        context,
        MOST,
        {"labelSelector": selector or None},
        page=PAGES.get(resource, MOST),
    )
    return sorted(found, key=_created, reverse=True), more


def _created(said: Any) -> tuple[str, str]:
    meta = mapping(mapping(said).get("metadata"))
    return str(meta.get("creationTimestamp") or ""), str(meta.get("name") or "")


def condition(said: Mapping[str, Any], *sorts: str) -> Mapping[str, Any]:
    """The first condition of one of these types in an object's status; empty when it has none."""
    told: Sequence[Mapping[str, Any]] = (said.get("status") or {}).get("conditions") or ()
    return next((each for sort in sorts for each in told if each["type"] == sort), {})


def label(said: Mapping[str, Any], name: str) -> str:
    """A label of an object; empty when it has none of that name."""
    return str((said["metadata"].get("labels") or {}).get(name) or "")


def annotation(said: Mapping[str, Any], name: str) -> str:
    """An annotation of an object; empty when it has none of that name."""
    return str((said["metadata"].get("annotations") or {}).get(name) or "")


def digest(image: str) -> str:
    """The digest that an image is named by; empty where it is named by a tag."""
    found = image.partition("@")[2]
    return found if found.startswith("sha256:") else ""
