"""What would have failed works through the proxy, and history tells how; what must not be repeated is not."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.proxying import Place
from tests.flow.workshop import alive, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace nothing has happened in; the platform that was started for it is stopped."""
    made = Place.made(tmp_path)
    yield made
    made.stop_platform()


def test_a_token_that_ended_is_renewed_and_the_client_notices_nothing(place: Place) -> None:
    """The server's own 401 never reaches the client; history has the failure, the login and the second call."""
    for tool in ("local_platform_start", "kube_login"):
        assert place.shell.run("tools", "exec", tool).returncode == 0
    with place.proxied("--domain", "ephemeral") as peer:
        (place.state / "platform" / "settings.json").write_text(json.dumps({"revoked_before": time.time()}))
        answer = peer.call("whoami")["result"]
    assert answer["isError"] is False
    assert '"sub"' in answer["content"][0]["text"]
    assert len(place.calls("whoami")) == 2
    run = place.runs()[0]
    assert (run["status"], run["healed"]) == ("ok", 1)
    (step,) = place.shell.json("status", run["run"])["steps"]
    assert (step["status"], step["fixes"]) == ("healed", ["kube_login()"])
    assert any(line.startswith("healed small.whoami: auth expired, by kube_login()") for line in peer.errors)


def test_what_only_the_memory_of_the_workspace_knows_is_healed_by_a_tool_of_the_workspace(place: Place) -> None:
    """A sentence that means nothing to others is known here, with what helps; the client gets the last answer."""
    learned = place.shell.home / "memory" / "learned"
    learned.mkdir(parents=True)
    row = (
        "id: dust, pattern: '^the shelf is dusty', kind: auth_expired, fix: login, untouched: true, seen: 40, right: 40"
    )
    (learned / "patterns.yaml").write_text(f"patterns:\n  - {{{row}}}\n")
    folder = place.shell.folder
    (folder / "skill.toml").write_text(
        '[domains.shelf]\ndescription = "A shelf."\nfixes.login = {call = {tool = "dust"}, cooldown = 0}\n'
    )
    (folder / "tools").mkdir()
    (folder / "tools" / "dust.yaml").write_text(
        "name: dust\ndescription: Dusts.\neffect: write\nidempotent: true\nfix: credentials\n"
        f'command: {{argv: [touch, "{folder / "dusted"}"]}}\n'
    )
    with place.proxied("--domain", "shelf") as peer:
        answer = peer.call("fail", {"says": "the shelf is dusty"})["result"]
    assert (answer["isError"], answer["content"][0]["text"]) == (True, "the shelf is dusty")
    assert (folder / "dusted").exists()
    assert len(place.calls("fail")) == 2
    (step,) = place.shell.json("status", place.runs()[0]["run"])["steps"]
    assert (step["status"], step["fixes"]) == ("failed", ["dust()"])


def test_a_platform_that_is_down_is_started_and_then_a_token_is_fetched(place: Place) -> None:
    """Nothing was there: the first look ahead repairs what the domain says, and the call works at once."""
    with place.proxied("--domain", "ephemeral") as peer:
        answer = peer.call("whoami")["result"]
    assert answer["isError"] is False, answer


@pytest.mark.parametrize("options", [(), ("--domain", "shelf")], ids=["of its own", "named"])
def test_a_server_killed_while_it_reads_is_started_again_and_asked_again(
    place: Place, options: tuple[str, ...]
) -> None:
    """Killed for real in the middle of the call; another process answers it, in a domain of the workspace too."""
    (place.shell.folder / "skill.toml").write_text('[domains.shelf]\ndescription = "Where the server is."\n')
    with place.proxied(*options) as peer:
        answer = peer.call("die_reading", {"a": 1})["result"]
    assert answer["content"][0]["text"] == 'die_reading: {"a": 1}'
    first, second = place.calls("die_reading")
    assert first != second
    run = place.runs()[0]
    (step,) = place.shell.json("status", run["run"])["steps"]
    assert (step["status"], step["fixes"]) == ("healed", ["mcp_restart(server='small')"])


def test_a_write_that_was_cut_off_is_not_repeated_and_the_next_call_works(place: Place) -> None:
    """Nobody knows whether it took effect: the client learns that the server went away."""
    with place.proxied() as peer:
        refused = peer.call("die_writing", {"times": 9})
        assert "error" in refused
        assert "small" in refused["error"]["message"]
        assert peer.call("write")["result"]["content"][0]["text"] == "write: {}"
    assert len(place.calls("die_writing")) == 1


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_server_that_died_while_idle_is_back_for_the_next_call(place: Place, era: str) -> None:
    """Nothing was under way, so that even a write is safe; what the client had said is said again."""
    with place.proxied(era=era) as peer:
        peer.call("write")
        (pid,) = place.calls("write")
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid))
        assert peer.call("write")["result"]["content"][0]["text"] == "write: {}"
        assert "result" in peer.request("tools/list")
    assert len(set(place.calls("write"))) == 2


def test_lists_and_resources_bring_a_dead_server_back_too(place: Place) -> None:
    """They are no calls of tools, and nothing but a start is needed."""
    with place.proxied() as peer:
        peer.call("echo")
        os.kill(place.calls("echo")[0], signal.SIGKILL)
        until(lambda: not alive(place.calls("echo")[0]))
        assert peer.request("resources/list")["result"]["method"] == "resources/list"


def test_twenty_reads_of_a_killed_server_are_healed_by_one_restart(place: Place) -> None:
    """They share the fix, and each gets its own answer."""
    with place.proxied() as peer:
        peer.call("echo")
        numbers = [peer.begin("tools/call", {"name": "wait", "arguments": {"seconds": 1, "n": n}}) for n in range(20)]
        until(lambda: len(place.calls("wait")) == 20)
        os.kill(place.calls("wait")[0], signal.SIGKILL)
        answers = [peer.end(number)["result"]["content"][0]["text"] for number in numbers]
    assert answers == [f'wait: {{"seconds": 1, "n": {n}}}' for n in range(20)]
    assert len(set(place.calls("wait"))) == 2


def test_with_healing_off_the_failure_comes_as_it_was(place: Place) -> None:
    """The kill switch makes it a plain proxy."""
    with place.proxied() as peer:
        place.state.mkdir(parents=True, exist_ok=True)
        (place.state / "heal-off").touch()
        assert "error" in peer.call("die_reading", {"times": 1})
        assert peer.call("echo")["result"]["isError"] is False
    assert len(place.calls("die_reading")) == 1


def test_nothing_is_left_when_the_client_leaves(place: Place) -> None:
    """The server ends with its client, calls under way too."""
    with place.proxied() as peer:
        peer.begin("tools/call", {"name": "wait", "arguments": {}})
        until(lambda: bool(place.calls("wait")))
    until(lambda: not alive(place.calls("wait")[0]))
