"""What a real API server is asked, in order, by theme: each request builds on those before it.

`by` says who asks: `admin`, `ann` (whom `forbids` must forbid what she asks), `stranger` (a token that does not count),
`nobody` (no token). `until` is a path in the answer and the value there that is waited for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

JSON, MERGE, STRATEGIC, APPLY = (
    f"application/{sort}" for sort in ("json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
)
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
SHOP = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop/deployments"
STUDIO = "/apis/appstudio.redhat.com/v1alpha1/namespaces/shop"
RESERVATIONS = "/apis/cloud.redhat.com/v1alpha1/namespacereservations"
RUNS = "/apis/tekton.dev/v1/namespaces/shop/pipelineruns"
Who = Literal["admin", "ann", "stranger", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, under a name that says what is asked."""

    name: str
    method: str
    path: str
    body: Any = None
    sort: str = JSON
    accept: str = JSON
    by: Who = "admin"
    forbids: tuple[str, str] = ("", "")
    until: tuple[str, Any] = ("", None)

    def encoded(self) -> bytes | None:
        """The body as it is sent."""
        if self.body is None:
            return None
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    def holds(self, said: Any) -> bool:
        """Whether an answer is the one that is waited for."""
        path, wanted = self.until
        for name in path.split(".") if path else ():
            said = said.get(name) if isinstance(said, dict) else None
        return not path or bool(said == wanted)


def get(name: str, path: str, **more: Any) -> Exchange:
    """Asks for something."""
    return Exchange(name=name, method="GET", path=path, **more)


def post(name: str, path: str, body: Any, **more: Any) -> Exchange:
    """Has something created."""
    return Exchange(name=name, method="POST", path=path, body=body, **more)


def patch(name: str, path: str, body: Any, sort: str = MERGE, **more: Any) -> Exchange:
    """Changes something."""
    return Exchange(name=name, method="PATCH", path=path, body=body, sort=sort, **more)


def put(name: str, path: str, body: Any) -> Exchange:
    """Puts something in the place of what is there."""
    return Exchange(name=name, method="PUT", path=path, body=body)


def delete(name: str, path: str, body: Any = None) -> Exchange:
    """Has something deleted."""
    return Exchange(name=name, method="DELETE", path=path, body=body)


def namespace(name: str, **meta: Any) -> dict[str, Any]:
    """A namespace, as one is created."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **meta}}


def config(name: str, **data: str) -> dict[str, Any]:
    """A config map in the shop, all of which belong together."""
    meta = {"name": name, "namespace": "shop", "labels": {"part": "book"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def deployment(name: str, **more: Any) -> dict[str, Any]:
    """A deployment in the shop."""
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": "shop:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod, **more}
    meta = {"name": name, "namespace": "shop", "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def reservation(name: str, **spec: str) -> dict[str, Any]:
    """A reservation of an ephemeral namespace."""
    meta = {"name": name, "labels": {"env": "shop"}}
    return {
        "apiVersion": "cloud.redhat.com/v1alpha1",
        "kind": "NamespaceReservation",
        "metadata": meta,
        "spec": spec,
    }


def release(**spec: str) -> dict[str, Any]:
    """A release."""
    meta = {"generateName": "shop-", "namespace": "shop"}
    return {"apiVersion": "appstudio.redhat.com/v1alpha1", "kind": "Release", "metadata": meta, "spec": spec}


def run(name: str) -> dict[str, Any]:
    """A run of a pipeline."""
    meta = {"name": name, "namespace": "shop", "labels": {"app": "shop"}}
    spec = {"pipelineRef": {"name": "build"}}
    return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta, "spec": spec}


PREPARED: Sequence[Exchange] = (post("a namespace", "/api/v1/namespaces", namespace("shop")),)
"""What every theme begins with."""

REFUSALS = (
    get("nothing with a token that does not count", f"{SHOP}/pods", by="stranger"),
    get("a list by nobody", f"{SHOP}/pods", by="nobody"),
    get("a list that is forbidden", f"{SHOP}/secrets", by="ann", forbids=("list", "secrets")),
    get("a list that is forbidden everywhere", "/api/v1/namespaces", by="ann", forbids=("list", "namespaces")),
    get("an object that is forbidden", f"{SHOP}/secrets/database", by="ann", forbids=("get", "secrets")),
    get("a forbidden object of a group", f"{APPS}/web", by="ann", forbids=("get", "deployments")),
    patch(
        "a forbidden change of a part",
        f"{APPS}/web/scale",
        {"spec": {"replicas": 3}},
        by="ann",
        forbids=("patch", "deployments/scale"),
    ),
    post(
        "something forbidden to create", f"{SHOP}/configmaps", config("a"), by="ann", forbids=("create", "configmaps")
    ),
    get("a resource that is none", f"{SHOP}/weasels"),
    get("a group that is none", "/apis/no.such.group/v1/things"),
    get("an object that is none", f"{SHOP}/pods/nobody"),
    get("an object of a group that is none", f"{APPS}/nobody"),
    get("the log of a pod that is none", f"{SHOP}/pods/nobody/log"),
    get("the scale of a deployment that is none", f"{APPS}/nobody/scale"),
    delete("a deletion of nothing", f"{SHOP}/configmaps/nobody"),
    patch("a change of nothing", f"{SHOP}/configmaps/nobody", {"data": {"a": "b"}}),
)

NAMESPACES = (
    post("a new one", "/api/v1/namespaces", namespace("left", labels={"owner": "ann"}, annotations={"until": "noon"})),
    post("one that is there", "/api/v1/namespaces", namespace("left")),
    post("a name that is none", "/api/v1/namespaces", namespace("Not_A_Name")),
    post("one without a name", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {}}),
    get("that one", "/api/v1/namespaces/left"),
    get("one that is none", "/api/v1/namespaces/nowhere"),
    get("by label", "/api/v1/namespaces?labelSelector=owner%3Dann"),
    get("by label, as a table", "/api/v1/namespaces?labelSelector=owner%3Dann", accept=TABLE),
    patch("an annotation", "/api/v1/namespaces/left", {"metadata": {"annotations": {"until": "night"}}}),
    get("a list in one that is none", "/api/v1/namespaces/nowhere/pods"),
    post(
        "something in one that is none",
        "/api/v1/namespaces/nowhere/configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "lost"},
        },
    ),
    delete("its end", "/api/v1/namespaces/left"),
    delete("the end of one that is none", "/api/v1/namespaces/nowhere"),
    post(
        "something in one that ends",
        "/api/v1/namespaces/left/configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "late"},
        },
    ),
)

OBJECTS = (
    post("a config map", f"{SHOP}/configmaps", config("first", a="1")),
    post("another one", f"{SHOP}/configmaps", config("second", a="2")),
    post("a third one", f"{SHOP}/configmaps", config("third", a="3")),
    post("one that is there", f"{SHOP}/configmaps", config("first", a="1")),
    post("one of another kind", f"{SHOP}/configmaps", namespace("odd")),
    post("one for another namespace", "/api/v1/namespaces/default/configmaps", config("first")),
    post("what is no JSON", f"{SHOP}/configmaps", "{ not JSON"),
    get("a page of a list", f"{SHOP}/configmaps?labelSelector=part%3Dbook&limit=2"),
    get("an empty list", f"{SHOP}/configmaps?labelSelector=part%3Dnone"),
    get("a place in a list that is none", f"{SHOP}/configmaps?limit=2&continue=nonsense"),
    get("by a field", f"{SHOP}/configmaps?fieldSelector=metadata.name%3Dsecond"),
    get("by two labels", f"{SHOP}/configmaps?labelSelector=part+in+%28book%2Cpage%29%2C%21old"),
    patch("a change", f"{SHOP}/configmaps/first", {"data": {"a": None, "b": "2"}}),
    patch("the same change", f"{SHOP}/configmaps/first", {"data": {"b": "2"}}),
    patch("a change of an older version", f"{SHOP}/configmaps/first", {"metadata": {"resourceVersion": "1"}}),
    patch("a patch of an unknown sort", f"{SHOP}/configmaps/first", {"data": {}}, "text/plain"),
    put("a replacement", f"{SHOP}/configmaps/second", config("second", c="3")),
    patch(
        "an apply that creates",
        f"{SHOP}/configmaps/applied?fieldManager=us",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}},
        APPLY,
    ),
    patch(
        "the same apply",
        f"{SHOP}/configmaps/applied?fieldManager=us",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}},
        APPLY,
    ),
    patch(
        "an apply by nobody",
        f"{SHOP}/configmaps/applied",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}},
        APPLY,
    ),
    delete("a deletion of another one", f"{SHOP}/configmaps/third", {"preconditions": {"uid": "another"}}),
    delete("a deletion", f"{SHOP}/configmaps/third"),
    delete("a second deletion", f"{SHOP}/configmaps/third"),
    post(
        "a secret",
        f"{SHOP}/secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "database"},
            "type": "Opaque",
            "data": {"password": "cGFzcw==", "user": "c2hvcA=="},
        },
    ),
    get("that secret", f"{SHOP}/secrets/database"),
    get("secrets as a table", f"{SHOP}/secrets?includeObject=Metadata&limit=5", accept=TABLE),
    post(
        "an event",
        f"{SHOP}/events",
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "web.1"},
            "type": "Warning",
            "reason": "BackOff",
            "message": "Back-off restarting failed container",
            "count": 3,
            "source": {"component": "kubelet"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
            "firstTimestamp": "2026-01-01T10:00:00Z",
            "lastTimestamp": "2026-01-01T10:05:00Z",
        },
    ),
    get("warnings", f"{SHOP}/events?fieldSelector=type%3DWarning"),
    get("events of an object", f"{SHOP}/events?fieldSelector=involvedObject.name%3Dweb-1%2Ctype%3DWarning"),
)

DEPLOYMENTS = (
    post("a new one", APPS, deployment("web")),
    get("that one", f"{APPS}/web"),
    get("by label", f"{APPS}?labelSelector=app%3Dweb&limit=1"),
    get("as a table", APPS, accept=TABLE),
    get("its scale", f"{APPS}/web/scale"),
    patch("another scale", f"{APPS}/web/scale", {"spec": {"replicas": 3}}),
    patch("fewer than none", f"{APPS}/web/scale", {"spec": {"replicas": -1}}),
    patch("a restart", f"{APPS}/web", {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}),
    patch(
        "another image",
        f"{APPS}/web",
        {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "shop:2"}]}}}},
        STRATEGIC,
    ),
    patch("a selector that may not change", f"{APPS}/web", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}),
    post("one whose selector chooses other pods", APPS, deployment("odd", selector={"matchLabels": {"app": "other"}})),
    patch(
        "its status",
        f"{APPS}/web/status",
        {
            "status": {
                "observedGeneration": 4,
                "replicas": 3,
                "updatedReplicas": 3,
                "readyReplicas": 3,
                "availableReplicas": 3,
            }
        },
    ),
    get("as a table, ready", APPS, accept=TABLE),
    patch("an apply that creates", f"{APPS}/api?fieldManager=us", deployment("api"), APPLY),
    delete("its end", f"{APPS}/web", {"propagationPolicy": "Background"}),
)

PODS = (
    post(
        "a new one",
        f"{SHOP}/pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web-1", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "shop:1"}, {"name": "side", "image": "side:1"}]},
        },
    ),
    get("the log of one of two", f"{SHOP}/pods/web-1/log"),
    get("the log of a container that is none", f"{SHOP}/pods/web-1/log?container=other"),
    get("as a table", f"{SHOP}/pods", accept=TABLE),
    patch(
        "its status",
        f"{SHOP}/pods/web-1/status",
        {
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "False"}],
                "containerStatuses": [
                    {
                        "name": "web",
                        "image": "shop:1",
                        "imageID": "sha256:1",
                        "ready": False,
                        "restartCount": 7,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                        "lastState": {},
                    },
                    {
                        "name": "side",
                        "image": "side:1",
                        "imageID": "sha256:2",
                        "ready": True,
                        "restartCount": 0,
                        "state": {"running": {"startedAt": "2026-01-01T10:00:00Z"}},
                        "lastState": {},
                    },
                ],
            }
        },
    ),
    get("as a table, crashing", f"{SHOP}/pods", accept=TABLE),
    get("by phase", f"{SHOP}/pods?fieldSelector=status.phase%3DRunning"),
    delete("its end", f"{SHOP}/pods/web-1"),
)

CUSTOM = (
    post("a reservation", RESERVATIONS, reservation("one", requester="ann", duration="1h")),
    post("one by nobody", RESERVATIONS, reservation("two", duration="1h")),
    get("it", f"{RESERVATIONS}/one"),
    get("those of the shop", f"{RESERVATIONS}?labelSelector=env%3Dshop"),
    get("one that is none", f"{RESERVATIONS}/none"),
    patch(
        "its status",
        f"{RESERVATIONS}/one/status",
        {
            "status": {
                "state": "active",
                "namespace": "ephemeral-1",
                "expiration": "2026-01-01T11:00:00Z",
            }
        },
    ),
    get("as a table", RESERVATIONS, accept=TABLE),
    patch("longer", f"{RESERVATIONS}/one", {"spec": {"duration": "2h"}}),
    patch("a strategic patch", f"{RESERVATIONS}/one", {"spec": {"duration": "3h"}}, STRATEGIC),
    delete("its end", f"{RESERVATIONS}/one"),
    post("a release", f"{STUDIO}/releases", release(snapshot="shop-1", releasePlan="prod")),
    post("a release of nothing", f"{STUDIO}/releases", release(releasePlan="prod")),
    get("releases", f"{STUDIO}/releases?limit=100"),
    get("snapshots, none", f"{STUDIO}/snapshots"),
    get("a snapshot that is none", f"{STUDIO}/snapshots/none"),
    post("a run", RUNS, run("build-1")),
    patch("a run cancelled", f"{RUNS}/build-1", {"spec": {"status": "CancelledRunFinally"}}),
    get("runs as a table", RUNS, accept=TABLE),
)

ROLLOUTS = (
    post("a deployment", APPS, deployment("web")),
    get("no pod is ready yet", f"{APPS}/web", until=("status.replicas", 2)),
    get("every pod is ready", f"{APPS}/web", until=("status.availableReplicas", 2)),
    patch("another scale", f"{APPS}/web/scale", {"spec": {"replicas": 1}}),
    get("fewer pods", f"{APPS}/web", until=("status.replicas", 1)),
    delete("the end of the namespace", "/api/v1/namespaces/shop"),
    get("it is gone", "/api/v1/namespaces/shop", until=("code", 404)),
)
"""With controllers only; who records plays the kubelet between the second and the third."""

THEMES: Mapping[str, Sequence[Exchange]] = {
    "refusals": REFUSALS,
    "namespaces": NAMESPACES,
    "objects": OBJECTS,
    "deployments": DEPLOYMENTS,
    "pods": PODS,
    "custom": CUSTOM,
    "rollouts": ROLLOUTS,
}
