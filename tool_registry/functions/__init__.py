"""The tools that come with the engine, one module per family; every module here belongs to `default_registry`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NAMES: Mapping[str, tuple[str, ...]] = {
    "branches": ("git_branch_state",),
    "checks": ("network_reachable", "program_version", "disk_space"),
    "ephemeral": (
        "bonfire_namespace_reserve",
        "bonfire_namespace_list",
        "bonfire_namespace_extend",
        "bonfire_namespace_release",
        "bonfire_deploy",
        "bonfire_namespace_wait",
    ),
    "forge": ("git_merge_request_list", "git_merge_request"),
    "general": ("echo", "wait", "http_get", "file_read", "file_write", "json_parse"),
    "git": ("git_repository", "git_rev_parse", "git_commit_message", "git_changed_files", "git_show_file"),
    "gitlab": ("gitlab_mr_pipeline",),
    "jira": ("jira_view_issue",),
    "kept_namespaces": ("remember_namespace",),
    "kubeconfig": ("kubeconfig_expiry",),
    "local_login": ("kube_login", "kube_whoami", "local_token_expiry"),
    "local_start": ("local_platform_start", "local_platform_ready"),
    "logins": ("registry_login_state", "gitlab_login_state", "token_expiry"),
    "network": ("network_route",),
    "pods": ("kubectl_get_pods", "kubectl_logs", "kubectl_get_secret"),
    "registry_images": ("quay_get_tag", "image_build_status", "image_build"),
    "tests_run": ("kubectl_exec_pytest",),
}
"""Which family defines which tools, so that a run imports only the families it uses.

A tool that is missing here is found all the same, by importing every family; a test compares this with the modules.
"""


def families() -> tuple[str, ...]:
    """The names of the modules in this package."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))
