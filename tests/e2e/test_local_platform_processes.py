"""What runs inside a namespace of the local profile: set apart, watched, and gone when the namespace is."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.local_platform_client import Platform, eventually, processes_with, repository, running
from tool_registry.local_platform.processes import NAMESPACES, isolation_of

FILES = "# health: /\nweb: python -m http.server --bind 127.0.0.1 $PORT\n"

STUBBORN = """
import http.server, signal, subprocess, sys

if sys.argv[1] != "child":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "stubborn.py", "child", sys.argv[2]], start_new_session=True)
    http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pause()
"""


@pytest.fixture(scope="module", params=["namespaces", "process-group"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with each way to set processes apart."""
    if request.param == "namespaces" and isolation_of() != NAMESPACES:
        pytest.skip("this machine allows no namespaces")
    data = tmp_path_factory.mktemp("platform")
    settings = {"pool_limit": 50, "ready_timeout": 1.0}
    with running(data, "--isolation", str(request.param), settings=settings) as started:
        yield started


@pytest.fixture
def shop(platform: Platform, tmp_path: Path) -> Iterator[str]:
    """A namespace with a file server in it, ready."""
    name = platform.reserve()
    platform.deploy(name, platform.build(repository(tmp_path / "files", {"Procfile": FILES})))
    platform.state(name, until="ready")
    yield name
    platform.release(name)


def test_release_kills_what_ignores_signals_and_left_its_group(platform: Platform, tmp_path: Path) -> None:
    """A service that ignores SIGTERM and its child in a session of its own are gone when release has answered."""
    word = f"stubborn-{secrets.token_hex(8)}"
    files = {"Procfile": f"# health: /\nweb: python stubborn.py $PORT {word}\n", "stubborn.py": STUBBORN}
    name = platform.reserve()
    platform.deploy(name, platform.build(repository(tmp_path, files)))
    platform.state(name, until="ready")
    eventually(lambda: len(processes_with(word)) == 2)
    platform.release(name)
    assert processes_with(word) == []


def test_deploying_again_replaces_what_ran(platform: Platform, tmp_path: Path, shop: str) -> None:
    """The second image answers at the first one's address, also where the first ignores SIGTERM."""
    before = platform.state(shop, until="ready")
    word = f"stubborn-{secrets.token_hex(8)}"
    files = {"Procfile": f"# health: /\nweb: python stubborn.py $PORT {word}\n", "stubborn.py": STUBBORN}
    platform.deploy(shop, platform.build(repository(tmp_path / "second", files), "local/second"))
    assert platform.state(shop, until="ready")["url"] == before["url"]
    third = platform.build(repository(tmp_path / "third", {"Procfile": FILES, "own": "third"}), "local/third")
    platform.deploy(shop, third)
    platform.state(shop, until="ready")
    assert platform.run(shop, "cat", "own")["stdout"] == "third"


def test_an_expired_lease_takes_its_processes_along(platform: Platform, tmp_path: Path) -> None:
    """When the time is over, the lease, the folder and the service are gone, without anybody asking."""
    word = f"expiring-{secrets.token_hex(8)}"
    files = {"Procfile": f"# health: /\nweb: python stubborn.py $PORT {word}\n", "stubborn.py": STUBBORN}
    image = platform.build(repository(tmp_path, files))
    name = platform.reserve(1.5)
    platform.deploy(name, image)
    platform.state(name, until="ready")
    eventually(lambda: platform.ask("GET", f"/api/namespaces/{name}").status == 404)
    eventually(lambda: not processes_with(word) and not (platform.data / "namespaces" / name).exists())


def test_a_service_that_crashes_says_its_last_line(platform: Platform, tmp_path: Path) -> None:
    """It is started again three times, then the reason holds the exit status and what it said last."""
    files = {"Procfile": "web: python crash.py", "crash.py": "raise SystemExit('no database at 10.0.0.1')"}
    name = platform.reserve()
    platform.deploy(name, platform.build(repository(tmp_path, files)))
    crashed = platform.state(name, until="crashed")
    assert "status 1" in crashed["reason"]
    assert "no database at 10.0.0.1" in crashed["reason"]
    (pod,) = platform.ask("GET", f"/api/namespaces/{name}/pods").value
    assert (pod["phase"], pod["ready"], pod["restarts"], pod["exit_status"]) == ("CrashLoopBackOff", False, 3, 1)
    platform.release(name)


def test_a_program_that_does_not_exist_is_named(platform: Platform, tmp_path: Path) -> None:
    """The command of an image may be wrong; the reason says which program is missing."""
    name = platform.reserve()
    platform.deploy(name, platform.build(repository(tmp_path, {"Procfile": "web: no-such-program $PORT"})))
    assert "no-such-program cannot be started" in platform.state(name, until="crashed")["reason"]
    platform.release(name)


def test_a_service_that_is_not_healthy_is_not_ready(platform: Platform, tmp_path: Path) -> None:
    """A service that runs and answers 404 to its health path is unhealthy when its time is over."""
    name = platform.reserve()
    files = {"Procfile": "# health: /not-there\nweb: python -m http.server --bind 127.0.0.1 $PORT"}
    platform.deploy(name, platform.build(repository(tmp_path, files)))
    assert "GET /not-there answers 404" in platform.state(name, until="unhealthy")["reason"]
    (pod,) = platform.ask("GET", f"/api/namespaces/{name}/pods").value
    assert (pod["phase"], pod["ready"]) == ("Running", False)
    platform.release(name)


def test_a_namespace_whose_first_process_was_killed_can_be_used_again(platform: Platform, tmp_path: Path) -> None:
    """Its deployment says what happened, nothing of it is left, and the next deployment works."""
    word = f"orphaned-{secrets.token_hex(8)}"
    files = {"Procfile": f"# health: /\nweb: python stubborn.py $PORT {word}\n", "stubborn.py": STUBBORN}
    image = platform.build(repository(tmp_path, files))
    name = platform.reserve()
    platform.deploy(name, image)
    platform.state(name, until="ready")
    for pid in processes_with(f"namespaces/{name}"):
        os.kill(pid, signal.SIGKILL)
    assert "first process" in platform.state(name, until="crashed")["reason"]
    platform.deploy(name, image)
    platform.state(name, until="ready")
    eventually(lambda: len(processes_with(word)) == 2)
    platform.release(name)
    assert processes_with(word) == []


def test_a_command_past_its_time_dies_with_its_children(platform: Platform, shop: str) -> None:
    """The exit status is 124, what was said before is kept, and nothing of it goes on."""
    word = f"sleeping-{secrets.token_hex(8)}"
    script = f"echo begun; trap '' TERM; sh -c 'trap \"\" TERM; sleep 60; : {word}' & sleep 60; : {word}"
    ran = platform.run(shop, "sh", "-c", script, timeout=0.5)
    assert (ran["timed_out"], ran["exit_status"], ran["stdout"]) == (True, 124, "begun\n")
    assert ran["duration"] < 5
    eventually(lambda: not processes_with(word))


def test_the_output_of_a_command_is_bounded(platform: Platform, shop: str) -> None:
    """The last 64 kB of each stream are given, and bytes that are no text do no harm."""
    ran = platform.run(shop, "python", "-c", "import os; os.write(1, b'\\xff' + b'x' * 300_000 + b'end')")
    assert len(ran["stdout"]) == 64 * 1024
    assert ran["stdout"].endswith("end")


def test_a_program_that_is_missing_is_127(platform: Platform, shop: str) -> None:
    """As a shell would say it."""
    ran = platform.run(shop, "no-such-program")
    assert (ran["exit_status"], ran["stderr"]) == (127, "no-such-program cannot be started: No such file or directory")


def test_only_a_file_of_the_app_is_collected(platform: Platform, shop: str, tmp_path: Path) -> None:
    """A link that leads elsewhere, an earlier file and a path with dots give nothing."""
    (tmp_path / "private").write_text("private")
    linking = platform.run(
        shop, "sh", "-c", f"ln -s {tmp_path}/private report.xml; ln -s {tmp_path} out", collect="report.xml"
    )
    assert linking["collected"] is None
    assert platform.run(shop, "true", collect="out/private")["collected"] is None
    assert (tmp_path / "private").exists()
    assert platform.run(shop, "sh", "-c", "echo one > report.xml", collect="report.xml")["collected"] == "one\n"
    assert platform.run(shop, "true", collect="report.xml")["collected"] is None
    body = {"app": "shop", "command": ["true"], "collect": "../../../../login/ada.secret"}
    assert platform.ask("POST", f"/api/namespaces/{shop}/exec", body).value["code"] == "bad_request"


def test_the_environment_holds_nothing_of_the_platforms(platform: Platform, shop: str) -> None:
    """A service sees its own settings, not the variables the platform was started with."""
    names = {line.partition("=")[0] for line in platform.run(shop, "env")["stdout"].splitlines()}
    assert {"PORT", "BASE_URL", "DATABASE_NAME", "DATABASE_PASSWORD", "NAMESPACE", "APP"} <= names
    assert not names & {"PYTEST_CURRENT_TEST", "USER", "LOGNAME", "PYTHONPATH", "VIRTUAL_ENV", "SHELL"}


def test_in_namespaces_nothing_outside_is_within_reach(platform: Platform, shop: str, tmp_path: Path) -> None:
    """No other process, no network of the machine, no secret of the platform, no foreign file to write, no rights."""
    if platform.ask("GET", "/healthz").value["isolation"] != NAMESPACES:
        pytest.skip("process groups are set apart by nothing else, and docs/local-profile.md says so")
    processes = platform.run(shop, "sh", "-c", "ls -d /proc/[0-9]* | wc -l")["stdout"]
    assert int(processes) < 8
    asking = f"import urllib.request; urllib.request.urlopen('{platform.url}/healthz', timeout=2)"
    assert "Connection refused" in platform.run(shop, "python", "-c", asking)["stderr"]
    assert platform.run(shop, "cat", str(platform.data / "login" / "ada.secret"))["exit_status"] != 0
    assert platform.run(shop, "ls", str(platform.data / "leases"))["exit_status"] != 0
    assert platform.run(shop, "touch", f"{Path(__file__).parent}/written")["exit_status"] != 0
    rights = platform.run(shop, "grep", "CapEff", "/proc/self/status")["stdout"].split()[1]
    assert int(rights, 16) == 0
    assert platform.run(shop, "umount", str(tmp_path.parents[2]))["exit_status"] != 0
    assert platform.run(shop, "sh", "-c", "kill -9 1; cat /proc/1/environ")["exit_status"] != 0
    assert platform.state(shop, until="ready")["status"] == "ready"
