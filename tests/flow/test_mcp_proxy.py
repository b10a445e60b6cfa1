"""Through the proxy a client sees what it would see without, in both eras of the protocol."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.flow.proxying import Place, small, talking
from tests.flow.workshop import until


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace nothing has happened in."""
    return Place.made(tmp_path)


CALLED = ("echo", "odd", "fail", "refuse", "no_such_tool", "write")
ASKED = ("resources/list", "prompts/get", "completion/complete", "logging/setLevel", "own/method")
ERAS = pytest.mark.parametrize("era", ["legacy", "modern"])


@ERAS
def test_what_a_client_sees_is_what_the_server_says(place: Place, era: str) -> None:
    """Handshake, lists in pages, odd and unknown members, errors and refusals: equal, member by member."""
    told: list[list[Any]] = []
    for opened in (talking(small(place.log), era), place.proxied(era=era, hello=False)):
        with opened as peer:
            said = [peer.hello(), peer.request("tools/list"), peer.request("tools/list", {"cursor": "p:2"})]
            given = {"text": "{{ 1 + 1 }}", "strange name!": [None, 1.0]}
            said += [peer.call(name, given, own={"x": None}) for name in CALLED]
            said += [peer.request(method, {"name": "a", "level": "info", "deep": {"null": None}}) for method in ASKED]
            told.append(said)
    direct, through = told
    assert through == direct


def test_a_picture_of_megabytes_passes_and_history_stays_small(place: Place) -> None:
    """The client gets every byte; history says how many there were."""
    with place.proxied() as peer:
        answer = peer.call("picture", {"size": 5_000_000})
    assert len(answer["result"]["content"][0]["data"]) == 5_000_000
    (run,) = place.runs()
    events = place.shell.run("logs", run["run"], "-o", "json").stdout
    assert "5,000,000 characters of base64" in events
    assert len(events) < 50_000


@ERAS
def test_forty_calls_at_once_are_forty_answers(place: Place, era: str) -> None:
    """Each gets its own, and history has each."""
    with place.proxied(era=era) as peer:
        numbers = [peer.begin("tools/call", {"name": "echo", "arguments": {"n": n}}) for n in range(40)]
        texts = [peer.end(number)["result"]["content"][0]["text"] for number in numbers]
    assert texts == [f'echo: {{"n": {n}}}' for n in range(40)]
    assert len(place.runs()) == 40


def test_progress_comes_as_it_was_sent(place: Place) -> None:
    """Under the client's own token, before the answer."""
    with place.proxied() as peer:
        peer.heard.get(timeout=20)  # the list of tools has changed, it says after the handshake
        peer.call("progress", _meta={"progressToken": "mine"})
        said = [peer.heard.get(timeout=20)["params"] for _ in range(2)]
    assert peer.order[-3:] == ["notifications/progress", "notifications/progress", "answer"]
    assert said == [
        {"progressToken": "mine", "progress": n, "total": 2, "message": f"{n}", "_meta": {"z": None}} for n in (1, 2)
    ]


def test_a_change_of_the_list_is_passed_on(place: Place) -> None:
    """What the server announces reaches the client with all its members."""
    with place.proxied() as peer:
        said = peer.heard.get(timeout=20)
    assert (said["method"], said["params"]) == ("notifications/tools/list_changed", {"_meta": {"hello": None}})


def test_what_a_client_listens_to_has_its_own_number(place: Place) -> None:
    """A stream of the modern era is named by the client's request, not by the proxy's."""
    with place.proxied(era="modern") as peer:
        number = peer.begin("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        said = peer.heard.get(timeout=20)
        ended = peer.end(number)["result"]
    key = "io.modelcontextprotocol/subscriptionId"
    assert (said["params"]["_meta"][key], ended["_meta"][key]) == (number, number)


def test_a_server_asks_its_client_through_the_proxy(place: Place) -> None:
    """In the legacy era its request reaches the client, and the client's answer the server."""
    with place.proxied() as peer:
        number = peer.begin("tools/call", {"name": "ask", "arguments": {}})
        asked = peer.asked.get(timeout=20)
        peer.send({"id": asked["id"], "result": {"action": "accept", "content": {"a": 1}}})
        answer = json.loads(peer.end(number)["result"]["content"][0]["text"])
    assert (asked["method"], asked["params"]["message"]) == ("elicitation/create", "?")
    assert answer["result"] == {"action": "accept", "content": {"a": 1}}


def test_a_result_that_asks_is_handed_on_and_so_is_the_reply(place: Place) -> None:
    """In the modern era the result asks, and the same call comes again with what was sealed."""
    with place.proxied(era="modern") as peer:
        first = peer.call("ask")["result"]
        again = peer.call("ask", inputResponses={"one": {"action": "accept"}}, requestState=first["requestState"])
    assert (first["resultType"], first["requestState"]) == ("input_required", "sealed")
    assert json.loads(again["result"]["content"][0]["text"]) == {"one": {"action": "accept"}}


def test_a_call_that_is_cancelled_is_cancelled_at_the_server(place: Place) -> None:
    """The server hears of it, nothing is repeated, and history calls the run cancelled."""
    with place.proxied() as peer:
        number = peer.begin("tools/call", {"name": "wait", "arguments": {}})
        until(lambda: "wait" in place.log.read_text())
        peer.send({"method": "notifications/cancelled", "params": {"requestId": number, "reason": "enough"}})
        until(lambda: "cancelled" in place.log.read_text())
        assert peer.call("echo")["result"]["isError"] is False
    assert place.log.read_text().count("wait") == 1
    assert sorted(run["status"] for run in place.runs()) == ["cancelled", "ok"]


def test_a_server_that_never_starts_is_told_and_the_proxy_lives(place: Place) -> None:
    """The handshake is refused with what is wrong, as often as it is tried."""
    with place.proxied(command=["/no/such/program"], hello=False) as peer:
        for _ in range(2):
            error = peer.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})["error"]
            assert "/no/such/program" in error["message"]
        assert peer.request("ping") == {"result": {}}


def test_history_that_cannot_be_written_stops_nothing(place: Place) -> None:
    """Calls pass through as they would without us, and a line says so once."""
    (place.shell.home / "history.db").mkdir(parents=True)
    with place.proxied() as peer:
        for _ in range(3):
            assert peer.call("echo", {"a": 1})["result"]["content"][0]["text"] == 'echo: {"a": 1}'
    assert sum("history cannot be written" in line for line in peer.errors) == 1


def test_secrets_are_masked_in_history_and_nowhere_else(place: Place) -> None:
    """The client gets what the server sent; a token of the environment is not kept."""
    os.environ["SMALL_TOKEN"] = "hunter2-hunter2-hunter2"
    try:
        with place.proxied() as peer:
            peer.hello()
            answer = peer.call("echo", {"password": "hunter2-hunter2-hunter2"})
    finally:
        del os.environ["SMALL_TOKEN"]
    assert "hunter2-hunter2-hunter2" in answer["result"]["content"][0]["text"]
    (run,) = place.runs()
    assert "hunter2" not in place.shell.run("logs", run["run"], "-o", "json").stdout
    assert not any(b"hunter2" in path.read_bytes() for path in place.shell.home.rglob("*") if path.is_file())


def test_why_it_failed_is_added_only_when_asked(place: Place) -> None:
    """One more text in the result; what the server said comes first, unchanged."""
    says = {"says": "HTTP 401 Unauthorized: token expired"}
    with place.proxied() as peer:
        plain = peer.call("fail", says)["result"]
    with place.proxied("--explain") as peer:
        told = peer.call("fail", says)["result"]
    assert told["content"][: len(plain["content"])] == plain["content"]
    assert {**told, "content": []} == {**plain, "content": []}
    (added,) = told["content"][len(plain["content"]) :]
    assert added["text"].startswith("skill-engine looked into this failure.")


@ERAS
def test_the_servers_of_a_file_are_one_server(place: Place, era: str) -> None:
    """Names of tools have the server's before them; each call reaches its own, and one that is broken is left out."""

    def named(each: str) -> dict[str, Any]:
        command, *args = small(place.log.with_name(each))
        return {"command": command, "args": args}

    wrong = {"command": "/no/such/program"} if era == "legacy" else {"command": "x", "disabled": True}
    config = place.shell.folder / "servers.json"
    config.write_text(json.dumps({"mcpServers": {"one": named("one"), "two": named("two"), "wrong": wrong}}))
    with place.talking("--config", str(config), era=era) as peer:
        assert peer.hello()["result"]["instructions"] == "one: Be kind.\n\ntwo: Be kind."
        tools = peer.request("tools/list")["result"]["tools"]
        assert {tool["name"].partition(".")[0] for tool in tools} == {"one", "two"}
        assert len(tools) == 24
        assert peer.call("two.echo", {"a": None})["result"]["content"][0]["text"] == 'echo: {"a": null}'
        assert peer.call("three.echo")["error"]["code"] == -32602
    assert place.log.with_name("two").read_text().startswith("echo ")
    assert not place.log.with_name("one").exists()
    (step,) = place.shell.json("status", place.runs()[0]["run"])["steps"]
    assert step["name"] == "two_echo"


def test_one_server_of_a_file_keeps_its_names(place: Place) -> None:
    """Then there is nothing to tell apart."""
    command, *args = small(place.log)
    config = place.shell.folder / ".mcp.json"
    config.write_text(json.dumps({"mcpServers": {"one": {"command": command, "args": args}, "two": {"command": "x"}}}))
    with place.talking("--config", str(config), "--server", "one") as peer:
        peer.hello()
        assert peer.call("echo")["result"]["content"][0]["text"] == "echo: {}"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "say which server"),
        (("--domain", "nowhere", "--", "x"), "no domain called nowhere"),
        (("--config", "servers.json", "--server", "three"), "no server called three"),
        (("https://example.invalid/mcp", "more"), "after an address there is nothing"),
    ],
)
def test_wrong_words_are_refused_before_anything_starts(place: Place, words: tuple[str, ...], says: str) -> None:
    """With exit status 2, and nothing on standard output."""
    (place.shell.folder / "servers.json").write_text('{"mcpServers": {"one": {"command": "x"}}}')
    done = place.shell.run("mcp", "proxy", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
