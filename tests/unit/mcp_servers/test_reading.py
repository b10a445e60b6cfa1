"""What `.mcp.json` says, and what is wrong with it, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DocumentError, WorkspaceError
from engine.mcp_servers.reading import Servers, read_servers, switched_off, why_not


def read(tmp_path: Path, servers: Any, environment: dict[str, str] | None = None, **settings: Any) -> Servers:
    """The servers of a file that holds these."""
    path = tmp_path / ".mcp.json"
    text = servers if isinstance(servers, str) else json.dumps({"mcpServers": servers}, indent=1)
    path.write_text(text, encoding="utf-8")
    return read_servers(path, environment=environment or {}, settings=settings)


def test_a_program_is_read_with_all_it_gets(tmp_path: Path) -> None:
    """Command, arguments, environment and folder, with variables and defaults filled in."""
    raw = {
        "command": "${BIN:-python3}",
        "args": ["-m", "${MODULE}", "${A}-${B:-b}", "$A", "${not a name}"],
        "env": {"API_TOKEN": "${TOKEN}"},
        "cwd": "sub",
    }
    environment = {"MODULE": "server", "A": "a${B}", "TOKEN": "t", "BIN": ""}
    server = read(tmp_path, {"one": raw}, environment, one={"timeout": 5, "start_within": 7}).entries["one"].server()
    assert (server.command, server.args) == ("python3", ("-m", "server", "a${B}-b", "$A", "${not a name}"))
    assert (server.env, server.cwd) == ({"API_TOKEN": "t"}, tmp_path / "sub")
    assert (server.timeout, server.start_within) == (5.0, 7.0)


def test_an_address_is_read_with_its_headers(tmp_path: Path) -> None:
    """And what is in the headers is secret, with and without the word before it."""
    raw = {"url": "https://${HOST}/mcp", "headers": {"Authorization": "Bearer ${T}", "Accept": "text/plain"}}
    entry = read(tmp_path, {"one": raw}, {"HOST": "example.org", "T": "tok-77"}).entries["one"]
    assert entry.server().url == "https://example.org/mcp"
    assert entry.server().headers["Authorization"] == "Bearer tok-77"
    assert set(entry.secrets()) == {"Bearer tok-77", "tok-77"}
    assert "tok-77" not in repr(entry) + repr(entry.server())


def test_a_variable_that_is_not_set_is_told_with_its_place_when_the_server_is_used(tmp_path: Path) -> None:
    """The other server can be used."""
    servers = read(tmp_path, {"one": {"command": "x", "env": {"KEY": "${GONE}"}}, "two": {"command": "/y"}})
    assert servers.entries["one"].unset == ("GONE",)
    assert not why_not(servers.entries["two"])
    with pytest.raises(WorkspaceError) as caught:
        servers.entries["one"].server()
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (6, 12)
    for word in ("one", "env.KEY", "GONE", ".mcp.json"):
        assert word in str(caught.value)


def test_tabs_and_a_byte_order_mark_are_no_mistakes(tmp_path: Path) -> None:
    """And columns are counted as editors count characters."""
    text = '\ufeff{\n\t"mcpServers": {\n\t\t"one": {"command": "x", "odd": 1}\n\t}\n}\n'
    servers = read(tmp_path, text)
    assert [(each.place.line, each.place.column) for each in servers.findings] == [(3, 27)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n  "mcpServers": {\n    "one": {"command": }\n  }\n}', 3, 24),
        ("", 1, 1),
        ('{"mcpServers" 1}', 1, 15),
        ("mcpServers:\n  one: {command: x}\n", 1, 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(tmp_path: Path, text: str, line: int, column: int) -> None:
    """Also YAML, which other programs would not read."""
    with pytest.raises(DocumentError, match="no JSON") as caught:
        read(tmp_path, text)
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (line, column)


@pytest.mark.parametrize(
    ("servers", "says"),
    [
        ({"one": {}}, "command"),
        ({"one": {"command": ["x"]}}, "command"),
        ({"one": {"command": "x", "args": "y"}}, "args"),
        ({"one": {"command": "x", "env": {"A": 1}}}, "A"),
        ({"one": {"url": "ftp://x"}}, "web address"),
        ({"a b": {"command": "x"}}, "letters"),
        ([], "mcpServers"),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_place(tmp_path: Path, servers: Any, says: str) -> None:
    """Every mistake, with file, line and column."""
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, servers)
    assert caught.value.findings
    assert says in " ".join(map(str, caught.value.findings))
    assert caught.value.findings[0].place.line > 1 or servers == []


def test_keys_that_mean_nothing_here_are_warned_of(tmp_path: Path) -> None:
    """The server works all the same; settings for one that is not there are warned of, too."""
    raw = {"one": {"command": "x", "autoApprove": ["y"], "type": "stdio", "disabled": True}}
    servers = read(tmp_path, raw, two={"enabled": False})
    assert [finding.code for finding in servers.findings] == ["unknown-key", "unknown-key"]
    assert not servers.entries["one"].enabled


def test_a_server_named_twice_is_refused(tmp_path: Path) -> None:
    """One of the two would be lost."""
    with pytest.raises(DocumentError, match="one"):
        read(tmp_path, '{"mcpServers": {"one": {"command": "x"}, "one": {"command": "y"}}}')


def test_a_file_without_servers_names_none(tmp_path: Path) -> None:
    """Other programs keep other things in it."""
    assert not read(tmp_path, '{"other": 1}').entries


def test_a_type_nobody_speaks_any_more_is_told_when_it_is_used(tmp_path: Path) -> None:
    """With a way out."""
    entry = read(tmp_path, {"one": {"type": "sse", "url": "http://x/sse"}}).entries["one"]
    assert "gave up" in why_not(entry)


OWN = {"command": "/venv/bin/skill", "args": ["mcp", "serve"]}


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        (OWN, True),
        (OWN | {"args": ["-C", "{folder}", "mcp", "serve", "--allow", "read"]}, True),
        (OWN | {"args": ["-C", "{folder}/other", "mcp", "serve"]}, False),
        (OWN | {"args": ["mcp", "proxy", "--", "mcp-server-git"]}, False),
        ({"command": "python3", "args": ["-P", "-m", "engine", "mcp", "serve"]}, True),
        ({"command": "uvx", "args": ["--from", "skill-engine", "skill", "mcp", "serve"]}, True),
        ({"command": "server", "args": ["mcp", "serve"]}, False),
    ],
)
def test_what_serves_this_workspace_to_agents_is_no_provider_of_tools_to_it(
    tmp_path: Path, raw: dict[str, Any], own: bool
) -> None:
    """One file often names it for the host; `enabled = true` in skill.toml wants it all the same."""
    raw = {**raw, "args": [word.replace("{folder}", str(tmp_path)) for word in raw["args"]]}
    entry = read(tmp_path, {"skills": raw}).entries["skills"]
    assert (entry.own, entry.enabled) == (own, not own)
    assert ("own server" in switched_off(entry)) is own
    assert read(tmp_path, {"skills": raw}, skills={"enabled": True}).entries["skills"].enabled


def test_a_program_that_is_not_there_keeps_its_server_from_being_used(tmp_path: Path) -> None:
    """Only one that is sought on this PATH can be missed."""
    elsewhere = {"command": "no-such-program-7", "env": {"PATH": "/opt/bin"}}
    servers = read(tmp_path, {"gone": {"command": "no-such-program-7"}, "there": {"command": "git"}, "else": elsewhere})
    found = {name: why_not(entry) for name, entry in servers.entries.items()}
    assert found == {"gone": "there is no program no-such-program-7 on this machine", "there": "", "else": ""}
