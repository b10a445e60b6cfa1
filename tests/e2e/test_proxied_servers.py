"""`skill mcp proxy` in front of servers that others wrote: a TypeScript client cannot tell the difference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mcp_clients.typescript import EITHER, LEGACY, MODERN, TypeScriptClient, over_stdio, typescript
from tests.flow.workshop import Workshop, until
from tests.servers import third_party as servers
from tests.servers.configured import configure, git, kill_servers, marked, repository
from tests.servers.site import serving
from tests.shell import SKILL
from tests.ways import ways

EVERYTHING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("echo", {"message": "Grüße, 世界"}),
    ("get-sum", {"a": 1, "b": 2.5}),
    ("get-sum", {"a": "one", "b": 2}),
    ("get-structured-content", {"location": "Chicago"}),
    ("get-tiny-image", {}),
    ("get-annotated-message", {"messageType": "error", "includeImage": True}),
    ("get-resource-links", {"count": 3}),
    ("no-such-tool", {}),
)
REQUESTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("prompts/list", {}),
    ("prompts/get", {"name": "args-prompt", "arguments": {"city": "Bern"}}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": "demo://resource/static/document/features.md"}),
    ("resources/read", {"uri": "demo://nothing/like/it"}),
    ("resources/subscribe", {"uri": "demo://resource/dynamic/text/1"}),
    ("logging/setLevel", {"level": "debug"}),
    ("no/such/method", {}),
    ("ping", {}),
    (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "completable-prompt"}, "argument": {"name": "department", "value": "E"}},
    ),
)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """An empty workspace."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    return made


def proxied(workshop: Workshop, *words: str) -> dict[str, Any]:
    """The proxy as the command of a client."""
    command = [str(SKILL), "mcp", "proxy", *words]
    return over_stdio(command, folder=workshop.folder, environment=workshop.environment)


def answers(client: TypeScriptClient, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[Any]:
    """What each call gives, an error's code and message too; what depends on the moment is left out."""
    found = []
    for name, arguments in calls:
        told = client.tell("call", name=name, arguments=arguments)
        found.append([name, told.result, told.error])
    return found


def others(client: TypeScriptClient) -> list[Any]:
    """What other requests give."""
    found = []
    for method, parameters in REQUESTS:
        told = client.tell("raw", method=method, params=parameters)
        found.append([method, told.result, told.error])
    return found


def test_server_everything_is_the_same_through_the_proxy(workshop: Workshop) -> None:
    """Tools, results, refusals, prompts, resources, completions; and each call is in the history."""
    with typescript(over_stdio(servers.everything()), sdk=1, era=LEGACY) as client:
        direct = client.list(), answers(client, EVERYTHING), others(client), client.connected["instructions"]
    with typescript(proxied(workshop, "--", *servers.everything()), sdk=1, era=LEGACY) as client:
        through = client.list(), answers(client, EVERYTHING), others(client), client.connected["instructions"]
    for one, other in zip(through, direct, strict=True):
        assert one == other
    known = [name for name, _ in EVERYTHING if name != "no-such-tool"]
    assert len(workshop.json("history")) >= len(known)


@pytest.mark.parametrize("era", ways(LEGACY, EITHER))
def test_a_newer_client_gets_the_results_of_a_legacy_server(workshop: Workshop, era: str) -> None:
    """A client that asks for the modern era first falls back to the one the server behind the proxy knows."""
    with typescript(over_stdio(servers.everything()), era=era) as client:
        direct = client.list(), answers(client, EVERYTHING), client.connected
    with typescript(proxied(workshop, "--", *servers.everything()), era=era) as client:
        through = client.list(), answers(client, EVERYTHING), client.connected
    for one, other in zip(through, direct, strict=True):
        assert one == other


@pytest.mark.parametrize("era", [LEGACY, MODERN])
def test_a_server_of_both_eras_is_one_of_both_through_the_proxy(workshop: Workshop, era: str) -> None:
    """`mcp-server-time` knows the modern era, and so does the proxy before it; structured values and refusals."""
    there = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    calls = [("convert_time", there), ("convert_time", {**there, "target_timezone": "Mars/Olympus"})]
    with typescript(over_stdio(servers.time()), era=era) as client:
        direct = client.list(), answers(client, calls)
    with typescript(proxied(workshop, "--", *servers.time()), era=era) as client:
        through = client.list(), answers(client, calls)
    for one, other in zip(through, direct, strict=True):
        assert one == other


def test_a_server_asks_the_client_through_the_proxy(workshop: Workshop) -> None:
    """The tool that asks is only offered to clients that can be asked; question and answer arrive as they are."""
    asks, given = "trigger-elicitation-request", [{"action": "accept", "content": {"name": "Ann"}}]
    found = []
    for server in (over_stdio(servers.everything()), proxied(workshop, "--", *servers.everything())):
        with typescript(server, sdk=1, era=LEGACY, answers=given) as client:
            found.append((client.list(), client.tell("call", name=asks, arguments={})))
    assert found[0] == found[1]
    assert len(found[1][1].asked) == 1


def test_a_server_killed_in_mid_call_is_healed_behind_the_proxy(workshop: Workshop) -> None:
    """The client gets the page as if nothing had happened; the history tells the story."""
    with serving() as site:
        configure(workshop, {"fetch": servers.fetch()})
        site.meanwhile = lambda: kill_servers(workshop)
        with typescript(proxied(workshop, "--config", ".mcp.json"), era=MODERN) as client:
            result = client.call("fetch", {"url": site.url})
    assert not result["isError"]
    assert "A page of our own." in result["content"][0]["text"]
    assert site.asked == 2
    until(lambda: not marked(workshop))
    told = workshop.json("status", "last")
    assert (told["status"], told["healed"]) == ("ok", 1)


def test_a_write_is_not_repeated_behind_the_proxy(workshop: Workshop) -> None:
    """The server dies after the commit and before its answer: the client hears of it, and there is one commit."""
    shop = repository(workshop)
    configure(workshop, {"git": servers.git(shop)})
    hook = shop / ".git" / "hooks" / "post-commit"
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    with typescript(proxied(workshop, "--config", ".mcp.json"), era=MODERN) as client:
        told = client.tell("call", name="git_commit", arguments={"repo_path": str(shop), "message": "Second"})
        assert told.error is not None or told.result["isError"]
        there = client.call("git_log", {"repo_path": str(shop), "max_count": 1})
    assert "Second" in there["content"][0]["text"]
    assert git(shop, "log", "--format=%s").split() == ["Second", "First"]


def test_progress_and_cancelling_reach_through_the_proxy(workshop: Workshop) -> None:
    """Four steps are four notifications; a call that is taken back ends, and the next one is answered."""
    long = "trigger-long-running-operation"
    with typescript(proxied(workshop, "--", *servers.everything()), sdk=1, era=LEGACY) as client:
        told = client.tell("call", name=long, arguments={"duration": 0.4, "steps": 4})
        assert [(each["progress"], each["total"]) for each in told.progress] == [(number, 4) for number in (1, 2, 3, 4)]
        stopped = client.tell("call", name=long, arguments={"duration": 30, "steps": 100}, cancelAtProgress=1)
        assert stopped.error is not None
        assert client.call("echo", {"message": "still there"})["content"][0]["text"] == "Echo: still there"


def test_forty_calls_at_once_go_through_the_proxy(workshop: Workshop) -> None:
    """One connection on each side; forty answers."""
    with typescript(proxied(workshop, "--", *servers.everything()), sdk=1, era=LEGACY) as client:
        results = client.call("echo", {"message": "x"}, times=40)
    assert [each["content"][0]["text"] for each in results] == ["Echo: x"] * 40


def test_a_server_over_http_is_proxied_by_its_address(workshop: Workshop) -> None:
    """The same tools, over stdio for the client."""
    with servers.everything_over_http() as url, typescript(proxied(workshop, url), sdk=1, era=LEGACY) as client:
        through = client.list(), answers(client, EVERYTHING[:4])
    with typescript(over_stdio(servers.everything()), sdk=1, era=LEGACY) as client:
        direct = client.list(), answers(client, EVERYTHING[:4])
    assert through == direct


def test_several_servers_are_one_and_their_tools_carry_their_names(workshop: Workshop) -> None:
    """A whole `.mcp.json`: `files.read_text_file` is read, and writing through it writes."""
    shop = repository(workshop)
    configure(workshop, {"files": servers.filesystem(shop), "time": servers.time()})
    with typescript(over_stdio(servers.filesystem(shop)), sdk=1, era=LEGACY) as client:
        direct = client.list()
    with typescript(proxied(workshop, "--config", ".mcp.json"), sdk=1, era=LEGACY) as client:
        tools = client.list()
        assert {"time.convert_time", "files.write_file"} <= set(tools)
        for name, tool in direct.items():
            assert {**tools[f"files.{name}"], "name": name} == tool
        client.call("files.write_file", {"path": str(shop / "new.txt"), "content": "Written."})
        read = client.call("files.read_text_file", {"path": str(shop / "new.txt")})
    assert read["structuredContent"] == {"content": "Written."}
    assert (shop / "new.txt").read_text() == "Written."
