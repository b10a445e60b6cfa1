"""The monitor watches real things: it renews in time, repairs, tells each change once, and survives what happens."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.flow.watching import Outlook
from tests.flow.workshop import alive, descendants, until
from tests.shell import SKILL as PROGRAM

HANGS = "echo $$ >> hanging\ntrap '' TERM\nsleep 300 & wait\nsleep 300\n"
NO_ROAD = "**warning** health: door/road is not well: there is no road"
ROAD_AGAIN = "**note** health: door/road is well again: build_road() repaired it"


@pytest.fixture
def outlook(tmp_path: Path) -> Outlook:
    """A workspace that can be watched, and is not yet."""
    made = Outlook(tmp_path / "work", tmp_path / "home")
    made.watchable()
    return made


def test_a_token_is_renewed_before_it_ends(outlook: Outlook) -> None:
    """Tokens that live six seconds: in every look there is one that holds, and nobody is bothered with it."""
    outlook.watchable(lifetime=4)
    (outlook.folder / "lifetime").write_text("6")
    with outlook.watch() as watch:
        until(lambda: outlook.log.count("log_in") >= 4, within=40)
        ends = [each["checks"][0]["parts"][1] for each in watch.all("found")]
        held = [part["expires_at"] - each["at"] for part, each in zip(ends, watch.all("found"), strict=True)]
        assert min(held) > 0
        assert {part["state"] for part in ends} == {"well"}
        assert watch.all("notice") == []
        assert watch.end() == 0
    assert outlook.inbox == []
    runs = outlook.json("history")
    assert {run["skill"] for run in runs} == {"health"}
    assert len(runs) == outlook.log.count("log_in")


def test_what_breaks_is_repaired_and_told_once_and_so_is_its_end(outlook: Outlook) -> None:
    """The road goes, is built in the same look, and looks after that have nothing to tell."""
    with outlook.watch() as watch:
        (outlook.folder / "road").unlink()
        until(lambda: len(watch.all("notice")) == 2, within=40)
        watch.wait("found", 3)
        assert watch.end() == 0
    assert outlook.inbox == [NO_ROAD, ROAD_AGAIN]
    assert outlook.log == ["build_road"]
    events = [json.loads(line) for line in outlook.run("logs", "last", "-o", "jsonl").stdout.splitlines()]
    fixes = [(each["fix"], each["cause"], each["ok"]) for each in events if each["event"] == "fix_finished"]
    assert fixes == [("build_road", "health", True)]


def test_what_cannot_be_repaired_is_told_once_and_its_fix_is_left_alone(outlook: Outlook) -> None:
    """Not tried again every second; when the road is there, that is told, too."""
    (outlook.folder / "no_road").touch()
    (outlook.folder / "road").unlink()
    with outlook.watch() as watch:
        watch.wait("found", 4)
        assert outlook.log == ["build_road"]
        (outlook.folder / "road").touch()
        watch.until("door/road", "well")
        watch.end()
    told, over = outlook.inbox
    assert told.startswith(NO_ROAD)
    assert "build_road() did not help" in told
    assert over == "**note** health: door/road is well again"


def test_without_a_road_nobody_logs_in(outlook: Outlook) -> None:
    """The login would fail, and its breaker would open for nothing."""
    for name in ("no_road", "token"):
        (outlook.folder / name).unlink(missing_ok=True)
    (outlook.folder / "no_road").touch()
    (outlook.folder / "road").unlink()
    done = outlook.run("health", "check")
    assert done.returncode == 1
    assert outlook.log == ["build_road"]


class Receiver(BaseHTTPRequestHandler):
    """A webhook: refuses the first notice with 503, and keeps what it takes."""

    taken: list[dict[str, Any]]
    refused: int

    def do_POST(self) -> None:
        """One notice."""
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).refused += 1
        if type(self).refused == 1:
            self.send_error(503)
            return
        type(self).taken.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def webhook() -> Iterator[str]:
    """The address of a receiver that runs."""
    Receiver.taken, Receiver.refused = [], 0
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook/secret-part"
        server.shutdown()


def test_a_program_and_a_web_address_get_every_notice(outlook: Outlook, webhook: str) -> None:
    """The address refuses at first and is asked again; each notice arrives once, in order; the address is not shown."""
    command = json.dumps(["sh", "-c", "cat >> told"])
    outlook.watchable(health=f'notify_command = {command}\nnotify_url = "{webhook}"')
    with outlook.watch() as watch:
        (outlook.folder / "road").unlink()
        until(lambda: len(Receiver.taken) == 2, within=40)
        watch.wait("found", 2)
        assert watch.end() == 0
        assert "secret-part" not in "".join(watch.heard)
    told = [json.loads(line) for line in (outlook.folder / "told").read_text().splitlines()]
    assert told == Receiver.taken
    assert [(each["level"], each["state"], each["was"]) for each in told] == [
        ("warning", "unwell", "well"),
        ("note", "well", "unwell"),
    ]
    assert told[0]["checks"] == ["door/road"]
    assert told[0]["workspace"] == str(outlook.folder)


def test_a_program_that_never_reads_does_not_stop_the_monitor(outlook: Outlook) -> None:
    """What it does not take is offered again later, and complained of once."""
    outlook.watchable(health='notify_command = ["sh", "-c", "exit 3"]')
    (outlook.folder / "no_road").touch()
    (outlook.folder / "road").unlink()
    with outlook.watch() as watch:
        watch.wait("found", 8)
        watch.end()
    troubles = [each["text"] for each in watch.all("trouble")]
    assert len(troubles) == 2
    assert "offered again" in troubles[0]
    assert "dropped" in troubles[1]


def test_a_second_monitor_is_refused_and_told_who_watches(outlook: Outlook) -> None:
    """Exit status 5, and the process; `check` and `status` work beside it."""
    with outlook.watch() as watch:
        second = outlook.run("health", "watch")
        assert second.returncode == 5
        assert f"process {watch.process.pid}" in second.stderr
        assert outlook.json("health", "status")["monitor"]["pid"] == watch.process.pid
        assert outlook.run("health", "check").returncode == 0
        assert watch.end() == 0
    assert outlook.json("health", "status")["monitor"] is None


def test_a_monitor_that_was_killed_leaves_no_lock(outlook: Outlook) -> None:
    """The next one begins at once."""
    with outlook.watch() as watch:
        watch.process.send_signal(signal.SIGKILL)
        watch.process.wait()
    with outlook.watch() as again:
        assert again.end() == 0


def test_a_look_that_was_killed_in_the_middle_of_a_fix_is_ended_by_the_next(outlook: Outlook) -> None:
    """Nobody could resume it; it does not stand there as interrupted for ever, and the repair is made after all."""
    script = outlook.folder / "scripts" / "build_road.sh"
    (usual, slow) = (script.read_text(), f'cd "{outlook.folder}"\ntouch fixing\nsleep 300\n')
    script.write_text(slow)
    with outlook.watch() as watch:
        (outlook.folder / "road").unlink()
        until((outlook.folder / "fixing").exists, within=40)
        watch.process.send_signal(signal.SIGKILL)
        watch.process.wait()
    assert [run["status"] for run in outlook.json("history")] == ["interrupted"]
    script.write_text(usual)
    assert outlook.run("health", "check").returncode == 0
    assert [run["status"] for run in outlook.json("history")] == ["ok", "cancelled"]
    assert outlook.inbox == [NO_ROAD, ROAD_AGAIN]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_signals_end_it(outlook: Outlook, number: signal.Signals, status: int) -> None:
    """As a service manager, a closed terminal and a person do."""
    with outlook.watch("--interval", "1h") as watch:
        assert watch.end(number) == status


def test_sigterm_ends_it_while_a_check_hangs_and_leaves_no_program_behind(outlook: Outlook) -> None:
    """A check that does not even obey SIGTERM itself."""
    with outlook.watch() as watch:
        (outlook.folder / "scripts" / "road_is_open.sh").write_text(f'cd "{outlook.folder}"\n{HANGS}')
        until((outlook.folder / "hanging").exists, within=40)
        started = descendants(watch.process.pid)
        assert watch.end() == 0
    until(lambda: not any(alive(pid) for pid in started), within=20)


def test_a_check_that_hangs_is_not_known_and_holds_up_nothing_else(outlook: Outlook) -> None:
    """Told after two looks in a row; nothing is repaired for it; the token is renewed all the same."""
    outlook.watchable(within=0.5, road=HANGS)
    (outlook.folder / "token").unlink()
    with outlook.watch() as watch:
        assert (watch.state("door/road"), watch.state("door/token")) == ("unknown", "well")
        until(lambda: any("nobody knows" in each["text"] for each in watch.all("notice")), within=40)
        watch.wait("found", 2)
        assert watch.end() == 0
    assert sum("nobody knows how door/road is" in line for line in outlook.inbox) == 1
    assert outlook.log == ["log_in"]


def test_after_a_stop_as_after_sleep_it_looks_once_at_once(outlook: Outlook) -> None:
    """A stopped process gets no turn; the looks it missed are not made up for."""
    with outlook.watch("--interval", "4s") as watch:
        watch.wait("found")
        watch.process.send_signal(signal.SIGSTOP)
        time.sleep(14)
        before = len(watch.all("look"))
        watch.process.send_signal(signal.SIGCONT)
        watch.wait("look", 2)
        assert watch.end() == 0
    first, second = watch.all("look")[before : before + 2]
    assert (first["why"], second["why"]) == ("woke", "interval")
    assert second["at"] - first["at"] > 3.5


VANISH = {
    "the address is gone": ("ip addr del 127.0.0.1/8 dev lo", "ip addr add 127.0.0.1/8 dev lo", "unreachable"),
    "the link is down": ("ip link set lo down", "ip link set lo up", ""),
}


@pytest.mark.parametrize("how", VANISH)
def test_a_network_that_vanishes_is_repaired_by_its_fix(outlook: Outlook, how: str) -> None:
    """In a network of its own: unreachable, or silent; the fix brings it back, and both are told once."""
    vanish, bring_back, said = VANISH[how]
    server = f"{sys.executable} -m http.server --bind 127.0.0.1 8099 >/dev/null 2>&1 &"
    prefix = ("unshare", "-rn", "sh", "-c", f'ip link set lo up; {server} sleep 1; exec "$@"', "-")
    if subprocess.run(["unshare", "-rn", "ip", "addr"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no network namespace of one's own")
    (outlook.folder / "skill.toml").write_text(
        'profile = "yard"\n[domains.net]\n'
        'fixes.connect = {call = {tool = "link_up"}, cooldown = 0}\n'
        'checks.server = {tool = "network_reachable", args = {host = "127.0.0.1", port = 8099}, role = "connect"}\n'
        '[health]\ninterval = "1s"\n'
    )
    outlook.script("link_up", bring_back, kind="effect: write\nidempotent: true\nfix: connectivity")
    with outlook.watch(prefix=prefix) as watch:
        watch.until("net/server", "well")
        told = len(watch.all("notice"))
        inside = ("nsenter", "-t", str(watch.process.pid), "-U", "-n", "--preserve-credentials")
        subprocess.run([*inside, *vanish.split()], check=True)
        until(lambda: len(watch.all("notice")) >= told + 2, within=40)
        watch.wait("found", 3)
        notices = watch.all("notice")[told:]
        servers = descendants(watch.process.pid)
        assert watch.end() == 0
        for pid in filter(alive, servers):
            os.kill(pid, signal.SIGKILL)
    assert [each["state"] for each in notices] == ["unwell", "well"]
    assert said in notices[0]["text"]


SKILL = "steps:\n  - name: there\n    tool: file_read\n    args: {path: wanted.txt}\n    expect: result is not none\n"


def test_a_health_skill_is_a_check(outlook: Outlook) -> None:
    """How it ends is how it is; told once, and in history only when that changes."""
    outlook.health_skill(SKILL, "wanted")
    with outlook.watch() as watch:
        assert watch.state("health/wanted") == "unwell"
        watch.wait("found", 3)
        (outlook.folder / "wanted.txt").write_text("here")
        watch.until("health/wanted", "well")
        watch.wait("found", 2)
        watch.end()
    assert [line.partition(" is ")[2][:8] for line in outlook.inbox] == ["not well", "well aga"]
    assert [run["status"] for run in outlook.json("history", "--skill", "wanted")] == ["ok", "failed"]


def test_a_health_skill_that_cannot_be_run_is_not_known(outlook: Outlook) -> None:
    """A mistake in it, a link in its place: said, and the others are looked at."""
    outlook.health_skill("steps: nothing\n", "broken")
    outlook.health_skill("steps:\n  - {name: a, compute: result = 1}\n", "fine")
    (outlook.folder / "skills" / "health" / "link.yaml").symlink_to(outlook.folder / "skill.toml")
    report = outlook.json("health", "check", status=1)
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states["health/broken"] == states["health/link"] == "unknown"
    assert states["health/fine"] == states["door"] == "well"


def test_a_broken_health_file_is_reported_and_never_overwritten(outlook: Outlook) -> None:
    """With its line; looks go on, and what was told is remembered by the process meanwhile."""
    path = outlook.home / "memory" / "state" / "environment_health.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# by hand\nhealth_checks: [oops\n")
    (outlook.folder / "no_road").touch()
    (outlook.folder / "road").unlink()
    with outlook.watch() as watch:
        watch.wait("found", 3)
        watch.end()
    assert path.read_text() == "# by hand\nhealth_checks: [oops\n"
    assert [each["text"] for each in watch.all("trouble")] == [each["text"] for each in watch.all("trouble")[:1]]
    assert "environment_health.yaml:3" in watch.all("trouble")[0]["text"]
    assert len(outlook.inbox) == 1
    assert outlook.run("health", "status").returncode == 6


def test_a_memory_that_cannot_be_written_stops_neither_looks_nor_repairs(outlook: Outlook) -> None:
    """What is found is told on the screen, once; the way out is named."""
    outlook.home.mkdir()
    (outlook.home / "memory").write_text("a file where a folder should be")
    with outlook.watch() as watch:
        (outlook.folder / "road").unlink()
        until(lambda: len(watch.all("notice")) == 2, within=40)
        watch.wait("found", 3)
        assert watch.end() == 0
    assert outlook.log == ["build_road"]
    assert len(watch.all("notice")) == 2
    assert any("SKILL_HOME" in each["text"] for each in watch.all("trouble"))


def test_a_read_only_memory_folder_is_the_same(outlook: Outlook) -> None:
    """A real read-only disk in its place."""
    memory = outlook.home / "memory"
    memory.mkdir(parents=True)
    mount = f'mount -t tmpfs -o ro tmpfs "{memory}" && exec "$@"'
    prefix = ("unshare", "-rm", "sh", "-c", mount, "-")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no mounts in a namespace of one's own")
    (outlook.folder / "road").unlink()
    done = outlook.run("health", "check", prefix=prefix)
    assert done.returncode == 0, done.stderr
    assert "Read-only" in done.stderr
    assert outlook.log == ["build_road"]


def test_without_history_nothing_is_repaired_and_that_is_said(outlook: Outlook) -> None:
    """A fix that nobody could count does not run."""
    outlook.home.mkdir()
    (outlook.home / "history.db").mkdir()
    (outlook.folder / "road").unlink()
    done = outlook.run("health", "check")
    assert done.returncode == 1
    assert "nothing was repaired" in done.stdout
    assert outlook.log == []


def test_the_kill_switch_stops_repairs_and_not_looks(outlook: Outlook) -> None:
    """As everywhere."""
    (outlook.folder / "road").unlink()
    done = outlook.run("health", "check", environment={"SKILL_HEAL": "off"})
    assert done.returncode == 1
    assert "kill switch" in done.stdout
    assert outlook.log == []


def test_only_looking_repairs_nothing(outlook: Outlook) -> None:
    """`--no-fix`."""
    (outlook.folder / "road").unlink()
    assert outlook.run("health", "check", "--no-fix").returncode == 1
    assert outlook.log == []


FORETOLD = """\
sequences:
  - trigger: always_here
    context: {hours: 0-24}
    prediction: {error: auth_expired, domain: door, probability: 0.9}
    proactive_fix: {fix: login}
    observations: 60
    confirmed: 58
"""


def test_what_history_foretells_stands_in_the_file(outlook: Outlook) -> None:
    """A sequence that holds now, with its name and the fix that would prevent it."""
    path = outlook.home / "memory" / "learned" / "failure_contexts.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(FORETOLD)
    (issue,) = outlook.json("health", "check")["predicted_issues"]
    assert (issue["type"], issue["domain"], issue["sequence"]) == ("auth_expired", "door", "always_here")
    assert issue["proactive_fix"] == "log_in()"
    assert outlook.json("health", "status")["predicted_issues"][0]["sequence"] == "always_here"
    assert outlook.log == []


def test_a_reader_that_goes_away_ends_the_monitor_without_a_word(outlook: Outlook) -> None:
    """`skill health watch -o jsonl | head -1` is no mistake of the engine."""
    command = f"{shlex.quote(str(PROGRAM))} health watch --interval 1s -o jsonl | head -1"
    done = subprocess.run(
        ["sh", "-c", command], cwd=outlook.folder, env=outlook.environment, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout)["health"] == "look"
    assert "mistake" not in done.stderr
    assert not (outlook.home / "crashes").exists()
