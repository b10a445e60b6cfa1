"""What a tool lacks on this machine and in its domain, each with the way out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.heal.preflight.needs import install_line
from engine.memory_tools.contracts import lacking_here
from engine.model.heal import Domain
from tool_registry.registry import default_registry
from tool_registry.tool import Needs, Tool

ECHO = default_registry()["echo"]
SHOP = Domain(name="shop", settings={"url": "http://127.0.0.1:1"})


@pytest.mark.parametrize(
    ("needs", "message", "way_out"),
    [
        (Needs(programs=("no-such-program",)), "the program no-such-program is not", "install no-such-program"),
        (Needs(environment=("NO_SUCH_VARIABLE",)), "the environment variable NO_SUCH_VARIABLE", "set NO_SUCH_VARIABLE"),
        (Needs(modules=("no_such_module",)), "the Python module no_such_module", "install the Python package"),
        (Needs(settings=("project|group",)), "the domain shop has no setting project or group", "[domains.shop"),
    ],
    ids=["program", "variable", "module", "setting"],
)
def test_what_is_missing_is_told_with_the_way_out(needs: Needs, message: str, way_out: str) -> None:
    """Whatever sort of thing it is."""
    found = lacking_here(replace(ECHO, domain="shop", needs=needs), {"shop": SHOP})
    assert [(message in lack.message, way_out in lack.way_out) for lack in found] == [(True, True)]


def test_what_one_of_our_extras_brings_is_told_by_its_install_line() -> None:
    """A person who installed the engine alone reads the line to type; what `dev` alone brings is for us."""
    assert install_line("mcp") == "pip install 'skill-engine[mcp]'"
    assert "has hypothesis" in install_line("hypothesis")


@pytest.mark.parametrize("tool", [ECHO, replace(ECHO, domain="shop", needs=Needs(settings=("url|platform",)))])
def test_a_tool_that_has_all_it_needs_lacks_nothing(tool: Tool) -> None:
    """Without a domain, and with one that says what is needed."""
    assert lacking_here(tool, {"shop": SHOP}) == []


def test_a_domain_that_nobody_describes_is_missing() -> None:
    """The settings in it are not told besides: they come with it."""
    found = lacking_here(replace(ECHO, domain="shop", needs=Needs(settings=("url",))), {})
    assert [lack.message for lack in found] == ["no profile describes the domain shop"]
