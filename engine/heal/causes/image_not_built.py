"""An image that is not built yet: how far its build is, and how it is built."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping

from engine.heal.causes.case import Case
from engine.heal.causes.images import FULL_SHA, name_of, named, tag_of
from engine.heal.causes.looks import Looks, Seen
from engine.model.failure import FailureKind
from engine.model.outcome import ToolCall
from engine.model.remediation import RemedyStep, RootCause

ID = "image_not_built"
BUILDS = "image_build_status"


async def find(case: Case, looks: Looks) -> RootCause | None:
    """The image that is missing, and what is known of its build."""
    if case.diagnosis.kind is FailureKind.UNEXPECTED_RESULT and not _was_not_found(case):
        return None
    image, tag = named(case) or "the image", tag_of(case)
    digest = case.value("digest", "image_digest")
    what = f" with the tag {tag}" if tag else f" with the digest {digest}" if digest else ""
    missing = f"There is no image {image}{what}"
    if not FULL_SHA.fullmatch(tag):
        look = await _pipeline(case)
        return RootCause(id=ID, because=f"{missing}; it is probably not built yet.", steps=look, source=ID)
    name = await name_of(case, looks)
    seen = await looks.at(BUILDS, {"repository": name, "commit": tag}) if name else Seen()
    status = seen.text("status")
    found = {"repository": name, "commit": tag} | ({"build": status} if status else {})
    return RootCause(
        id=ID,
        because=f"{missing}{_told(seen)}.",
        steps=tuple(await way_out(case, looks, name, tag)),
        found=found,
        source=ID,
        confirmed=status in {"none", "queued", "building", "failed"} or None,
    )


async def way_out(case: Case, looks: Looks, image: str, commit: str) -> list[RemedyStep]:
    """How far the build is, and how a build is asked for where none is under way."""
    if case.value("pipeline", "pipeline_url", "build_url"):
        return list(await _pipeline(case))
    seen = await looks.at(BUILDS, {"repository": image, "commit": commit}) if image else Seen()
    status = seen.text("status")
    if not status:
        return [RemedyStep(text="Look whether its build pipeline has finished")]
    look = ToolCall(tool=BUILDS, args={"repository": image, "commit": commit})
    steps = [RemedyStep(text="Its build", call=look, value=_state(seen))]
    if status in {"none", "failed"} and looks.can("git_repository"):
        where = f" -i repo={shlex.quote(repo)}" if (repo := next(iter(case.repositories()), "")) else ""
        command = f"skill run build_local_image -i commit_sha={commit}{where}"
        steps.append(RemedyStep(text="Build it", command=command))
    return steps


async def _pipeline(case: Case) -> tuple[RemedyStep, ...]:
    pipeline = case.value("pipeline", "pipeline_url", "build_url")
    if pipeline:
        return (RemedyStep(text=f"See how far the build is: {pipeline}"),)
    return (RemedyStep(text="Look whether its build pipeline has finished"),)


def _was_not_found(case: Case) -> bool:
    """Whether a look at a registry answered that there is no such tag, and the author had expected one."""
    return isinstance(case.seen, Mapping) and case.seen.get("found") is False and "tag" in case.call.args


def _told(seen: Seen) -> str:
    match seen.text("status"):
        case "none":
            return ": nobody has built it"
        case "queued" | "building":
            return ": it is being built"
        case "failed":
            return ": its build failed"
        case "built":
            return ", although its build says that it is built"
        case _:
            return "; it is probably not built yet"


def _state(seen: Seen) -> str:
    """The build in a few words: what it does, since when, and why it failed."""
    status, reason, began = seen.text("status"), seen.text("reason"), seen.get("started_at")
    since = f" since {time.strftime('%H:%M:%S', time.localtime(began))}" if isinstance(began, int | float) else ""
    words = "no build was ever asked for" if status == "none" else f"{status}{since}"
    return f"{words}: {reason}" if reason else words
