"""Running pytest in a namespace of a cluster: a Job beside the application, with its image, environment and volumes.

The report is what the job writes to its standard output, so nothing has to be copied out of a pod that has ended.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import anyio

from tool_registry.functions import cluster_pods
from tool_registry.functions.cluster import ask_cluster, cluster_items, inside, promised
from tool_registry.functions.cluster_deploying import belongs
from tool_registry.functions.cluster_leases import BY, mark, new_name, note
from tool_registry.functions.deployments import APPS
from tool_registry.tool import ToolContext, ToolError

BATCH = "/apis/batch/v1"
JOB = "skill-engine/job"
COMMAND = ("python3", "-m", "pytest", "-p", "no:terminal", "--junitxml=/dev/stdout")
KEPT = ("containers", "initContainers", "volumes", "serviceAccountName", "imagePullSecrets", "securityContext",
        "nodeSelector", "tolerations", "hostAliases", "dnsConfig", "dnsPolicy")  # fmt: skip
OF_CONTAINER = ("image", "imagePullPolicy", "env", "envFrom", "volumeMounts", "workingDir", "resources",
                "securityContext")  # fmt: skip
REPORT = re.compile(r"<\?xml [^>]*\?>\s*<testsuites?\b.*</testsuites?>", re.DOTALL)
HOPELESS = cluster_pods.ILL - {"Error", "Failed", "OOMKilled"}
MOST, LINES = 500, 50_000
KEPT_FOR = 600
"""Seconds after which the cluster itself drops a job that ended, should we not."""
LOOK_EVERY, SELDOM, TIDYING = 0.3, 2.0, 5.0


async def run(namespace: str, app: str, path: str, allowed: int, context: ToolContext) -> Mapping[str, Any]:
    """The exit status, what was printed, and the report of pytest; in the same step of a run it is the same job.

    Raises:
        ToolError: where the application has no deployment, or the job's pod cannot start.
    """
    name = new_name("skill-tests-", context)
    job = _job(name, await _template(namespace, app, context), path, allowed, context)
    where = inside(namespace, "jobs", group=BATCH)
    reply = await ask_cluster("POST", where, context, body=job, not_found=(409,))
    if not reply.found:
        known = (await ask_cluster("GET", f"{where}/{name}", context)).json()
        if not mark(context) or note(known, BY) != mark(context):
            raise ToolError(f"there is already a job {name} in {namespace}", kind="conflict", sent=False)
    try:
        done = await _ended(namespace, name, allowed, context)
    except anyio.get_cancelled_exc_class():
        with anyio.move_on_after(TIDYING, shield=True):
            await _drop(namespace, name, context)
        raise
    await _drop(namespace, name, context)
    return done


async def _template(namespace: str, app: str, context: ToolContext) -> Mapping[str, Any]:
    """The pods' template of the application's first deployment."""
    items, _ = await cluster_items(inside(namespace, "deployments", group=APPS), context, MOST)
    with promised():
        found = [one["spec"]["template"] for one in items if belongs(one, app)]
    if not found:
        message = f"{app} has no deployment in {namespace}, so nothing says how its tests are run"
        raise ToolError(message, kind="resource_not_found", sent=False)
    return dict(found[0])


def _job(name: str, template: Mapping[str, Any], path: str, allowed: int, context: ToolContext) -> dict[str, Any]:
    """The job: the application's first container with another command, without probes, ports and neighbours."""
    with promised():
        spec = {part: template["spec"][part] for part in KEPT if part in template["spec"]}
        first = spec["containers"][0]
        container = {part: first[part] for part in OF_CONTAINER if part in first}
    command = [*COMMAND, *([path] if path else [])]
    spec |= {"restartPolicy": "Never", "containers": [{"name": "tests", **container, "command": command, "args": []}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {JOB: name}, "annotations": {BY: mark(context)}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": allowed,
            "ttlSecondsAfterFinished": KEPT_FOR,
            "template": {"metadata": {"labels": {JOB: name}}, "spec": spec},
        },
    }


async def _ended(namespace: str, name: str, allowed: int, context: ToolContext) -> Mapping[str, Any]:
    until, pause = time.monotonic() + allowed, LOOK_EVERY
    while True:
        job = (await ask_cluster("GET", inside(namespace, "jobs", name, group=BATCH), context)).json()
        pod = await _pod(namespace, name, context)
        with promised():
            conditions = (job.get("status") or {}).get("conditions") or ()
            why = {one["type"]: str(one.get("reason") or "") for one in conditions if one["status"] == "True"}
            code = _exit_status(pod)
        if code is not None:
            return _told(code, await _printed(namespace, pod, context))
        if "Failed" in why and why["Failed"] != "DeadlineExceeded":
            raise ToolError(f"the tests' job {name} in {namespace} failed: {why['Failed']}", kind="code_error")
        if "Failed" in why or time.monotonic() + pause > until:
            return {"exit_status": -1, "timed_out": True, "stdout": await _printed(namespace, pod, context)}
        _refuse_hopeless(namespace, pod)
        await anyio.sleep(pause)
        pause = min(SELDOM, 1.3 * pause)


def _told(code: int, printed: str) -> dict[str, Any]:
    """What the report is, and what was printed beside it."""
    found = REPORT.search(printed)
    report = found[0] if found else None
    words = printed[: found.start()] if found else printed
    return {"exit_status": code, "collected": report, "stdout": words}


async def _pod(namespace: str, name: str, context: ToolContext) -> Mapping[str, Any]:
    """The job's pod; empty as long as there is none."""
    items, _ = await cluster_items(inside(namespace, "pods"), context, 1, {"labelSelector": f"{JOB}={name}"})
    return dict(items[0]) if items else {}


def _exit_status(pod: Mapping[str, Any]) -> int | None:
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = (one.get("state") or {}).get("terminated") or {}
        if one["name"] == "tests" and "exitCode" in ended:
            return int(ended["exitCode"])
    return None


async def _printed(namespace: str, pod: Mapping[str, Any], context: ToolContext) -> str:
    if not pod:
        return ""
    name = str(pod["metadata"]["name"])
    lines = await cluster_pods.log(namespace, name, context, tail=LINES, container="tests", previous=False)
    return "\n".join(lines)


def _refuse_hopeless(namespace: str, pod: Mapping[str, Any]) -> None:
    if pod and (told := cluster_pods.pod(pod))["phase"] in HOPELESS:
        kind = "image_not_found" if "Image" in told["phase"] else "configuration_error"
        message = f"the pod {told['name']} in {namespace}, which is to run the tests, cannot start: {told['phase']}"
        raise ToolError(message, kind=kind, details={"pod": told["name"], "phase": told["phase"]})


async def _drop(namespace: str, name: str, context: ToolContext) -> None:
    """Takes the job away with its pod; what is left of it the cluster drops by itself."""
    path = inside(namespace, "jobs", name, group=BATCH)
    try:
        await ask_cluster("DELETE", path, context, params={"propagationPolicy": "Background"}, not_found=(404,))
    except ToolError as error:
        context.report(f"the job {name} is left, and ends by itself: {error.message}")
