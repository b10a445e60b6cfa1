"""The tools that come with the engine, one module per family; every module here belongs to `default_registry`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NAMES: Mapping[str, tuple[str, ...]] = {
    "alertmanager": ("alertmanager_alerts", "alertmanager_alert_groups", "alertmanager_status"),
    "branches": ("git_branch_state",),
    "checks": ("network_reachable", "program_version", "disk_space"),
    "cluster_state": ("kubectl_get_secrets", "kubectl_get_events", "k8s_environment_summary"),
    "deploying": ("bonfire_deploy", "bonfire_namespace_wait"),
    "deployments": (
        "kubectl_get_deployments",
        "kubectl_scale",
        "kubectl_rollout_restart",
        "kubectl_rollout_status",
    ),
    "ephemeral": (
        "bonfire_namespace_reserve",
        "bonfire_namespace_list",
        "bonfire_namespace_extend",
        "bonfire_namespace_release",
    ),
    "forge": ("git_merge_request_list", "git_merge_request"),
    "general": ("echo", "wait", "http_get", "file_read", "file_write", "json_parse"),
    "git": ("git_repository", "git_rev_parse", "git_commit_message", "git_changed_files", "git_show_file"),
    "git_branches": ("git_branch_list", "git_merge_base", "git_diff_stat"),
    "git_clones": ("git_clone",),
    "git_remotes": ("git_fetch", "git_pull", "git_push"),
    "git_work": ("git_status", "git_checkout", "git_branch_create"),
    "git_rebasing": ("git_rebase",),
    "gitlab": ("gitlab_mr_pipeline",),
    "gitlab_pipelines": (
        "gitlab_ci_list",
        "gitlab_ci_view",
        "gitlab_ci_jobs",
        "gitlab_ci_trace",
    ),
    "gitlab_pipeline_changes": ("gitlab_ci_retry", "gitlab_ci_retried", "gitlab_ci_cancel"),
    "gitlab_repository": ("gitlab_file_read", "gitlab_branch_list", "gitlab_commit"),
    "gitlab_request_changes": (
        "gitlab_mr_create",
        "gitlab_mr_update",
        "gitlab_mr_comment",
        "gitlab_mr_close",
        "gitlab_mr_merge",
    ),
    "gitlab_requests": ("gitlab_mr_list", "gitlab_mr_view"),
    "google_calendar": (
        "google_calendar_status",
        "google_calendar_list_events",
        "google_calendar_free_busy",
        "google_calendar_create_event",
    ),
    "jira": ("jira_login_state", "jira_view_issue", "jira_list_issues"),
    "jira_changes": ("jira_create_issue", "jira_add_comment", "jira_transition"),
    "kept_namespaces": ("remember_namespace",),
    "kibana": ("kibana_search_logs", "kibana_errors"),
    "kibana_state": ("kibana_index_list", "kibana_status"),
    "kubeconfig": ("kubeconfig_expiry",),
    "konflux": (
        "konflux_status",
        "konflux_list_applications",
        "konflux_list_components",
        "konflux_get_component",
    ),
    "konflux_releases": (
        "konflux_list_releases",
        "konflux_get_release",
        "konflux_create_release",
    ),
    "konflux_plans": ("konflux_list_release_plans",),
    "konflux_snapshots": ("konflux_list_snapshots", "konflux_get_snapshot"),
    "konflux_tests": ("konflux_list_integration_tests",),
    "local_login": ("kube_login", "kube_whoami", "local_token_expiry"),
    "local_start": ("local_platform_start", "local_platform_ready"),
    "logins": ("registry_login_state", "gitlab_login_state", "token_expiry"),
    "network": ("network_route",),
    "pods": ("kubectl_get_pods", "kubectl_logs", "kubectl_get_secret"),
    "prometheus": ("prometheus_query", "prometheus_query_range", "prometheus_series", "prometheus_labels"),
    "prometheus_state": ("prometheus_alerts", "prometheus_rules", "prometheus_targets"),
    "registry_contents": ("quay_check_image_exists", "quay_list_tags", "quay_get_manifest"),
    "registry_images": ("quay_get_tag", "image_build_status", "image_build"),
    "silences": (
        "alertmanager_silences",
        "alertmanager_silence_create",
        "alertmanager_silence_made",
        "alertmanager_silence_expire",
    ),
    "registry_logins": ("registry_login",),
    "running_images": ("kubectl_get_images",),
    "tekton": ("tkn_pipelinerun_list", "tkn_pipelinerun_describe", "tkn_taskrun_list"),
    "tekton_work": ("tkn_pipelinerun_logs", "tkn_pipelinerun_cancel"),
    "slack": ("slack_login_state", "slack_list_channels", "slack_read_channel", "slack_read_thread", "slack_search"),
    "slack_changes": ("slack_post_message", "slack_message_posted", "slack_react"),
    "tests_run": ("kubectl_exec_pytest",),
    "vpn": ("vpn_connect",),
    "vulnerabilities": ("quay_get_vulnerabilities",),
}
"""Which family defines which tools, so that a run imports only the families it uses.

A tool that is missing here is found all the same, by importing every family; a test compares this with the modules.
"""


def families() -> tuple[str, ...]:
    """The names of the modules in this package."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))
