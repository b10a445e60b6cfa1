"""Cloning a repository from its server, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, TypedDict

from tool_registry.functions.git_servers import address, ask_server, server_failure, shown
from tool_registry.functions.git_trees import current_branch
from tool_registry.functions.repository import GIT, try_git
from tool_registry.sources.plain_file import named_path
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError


class Clone(TypedDict):
    """A clone; `cloned` False: it stood there already, and was left as it is."""

    path: str
    url: str
    branch: str
    sha: str
    cloned: bool


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="git",
    timeout=600,
    needs=GIT,
    examples=({"url": "https://gitlab.example/group/shop.git", "folder": "shop"},),
    exact=True,
)
async def git_clone(
    url: str,
    folder: str,
    context: ToolContext,
    branch: str = "",
    depth: Annotated[int, {"minimum": 0}] = 0,
) -> Clone:
    """Clones a repository into a folder; a clone of the same address that stands there already is left as it is.

    The folder appears when the clone is whole, or not at all. Nobody is asked for a password.

    Args:
        url: Address of the repository, without a password in it.
        folder: Where it goes; relative ones are inside the workspace.
        branch: The branch to check out; empty for the server's default one.
        depth: How many commits of each branch; 0 for all.

    Returns:
        path, url, branch, sha (empty in a repository without commits) and cloned.
    """
    place = _place(folder, context)
    asked = address(url, context)
    if branch.startswith("-"):
        raise ToolError(f"{branch!r} is no name of a branch", kind="usage_error", sent=False)
    cloned = not await _is_clone(place, asked, context)
    if cloned:
        chosen = (*(["--branch", branch] if branch else []), *(["--depth", str(depth)] if depth else []))
        await _clone(asked, place, chosen, context)
    sha = await try_git(place, "rev-parse", "--verify", "--quiet", "HEAD", context=context)
    on = await current_branch(place, context)
    return {"path": str(place), "url": shown(url), "branch": on, "sha": sha.stdout.strip(), "cloned": cloned}


async def _is_clone(place: Path, url: str, context: ToolContext) -> bool:
    """Whether the folder is a clone of that address already; one that is anything else is not touched."""
    if _is_free(place):
        return False
    if _has_git(place):
        kept = await try_git(place, "config", "--local", "--get", "remote.origin.url", context=context)
        if kept.stdout.strip() == url:
            return True
    message = f"{place} is there already, and is no clone of {shown(url)}"
    raise ToolError(message, kind="conflict", sent=False, details={"path": str(place)})


async def _clone(url: str, place: Path, chosen: tuple[str, ...], context: ToolContext) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}-"))
    try:
        quietly = ("clone", "--quiet", "--no-recurse-submodules", *chosen)
        # Begun at the root, where no surrounding repository's settings count.
        done = await ask_server(Path("/"), *quietly, "--", url, str(made / "clone"), url=url, context=context)
        if done.exit_status != 0:
            raise await server_failure(done, f"{shown(url)} was not cloned", url, context)
        (made / "clone").rename(place)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _place(folder: str, context: ToolContext) -> Path:
    return named_path(folder, context.folder, context.environment).resolve()


def _is_free(place: Path) -> bool:
    return not place.exists() or (place.is_dir() and not any(place.iterdir()))


def _has_git(place: Path) -> bool:
    return (place / ".git").exists()
