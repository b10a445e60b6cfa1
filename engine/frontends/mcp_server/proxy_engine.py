"""The engine of a proxy: its MCP servers are those behind the proxy, and it knows how they are started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.frontends.mcp_server.proxy_plan import Plan
from engine.frontends.mcp_server.proxy_upstream import Upstream, UpstreamError
from engine.mcp_servers import OtherTools
from engine.mcp_servers.restarting import restart_tool, with_restarts
from engine.model.heal import Domain
from engine.model.lazy_dataclass import once
from engine.wiring import Engine


@dataclass
class ProxyEngine(Engine):
    """An engine with the servers behind a proxy in place of the workspace's own."""

    restarted: Mapping[str, str] = field(default_factory=dict, init=False)
    """The domains whose server is started again to repair them, by server."""

    @once
    def mcp(self) -> OtherTools | None:
        """None: the workspace's own servers are not behind the proxy."""
        return None

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The profile's, and those of the servers."""
        return with_restarts(self.loaded_profile.domains, self.restarted)

    def stand_before(self, plan: Plan, upstreams: Mapping[str, Upstream]) -> None:
        """Learns, before anything is healed, that a server which went away is to be started again."""

        async def restart(server: str) -> None:
            try:
                await upstreams[server].restart()
            except UpstreamError as error:
                raise error.failure from error

        tool = restart_tool({server.name: server.start_within for server in plan.servers}, restart)
        self.registry.add(tool, replace=True)
        named = {server.name: plan.domain_of(server.name) for server in plan.servers}
        # A domain's fix has one server: those that share a domain are started by their next call.
        shared = Counter(named.values())
        self.restarted = {server: domain for server, domain in named.items() if shared[domain] == 1}
