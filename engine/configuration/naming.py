"""Where in `skill.toml` a domain is described: what people are told when it is missing, or something in it is."""

from __future__ import annotations

from engine.configuration.services import SERVICES

CLUSTERS = ("ephemeral", "konflux")
"""Domains of shipped tools that ask a cluster."""


def table_of(name: str, kind: str = "") -> str:
    """The table that describes the domain; `kind` is that of one that is described, empty for the long form."""
    section = {"service": "services", "cluster": "clusters"}.get(kind, "domains")
    return f"[{section}.{name}]" if section != "domains" else f"[domains.{name}.settings]"


def table_to_write(name: str) -> str:
    """The table to write for a domain that nobody describes, and where it is explained."""
    if name in SERVICES:
        return f"[services.{name}] in skill.toml (docs/configuration.md)"
    if name in CLUSTERS:
        return f"[clusters.{name}] in skill.toml (docs/configuration.md)"
    return f"[domains.{name}] in skill.toml (docs/workspace.md)"
