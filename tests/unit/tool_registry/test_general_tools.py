"""The general family: values, pauses, pages, files and JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tool_registry.small_server import Told, small_server
from tool_registry import ToolContext, ToolError, ToolOutput, default_registry


async def _call(name: str, context: ToolContext | None = None, **arguments: Any) -> ToolOutput:
    async with default_registry() as registry:
        return await registry.call(name, arguments, context or ToolContext(timeout=10))


async def test_echo_gives_back_any_value() -> None:
    """Every JSON value comes back as it went in."""
    for value in (None, True, 1, 1.5, "text", [1], {"a": [None]}):
        assert (await _call("echo", value=value)).value == value


async def test_wait_waits() -> None:
    """A pause ends by itself, or at the call's deadline."""
    assert (await _call("wait", seconds=0.01)).value == 0.01
    with pytest.raises(ToolError) as caught:
        await _call("wait", ToolContext(timeout=0.05), seconds=30)
    assert caught.value.kind == "timeout"


async def test_page_is_read() -> None:
    """A page has a status, headers and a text; a bad status is a failure."""
    with small_server(lambda asked: Told(status=200 if asked.path == "/a" else 404, body=b"page")) as server:
        value = (await _call("http_get", url=f"{server.url}/a", headers={"X-Own": "1"})).value
        with pytest.raises(ToolError) as caught:
            await _call("http_get", url=f"{server.url}/b")
    assert (value["status"], value["text"], value["headers"]["content-length"]) == (200, "page", "4")
    assert server.asked[0].headers["x-own"] == "1"
    assert caught.value.http_status == 404


async def test_file_is_written_and_read(tmp_path: Path) -> None:
    """A file of the workspace is written whole, in folders that are made, and read back."""
    context = ToolContext(timeout=10, folder=tmp_path)
    assert (await _call("file_read", context, path="a/b.txt")) == ToolOutput(found=False)
    assert (await _call("file_write", context, path="a/b.txt", text="äb\n")).value == {"path": "a/b.txt", "size": 4}
    assert (await _call("file_read", context, path="a/b.txt")).value == "äb\n"
    assert os.listdir(tmp_path / "a") == ["b.txt"]  # noqa: PTH208 - names only


async def test_existing_mode_is_kept(tmp_path: Path) -> None:
    """Replacing a file keeps who may read and run it."""
    script = tmp_path / "script"
    script.touch(mode=0o750)
    await _call("file_write", ToolContext(timeout=10, folder=tmp_path), path="script", text="x")
    assert script.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "link/x", "a/../../x", ".", "", "a\0b"])
@pytest.mark.parametrize("tool", ["file_read", "file_write"])
async def test_files_stay_inside_the_workspace(tmp_path: Path, tool: str, path: str) -> None:
    """No path leads out of the workspace: not upwards, not absolute, not through a link."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    arguments = {"path": path, "text": "x"} if tool == "file_write" else {"path": path}
    with pytest.raises(ToolError) as caught:
        await _call(tool, ToolContext(timeout=10, folder=folder), **arguments)
    assert caught.value.kind == "usage_error"
    assert os.listdir(tmp_path) == ["workspace"]  # noqa: PTH208 - names only


async def test_files_are_bounded(tmp_path: Path) -> None:
    """Files beyond the limit are neither read nor written, and git's own are not touched."""
    context = ToolContext(timeout=10, folder=tmp_path)
    (tmp_path / "large").write_bytes(b"x" * 1_000_001)
    with pytest.raises(ToolError, match="more than"):
        await _call("file_read", context, path="large")
    with pytest.raises(ToolError, match="more than"):
        await _call("file_write", context, path="new", text="x" * 1_000_001)
    with pytest.raises(ToolError, match="belongs to git"):
        await _call("file_write", context, path=".git/hooks/post-checkout", text="x")


async def test_json_is_read() -> None:
    """Text becomes a value; text that is not JSON, or is too deep, is a syntax error."""
    assert (await _call("json_parse", text='{"a": [1]}')).value == {"a": [1]}
    for text in ("{", "", "[" * 100_000):
        with pytest.raises(ToolError) as caught:
            await _call("json_parse", text=text)
        assert caught.value.kind == "syntax_error"


async def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe would block its reader for ever, in a thread that nobody can end."""
    context = ToolContext(timeout=10, folder=tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in ("pipe", "folder"):
        with pytest.raises(ToolError, match="not a file"):
            await _call("file_read", context, path=path)
        with pytest.raises(ToolError, match="not a file"):
            await _call("file_write", context, path=path, text="x")


@pytest.mark.parametrize(
    "path",
    [
        "tools/own.yaml",
        "config/own_profile.yaml",
        "skill.toml",
        ".mcp.json",
        ".skill/state/kubeconfig",
        ".skill/history.db",
        ".GIT/x",
    ],
)
async def test_a_skill_does_not_write_what_gives_it_more(tmp_path: Path, path: str) -> None:
    """Which programs there are, what repairs them and what is remembered is for a person to say."""
    context = ToolContext(timeout=10, folder=tmp_path, state=tmp_path / ".skill" / "state")
    with pytest.raises(ToolError, match="belongs to") as caught:
        await _call("file_write", context, path=path, text="x")
    assert caught.value.kind == "usage_error"
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names only


async def test_tokens_are_not_read_as_files(tmp_path: Path) -> None:
    """Read through a link, too: what is kept in the state folder is masked only where a tool hands it out."""
    context = ToolContext(timeout=10, folder=tmp_path, state=tmp_path / ".skill" / "state")
    context.state.mkdir(parents=True)
    (context.state / "kubeconfig").write_text("token")
    (tmp_path / "link").symlink_to(context.state / "kubeconfig")
    for path in (".skill/state/kubeconfig", "link"):
        with pytest.raises(ToolError, match="tokens are kept there"):
            await _call("file_read", context, path=path)


async def test_text_that_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """Half a surrogate pair is not written as something else."""
    with pytest.raises(ToolError, match="cannot be written"):
        await _call("file_write", ToolContext(timeout=10, folder=tmp_path), path="x", text="\ud800")
