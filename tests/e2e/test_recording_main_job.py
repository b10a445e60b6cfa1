"""`skill test --record` of the main job on the local profile: its first run, with both heals, as a rehearsal."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_the_main_job_is_recorded_and_passes_without_the_platform(shell: Any, tmp_path: Path) -> None:
    """Two heals and a masked password; played back in another home, where no platform was ever started."""
    (shell.folder / "skill.toml").write_text("[heal]\npreflight = false\n")
    first = shell.json("run", "test_mr_ephemeral")
    assert (first["status"], first["healed"]) == ("ok", 2)
    done = shell.run("test", "--record", "last", "--into", "rehearsals/main.yaml")
    assert done.returncode == 0, done.stderr
    assert "made up in their place: tools.kubectl_get_secret[0]" in done.stderr
    shell.stop_platform()
    other = type(shell)(folder=shell.folder, home=tmp_path / "elsewhere")
    record = other.json("test", "main")
    [played] = record["rehearsals"]
    assert played["status"] == "passed"
    assert played["steps"] == {step["name"]: step["status"] for step in first["steps"]}
    assert {"kube_login", "local_platform_start"} <= {call["tool"] for call in played["calls"]}
    assert not (other.home / "state").exists()


def test_a_blocked_run_is_recorded_too(shell: Any) -> None:
    """A merge request without an image: exit status 5 then, and the same words in the rehearsal."""
    shell.json("run", "test_mr_ephemeral", "-i", "mr_id=1", status=5)
    done = shell.run("test", "--record", "last", "--into", "rehearsals/blocked.yaml")
    assert done.returncode == 0, done.stderr
    assert "status: blocked" in (shell.folder / "rehearsals" / "blocked.yaml").read_text()
