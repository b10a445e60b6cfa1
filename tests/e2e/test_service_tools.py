"""Logs, Slack and calendars in a run of the real command: what is healed, what is not, and what is done once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop
from tests.servers import emulated
from tests.servers.elasticsearch import ENDED, KEY, Elasticsearch, elasticsearch
from tests.servers.slack import ENDED as ENDED_TOKEN
from tests.servers.slack import TOKEN, Slack, slack

SETTINGS = """
[services.kibana]
url = "{kibana}"
credential = {{file = "key"}}
login = {{tool = "key_renew"}}

[services.slack]
url = "{slack}"
credential = {{env = "BOT"}}
channel = "releases"

[services.google_calendar]
url = "{calendar}"
credential = {{command = ["printenv", "CALENDAR"]}}
"""
RENEW = """
name: key_renew
description: Gets a new key.
effect: write
idempotent: true
domain: kibana
fix: credentials
command: {argv: [cp, fresh, key], output: none}
"""
TELL = """
inputs:
  - {name: channel, type: string, default: ""}
steps:
  - name: found
    tool: kibana_errors
    args: {namespace: shop}
    output: found
  - name: told
    tool: slack_post_message
    args:
      text: "{{ found.total }} errors: {{ found.groups[0].pattern }}"
      channel: "{{ inputs.channel }}"
    output: told
  - name: planned
    tool: google_calendar_create_event
    args: {summary: Look at the errors, start: "2026-01-31T09:00:00Z", duration: 15m}
    output: planned
outputs:
  - {name: ts, value: "{{ told.ts if told else '' }}"}
  - {name: event, value: "{{ planned.event.summary if planned else '' }}"}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The servers, and a workspace that knows them."""

    logs: Elasticsearch
    slack: Slack
    place: Workshop

    def tell(self, *words: str, status: int = 0, token: str = TOKEN) -> Any:
        """What the run of the skill came to."""
        environment = {"BOT": token, "CALENDAR": emulated.GOOGLE_TOKEN}
        done = self.place.run("run", "promise", *words, "--json", environment=environment)
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    @property
    def said(self) -> list[str]:
        """What stands in the channel of releases."""
        return [one["text"] for one in self.slack.messages["C000000002"]]


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulated Google Calendar."""
    with emulated.google(tmp_path_factory.mktemp("google")) as address:
        yield address


@pytest.fixture
def office(calendar: str, tmp_path: Path) -> Iterator[Office]:
    """A shop that has logged two errors."""
    with elasticsearch() as logs, slack() as server:
        for number in (4711, 4712):
            logs.log(f"order {number} failed", level="error", kubernetes={"namespace_name": "shop"})
        place = Workshop(tmp_path / "work", tmp_path / "home")
        (place.folder / "tools").mkdir(parents=True)
        settings = SETTINGS.format(kibana=logs.url, slack=server.url, calendar=calendar)
        (place.folder / "skill.toml").write_text(settings)
        (place.folder / "tools" / "key_renew.yaml").write_text(RENEW)
        (place.folder / "key").write_text(KEY)
        (place.folder / "fresh").write_text(KEY)
        place.skill(TELL)
        yield Office(logs=logs, slack=server, place=place)


def statuses(run: Any) -> dict[str, str]:
    """How each step ended."""
    return {step["name"]: step["status"] for step in run["steps"]}


def test_a_key_that_has_ended_is_renewed_and_the_errors_are_told(office: Office) -> None:
    """By the domain's login, once; no credential is shown."""
    (office.place.folder / "key").write_text(ENDED)
    run = office.tell()
    assert (run["status"], statuses(run)["found"], run["outputs"]["event"]) == ("ok", "healed", "Look at the errors")
    assert office.said == ["2 errors: order # failed"]
    shown = json.dumps(run) + office.place.run("logs", run["run"]).stdout
    assert [secret for secret in (KEY, ENDED, TOKEN, emulated.GOOGLE_TOKEN) if secret in shown] == []


def test_a_message_whose_answer_was_lost_is_said_once(office: Office) -> None:
    """It is looked for, and found, so that the run goes on with what had been answered."""
    office.slack.losing = "chat.postMessage"
    run = office.tell()
    assert (run["status"], office.said) == ("ok", ["2 errors: order # failed"])
    assert run["outputs"]["ts"] == office.slack.messages["C000000002"][0]["ts"]


def test_a_token_that_ended_needs_a_login(office: Office) -> None:
    """Nobody has described one, so the run says what failed, and nothing was said in the channel."""
    run = office.tell(status=1, token=ENDED_TOKEN)
    failed = next(step for step in run["steps"] if step["status"] == "failed")
    assert (failed["name"], failed["failure"]["kind"]) == ("told", "auth_expired")
    assert (office.said, office.slack.asked.count("chat.postMessage")) == ([], 1)


def test_a_channel_that_is_not_there_is_not_healed(office: Office) -> None:
    """It is asked for once, and the run says why."""
    run = office.tell("-i", "channel=nowhere", status=1)
    failed = next(step for step in run["steps"] if step["status"] == "failed")
    assert failed["failure"]["kind"] == "resource_not_found"
    assert (run["healed"], office.said, office.slack.asked.count("chat.postMessage")) == (0, [], 1)
