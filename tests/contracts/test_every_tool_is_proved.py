"""No tool is forgotten: the examples of each run somewhere, and are right as the steps that people are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.pages import shipped
from engine.documents import dump
from engine.frontends.cli.tools import example_step
from engine.library import SkillLibrary
from engine.memory_tools.contracts import lacking_here
from engine.sandbox import Sandbox
from tests.contracts import (
    test_cluster_effects,
    test_effects,
    test_forge_effects,
    test_konflux_effects,
    test_server_effects,
    test_service_effects,
)
from tests.e2e import test_monitoring_tools
from tool_registry.registry import default_registry

SUITES = (test_cluster_effects, test_forge_effects, test_konflux_effects, test_server_effects, test_service_effects)
TOOLS = dict(default_registry())
SILENCES = {"alertmanager_silence_create", "alertmanager_silence_expire"}
"""Called twice by tests/e2e/test_monitoring_tools.py, with a silence that Alertmanager itself has named."""


def run_somewhere() -> set[str]:
    """The tools whose examples a suite calls, looking at what there is before and after."""
    ran = {tool.name for suite in SUITES for tool in suite.TOOLS} | SILENCES
    ran |= {tool.name for tool in test_monitoring_tools.READS}
    return ran | {tool.name for tool in test_effects.here()} - set(test_effects.LACKS)


def test_the_examples_of_every_tool_are_run() -> None:
    """A new family joins a suite that knows its server, or gets one of its own; what this machine lacks is lacking."""
    missed = [tool for name, tool in TOOLS.items() if name not in run_somewhere()]
    assert [tool.name for tool in missed if not lacking_here(tool, test_effects.local_domains())] == []
    assert [tool.name for tool in missed if tool.needs.settings or tool.domain] == []


def test_every_example_is_a_step_that_skill_check_accepts(tmp_path: Path) -> None:
    """Also those of memory's tools: all the steps that `skill tools NAME` shows, as one skill."""
    with shipped() as engine:
        steps = [
            {**example_step(tool, example), "name": f"{tool.name}_{number}"}
            for tool in engine.registry.values()
            for number, example in enumerate(tool.examples)
        ]
        assert {step["tool"] for step in steps} >= set(TOOLS)
        assert [step["tool"] for step in steps if step.get("secret")] == ["kubectl_get_secret"]
        text = dump({"name": "all", "description": "Every example.", "steps": steps})
        (tmp_path / "all.yaml").write_text(text, encoding="utf-8")
        library = SkillLibrary([tmp_path], sandbox=Sandbox(), tools=engine.registry)
        assert [finding.message for finding in library.check("all")] == []


@pytest.mark.parametrize("word", ["name", "repo"])
def test_a_wrong_example_would_be_seen(word: str, tmp_path: Path) -> None:
    """An argument that a tool does not have is found by the same look."""
    (tmp_path / "one.yaml").write_text(
        dump({"name": "one", "description": "Wrong.", "steps": [{"name": "a", "tool": "echo", "args": {word: 1}}]}),
        encoding="utf-8",
    )
    library = SkillLibrary([tmp_path], sandbox=Sandbox(), tools=default_registry())
    assert library.check("one") != ()
