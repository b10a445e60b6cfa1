"""A repository is read, whoever wrote its settings; nothing they name is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.profile import load_tools
from engine.workspace import find_workspace
from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.functions.forge import git_merge_request_list
from tool_registry.functions.git import git_commit_message, git_rev_parse
from tool_registry.registry import default_registry
from tool_registry.tool import ToolError

UNKNOWN = "1234567890" * 4


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a file behind when somebody starts it, beside which that file would lie."""
    program = tmp_path / "trap"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\nexit 1\n")
    program.chmod(0o755)
    return program


def _sprung(trap: Path) -> bool:
    return trap.with_name("sprung").exists()


async def test_a_signed_commit_starts_no_gpg(repository: Repository, contexts: Contexts, trap: Path) -> None:
    """`log.showSignature` would have every commit checked by the program the repository names."""
    tree, parent = repository.git("rev-parse", "HEAD^{tree}"), repository.git("rev-parse", "HEAD")
    who = "Ada <ada@example.org> 1767603600 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----"
    text = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n{signature}\n\nSigned\n"
    signed = repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text)
    repository.git("config", "log.showSignature", "true")
    repository.git("config", "gpg.program", str(trap))
    assert (await git_commit_message(signed, contexts(), repo="My Shop"))["subject"] == "Signed"
    assert not _sprung(trap)


async def test_a_missing_commit_asks_no_server(repository: Repository, contexts: Contexts, trap: Path) -> None:
    """A partial clone would ask for it, by the program its settings name for that."""
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(repository.path),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(trap),
    }.items():
        repository.git("config", name, value)
    with pytest.raises(ToolError, match="has no commit"):
        await git_rev_parse(UNKNOWN, contexts(), repo="My Shop")
    assert not _sprung(trap)


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("core.sshCommand", "ssh://127.0.0.1/shop"),
        ("core.gitProxy", "git://127.0.0.1:9/shop"),
        ("core.askPass", "http://127.0.0.1:9/shop"),
        ("credential.helper", "http://127.0.0.1:9/shop"),
        ("credential.http://127.0.0.1.helper", "http://127.0.0.1:9/shop"),
        ("remote.origin.uploadpack", "."),
        ("remote.origin.vcs", "ext"),
    ],
)
async def test_a_server_is_not_asked_by_a_program_the_repository_names(
    repository: Repository, contexts: Contexts, trap: Path, setting: str, url: str
) -> None:
    """The refusal names the setting and where it would be the person's own choice."""
    repository.git("config", "remote.origin.url", url)
    repository.git("config", setting, str(trap))
    with pytest.raises(ToolError, match=r"choose a program for it, .*git config --global") as caught:
        await git_merge_request_list(contexts(), repo="My Shop")
    assert (caught.value.kind, caught.value.details) == ("configuration_error", {"settings": [setting.lower()]})
    assert not _sprung(trap)


async def test_a_fetch_starts_no_program_for_alternates(
    repository: Repository, contexts: Contexts, trap: Path, tmp_path: Path
) -> None:
    """`core.alternateRefsCommand` is started by every fetch of a repository that borrows objects."""
    repository.merge_request(3, "Sell", {"x": "y"}, day=3)
    for name in ("clone", "other"):
        repository.git("clone", "--quiet", str(repository.path), str(tmp_path / name))
    alternates = tmp_path / "clone" / ".git" / "objects" / "info" / "alternates"
    alternates.write_text(f"{tmp_path}/other/.git/objects\n")
    Repository(path=tmp_path / "clone").git("config", "core.alternateRefsCommand", str(trap))
    assert [one["id"] for one in await git_merge_request_list(contexts(), repo="clone")] == [3]
    assert not _sprung(trap)


async def test_the_log_asks_no_server(repository: Repository, contexts: Contexts, trap: Path, tmp_path: Path) -> None:
    """The tool that is a definition in YAML keeps to it as well."""
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(repository.path),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(trap),
    }.items():
        repository.git("config", name, value)
    async with default_registry() as registry:
        load_tools(registry, find_workspace(tmp_path, environment={"SKILL_HOME": str(tmp_path)}))
        with pytest.raises(ToolError):
            await registry.call("git_log", {"repo": "My Shop", "ref": UNKNOWN}, contexts())
    assert not _sprung(trap)
