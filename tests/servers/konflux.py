"""A stand-in of ours for Konflux and Tekton: custom resources of the stand-in for the Kubernetes API, and controllers.

A tenant's namespace has applications, components, snapshots with the results of their tests, plans, releases, pipeline
runs and runs of tasks with logs. A release that is created is validated, goes on, and ends after a moment (as a failure
where its plan is in `failing`); a pipeline run that is cancelled ends after a moment.

It does not: build, test or release anything; admit or default what is created (webhooks), prune; know roles, component
groups, enterprise contracts, or Tekton Results (what was pruned is gone).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ssl import SSLContext
from typing import Any

from tests.servers.kubernetes import Kubernetes, kubernetes
from tests.servers.kubernetes_patches import Object
from tests.servers.kubernetes_store import Store, now

TENANT, PROD = "shop-tenant", "shop-prod"
GOOD, BAD, NEXT = (f"sha256:{letter * 64}" for letter in "abc")
IMAGE = "quay.example/shop/shop-api"
PASSED, FAILED, RUNNING, REQUESTED = "shop-20260101-abcde", "shop-failed", "shop-running", "shop-request"
BUILD, TEST, OLD = "shop-api-on-push-x7k2p", "shop-e2e-9zv4w", "shop-api-on-push-a1b2c"


def at(minutes: int) -> str:
    """So many minutes ago, as the API writes it."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(sort: str, status: str, reason: str, message: str = "") -> Object:
    """A condition of a status."""
    return {"type": sort, "status": status, "reason": reason, "message": message, "lastTransitionTime": now()}


@dataclass(slots=True)
class Konflux:
    """Konflux in a cluster; `failing` names plans whose releases fail, `released` is called when one has succeeded.

    `takes` are the seconds until a release, or a run that is cancelled, has ended.
    """

    cluster: Kubernetes
    takes: float = 0.2
    failing: set[str] = field(default_factory=set)
    released: Callable[[str], None] = lambda _: None

    def controllers(self) -> None:
        """Lets releases go on, and cancelled runs end."""
        self.cluster.objects.controllers.setdefault("releases", []).append(self._release)
        self.cluster.objects.controllers.setdefault("pipelineruns", []).append(self._cancel)

    def snapshot(self, name: str, image: str, minutes: int, tests: Mapping[str, str], *, request: str = "") -> None:
        """Adds a snapshot of the application shop, and what its tests said."""
        noted = [
            {"scenario": test, "status": status, "lastUpdateTime": at(minutes), "details": f"{test}: {status}",
             **({"testPipelineRunName": TEST} if status == "TestFail" else {})}
            for test, status in tests.items()
        ]  # fmt: skip
        labels = {
            "appstudio.openshift.io/component": "shop-api",
            "pac.test.appstudio.openshift.io/event-type": "pull_request" if request else "push",
            "pac.test.appstudio.openshift.io/sha": image[-40:],
            **({"pac.test.appstudio.openshift.io/pull-request": request} if request else {}),
        }
        said = set(tests.values())
        state = condition("AppStudioIntegrationStatus", "True", "Finished")
        told = [condition("AppStudioTestSucceeded", "True", "Passed", "All Integration Pipeline tests passed"), state]
        if "InProgress" in said:
            told = [condition("AppStudioIntegrationStatus", "Unknown", "InProgress", "tests are in progress")]
        elif "TestFail" in said:
            told = [condition("AppStudioTestSucceeded", "False", "Failed", "Some tests failed"), state]
        component = {
            "name": "shop-api",
            "containerImage": f"{IMAGE}@{image}",
            "source": {"git": {"url": "https://git.example/shop/api", "revision": image[-40:]}},
        }
        self.cluster.objects.add(
            "snapshots",
            name,
            TENANT,
            metadata={
                "labels": labels,
                "annotations": {"test.appstudio.openshift.io/status": json.dumps(noted)},
                "creationTimestamp": at(minutes),
            },
            spec={"application": "shop", "components": [component]},
            status={"conditions": told},
        )

    def run(self, name: str, minutes: int, standing: Object, labels: Mapping[str, str] | None = None) -> Object:
        """Adds a pipeline run; `standing` is its condition."""
        ended = {} if standing["status"] == "Unknown" else {"completionTime": at(minutes - 4)}
        known = {"application": "shop", "component": "shop-api"}
        return self.cluster.objects.add(
            "pipelineruns",
            name,
            TENANT,
            metadata={
                "labels": {f"appstudio.openshift.io/{key}": value for key, value in known.items()} | dict(labels or {}),
                "annotations": {"build.appstudio.redhat.com/target_branch": "main"},
                "creationTimestamp": at(minutes),
            },
            spec={"pipelineRef": {"name": "build"}},
            status={"conditions": [standing], "startTime": at(minutes), **ended},
        )

    def task(self, run: str, task: str, exit_status: int | None) -> None:
        """Adds the run of a task with one step, and its pod's log; null where it still runs."""
        name = f"{run}-{task}"
        step: Object = {"name": "main", "container": "step-main"}
        if exit_status is not None:
            step["terminated"] = {"exitCode": exit_status, "reason": "Error" if exit_status else "Completed"}
        standing = {None: ("Unknown", "Running"), 0: ("True", "Succeeded")}.get(exit_status, ("False", "Failed"))
        message = f'"step-main" exited with code {exit_status}' if exit_status else ""
        objects = self.cluster.objects
        objects.add(
            "taskruns",
            name,
            TENANT,
            metadata={"labels": {"tekton.dev/pipelineRun": run, "tekton.dev/pipelineTask": task}},
            status={
                "conditions": [condition("Succeeded", *standing, message)],
                "podName": f"{name}-pod",
                "startTime": at(9),
                "steps": [step],
            },
        )
        objects.add(
            "pods",
            f"{name}-pod",
            TENANT,
            metadata={"labels": {"tekton.dev/taskRun": name}},
            spec={"containers": [{"name": "step-main", "image": "test:1"}]},
            status={"phase": "Failed" if exit_status else "Succeeded", "conditions": [], "containerStatuses": []},
        )
        objects.logs[f"{TENANT}/{name}-pod"] = ["collecting ...", "E  401 != 200", "1 failed, 11 passed"]

    def deployed(self, image: str) -> None:
        """Lets the pod in the production namespace run this digest, as whoever deploys would after a release."""
        with self.cluster.objects.lock:
            pods = [one for one in self.cluster.objects.all("pods") if one["metadata"]["namespace"] == PROD]
            pod = pods[0] if pods else self.cluster.objects.pod(PROD, "shop-api-1", "shop-api")
            pod["spec"]["containers"] = [{"name": "shop-api", "image": f"{IMAGE}:latest"}]
            state = {"name": "shop-api", "image": f"{IMAGE}:latest", "imageID": f"{IMAGE}@{image}", "ready": True}
            pod["status"] = {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [state | {"restartCount": 0, "state": {"running": {"startedAt": now()}}}],
            }
            self.cluster.objects.touched(pod)

    def _release(self, store: Store, one: Object, what: str) -> None:
        if what != "created":
            return
        plan = one["spec"]["releasePlan"]
        if store.find("releaseplans", TENANT, plan) is None:
            wrong = f"ReleasePlan.appstudio.redhat.com {plan!r} not found"
            told = [condition("Validated", "False", "Failed", wrong), condition("Released", "False", "Failed", wrong)]
            one["status"] = {"conditions": told}
            return
        one["status"] = {
            "conditions": [condition("Validated", "True", "Succeeded"), condition("Released", "False", "Progressing")],
            "startTime": now(),
            "target": "shop-managed",
            "attribution": {"author": "ann"},
            "managedProcessing": {"pipelineRun": f"shop-managed/managed-{one['metadata']['name'][-5:]}"},
        }
        store.later(self.takes, lambda: self._ended(store, one))

    def _ended(self, store: Store, one: Object) -> None:
        valid = condition("Validated", "True", "Succeeded")
        if one["spec"]["releasePlan"] in self.failing:
            wrong = "the task verify-enterprise-contract failed: 1 violation"
            managed = condition("ManagedPipelineProcessed", "False", "Failed", wrong)
            told = [valid, managed, condition("Released", "False", "Failed", "Release processing failed")]
        else:
            managed = condition("ManagedPipelineProcessed", "True", "Succeeded")
            told = [valid, managed, condition("Released", "True", "Succeeded")]
            self.released(one["spec"]["snapshot"])
        one["status"] |= {"conditions": told, "completionTime": now()}
        store.touched(one)

    def _cancel(self, store: Store, one: Object, what: str) -> None:
        standing = one["status"]["conditions"][0]
        if what != "changed" or not one["spec"].get("status") or standing["status"] != "Unknown":
            return

        def end() -> None:
            message = f'PipelineRun "{one["metadata"]["name"]}" was cancelled'
            told = condition("Succeeded", "False", "Cancelled", message)
            one["status"] |= {"conditions": [told], "completionTime": now()}
            store.touched(one)

        store.later(self.takes, end)


def furnish(made: Konflux) -> None:
    """A shop: an application of one component, four snapshots, two plans, three pipeline runs; and production."""
    objects = made.cluster.objects
    for name in (TENANT, PROD):
        objects.namespace(name)
    objects.add("applications", "shop", TENANT, spec={"displayName": "The shop"}, status={})
    git = {"url": "https://git.example/shop/api", "revision": "main", "context": "."}
    objects.add(
        "components",
        "shop-api",
        TENANT,
        spec={"componentName": "shop-api", "application": "shop", "source": {"git": git}, "containerImage": IMAGE},
        status={"lastPromotedImage": f"{IMAGE}@{GOOD}", "lastBuiltCommit": "a" * 40},
    )
    for name, optional in (("shop-e2e", "false"), ("shop-contract", "true")):
        reference = {"resolver": "git", "params": [{"name": "url", "value": "https://git.example/shop/tests"}]}
        objects.add(
            "integrationtestscenarios",
            name,
            TENANT,
            metadata={"labels": {"test.appstudio.openshift.io/optional": optional}},
            spec={"application": "shop", "resolverRef": reference},
            status={"conditions": []},
        )
    made.snapshot(PASSED, GOOD, 30, {"shop-e2e": "TestPassed"})
    made.snapshot(REQUESTED, NEXT, 20, {"shop-e2e": "TestPassed"}, request="7")
    for name in ("shop-production", "shop-staging"):
        objects.add(
            "releaseplans",
            name,
            TENANT,
            spec={"application": "shop", "target": "shop-managed"},
            status={"conditions": [condition("Matched", "True", "Matched")]},
        )
    made.run(OLD, 60, condition("Succeeded", "True", "Completed", "Tasks Completed: 9 (Failed: 0), Skipped: 2"))
    failed = condition("Succeeded", "False", "Failed", "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 0")
    made.run(TEST, 10, failed, {"pipelines.appstudio.openshift.io/type": "test"})
    running = condition("Succeeded", "Unknown", "Running", "Tasks Completed: 3 (Failed: 0), Incomplete: 5, Skipped: 0")
    made.run(BUILD, 5, running, {"pipelinesascode.tekton.dev/pull-request": "7"})
    made.task(TEST, "run-tests", 1)
    made.task(TEST, "tidy-up", 0)
    made.task(BUILD, "build", None)
    made.deployed(NEXT)


@contextmanager
def konflux(context: SSLContext | None = None) -> Iterator[Konflux]:
    """A furnished Konflux, for as long as the block lasts."""
    with kubernetes(context) as cluster:
        made = Konflux(cluster)
        furnish(made)
        made.controllers()
        yield made


def settings(made: Konflux, **more: Any) -> dict[str, Any]:
    """The settings of a domain that means it; `token_file` is the file `token` of the folder."""
    return {"url": made.cluster.url, "token_file": "token", "namespace": TENANT, **more}
