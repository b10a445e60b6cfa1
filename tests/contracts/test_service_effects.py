"""Every tool of Kibana, Slack and calendars, called as its examples say: it does to the server what it declares.

A read leaves it as it was, an idempotent write leaves the same the second time; one that is not says how to find out
whether it happened. What the examples name stands for what is there (`Services.real`).
"""

from __future__ import annotations

import copy
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.second_calls import claims
from tests.servers import emulated
from tests.servers.elasticsearch import KEY, Elasticsearch, elasticsearch
from tests.servers.slack import PERSON, Slack, slack
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolContext

KNOWN = dict(default_registry())
WORDS = "error: token_expired, 401 Unauthorized, connection refused, timed out"
"""What stands in logs and messages, and means nothing."""
TOOLS = [tool for tool in KNOWN.values() if tool.domain in ("kibana", "slack", "google_calendar")]
WRITES = [tool for tool in TOOLS if tool.effect is not Effect.READ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One server of each, and somebody who is logged in everywhere."""

    logs: Elasticsearch
    slack: Slack
    calendar: str
    folder: Path

    def context(self, tool: Tool) -> ToolContext:
        """What the tool is handed."""
        urls = {"kibana": self.logs.url, "slack": self.slack.url, "google_calendar": self.calendar}
        tokens = {"ELASTIC_API_KEY": KEY, "SLACK_BOT_TOKEN": PERSON, "GOOGLE_CALENDAR_TOKEN": emulated.GOOGLE_TOKEN}
        return ToolContext(
            settings={"url": urls[tool.domain or ""]},
            folder=self.folder,
            state=self.folder,
            environment=tokens,
            timeout=20,
            run_id="run-1",
        )

    def state(self) -> Any:
        """All there is that a tool could change."""
        return copy.deepcopy((self.logs.indices, self.slack.messages)), self._events()

    def _events(self) -> Any:
        """As the server itself tells them."""
        asked = urllib.request.Request(  # noqa: S310 - an address of ours
            f"{self.calendar}/calendars/primary/events?maxResults=250",
            headers={"Authorization": f"Bearer {emulated.GOOGLE_TOKEN}"},
        )
        with urllib.request.urlopen(asked, timeout=20) as reply:  # noqa: S310 - as above
            return json.loads(reply.read())["items"]

    def real(self, example: dict[str, Any]) -> dict[str, Any]:
        """The example with the message that is there."""
        first = self.slack.messages["C000000002"][0]["ts"]
        return example | {name: first for name in ("thread", "ts") if name in example}


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulated Google Calendar."""
    with emulated.google(tmp_path_factory.mktemp("google")) as address:
        yield address


@pytest.fixture
def services(calendar: str, tmp_path: Path) -> Iterator[Services]:
    """What the examples speak of is there."""
    with elasticsearch() as logs, slack() as server:
        logs.log(f"checkout: {WORDS}", level="error", kubernetes={"namespace_name": "shop"})
        server.said("releases", f"checkout 1.3 is in production: {WORDS}")
        yield Services(logs=logs, slack=server, calendar=calendar, folder=tmp_path)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_every_example_runs_and_does_to_the_server_what_the_tool_declares(tool: Tool, services: Services) -> None:
    """Twice, where that is said to be the same as once."""
    for example in tool.examples:
        before, arguments = services.state(), services.real(dict(example))
        await tool.call(arguments, services.context(tool))
        once = services.state()
        if tool.effect is Effect.READ:
            assert once == before
        if tool.idempotent:
            second = await tool.call(arguments, services.context(tool))
            assert (services.state(), claims(second.value)) == (once, [])


@pytest.mark.parametrize("tool", WRITES, ids=lambda tool: tool.name)
async def test_every_write_changes_something_and_can_be_repeated_or_found(tool: Tool, services: Services) -> None:
    """So that the test above sees what it should, and no lost answer does anything twice."""
    arguments, before = services.real(dict(tool.examples[0])), services.state()
    if tool.name == "google_calendar_create_event":
        arguments |= {"summary": "Another"}
    if tool.verify:
        look = KNOWN[tool.verify]
        assert (await look.call(arguments, services.context(look))).value["happened"] is False
        done = await tool.call(arguments, services.context(tool))
        assert (await look.call(arguments, services.context(look))).value == {"happened": True, "value": done.value}
    else:
        assert tool.idempotent
        await tool.call(arguments, services.context(tool))
    assert services.state() != before
