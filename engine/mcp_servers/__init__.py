"""Other people's tools: the MCP servers that a workspace's `.mcp.json` names, as tools and domains of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from engine.errors import DocumentError
from engine.model.heal import Domain
from engine.model.place import Finding
from engine.model.secret import Secrets
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry

FILE = ".mcp.json"


class OtherTools(Protocol):
    """The servers of a workspace as an engine uses them; `ServerTools` is what there is."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Warnings about the file that names them."""

    @property
    def unasked(self) -> tuple[str, ...]:
        """The tools that were wanted of servers that have not said which they have."""

    def looks(self) -> Iterator[tuple[str, str, str]]:
        """Each server, what is known of it, and why it cannot be used; the last is empty where it can."""

    def register(self, registry: ToolRegistry) -> None:
        """Adds their tools."""

    def domains(self, known: Mapping[str, Domain]) -> dict[str, Domain]:
        """The domains, with theirs."""

    def connection(self, name: str) -> Any:
        """One server in use."""

    async def prepare(self, text: str) -> None:
        """Asks for tools that are wanted and nobody knows, before a run of the skill with that text."""

    async def aclose(self) -> None:
        """Ends what was started."""


def open_servers(workspace: Workspace, secrets: Secrets) -> OtherTools | None:
    """The servers of a workspace, none of them started; None where no file names any.

    Raises DocumentError when the file is broken, or the settings name one that is not there.
    """
    settings = workspace.settings.get("mcp", {})
    path = workspace.folder / settings.get("file", FILE)
    if path.is_file():
        from engine.mcp_servers.tools import ServerTools  # noqa: PLC0415 - late: most workspaces have no such file

        return ServerTools.of(path, workspace, secrets)
    if "file" in settings:
        raise DocumentError(f"there is no file {path}", hint="mend `file` under [mcp] in skill.toml")
    return None
