"""MCP servers that others wrote are tools of a workspace: their values, their failures, and their sudden ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mcp_clients.serving import as_command
from tests.e2e.mcp_clients.typescript import LEGACY, MODERN, typescript
from tests.flow.workshop import Workshop, until
from tests.servers import third_party as servers
from tests.servers.configured import configure, git, kill_servers, marked, repository
from tests.servers.site import Site, serving
from tests.ways import ways

TOUR = """
inputs:
  - {name: page, type: string, required: true}
  - {name: shop, type: string, required: true}
steps:
  - {name: status, tool: git.git_status, args: {repo_path: "{{ inputs.shop }}"}}
  - {name: branches, tool: git.git_branch, args: {repo_path: "{{ inputs.shop }}", branch_type: local}}
  - name: noon
    tool: time.convert_time
    args: {source_timezone: UTC, time: "12:00", target_timezone: Asia/Tokyo}
  - {name: page, tool: fetch.fetch, args: {url: "{{ inputs.page }}"}}
  - {name: echo, tool: everything.echo, args: {message: "{{ page.text }}"}}
  - {name: weather, tool: everything.get-structured-content, args: {location: Chicago}}
  - {name: file, tool: files.read_text_file, args: {path: "{{ inputs.shop }}/greeting.txt"}}
  - {name: machine, tool: monitor.get-system-info, args: {}}
  - {name: added, tool: web.get-sum, args: {a: 40, b: 2}}
outputs:
  - {name: status, value: "{{ status.text }}"}
  - {name: branches, value: "{{ branches.text }}"}
  - {name: noon, value: "{{ noon.target.datetime }}"}
  - {name: echo, value: "{{ echo.text }}"}
  - {name: weather, value: "{{ weather }}"}
  - {name: file, value: "{{ file.content }}"}
  - {name: machine, value: "{{ machine | length > 0 }}"}
  - {name: added, value: "{{ added.text }}"}
"""
FORTY = """
steps:
  - name: numbers
    compute: result = list(range(40))
  - name: sums
    foreach: numbers
    as: number
    parallel: 40
    tool: {server}.get-sum
    args: {{a: "{{{{ number }}}}", b: 1000}}
  - name: texts
    compute: result = [each["text"] for each in sums]
outputs:
  - {{name: texts, value: "{{{{ texts }}}}"}}
"""

TEN = """
inputs:
  - {name: page, type: string, required: true}
steps:
  - name: pages
    foreach: list(range(10))
    as: number
    parallel: 10
    tool: fetch.fetch
    args: {url: "{{ inputs.page }}?{{ number }}"}
  - name: texts
    compute: result = [each["text"] for each in pages]
outputs:
  - {name: texts, value: "{{ texts }}"}
"""
TOO_LONG = """
steps:
  - name: long
    tool: everything.trigger-long-running-operation
    args: {duration: 60, steps: 60}
    timeout: 1
    heal: false
    on_error: continue
  - {name: short, tool: everything.echo, args: {message: after all}}
outputs:
  - {name: said, value: "{{ short.text }}"}
"""


@pytest.fixture
def site() -> Iterator[Site]:
    """A small web site."""
    with serving() as made:
        yield made


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workspace with a git repository in it."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    repository(made)
    return made


def step(result: Any, name: str) -> Any:
    """One step of a run's result."""
    return next(each for each in result["steps"] if each["name"] == name)


def one_call(workshop: Workshop, tool: str, arguments: Mapping[str, Any]) -> str:
    """A skill of one step, `it`."""
    return workshop.skill(f"steps:\n  - {{name: it, tool: {tool}, args: {json.dumps(dict(arguments))}}}\n")


def test_a_skill_uses_six_servers_that_others_wrote(workshop: Workshop, site: Site) -> None:
    """Git, time, fetch, "everything", the file system, a monitor; over stdio and HTTP; texts and structured values."""
    shop = workshop.folder / "shop"
    with servers.everything_over_http() as web, servers.system_monitor_over_http() as monitor:
        commands = {"git": servers.git(shop), "time": servers.time(), "fetch": servers.fetch()}
        others = {"everything": servers.everything(), "files": servers.filesystem(shop)}
        configure(workshop, {**commands, **others, "monitor": monitor, "web": web})
        done = workshop.json("run", workshop.skill(TOUR), "-i", f"page={site.url}", "-i", f"shop={shop}")
    assert done["status"] == "ok"
    outputs = done["outputs"]
    assert "modified:   greeting.txt" in outputs["status"]
    assert "* main" in outputs["branches"]
    assert "T21:00:00+09:00" in outputs["noon"]
    assert "A page of our own." in outputs["echo"]
    assert set(outputs["weather"]) == {"temperature", "conditions", "humidity"}
    assert outputs["file"] == "Good evening.\n"
    assert outputs["machine"] is True
    assert "42" in outputs["added"]
    assert marked(workshop) == []


def test_the_commands_list_check_and_show_what_servers_offer(workshop: Workshop) -> None:
    """`list` starts nobody; `check` starts each and says how it went; `tools` shows what they offer."""
    gone = {"command": "/nonexistent/server"}
    configure(workshop, {"time": servers.time(), "everything": servers.everything(), "gone": gone})
    listed = workshop.run("mcp", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert all(name in listed.stdout for name in ("time", "everything", "gone"))
    checked = workshop.run("mcp", "check")
    assert checked.returncode != 0
    assert "gone" in checked.stdout + checked.stderr
    shown = workshop.run("mcp", "tools", "--json")
    assert all(name in shown.stdout for name in ("time.convert_time", "everything.get-structured-content"))
    known = workshop.run("tools", "time.convert_time")
    assert (known.returncode, "target_timezone" in known.stdout) == (0, True), known.stderr
    assert marked(workshop) == []


def test_a_tool_that_a_server_has_got_since_is_found(workshop: Workshop) -> None:
    """What was listed once is no reason to refuse a skill: the address now leads to a server that has more tools."""
    configure(workshop, {"web": "${WEB}"})
    with servers.system_monitor_over_http() as before, servers.everything_over_http() as now:
        assert workshop.run("mcp", "tools", environment={"WEB": before}).returncode == 0
        done = workshop.run("run", one_call(workshop, "web.echo", {"message": "x"}), environment={"WEB": now})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("server", ["everything", "web"])
def test_forty_calls_at_once_each_get_their_own_answer(workshop: Workshop, server: str) -> None:
    """Over stdio and over HTTP: one server, one connection, forty calls on it, and none gets another's answer."""
    with servers.everything_over_http() as web:
        configure(workshop, {"everything": servers.everything(), "web": web})
        done = workshop.json("run", workshop.skill(FORTY.format(server=server)))
    wanted = [f"The sum of {number} and 1000 is {number + 1000}." for number in range(40)]
    assert done["outputs"]["texts"] == wanted


def test_a_tool_that_fails_is_not_a_server_that_is_gone(workshop: Workshop, tmp_path: Path) -> None:
    """What the server says is the failure's message; nobody restarts it for that."""
    configure(workshop, {"files": servers.filesystem(workshop.folder / "shop")})
    (tmp_path / "elsewhere.txt").write_text("Not yours.")
    skill = one_call(workshop, "files.read_text_file", {"path": str(tmp_path / "elsewhere.txt")})
    failed = workshop.json("run", skill, status=1)
    assert "Access denied" in step(failed, "it")["failure"]["message"]
    assert step(failed, "it")["failure"]["kind"] != "connection_refused"
    assert "mcp_restart" not in json.dumps(failed)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"command": "false", "args": []}, id="it ends at once"),
        pytest.param({"command": "/nonexistent/server"}, id="there is no such program"),
        pytest.param({"url": "http://127.0.0.1:9/mcp"}, id="nobody listens"),
    ],
)
def test_a_server_that_cannot_be_had_is_a_connection_refused_that_names_it(
    workshop: Workshop, entry: dict[str, Any]
) -> None:
    """The failure names the server, so that a person knows which line of `.mcp.json` is meant."""
    configure(workshop, {"absent": entry})
    done = workshop.run("run", one_call(workshop, "absent.anything", {}), "--json")
    assert done.returncode != 0
    assert "absent" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_killed_in_mid_call_is_restarted_for_a_read(workshop: Workshop, site: Site) -> None:
    """The page is being fetched when the fetcher dies; a new one fetches it once more, and the run is healed."""
    configure(workshop, {"fetch": servers.fetch()})
    site.meanwhile = lambda: kill_servers(workshop)
    done = workshop.json("run", one_call(workshop, "fetch.fetch", {"url": site.url}))
    assert step(done, "it")["status"] == "healed"
    assert step(done, "it")["first_failure"]["kind"] == "connection_refused"
    assert site.asked == 2
    assert marked(workshop) == []


def test_a_server_killed_under_ten_calls_is_restarted_once(workshop: Workshop, site: Site) -> None:
    """Ten pages are being fetched when the fetcher dies; one new process fetches what was not answered."""
    configure(workshop, {"fetch": servers.fetch()})
    site.meanwhile = lambda: kill_servers(workshop)
    done = workshop.json("run", workshop.skill(TEN), "-i", f"page={site.url}")
    assert all("A page of our own." in text for text in done["outputs"]["texts"])
    assert len(done["outputs"]["texts"]) == 10
    assert site.asked <= 20
    assert marked(workshop) == []


def test_a_call_that_takes_too_long_is_a_timeout_and_its_server_answers_on(workshop: Workshop) -> None:
    """The step's time is up, the failure says so, and the next step is answered by the same server."""
    configure(workshop, {"everything": servers.everything()})
    done = workshop.json("run", workshop.skill(TOO_LONG))
    assert step(done, "long")["failure"]["kind"] == "timeout"
    assert done["outputs"]["said"] == "Echo: after all"


def test_a_call_that_writes_is_not_repeated_when_its_server_is_killed(workshop: Workshop) -> None:
    """The commit is made and the server dies before it can say so: there is one commit, and the run has failed."""
    shop = workshop.folder / "shop"
    configure(workshop, {"git": servers.git(shop)})
    hook = shop / ".git" / "hooks" / "post-commit"
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    skill = one_call(workshop, "git.git_commit", {"repo_path": str(shop), "message": "Second"})
    failed = workshop.json("run", skill, status=1)
    assert step(failed, "it")["failure"]["kind"] == "connection_refused"
    assert git(shop, "log", "--format=%s").split() == ["Second", "First"]


def test_a_call_declared_to_write_is_not_repeated_either(workshop: Workshop, site: Site) -> None:
    """skill.toml knows better than the server's annotations: fetching is said to write, so the page is asked once."""
    configure(workshop, {"fetch": servers.fetch()})
    with (workshop.folder / "skill.toml").open("a") as settings:
        settings.write('\n[mcp.servers.fetch.tools.fetch]\neffect = "write"\nidempotent = false\n')
    site.meanwhile = lambda: kill_servers(workshop)
    failed = workshop.json("run", one_call(workshop, "fetch.fetch", {"url": site.url}), status=1)
    assert step(failed, "it")["failure"]["kind"] == "connection_refused"
    assert site.asked == 1


def test_no_server_outlives_the_command_that_is_killed(workshop: Workshop, site: Site) -> None:
    """SIGKILL for `skill run` itself: the servers see their input end, and end."""
    configure(workshop, {"fetch": servers.fetch()})
    skill = one_call(workshop, "fetch.fetch", {"url": site.url})
    with workshop.running("run", skill) as process:
        site.meanwhile = process.kill
        process.wait(60)
    until(lambda: not marked(workshop))
    assert site.asked == 1


@pytest.mark.parametrize("era", ways(LEGACY, MODERN))
def test_a_client_of_ours_calls_and_heals_their_tools_through_our_server(workshop: Workshop, era: str) -> None:
    """`tool_exec` forty times at once on a server behind our server; it is killed, and the next call is healed."""
    configure(workshop, {"everything": servers.everything()})
    call = {"name": "everything.echo", "args": {"message": "hi"}}
    with typescript(as_command(workshop), era=era) as client:
        client.list()
        found = client.call("tool_exec", call, times=40)
        assert {each["structuredContent"]["value"]["text"] for each in found} == {"Echo: hi"}
        kill_servers(workshop)
        healed = client.call("tool_exec", call)["structuredContent"]
    assert (healed["status"], healed["value"]["text"]) == ("healed", "Echo: hi")
    until(lambda: not marked(workshop))
