"""The life of the platform's process: one at a time, leaving no traces, coming back after being killed."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.e2e.local_platform_client import (
    PATIENCE,
    Platform,
    eventually,
    git,
    head,
    kill,
    processes_with,
    repository,
    running,
    spawn,
)

SLEEPER = "web: python sleeper.py $PORT {word}\n# health: /\n"
SOURCE = "import http.server, sys; http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]))"


def started_service(platform: Platform, folder: Path) -> tuple[str, str]:
    """Deploy a service whose command line holds a word nobody else has; give namespace and word."""
    word = f"sleeper-{secrets.token_hex(8)}"
    name = platform.reserve()
    files = {"Procfile": SLEEPER.format(word=word), "sleeper.py": SOURCE}
    platform.deploy(name, platform.build(repository(folder, files)))
    platform.state(name, until="ready")
    assert processes_with(word)
    return name, word


def test_a_second_platform_on_a_folder_names_the_first(tmp_path: Path) -> None:
    """Two starters make one server."""
    with running(tmp_path) as platform:
        second = spawn(tmp_path)
        said = second.communicate(timeout=PATIENCE)[1]
        assert second.returncode == 3
        assert platform.url in said
        assert json.loads((tmp_path / "endpoint.json").read_text())["pid"] == platform.process.pid


def test_eight_starters_make_one_server(tmp_path: Path) -> None:
    """Whoever comes first runs, the others leave with status 3."""
    starters = [spawn(tmp_path) for _ in range(8)]
    eventually(lambda: sum(starter.poll() is None for starter in starters) == 1)
    (first,) = (starter for starter in starters if starter.poll() is None)
    eventually((tmp_path / "endpoint.json").exists)
    assert json.loads((tmp_path / "endpoint.json").read_text())["pid"] == first.pid
    first.terminate()
    for starter in starters:
        starter.communicate(timeout=PATIENCE)
    assert sorted(starter.returncode for starter in starters) == [0] + [3] * 7


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """The status is 4, and nothing is announced."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = spawn(tmp_path, "--port", str(port))
        said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 4
    assert f"port {port} cannot be had" in said
    assert not (tmp_path / "endpoint.json").exists()


@pytest.mark.parametrize("isolation", ["auto", "process-group"])
def test_sigterm_releases_everything(tmp_path: Path, isolation: str) -> None:
    """An orderly stop ends every service, gives every lease back and takes the announcement away."""
    with running(tmp_path / "data", "--isolation", isolation) as platform:
        _, word = started_service(platform, tmp_path / "source")
        platform.process.terminate()
        assert platform.process.wait(PATIENCE) == 0
        assert processes_with(word) == []
        assert not list((tmp_path / "data" / "leases").iterdir())
        assert not list((tmp_path / "data" / "namespaces").iterdir())
        assert not (tmp_path / "data" / "endpoint.json").exists()


def test_a_shutdown_can_be_asked_for_with_a_token(tmp_path: Path) -> None:
    """Without a token it is refused."""
    with running(tmp_path) as platform:
        assert platform.ask("POST", "/shutdown", user=None).status == 401
        assert platform.ask("POST", "/shutdown").status == 202
        assert platform.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("isolation", ["auto", "process-group"])
def test_after_a_kill_services_are_gone_and_leases_are_kept(tmp_path: Path, isolation: str) -> None:
    """Nothing outlives a platform that was killed; the next one takes over what is leased, and it can be used."""
    with running(tmp_path / "data", "--isolation", isolation) as platform:
        name, word = started_service(platform, tmp_path / "source")
        token = platform.token("ada")
        kill(platform.process)
        eventually(lambda: not processes_with(word))
    with running(tmp_path / "data", "--isolation", isolation) as again:
        again.tokens["ada"] = token
        (lease,) = again.ask("GET", "/api/namespaces?mine=true").value
        assert lease["name"] == name
        image = again.build(
            repository(tmp_path / "other", {"Procfile": SLEEPER.format(word=word), "sleeper.py": SOURCE})
        )
        again.deploy(name, image)
        again.state(name, until="ready")
        again.release(name)
        assert processes_with(word) == []


def test_a_platform_nobody_needs_leaves(tmp_path: Path) -> None:
    """Without a request and without a lease it stops by itself; a lease keeps it."""
    with running(tmp_path, "--idle", "0.4") as platform:
        name = platform.reserve(1.5)
        with pytest.raises(subprocess.TimeoutExpired):
            platform.process.wait(1)
        assert name
        assert platform.process.wait(PATIENCE) == 0


def test_the_starters_pipe_is_let_go(tmp_path: Path) -> None:
    """Whoever started it and reads its output comes to the end of it while the platform goes on."""
    process = spawn(tmp_path)
    assert process.stdout is not None
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(process.stdout.read() if process.stdout else ""))
    reader.start()
    reader.join(PATIENCE)
    assert read[0].startswith("http://127.0.0.1:")
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=PATIENCE)


def test_the_demo_project_is_made_once_and_again_when_removed(tmp_path: Path) -> None:
    """The same commits every time, the newest merge request last, and a person's own commits stay."""
    with running(tmp_path):
        forge = tmp_path / "forge" / "demo-shop.git"
        order = ["for-each-ref", "--sort=committerdate", "--format=%(refname) %(subject)", "refs/merge-requests"]
        heads = [line.split(" ", 1) for line in git(forge, *order).splitlines()]
        good = head(forge, "refs/merge-requests/4/head")
        git(forge, "update-ref", "refs/heads/mine", good)
    assert [ref for ref, _ in heads] == [f"refs/merge-requests/{number}/head" for number in (1, 2, 3, 4)]
    assert heads[-1][1] == "SHOP-12 Show prices with tax"
    changed = git(forge, "diff", "--name-only", "main...refs/merge-requests/3/head").splitlines()
    assert changed == ["billing/invoice.py", "tests/test_due_date.py"]
    with running(tmp_path):
        assert head(forge, "refs/heads/mine") == good
    (tmp_path / "forge").rename(tmp_path / "old")
    with running(tmp_path):
        assert head(forge, "refs/merge-requests/4/head") == good


def test_secrets_and_keys_are_the_owners_alone(tmp_path: Path) -> None:
    """What the platform makes for logging in, and its leases, can be read by nobody else."""
    with running(tmp_path) as platform:
        platform.reserve()
        (user,) = {path.stem for path in (tmp_path / "login").glob("*.secret")} - {"ada", "ben"}
        for path in (
            tmp_path / "login" / f"{user}.secret",
            tmp_path / "login" / "signing.key",
            *(tmp_path / "leases").iterdir(),
        ):
            assert path.stat().st_mode & 0o077 == 0
            assert path.stat().st_uid == os.getuid()
        assert "secret of ada" not in (tmp_path / "platform.log").read_text()
