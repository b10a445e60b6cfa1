"""The monitor on the local profile: the platform is killed, tokens end, and nobody has to do anything."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from tests.flow.watching import Outlook
from tests.flow.workshop import until

LOST = "ephemeral/platform, forge/platform and registry/platform are not well"
BACK = "ephemeral/platform, forge/platform and registry/platform are well again: local_platform_start() repaired it"


def test_a_killed_platform_is_started_again_and_both_are_told_once(shell: Any) -> None:
    """Killed for real; the main job afterwards meets a platform that runs and a token that holds."""
    assert shell.run("health", "check").returncode == 0
    outlook = Outlook(shell.folder, shell.home)
    # The fix ran just now, and is not repeated within its cool-down.
    until(lambda: json.loads(fix_record(shell))["finished_at"] + 10 < now(shell), within=30)
    with outlook.watch("--interval", "1s") as watch:
        told = len(outlook.inbox)
        os.kill(int(json.loads((shell.platform / "endpoint.json").read_text())["pid"]), signal.SIGKILL)
        until(lambda: len(outlook.inbox) == told + 2, within=60)
        watch.wait("found", 3)
        assert watch.end() == 0
    lost, back = outlook.inbox[told:]
    assert LOST in lost
    assert BACK in back
    run = shell.json("run", "test_mr_ephemeral", "-i", "run_tests=false")
    assert (run["status"], run["healed"]) == ("ok", 0)
    assert {each["action"] for each in run["preflight"]} == {"passed"}


def test_tokens_that_live_half_a_minute_are_renewed_before_they_end(shell: Any) -> None:
    """In every look the kept token holds; the platform itself counts the logins."""
    shell.platform.mkdir(parents=True)
    (shell.platform / "settings.json").write_text('{"token_lifetime": 28}')
    outlook = Outlook(shell.folder, shell.home)
    with outlook.watch("--interval", "1s") as watch:
        told = len(outlook.inbox)
        watch.wait("found", 35)
        tokens = [part(each) for each in watch.all("found")]
        assert watch.end() == 0
    assert {token["state"] for token in tokens} == {"well"}
    assert min(token["expires_at"] - token["at"] for token in tokens) > 0
    assert sum(bool(token["fixed"]) for token in tokens) >= 3  # at once, and at half of each life
    assert outlook.inbox[told:] == []
    stats = shell.json("history", "--skill", "health")
    assert {run["status"] for run in stats} <= {"ok", "cancelled"}


def part(found: dict[str, Any]) -> dict[str, Any]:
    """The token of one look, and when that was."""
    ephemeral = next(each for each in found["checks"] if each["name"] == "ephemeral")
    return {**next(each for each in ephemeral["parts"] if each["name"] == "token"), "at": found["at"]}


def fix_record(shell: Any) -> str:
    """The newest outcome of the fix that starts the platform."""
    return str((shell.home / "state" / "fixes" / "local_platform_start--ephemeral.json").read_text())


def now(shell: Any) -> float:
    """This machine's clock, by a file that is written now."""
    path = shell.folder / "now"
    path.touch()
    return float(path.stat().st_mtime)
