"""The stand-ins for Elasticsearch and Slack are what the official client libraries take for them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import pypi
from tests.servers import emulated
from tests.servers.elasticsearch import ENDED, KEY, elasticsearch
from tests.servers.slack import TOKEN, slack

CLIENTS = ("elasticsearch==9.5.1", "slack-sdk==3.47.0")

pytestmark = pytest.mark.slow


def driven(script: str, *words: str) -> dict[str, Any]:
    """What a client's program tells."""
    python = pypi.installed(*CLIENTS) / "python"
    done = subprocess.run(
        [python, Path(__file__).with_name(script), *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_official_client_takes_the_stand_in_for_elasticsearch() -> None:
    """Every endpoint is driven once, refusals too."""
    with elasticsearch() as server:
        told = driven("elasticsearch_client.py", server.url, KEY, ENDED)
    parsing = "Failed to parse query [a AND]"
    assert told == {
        "cluster": "logging",
        "user": "ada",
        "health": "yellow",
        "made": "created",
        "found": [1, ["1"]],
        "indices": ["logs-shop"],
        "bad query": [400, "search_phase_execution_exception", parsing],
        "no index": [404, "index_not_found_exception", "no such index [metrics]"],
        "ended": [401, "security_exception", "api key is expired"],
    }


def test_the_official_client_takes_the_stand_in_for_slack_as_it_takes_the_emulated_one(tmp_path: Path) -> None:
    """Both answer the same, refusals too."""
    with slack() as server:
        ours = driven("slack_client.py", server.url, TOKEN)
    with emulated.slack(tmp_path) as url:
        theirs = driven("slack_client.py", url, emulated.SLACK_TOKEN)
    assert ours == theirs
    assert ours == {
        "user": "ada",
        "history": [["out", {"run": "r1"}]],
        "thread": ["out", "seen"],
        "again": "already_reacted",
        "no message": "message_not_found",
        "no channel": "channel_not_found",
        "no token": "not_authed",
    }
