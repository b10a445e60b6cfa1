"""A tier holds on by-ways, too: nobody gives themselves what they were not given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mcp_wire import call, spoken, workspace


@pytest.mark.parametrize("path", ["skills/mine.yaml", "notes/../skills/deep/mine.yaml", "link/mine.yaml", ".mcp.json"])
def test_a_client_that_may_not_destroy_adds_no_skill_that_does(tmp_path: Path, path: str) -> None:
    """Nor a server whose program would run; other files it writes."""
    here = workspace(tmp_path / "work", tmp_path / "home")
    (here.folder / "link").symlink_to("skills")
    before = sorted(here.folder.rglob("*"))
    with spoken(here) as server:
        told = server.ask(call(1, "tool_exec", name="file_write", args={"path": path, "text": "x"}))
        assert told["result"]["isError"] is True
        assert sorted(here.folder.rglob("*")) == before
        told = server.ask(call(2, "tool_exec", name="file_write", args={"path": "notes/skills.txt", "text": "x"}))
        assert told["result"]["isError"] is False
