"""Which image a call was about."""

from __future__ import annotations

import re

from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks

IMAGE = re.compile(r"(?:docker://|reading manifest \S{1,128} in |manifest for )([\w./:@-]{1,250}?)(?=[\s,:;\"']|$)")
FULL_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def named(case: Case) -> str:
    """The image as it was named, with its registry, without tag and digest; empty where it was not."""
    image = case.value("repository", "image", said=IMAGE)
    return _untagged(image.removeprefix("docker://"))


def plain(image: str) -> str:
    """The image's name without the registry: that part has a dot, a port, or is `localhost`."""
    first, slash, rest = image.partition("/")
    return rest if slash and ("." in first or ":" in first or first == "localhost") else image


async def name_of(case: Case, looks: Looks, repo: str = "") -> str:
    """The image's name without registry: as it was named, else what images of the repository are called; or empty."""
    if image := plain(named(case)):
        return image
    return (await looks.at("git_repository", {"repo": repo} if repo else {})).text("image")


def tag_of(case: Case) -> str:
    """The tag that was asked for; empty where it was not named."""
    if tag := case.value("tag", "image_tag", "commit_sha", "commit", "sha"):
        return tag
    image = case.value("image", "repository", said=re.compile(r"docker://(\S{1,400})"))
    tail = image.partition("@")[0].rpartition("/")[2]
    if ":" in tail:
        return tail.rpartition(":")[2]
    said = re.search(r"reading manifest (\S{1,128}) in |:([\w.-]{1,128}): (?:manifest unknown|not found)", case.text)
    return (said[1] or said[2]) if said else ""


def _untagged(image: str) -> str:
    head, slash, tail = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"
