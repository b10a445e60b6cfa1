"""`skill learn` and the review as people use them: one job at a time, whole files after any death, and the timers."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.documents import read
from tests.flow.workshop import Workshop

SKILL = "steps:\n  - name: open\n    tool: open_it\n    on_error: continue\n"
FAILS = 'echo "hinge $(date +%s%N) of /tmp/door-$$/frame is stuck since $(date +%T)" >&2\nexit 3\n'


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A workspace in which something failed five times without a name."""
    shop = Workshop(tmp_path / "shop", tmp_path / "home")
    shop.furnish()
    shop.tool("open_it", FAILS)
    shop.skill(SKILL)
    for _ in range(5):
        done = shop.run("run", "promise", "-q")
        assert done.returncode == 0, done.stderr
    return shop


@pytest.fixture
def held(shop: Workshop) -> Iterator[int]:
    """The lock of the job, held by this process."""
    shop.run("learn")
    descriptor = os.open(shop.home / "state" / "learn.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"process 4711 (since then)\n", 0)
    yield descriptor
    os.close(descriptor)


def test_a_proposal_is_listed_shown_and_accepted(shop: Workshop) -> None:
    """What learn proposes, review lists; accepted with a kind, the next failure has that name."""
    learnt = shop.json("learn")
    (proposal,) = learnt["proposals"]
    assert (learnt["failures"], learnt["groups"], learnt["waiting"]) == (5, 1, 1)
    assert proposal["id"] in shop.run("memory", "patterns", "review").stdout
    shown = shop.run("memory", "patterns", "review", proposal["id"])
    assert "hinge" in shown.stdout
    refused = shop.run("memory", "patterns", "review", proposal["id"], "--accept")
    assert refused.returncode == 2
    assert "--kind" in refused.stderr
    done = shop.run("memory", "patterns", "review", proposal["id"], "--accept", "--kind", "resource_exhausted")
    assert done.returncode == 0, done.stderr
    assert shop.run("run", "promise").returncode == 0
    (step,) = shop.json("status", "last")["steps"]
    assert step["failure"]["kind"] == "resource_exhausted"
    assert shop.json("memory", "patterns", "review") == []
    shop.assert_memory_is_whole()


def test_looking_only_writes_nothing(shop: Workshop) -> None:
    """`--dry-run` says what would be proposed, and no file is another one."""
    files = {path: path.read_bytes() for path in (shop.home / "memory").rglob("*") if path.is_file()}
    (proposal,) = shop.json("learn", "--dry-run")["proposals"]
    assert proposal["times"] == 5
    assert {path: path.read_bytes() for path in (shop.home / "memory").rglob("*") if path.is_file()} == files


def test_since_leaves_out_what_is_older(shop: Workshop) -> None:
    """Nothing failed after tomorrow."""
    assert shop.json("learn", "--since", "2999-01-01")["failures"] == 0


def test_of_two_jobs_one_works_and_the_other_says_so(shop: Workshop, held: int) -> None:
    """Who holds the job is named, the exit status is 5; when it is let go of, the next one works."""
    refused = shop.run("learn")
    assert refused.returncode == 5
    assert "process 4711" in refused.stderr
    fcntl.flock(held, fcntl.LOCK_UN)
    assert shop.run("learn").returncode == 0


def test_jobs_at_the_same_time_leave_one_proposal(shop: Workshop) -> None:
    """Six are started together: each works or says that another does, and nothing is proposed twice."""
    jobs = [shop.start("learn", "-q") for _ in range(6)]
    statuses = [job.wait() for job in jobs]
    for job in jobs:
        job.communicate()
    assert 0 in statuses
    assert set(statuses) <= {0, 5}
    assert len(read(shop.home / "memory" / "learned" / "proposals.yaml").value["proposals"]) == 1
    shop.assert_memory_is_whole()


def test_a_job_killed_anywhere_leaves_whole_files(shop: Workshop) -> None:
    """Killed after more and more of its time, it leaves every file old or new; the next job ends what it began."""
    begin = time.monotonic()
    assert shop.run("learn", "--dry-run").returncode == 0
    whole = time.monotonic() - begin
    for part in range(12):
        job = shop.start("learn", "-q")
        time.sleep(whole * (0.4 + part * 0.06))
        job.send_signal(signal.SIGKILL)
        job.communicate()
        shop.assert_memory_is_whole()
    assert shop.json("learn")["waiting"] == 1
    assert len(read(shop.home / "memory" / "learned" / "proposals.yaml").value["proposals"]) == 1


def test_a_broken_file_of_proposals_is_told_and_left_alone(shop: Workshop) -> None:
    """Nobody knows what was rejected then: the line is named, the file stays, the other parts go on."""
    shop.run("learn")
    path = shop.home / "memory" / "learned" / "proposals.yaml"
    path.write_text("proposals: of course\n")
    done = shop.run("learn")
    assert done.returncode == 1
    assert "proposals.yaml:1:12" in done.stderr
    assert "dashboard" in done.stderr
    assert path.read_text() == "proposals: of course\n"


def test_the_units_are_written_once_and_taken_away(shop: Workshop, tmp_path: Path) -> None:
    """Ours are brought up to date and removed; somebody else's file of that name is left alone."""
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    done = shop.run("learn", "--install-timer", "systemd", "--at", "4:05", environment=config)
    assert done.returncode == 0, done.stderr
    timer, service = sorted((tmp_path / "config").rglob("skill-learn-*"), reverse=True)
    assert "OnCalendar=*-*-* 4:05:00" in timer.read_text()
    assert f"Environment=SKILL_HOME={shop.home}" in service.read_text()
    assert (
        "was there already"
        in shop.run("learn", "--install-timer", "systemd", "--at", "4:05", environment=config).stdout
    )
    assert shop.run("learn", "--uninstall-timer", environment=config).returncode == 0
    assert list((tmp_path / "config").rglob("skill-learn-*")) == []
    timer.write_text("[Timer]\nOnCalendar=daily\n")
    refused = shop.run("learn", "--install-timer", "systemd", environment=config)
    assert refused.returncode == 2
    assert "was not written by skill" in refused.stderr
    assert not service.exists()
    assert timer.read_text() == "[Timer]\nOnCalendar=daily\n"


def test_systemd_understands_the_units(shop: Workshop, tmp_path: Path) -> None:
    """Where it is there, its own checker finds nothing wrong."""
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    shop.run("learn", "--install-timer", "systemd", environment=config)
    units = sorted((tmp_path / "config").rglob("skill-learn-*"))
    try:
        done = subprocess.run(
            ["systemd-analyze", "--user", "verify", *units], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no systemd-analyze here")
    assert [line for line in done.stderr.splitlines() if "skill-learn" in line] == []


def test_the_crontab_keeps_every_other_line(shop: Workshop, tmp_path: Path) -> None:
    """The job stands in it once, after whatever a person wrote; it is taken out again and the rest is as it was."""
    table = tmp_path / "table"
    table.write_text("# mine\n0 1 * * * echo hello % world\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    crontab = programs / "crontab"
    crontab.write_text(f'#!/bin/sh\nif [ "$1" = -l ]; then cat "{table}"; else cat > "{table}"; fi\n')
    crontab.chmod(crontab.stat().st_mode | stat.S_IXUSR)
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    for _ in range(2):
        assert shop.run("learn", "--install-timer", "cron", "--at", "02:07", environment=path).returncode == 0
    lines = table.read_text().splitlines()
    assert lines[:2] == ["# mine", "0 1 * * * echo hello % world"]
    assert len(lines) == 4
    assert lines[3].startswith("7 2 * * * cd ")
    done = subprocess.run(["sh", "-c", lines[3].removeprefix("7 2 * * * ")], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shop.run("learn", "--uninstall-timer", environment=path).returncode == 0
    assert table.read_text() == "# mine\n0 1 * * * echo hello % world\n"
