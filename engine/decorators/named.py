"""`auto_heal` for the environments people name: which domain, and which of its fixes can help there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from engine.decorators.healing import auto_heal

Function = TypeVar("Function", bound=Callable[..., Any])

CLUSTERS: Mapping[str, str] = {"production": "prod", "p": "prod", "s": "stage", "e": "ephemeral", "k": "konflux"}
"""Other names of environments, as people type them."""


def auto_heal_ephemeral(**options: Any) -> Callable[[Function], Function]:
    """Heals calls of the ephemeral environment: `auto_heal(domain="ephemeral")`."""
    return auto_heal(**{"domain": "ephemeral", **options})


def auto_heal_konflux(**options: Any) -> Callable[[Function], Function]:
    """Heals calls of the build system: `auto_heal(domain="konflux")`."""
    return auto_heal(**{"domain": "konflux", **options})


def auto_heal_k8s(**options: Any) -> Callable[[Function], Function]:
    """Heals calls of the cluster that the function's parameter `environment` names, `stage` unless it does."""

    def decorate(function: Function) -> Function:
        asked = callable(function) and "environment" in inspect.signature(function).parameters
        where = {"domain_from": "environment", "domains": CLUSTERS} if asked else {}
        return auto_heal(**{"domain": "stage", **where, **options})(function)

    return decorate


def auto_heal_stage(**options: Any) -> Callable[[Function], Function]:
    """Heals calls of what runs in stage (Prometheus, Alertmanager, Kibana): `auto_heal(domain="stage")`."""
    return auto_heal(**{"domain": "stage", **options})


def auto_heal_jira(**options: Any) -> Callable[[Function], Function]:
    """Heals calls of the issue tracker, by its login only."""
    return auto_heal(**{"domain": "jira", "fixes": ("login",), **options})


def auto_heal_git(**options: Any) -> Callable[[Function], Function]:
    """Heals calls of the git server, by its network only, unless `fixes` says more."""
    return auto_heal(**{"domain": "git", "fixes": ("connect",), **options})
