"""What people write about the places their tools ask, and the domains that it means.

`skill.toml` and `config/NAME_profile.yaml` take the same four sections. `[clusters.NAME]`, `[services.KIND]` and
`[networks.NAME]` are the short forms; `[domains.NAME]` is the form that all of them become, laid over them. A `Domain`
of them tells its `kind` (`cluster`, `service`, else empty) and `look`, the call that says whether its login counts.

`SERVICES` are the kinds of services with what is known of each; `references` are the credentials that a domain names,
each with where it is kept in words; `described` makes domains of sections that fit the schema; `check_settings` and
`mistakes` find what is wrong with a file, at its place; `written_at` says where in a file a domain stands. Docs:
docs/configuration.md.
"""

from __future__ import annotations

from engine.configuration.domains import described
from engine.configuration.mistakes import check_settings, insist, mistakes, refuse, settings_document
from engine.configuration.references import Reference, kept_in, references
from engine.configuration.sections import SECTIONS, laid_over, networks_of, written_at
from engine.configuration.services import SERVICES, ServiceKind

__all__ = [
    "SECTIONS",
    "SERVICES",
    "Reference",
    "ServiceKind",
    "check_settings",
    "described",
    "insist",
    "kept_in",
    "laid_over",
    "mistakes",
    "networks_of",
    "references",
    "refuse",
    "settings_document",
    "written_at",
]
