"""A short SHA where the registry wants the whole: git expands it, the registry says whether that image is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from engine.heal.causes import image_not_built
from engine.heal.causes.case import Case
from engine.heal.causes.images import name_of
from engine.heal.causes.looks import Looks
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.remediation import RemedyStep, RootCause
from tool_registry.tool import Tool

ID = "short_sha"
FULL = 40
A_FULL_ONE = "0123456789abcdef0123456789abcdef01234567"
SHORT_SHA = re.compile(r"(?=[0-9a-f]{0,38}[0-9])(?=[0-9a-f]{0,38}[a-f])[0-9a-f]{7,39}")
"""A commit id that is not whole: git's own 7 digits at least, and both a number and a letter, so neither a date nor a
word is taken for one."""
HEX = re.compile(r"[0-9a-fA-F]{4,39}")
"""What may be a shortened commit id where nothing but a whole one is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A shortened commit id: the argument it stands in, and the id alone (of `app:74ec56e` the tag)."""

    argument: str
    sha: str


def shortened(call: ToolCall, tool: Tool | None = None) -> Short | None:
    """The argument that holds a shortened commit id, or a tag made of one; None if none does."""
    for name, value in call.args.items():
        if not isinstance(value, str):
            continue
        tail = value.rsplit(":", 1)[-1]
        if wants_whole(tool, name) and HEX.fullmatch(value):
            return Short(argument=name, sha=value)
        named = any(word in name.lower() for word in ("sha", "tag", "commit", "image"))
        if named and SHORT_SHA.fullmatch(tail):
            return Short(argument=name, sha=tail)
    return None


def wants_whole(tool: Tool | None, argument: str) -> bool:
    """Whether the tool takes a whole commit id for that argument and no shorter one, as its schema says."""
    properties: Mapping[str, Any] = tool.parameters.get("properties", {}) if tool else {}
    pattern = properties.get(argument, {}).get("pattern")
    try:
        return bool(pattern and re.search(pattern, A_FULL_ONE) and not re.search(pattern, A_FULL_ONE[:7]))
    except re.error:
        return False


async def find(case: Case, looks: Looks) -> RootCause | None:
    """The short SHA, expanded by git, its image looked up, and the call to make instead."""
    short = shortened(case.call, case.tool)
    if short is None or not _is_why(case, short):
        return None
    expanded = await _expanded(case, looks, short)
    said = f"{short.argument} is the short SHA {short.sha} ({len(short.sha)} of {FULL} digits)"
    if not expanded.sha:
        because = f"{said}; images are tagged with all of them.{expanded.trouble}"
        found = {"argument": short.argument, "short": short.sha}
        return RootCause(id=ID, because=because, steps=_by_hand(short, expanded), found=found, source=ID)
    return await _with_image(case, looks, short, expanded, f"{said}; images are tagged with all of them.")


def _is_why(case: Case, short: Short) -> bool:
    """Whether the failure can come from it: no image, or an argument that must be whole."""
    if case.diagnosis.kind is FailureKind.IMAGE_NOT_FOUND or case.details.get("code") == "short_commit":
        return True
    return wants_whole(case.tool, short.argument)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expanded:
    sha: str = ""
    repo: str = ""
    path: str = ""
    trouble: str = ""

    @property
    def at(self) -> str:
        """What stands before git's own words so that they are about this repository."""
        return f" -C {self.path}" if self.path and self.path != "." else ""


async def _expanded(case: Case, looks: Looks, short: Short) -> _Expanded:
    trouble = ""
    for repo in case.repositories():
        found = await looks.at("git_repository", {"repo": repo} if repo else {})
        folder = repo or found.text("path")  # where none is named, the one that is configured
        seen = await looks.at("git_rev_parse", {"ref": short.sha, **({"repo": folder} if folder else {})})
        if sha := seen.text("sha"):
            return _Expanded(sha=sha, repo=repo, path=found.text("argument") or shlex.quote(repo))
        several = seen.failure.evidence.details.get("candidates") if seen.failure else None
        if several:
            return _Expanded(trouble=f" Git knows several commits that begin so: {', '.join(map(str, several))}.")
        trouble = f" Git says: {seen.failure.message}." if seen.failure else trouble
    return _Expanded(trouble=trouble)


def _by_hand(short: Short, expanded: _Expanded) -> tuple[RemedyStep, ...]:
    get = RemedyStep(text="Get the full SHA", command=f"git rev-parse {short.sha}")
    fetch = RemedyStep(text="Fetch first, if the commit is only on the server", command="git fetch")
    return (fetch, get) if expanded.trouble else (get,)


async def _with_image(case: Case, looks: Looks, short: Short, expanded: _Expanded, because: str) -> RootCause:
    get = RemedyStep(text="Get the full SHA", command=f"git{expanded.at} rev-parse {short.sha}", value=expanded.sha)
    found: dict[str, Any] = {"argument": short.argument, "short": short.sha, "sha": expanded.sha}
    image = await name_of(case, looks, expanded.repo)
    tag = await looks.at("quay_get_tag", {"repository": image, "tag": expanded.sha}) if image else None
    digest = tag.text("digest") if tag else ""
    steps = [get]
    if image:
        found |= {"repository": image} | ({"digest": digest} if digest else {})
    if tag is not None and tag.get("found") is not None:
        steps.append(_looked_up(image, expanded.sha, digest))
    if tag is not None and tag.get("found") is False:
        because = f"{because} There is no image of {expanded.sha[:8]} yet either."
        steps += await image_not_built.way_out(case, looks, image, expanded.sha)
    again = _again(case, short, expanded.sha, digest)
    steps.append(RemedyStep(text="Call again with the full SHA", call=again))
    return RootCause(id=ID, because=because, steps=tuple(steps), found=found, source=ID, confirmed=True)


def _looked_up(image: str, sha: str, digest: str) -> RemedyStep:
    call = ToolCall(tool="quay_get_tag", args={"repository": image, "tag": sha})
    text = "The image exists, and has a digest" if digest else "Look whether the image is there"
    return RemedyStep(text=text, call=call, value=digest or "no such tag yet")


def _again(case: Case, short: Short, sha: str, digest: str) -> ToolCall:
    """The same call with the whole SHA; with the digest, where the tool takes one and it is known."""
    before = str(case.call.args[short.argument])
    args = {**case.call.args, short.argument: before[: len(before) - len(short.sha)] + sha}
    taken: Mapping[str, Any] = case.tool.parameters.get("properties", {}) if case.tool else {}
    name = next((name for name in ("digest", "image_digest") if name in taken or name in args), None)
    return ToolCall(tool=case.call.tool, args={**args, name: digest} if name and digest else args)
