"""The configured repository where it is a project at a GitLab: a bare mirror of it, and what GitLab says of requests.

The domain `forge` then has `url` and `project` (and `credential`, the environment variable GITLAB_TOKEN unless it
says), and `remote` where git finds the repository elsewhere than at `URL/PROJECT.git`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from tool_registry.functions.repository import run_git
from tool_registry.tool import ToolContext

LONGEST_NAME = 60


class Told(TypedDict):
    """What GitLab says of a merge request."""

    title: str
    source_branch: str
    state: str


def on_gitlab(settings: Mapping[str, Any]) -> bool:
    """Whether the configured repository is a project at a GitLab."""
    return bool(settings.get("url") and settings.get("project") and not settings.get("forge"))


async def is_mirrored(repo: str, context: ToolContext) -> bool:
    """Whether `repo` means that project: by being empty, or the mirror's folder."""
    return on_gitlab(context.settings) and (not repo or Path(repo) == _folder(context))


async def updated_mirror(context: ToolContext, *refs: str) -> Path:
    """The mirror's folder, with the branches and tags that the server has now, and these refs of it."""
    from tool_registry.functions.git_servers import ask_server, server_failure, shown  # noqa: PLC0415 - few ask one

    folder, remote = _folder(context), _remote(context)
    if not (folder / "HEAD").is_file():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        await run_git(folder, "init", "--quiet", "--bare", "--initial-branch=main", context=context)
    quietly = ("--quiet", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
    wanted = ["+refs/heads/*:refs/heads/*", *[f"+{ref}:{ref}" for ref in refs]]
    done = await ask_server(folder, "fetch", *quietly, "--", remote, *wanted, url=remote, context=context)
    if done.exit_status != 0:
        raise await server_failure(done, f"{shown(remote)} was not fetched", remote, context)
    return folder


async def open_requests(context: ToolContext, most: int) -> dict[int, Told]:
    """The newest open merge requests by number."""
    from tool_registry.functions.gitlab_access import below, listed  # noqa: PLC0415 - the local profile needs none
    from tool_registry.functions.gitlab_requests import merge_request  # noqa: PLC0415 - as above

    path = below("", context, "/merge_requests")
    found, _ = await listed(path, context, params={"state": "opened"}, limit=most)
    return {one["mr_id"]: _told(one) for one in map(merge_request, found)}


async def one_request(number: int, context: ToolContext) -> Told | None:
    """One of them; None where the project has none of that number."""
    from tool_registry.functions.gitlab_requests import merge_request, seen  # noqa: PLC0415 - as above

    reply = await seen(number, context, "")
    return None if reply is None else _told(merge_request(reply.json()))


def _told(one: Mapping[str, Any]) -> Told:
    return {"title": one["title"], "source_branch": one["source_branch"], "state": one["state"]}


def _remote(context: ToolContext) -> str:
    settings = context.settings
    return str(settings.get("remote") or f"{str(settings['url']).rstrip('/')}/{settings['project']}.git")


def _folder(context: ToolContext) -> Path:
    """Where the mirror is kept: by the project's name, and a sum of its address, so that two are never mixed up."""
    name = re.sub(r"[^a-z0-9]+", "-", str(context.settings["project"]).lower().rpartition("/")[2]).strip("-")
    place = context.state / "mirrors" / f"{zlib.crc32(_remote(context).encode()):08x}"
    return (place / f"{name[:LONGEST_NAME] or 'project'}.git").resolve()
