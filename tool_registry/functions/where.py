"""Which of the two a domain of namespaces means: the embedded platform, or a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_registry.tool import Needs

EITHER = Needs(settings=("url|platform|kubeconfig",))
"""What tells where to ask: the embedded platform, or a cluster."""


def on_platform(settings: Mapping[str, Any]) -> bool:
    """Whether it is the embedded platform: by its folder, or by an address without a file for a cluster's token.

    docs/kubernetes.md says so to people.
    """
    return bool(settings.get("platform") or (settings.get("url") and not settings.get("token_file")))
