"""`skill mcp serve --http`: a token, this machine's names and pages only, bounded bodies, an orderly end."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.mcp_wire import HELLO, Served, call, request, served, workspace
from tests.shell import Shell


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A workspace with one skill; shared by the tests, none of whose refused requests may leave a run."""
    folder = tmp_path_factory.mktemp("http")
    made = workspace(folder / "work", folder / "home")
    (made.folder / "tools").mkdir()
    (made.folder / "tools" / "environment.yaml").write_text(
        "name: environment\ndescription: Tells the environment.\neffect: read\ncommand:\n  argv: [env]\n"
    )
    return made


@pytest.fixture(scope="module")
def server(here: Shell) -> Iterator[Served]:
    """A server on a free port."""
    with served(here) as running:
        yield running


def runs(shell: Shell) -> int:
    """How many runs there were."""
    return len(shell.json("history"))


def test_the_token_is_a_file_for_this_person_alone(here: Shell, server: Served) -> None:
    """It is in the state folder, is not in the log, and stays the same for the next server."""
    file = here.home / "state" / "mcp-token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(server.token) >= 40
    assert server.token not in "".join(server.log)
    assert str(file) in "".join(server.log)
    with served(here) as another:
        assert another.token == server.token


REFUSED: list[tuple[dict[str, str], int]] = [
    ({"Authorization": ""}, 401),
    ({"Authorization": "Bearer wrong"}, 401),
    ({"Authorization": "Bearer "}, 401),
    ({"Authorization": "Bearer \u00e9\u00e9"}, 401),
    ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1.evil.example"}, 421),
    ({"Host": "evil.example:8329"}, 421),
    ({"Host": ""}, 400),
    ({"Host": "[::1"}, 421),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1.evil.example"}, 403),
    ({"Content-Type": "text/plain"}, 415),
    ({"Accept": "text/html"}, 406),
]


@pytest.mark.parametrize(("headers", "status"), REFUSED)
def test_a_request_that_may_not_be_made_is_refused(
    here: Shell, server: Served, headers: dict[str, str], status: int
) -> None:
    """A missing or wrong token, a foreign Host or Origin: a status that says so, and nothing runs."""
    before = runs(here)
    named = {"Mcp-Method": "tools/call", "Mcp-Name": "greet"}
    found, body = server.send(call(1, "greet", who="x"), {**named, **headers})
    assert found == status or (status == 415 and found == 400), body
    assert server.token.encode() not in body
    assert runs(here) == before
    assert server.process.poll() is None


def test_the_right_token_and_a_local_page_pass(server: Served) -> None:
    """Names of this machine, and pages that it serves, are let in."""
    for headers in ({}, {"Host": f"localhost:{server.port}"}, {"Origin": f"http://localhost:{server.port}"}):
        told = server.ask(call(1, "skill_list"), headers)
        assert "greet" in json.dumps(told["result"]["structuredContent"])


def test_garbage_is_refused_and_the_server_goes_on(here: Shell, server: Served) -> None:
    """Malformed JSON, a batch, a body that is too large, another path and method."""
    before = runs(here)
    assert server.send(b"{bad")[0] == 400
    assert server.send(b"[]")[0] == 400
    assert server.send(b"\xff\xfe")[0] == 400
    assert server.send(b'"' + b"x" * 5_000_000 + b'"')[0] == 413
    assert server.send(call(1, "greet", who="x"), path="/other")[0] == 404
    assert server.send(b"", method="PUT")[0] == 405
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(b"NO HTTP AT ALL\r\n\r\n")
        assert raw.recv(1_000).startswith(b"HTTP/1.1 400")
    assert runs(here) == before
    assert server.ask(call(2, "greet", who="you"))["result"]["structuredContent"]["status"] == "ok"


def test_a_forged_request_state_is_refused_over_http(here: Shell, server: Served) -> None:
    """As over standard input: nothing runs."""
    before = runs(here)
    line = request(1, "tools/call", name="greet", arguments={"who": "x"}, requestState="v1." + "A" * 200)
    assert server.ask(line)["error"]["data"] == {"reason": "invalid_request_state"}
    assert runs(here) == before


def test_a_session_of_the_older_protocol_works_over_http(server: Served) -> None:
    """The handshake is answered, and the list may change."""
    status, body = server.send(request(1, "initialize", modern=False, **HELLO), {"MCP-Protocol-Version": ""})
    assert status == 200
    assert b'"listChanged":true' in body


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_sdks_own_client_runs_a_skill_over_http(server: Served, mode: Any) -> None:
    """With progress, in both protocol eras."""

    async def ask() -> Any:
        headers = {"Authorization": f"Bearer {server.token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as web:
            transport = streamable_http_client(f"http://127.0.0.1:{server.port}/mcp", http_client=web)
            async with Client(transport, mode=mode) as client:
                listed = await client.list_tools()
                assert "greet" in [each.name for each in listed.tools]
                return await client.call_tool("greet", {"who": "you"})

    told = anyio.run(ask)
    assert told.is_error is False
    assert told.structured_content["outputs"] == {"greeting": "hello you"}


def test_a_token_of_ones_own_is_taken_from_the_environment_or_a_file(here: Shell, tmp_path: Path) -> None:
    """`SKILL_MCP_TOKEN`, which tools do not see, or `--token-file`, which wins and is made where it is missing."""
    mine = "a-token-of-my-own-0123456789"
    with served(here, environment={"SKILL_MCP_TOKEN": mine}) as one:
        assert one.token == mine
        assert "result" in one.ask(call(1, "skill_list"))
        told = one.ask(call(2, "tool_exec", name="environment"))["result"]["structuredContent"]
        assert "SKILL_HOME=" in told["value"]
        assert "SKILL_MCP_TOKEN" not in told["value"]
    file = tmp_path / "new" / "token"
    with served(here, "--token-file", str(file), environment={"SKILL_MCP_TOKEN": mine}) as one:
        assert one.token == file.read_text().strip() != mine
        assert "result" in one.ask(call(1, "skill_list"))


def test_a_token_that_is_none_or_that_others_can_read_is_refused(here: Shell, tmp_path: Path) -> None:
    """Exit status 2, and the way out; the token is not shown."""
    short = here.run("mcp", "serve", "--http", "--port", "0", environment={"SKILL_MCP_TOKEN": "short"})
    assert (short.returncode, short.stdout) == (2, "")
    assert "16 ASCII characters or more" in short.stderr
    open_to_all = tmp_path / "token"
    open_to_all.write_text("a-token-that-all-can-read-0123456789\n")
    open_to_all.chmod(0o644)
    refused = here.run("mcp", "serve", "--http", "--port", "0", "--token-file", str(open_to_all))
    assert refused.returncode == 2
    assert f"chmod 600 {open_to_all}" in refused.stderr
    assert "a-token-that" not in refused.stderr


def test_what_others_can_reach_is_only_served_when_that_is_said(here: Shell) -> None:
    """An address that is not this machine's own needs --expose; a Host that was allowed is let in then."""
    refused = here.run("mcp", "serve", "--http", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - that is the point
    assert refused.returncode == 2
    assert "--expose" in refused.stderr
    with served(here, "--host", "0.0.0.0", "--expose", "--allowed-host", "skills.example") as wide:  # noqa: S104 - as above
        assert "result" in wide.ask(call(1, "skill_list"), {"Host": "skills.example"})
        assert wide.send(call(1, "skill_list"), {"Host": "other.example"})[0] == 421


def test_a_port_that_is_taken_is_told(here: Shell, server: Served) -> None:
    """Exit status 2, and the way out."""
    taken = here.run("mcp", "serve", "--http", "--port", str(server.port))
    assert taken.returncode == 2
    assert "--port 0" in taken.stderr


def test_a_signal_ends_the_server_though_a_client_listens(here: Shell) -> None:
    """An open stream does not hold it up; exit status 0, and nothing was written to standard output."""
    with served(here) as one:
        connection = socket.create_connection(("127.0.0.1", one.port), timeout=20)
        body = request("listen", "subscriptions/listen", notifications={"toolsListChanged": True})
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {one.token}\r\n"
            "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with connection:
            connection.sendall(head.encode() + body)
            assert b"200 OK" in connection.recv(4_000)
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(20) == 0
        assert one.process.stdout is not None
        assert one.process.stdout.read() == ""
