"""What every tool that comes with the engine says of itself."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from engine.configuration import SERVICES
from engine.documents import read
from tool_registry.functions import NAMES
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, FixScope, Tool

DEFINITIONS = Path(__file__).parents[3] / "tool_registry/definitions"
ELSEWHERE = {*SERVICES, "konflux"}
"""Domains that are not part of the local profile: a person configures them."""
ANY_RESULT = set(NAMES["general"])
"""Tools that give back whatever they are given, or find."""
TOOLS = dict(default_registry())


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_tool_says_what_it_does_and_takes(tool: Tool) -> None:
    """A description, a description of every parameter, an example that fits, and a bounded time."""
    assert tool.description.endswith(".")
    undescribed = [name for name, schema in tool.parameters["properties"].items() if not schema.get("description")]
    assert undescribed == []
    assert tool.examples
    for example in tool.examples:
        jsonschema.validate(example, dict(tool.parameters), jsonschema.Draft202012Validator)
    assert 0 < tool.timeout <= 3600
    assert tool.result is not None or tool.name in ANY_RESULT


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_domain_is_one_that_can_be_configured(tool: Tool) -> None:
    """A domain nobody defines would leave its tools without settings and without fixes."""
    profile = read(DEFINITIONS / "local_profile.yaml").value
    assert tool.domain is None or tool.domain in {*profile["domains"], *ELSEWHERE}


def test_only_reads_and_a_release_may_be_repeated_or_destroy() -> None:
    """A read is idempotent by nature; what destroys is exactly the release."""
    assert [name for name, tool in TOOLS.items() if tool.effect is Effect.READ and not tool.idempotent] == []
    assert [name for name, tool in TOOLS.items() if tool.effect is Effect.DESTRUCTIVE] == ["bonfire_namespace_release"]


def test_every_fix_of_the_local_profile_is_one() -> None:
    """A fix renews credentials or connectivity and no more, may be repeated, and is checked by a read."""
    scopes = {"login": FixScope.CREDENTIALS, "connect": FixScope.CONNECTIVITY}
    for domain in read(DEFINITIONS / "local_profile.yaml").value["domains"].values():
        for role, plan in domain["fixes"].items():
            fix, check = TOOLS[plan["call"]["tool"]], TOOLS[plan["verify"]["tool"]]
            assert (fix.fix, fix.idempotent, check.effect) == (scopes[role], True, Effect.READ)


def test_git_tools_depend_on_a_server_only_where_they_ask_one() -> None:
    """What looks into a repository on this machine needs no login, no network and no platform."""
    domains: dict[str | None, set[str]] = {}
    for name, tool in TOOLS.items():
        if name.startswith("git_"):
            domains.setdefault(tool.domain, set()).add(name)
    assert domains["git"] == {"git_clone", "git_fetch", "git_pull", "git_push"}
    assert domains["forge"] == {"git_repository", "git_merge_request", "git_merge_request_list"}
    assert {"git_rev_parse", "git_status", "git_rebase", "git_branch_state"} < domains[None]
