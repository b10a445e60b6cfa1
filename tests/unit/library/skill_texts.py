"""Skill files as the tests write them, and findings as the tests compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.model.place import Finding

Check = Callable[[str], tuple[Finding, ...]]
"""Checks a text as the skill `example`."""


def steps(*lines: str) -> str:
    """A skill called `example` with these lines under `steps`."""
    return "name: example\nsteps:\n" + "".join(f"  {line}\n" for line in lines)


def told(findings: Iterable[Finding]) -> list[tuple[int, str]]:
    """Line and code of each finding."""
    return [(finding.place.line, str(finding.code)) for finding in findings]
