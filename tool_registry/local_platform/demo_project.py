"""The demo project: a bare repository with four open merge requests, the same commits on every machine.

1 has no image yet, 2 has a failing test, 3 changes billing, 4 is good and the newest. Made when missing; a person may
push to it, and removing its folder makes it anew at the next start.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.demo_changes import BILLING, GOOD, NOT_BUILT, STOCK, TESTS_FAIL
from tool_registry.local_platform.demo_files import MAIN
from tool_registry.local_platform.git import git
from tool_registry.local_platform.images import Images
from tool_registry.local_platform.registry import Registry

REPOSITORY = "demo-shop.git"
IMAGE = "demo/shop"
MAIN_BRANCH = "refs/heads/main"
DAY = 24 * 3600
FIRST_DAY = 1_767_603_600  # Monday, 5 January 2026, 09:00 UTC
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of the project: on which ref, when, by whom, and what it puts where."""

    ref: str
    day: int
    author: str
    message: str
    files: Mapping[str, str]
    built: bool = True


def _request(number: int) -> str:
    return f"refs/merge-requests/{number}/head"


HISTORY = (
    Commit(ref=MAIN_BRANCH, day=0, author="Ada Moor", message="SHOP-1 Start the shop", files=MAIN),
    Commit(ref=MAIN_BRANCH, day=2, author="Ben Ito", message="SHOP-7 Keep the stock in the database", files=STOCK),
    Commit(
        ref=_request(1),
        day=4,
        author="Cleo Park",
        message="SHOP-9 Sell gift vouchers\n\nThe pipeline has not run yet, so there is no image.",
        files=NOT_BUILT,
        built=False,
    ),
    Commit(ref=_request(2), day=7, author="Ben Ito", message="SHOP-10 Give discounts", files=TESTS_FAIL),
    Commit(
        ref=_request(3),
        day=8,
        author="Ada Moor",
        message="SHOP-11 Put the due date on invoices\n\nOnly billing changes.",
        files=BILLING,
    ),
    Commit(
        ref=_request(4),
        day=9,
        author="Cleo Park",
        message="SHOP-12 Show prices with tax\n\nThe list of prices says what a customer pays in the end.",
        files=GOOD,
    ),
)


def prepare(folder: Path, images: Images, registry: Registry) -> None:
    """Make the repository and the images of its built commits where they are missing; trouble is logged, not raised.

    The platform is of use for a person's own repository without the demo.
    """
    repository = folder / REPOSITORY
    try:
        if not repository.exists():
            make(repository)
        for ref in dict.fromkeys(commit.ref for commit in HISTORY if commit.built):
            head = git(repository, "rev-parse", "--verify", ref).stdout.decode().strip()
            if head and registry.digest(IMAGE, head) is None:
                images.build(repository, head, IMAGE)
    except (OSError, SubprocessError, Refusal):
        log.exception("the demo project cannot be made")


def make(repository: Path) -> None:
    """Make the bare repository, in one move."""
    repository.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=repository.parent, prefix=".making-") as making:
        fresh = Path(making) / REPOSITORY
        fresh.mkdir()
        _done(fresh, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--object-format=sha1", ".")
        _done(fresh, "fast-import", "--quiet", stdin=b"".join(_stream(commit) for commit in HISTORY))
        (fresh / "description").write_text("A small shop, made by the local profile of skill-engine\n")
        shutil.move(fresh, repository)


def _done(repository: Path, *arguments: str, stdin: bytes = b"") -> None:
    ended = git(repository, *arguments, stdin=stdin)
    if ended.returncode != 0:
        raise OSError(f"git {arguments[0]}: {ended.stderr.decode(errors='replace')[-500:]}")


def _stream(commit: Commit) -> bytes:
    """Give the commit in the words of git fast-import."""
    moment = FIRST_DAY + commit.day * DAY
    who = f"{commit.author} <{commit.author.split(maxsplit=1)[0].lower()}@shop.example> {moment} +0000"
    start = [f"commit {commit.ref}", f"author {who}", f"committer {who}", _counted(f"{commit.message}\n")]
    if commit.ref != MAIN_BRANCH:
        start.append(f"from {MAIN_BRANCH}")
    files = [f"M 100644 inline {path}\n{_counted(content)}" for path, content in commit.files.items()]
    return "\n".join([*start, *files, "", ""]).encode()


def _counted(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"
