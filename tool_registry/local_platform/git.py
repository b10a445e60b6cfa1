"""The few questions the platform asks of git, with an environment of its own and no prompt.

The repositories are other people's: nothing their settings, hooks or attributes name may be started by asking.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from pathlib import Path

from tool_registry.local_platform.answers import Refusal

OWN_SETTINGS = (
    *("-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "log.showSignature=false", "-c", "gpg.program=false", "-c", "gpg.openpgp.program=false"),
    *("-c", "gpg.ssh.program=false", "-c", "gpg.x509.program=false"),
)
PATIENCE = 60.0
CHUNK = 1 << 20


def git(
    repository: Path, *arguments: str, stdin: bytes = b"", timeout: float = PATIENCE
) -> subprocess.CompletedProcess[bytes]:
    """Run git in `repository`; the caller judges the exit status. No setting of the caller's environment reaches it."""
    return subprocess.run(
        ["git", "-C", str(repository), *OWN_SETTINGS, *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Give what git needs of the world, and nothing that points it at another repository, a server or a setting."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def commit_time(repository: Path, commit: str) -> int:
    """Give the commit's time in epoch seconds; refuse a folder without a repository and a commit it does not have."""
    if not repository.is_absolute() or not repository.is_dir():
        raise Refusal(404, "no_repository", f"{repository} is not a folder on this machine")
    shown = git(repository, "log", "-1", "--format=%ct", "--no-show-signature", f"{commit}^{{commit}}", "--")
    if shown.returncode == 0:
        return int(shown.stdout)
    words = shown.stderr.decode(errors="replace").strip()
    if "not a git repository" in words:
        raise Refusal(404, "no_repository", f"{repository} is not a git repository")
    raise Refusal(404, "unknown_commit", f"{repository} has no commit {commit}; fetch it first ({words[-300:]})")


def archived(repository: Path, commit: str, limit: int) -> bytes:
    """Give the commit's tree as a tar of at most `limit` bytes; what git cannot archive is refused.

    git would put every file through the filters that the repository's settings name. So its objects are read by a
    repository that has nothing else: no settings, no attributes but the tree's own, no refs.
    """
    objects = git(repository, "rev-parse", "--path-format=absolute", "--git-path", "objects").stdout.decode().strip()
    with tempfile.TemporaryDirectory(prefix="bare-") as bare, tempfile.TemporaryFile() as words:
        for part in ("objects", "refs"):
            (Path(bare) / part).mkdir()
        (Path(bare) / "HEAD").write_text("ref: refs/heads/none\n")
        tar, status = _read(Path(bare), objects, commit, limit, words.fileno())
        if len(tar) > limit:
            raise Refusal(422, "too_large", f"the tree is larger than {limit // 2**20} MB, too large for this platform")
        if status != 0:
            words.seek(0)
            said = words.read().decode(errors="replace")[-300:]
            raise Refusal(422, "no_tree", f"git cannot archive {commit}: {said}")
    return tar


def _read(bare: Path, objects: str, commit: str, limit: int, words: int) -> tuple[bytes, int]:
    """Read what git writes, no further than `limit` and not for ever: a small repository can unfold without end."""
    process = subprocess.Popen(
        ["git", *OWN_SETTINGS, "--git-dir", str(bare), "archive", "--format=tar", commit],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=words,
        cwd=bare,
        env={**environment(), "GIT_OBJECT_DIRECTORY": objects},
    )
    late = threading.Timer(PATIENCE, process.kill)
    late.start()
    tar = bytearray()
    try:
        with process:
            while process.stdout and len(tar) <= limit and (part := process.stdout.read(CHUNK)):
                tar += part
            if len(tar) > limit:
                process.kill()
    finally:
        late.cancel()
    return bytes(tar), process.returncode
