"""Many skills: the list comes in pages, which together have every tool once."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from engine.frontends.mcp_server.catalogue import Catalogue
from engine.frontends.mcp_server.server import page
from engine.frontends.mcp_server.serving import Serving
from engine.wiring import Engine


def test_pages_have_every_tool_once(tmp_path: Path) -> None:
    """A cursor leads from page to page; one that nobody gave is refused."""
    (tmp_path / "skills").mkdir()
    for number in range(7):
        text = f"name: s{number}\nsteps:\n  - {{name: do, tool: echo, args: {{value: 1}}}}\n"
        (tmp_path / "skills" / f"s{number}.yaml").write_text(text)
    catalogue = Catalogue(serving=Serving(engine=Engine.open(tmp_path, home=tmp_path / "home")))
    names: list[str] = []
    first = last = page(catalogue, None, size=5)
    names += [tool.name for tool in last.tools]
    while last.next_cursor:
        last = page(catalogue, last.next_cursor, size=5)
        names += [tool.name for tool in last.tools]
    assert len(first.tools) == 5
    assert names == [offer.name for offer in catalogue.allowed()]
    with pytest.raises(MCPError, match="list from the beginning"):
        page(catalogue, "nowhere")
