"""Every tool of Konflux and Tekton, called as its examples say: it does to the cluster what it declares.

A read leaves it as it was, an idempotent write leaves the same the second time; the examples fit what it holds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.second_calls import claims
from tests.servers.konflux import PROD, Konflux, konflux, settings
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolContext

KNOWN = dict(default_registry())
TOOLS = [tool for tool in KNOWN.values() if tool.domain == "konflux" or tool.name == "kubectl_get_images"]
WRITES = [tool for tool in TOOLS if tool.effect is not Effect.READ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant of Konflux, and somebody who is logged in there."""

    server: Konflux
    folder: Path

    def context(self) -> ToolContext:
        """What a tool is handed."""
        return ToolContext(
            settings=settings(self.server),
            folder=self.folder,
            state=self.folder,
            environment={},
            timeout=20,
            run_id="run-1",
            step="step",
        )

    def state(self) -> Any:
        """All there is that a tool could want to be otherwise: what happens to it later is the controllers'."""
        kept = self.server.cluster.objects.kept
        return {
            name: [(one["metadata"]["name"], copy.deepcopy(one.get("spec"))) for one in found]
            for name, found in kept.items()
        }


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """What the examples speak of is there."""
    with konflux() as server:
        (tmp_path / "token").write_text(server.cluster.grant())
        yield Tenant(server=server, folder=tmp_path)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_every_example_runs_and_does_to_the_cluster_what_the_tool_declares(tool: Tool, tenant: Tenant) -> None:
    """Twice, where that is said to be the same as once."""
    for example in tool.examples:
        arguments = {**example, **({"namespace": PROD} if example.get("namespace") == "shop" else {})}
        before = tenant.state()
        await tool.call(arguments, tenant.context())
        once = tenant.state()
        if tool.effect is Effect.READ:
            assert once == before
            assert tenant.server.cluster.writes() == []
        else:
            assert once != before
        if tool.idempotent:
            second = await tool.call(arguments, tenant.context())
            assert (tenant.state(), claims(second.value)) == (once, [])


def test_there_are_writes_among_them() -> None:
    """So that the test above sees what it should."""
    assert [tool.name for tool in WRITES] == ["konflux_create_release", "tkn_pipelinerun_cancel"]
    assert all(tool.idempotent for tool in WRITES)
