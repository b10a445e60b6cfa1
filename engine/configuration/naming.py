"""Where in `skill.toml` a domain is described: what people are told when it is missing, or something in it is."""

from __future__ import annotations

from engine.configuration.services import SERVICES

CLUSTERS = ("ephemeral", "konflux")
"""Domains of shipped tools that ask a cluster."""


def table_of(name: str, kind: str = "") -> str:
    """The table that describes the domain; `kind` is that of one that is described, empty for the long form."""
    section = {"service": "services", "cluster": "clusters"}.get(kind, "domains")
    return f"[{section}.{name}]" if section != "domains" else f"[domains.{name}.settings]"


def table_to_write(name: str, own: str | None = None) -> str:
    """The table to write for a domain that nobody describes, and where it is explained.

    `own` is the domain of the tool that is to ask there: another place of a cluster's tool is a cluster too.
    """
    if name in SERVICES:
        return f"[services.{name}] in skill.toml (docs/configuration.md)"
    if name in CLUSTERS or own in CLUSTERS:
        return f"[clusters.{name}] in skill.toml (docs/configuration.md)"
    return f"[domains.{name}] in skill.toml (docs/workspace.md)"
