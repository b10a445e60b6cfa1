"""Applications in an ephemeral namespace of a cluster: deployed as the domain says, waited for by their deployments."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import anyio

from tool_registry.functions import cluster_pods
from tool_registry.functions.cluster import cluster_items, inside, promised
from tool_registry.functions.deployments import APPS, late, told_deployment
from tool_registry.functions.manifests import APP, apply
from tool_registry.functions.where_it_serves import address
from tool_registry.sources.plain_file import named_path
from tool_registry.sources.process import run_program
from tool_registry.tool import ToolContext, ToolError

MOST = 500
NAMED = (APP, "app", "app.kubernetes.io/name", "app.kubernetes.io/instance")
"""The labels by which deployments are an application's."""
HOPELESS = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"})
RESTARTS = 3
"""As often an application may crash at its start: what it needs may start later than it does."""
PLACE = re.compile(r"\{(namespace|app|image|digest|tag)\}")
LOOK_EVERY, SELDOM = 0.2, 2.0
LINES = 20


class Deployed(TypedDict):
    """What is deployed under an application's name, and how it does."""

    app: str
    image: str
    digest: str
    status: str
    reason: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be deployed, and where to."""

    namespace: str
    app: str
    image: str
    digest: str
    tag: str


async def deploy(what: Wanted, context: ToolContext) -> Deployed:
    """Deploys as the domain's `deploy` says: by the manifests of a folder, or by a command."""
    match context.settings.get("deploy"):
        case {"manifests": str(folder)}:
            path = named_path(folder.replace("{app}", what.app), context.folder, context.environment)
            image = (what.image, what.digest)
            number = await apply(path, what.namespace, what.app, image, context)
            context.report(f"{number} manifests are applied")
        case {"command": [str(), *_] as command} if all(isinstance(word, str) for word in command):
            await _run(command, what, context)
        case _:
            message = "the domain does not say how one deploys: deploy has neither manifests nor command"
            raise ToolError(message, kind="configuration_error", sent=False)
    return {
        "app": what.app,
        "image": what.image,
        "digest": what.digest,
        "status": "starting",
        "reason": "",
        "url": await address(what.namespace, context),
    }


async def _run(command: Sequence[str], what: Wanted, context: ToolContext) -> None:
    """Runs the domain's command, each word with its places filled."""
    if not what.tag and any("{tag}" in word for word in command):
        raise ToolError("the domain's command wants a tag, and none was given", kind="usage_error", sent=False)
    places = {name: str(getattr(what, name)) for name in ("namespace", "app", "image", "digest", "tag")}
    words = [_filled(word, places) for word in command]
    kubeconfig = context.settings.get("kubeconfig")
    known = {"KUBECONFIG": str(named_path(str(kubeconfig), context.folder, context.environment))} if kubeconfig else {}
    done = await run_program(
        words,
        cwd=context.folder,
        environment={**context.environment, **known},
        timeout=0.95 * context.timeout,
        shared=context.connections,
    )
    if done.exit_status:
        last = done.evidence.strip().rpartition("\n")[2] or "and said nothing"
        raise done.failure(f"{done.program}, which deploys {what.app}, ended with {done.exit_status}: {last}")


def _filled(word: str, places: Mapping[str, str]) -> str:
    """The word with its places filled, once; what would be read as an option is none of these names."""
    filled = PLACE.sub(lambda place: places[place[1]], word)
    if filled.startswith("-") and not word.startswith("-"):
        raise ToolError(f"{filled!r} would be an option of the command that deploys", kind="usage_error", sent=False)
    return filled


async def wait(namespace: str, app: str, context: ToolContext) -> Deployed:
    """Waits until every replica of the application's deployments is available.

    Raises:
        ToolError: with the last lines of a log, where a pod crashes over and over or cannot start, or a deployment is
            past its own deadline; `timeout` or `resource_not_found` where time runs out.
    """
    until, pause, seen = time.monotonic() + 0.95 * context.timeout, LOOK_EVERY, ""
    while True:
        found = await _deployments(namespace, app, context)
        now = _summed(found)
        if found and now == "ready":
            return await _told(namespace, app, found, context)
        await _refuse_hopeless(namespace, app, found, context)
        if now != seen:
            seen = now
            context.report(f"{app} is {now}")
        if time.monotonic() + pause > until:
            break
        await anyio.sleep(pause)
        pause = min(SELDOM, 1.3 * pause)
    what = f"was still {seen}" if found else "has no deployment; its label `app` is to name it"
    raise ToolError(
        f"{app} in {namespace} {what} after {context.timeout:g} seconds",
        kind="timeout" if found else "resource_not_found",
        details={"deployments": [one["metadata"]["name"] for one in found]},
    )


async def _deployments(namespace: str, app: str, context: ToolContext) -> list[Mapping[str, Any]]:
    items, _ = await cluster_items(inside(namespace, "deployments", group=APPS), context, MOST)
    with promised():
        return [one for one in items if belongs(one, app)]


def belongs(said: Mapping[str, Any], app: str) -> bool:
    """Whether a deployment is the application's: by its name, or by a label."""
    labels = said["metadata"].get("labels") or {}
    return said["metadata"]["name"] == app or any(labels.get(name) == app for name in NAMED)


def _summed(found: Sequence[Mapping[str, Any]]) -> str:
    with promised():
        told = [told_deployment(one) for one in found]
    if not told:
        return "not there yet"
    lacking = [one for one in told if not one["done"]]
    return "ready" if not lacking else f"starting ({len(told) - len(lacking)} of {len(told)} deployments are ready)"


async def _told(namespace: str, app: str, found: Sequence[Mapping[str, Any]], context: ToolContext) -> Deployed:
    with promised():
        images = [image for one in found for image in told_deployment(one)["images"]]
    image = next((each for each in images if "@" in each), images[0] if images else "")
    return {
        "app": app,
        "image": image.partition("@")[0],
        "digest": image.partition("@")[2],
        "status": "ready",
        "reason": "",
        "url": await address(namespace, context),
    }


async def _refuse_hopeless(namespace: str, app: str, found: Sequence[Mapping[str, Any]], context: ToolContext) -> None:
    """Fails where waiting longer is of no use."""
    with promised():
        selected = [one["spec"]["selector"].get("matchLabels") or {} for one in found]
        overdue = [str(one["metadata"]["name"]) for one in found if late(one)]
    for labels in selected:
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        items, _ = await cluster_items(inside(namespace, "pods"), context, MOST, {"labelSelector": selector})
        with promised():
            pods = [(cluster_pods.pod(one), one) for one in items]
        for pod, said in pods:
            crashed = pod["phase"] == "CrashLoopBackOff" and pod["restarts"] >= RESTARTS
            if crashed or pod["phase"] in HOPELESS:
                raise await _failed(namespace, app, pod, said, context)
    if overdue:
        message = f"{app} in {namespace} never became healthy: {', '.join(overdue)} exceeded its progress deadline"
        raise ToolError(message, kind="timeout", details={"deployments": overdue})


async def _failed(namespace: str, app: str, pod: Any, said: Any, context: ToolContext) -> ToolError:
    why, crashed = _words(said) or pod["phase"], pod["phase"] == "CrashLoopBackOff"
    lines: list[str] = []
    if crashed:
        try:
            lines = await cluster_pods.log(namespace, pod["name"], context, tail=LINES, container="", previous=False)
        except ToolError as error:
            lines = [f"(its log cannot be read: {error.message})"]
    kind = "code_error" if crashed else "configuration_error" if "Config" in pod["phase"] else "image_not_found"
    return ToolError(
        f"{app} in {namespace} {'crashed' if crashed else 'cannot start'}: {why}",
        kind=kind,
        output="\n".join(lines),
        details={"pod": pod["name"], "phase": pod["phase"], "restarts": pod["restarts"]},
    )


def _words(said: Any) -> str:
    """What the cluster says of a container that waits."""
    for each in (said.get("status") or {}).get("containerStatuses") or ():
        if message := ((each.get("state") or {}).get("waiting") or {}).get("message"):
            return str(message)
    return ""
