"""The kinds of services that can be configured by name, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKind:
    """What is known of a kind of service, whoever runs it.

    `url` is where it answers unless that is said, empty where it has to be, or the setting `in_place_of_url` says it.
    `usual` is the environment variable its tools look into where no `credential` is named, empty for none; `look` a
    call, as a domain writes one, that says whether its login counts, and `login` one that logs in. In their arguments
    a text `{NAME}` is the setting of that name.
    """

    title: str
    url: str = ""
    in_place_of_url: str = ""
    usual: str = ""
    look: Mapping[str, Any] = field(default_factory=dict)
    login: Mapping[str, Any] = field(default_factory=dict)

    def look_at(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The call that looks at a service with these settings; empty where none is known, or a setting is missing."""
        return _filled(self.look, settings)


def _filled(call: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    args = {}
    for name, value in call.get("args", {}).items():
        wanted = value[1:-1] if isinstance(value, str) and value.startswith("{") else ""
        if wanted and wanted not in settings:
            return {}
        args[name] = settings[wanted] if wanted else value
    return {**call, **({"args": args} if args else {})}


SERVICES: Mapping[str, ServiceKind] = {
    "gitlab": ServiceKind(title="GitLab", usual="GITLAB_TOKEN", look={"tool": "gitlab_login_state"}),
    "jira": ServiceKind(title="Jira", usual="JIRA_API_TOKEN", look={"tool": "jira_login_state"}),
    "prometheus": ServiceKind(
        title="Prometheus",
        usual="PROMETHEUS_TOKEN",
        look={"tool": "prometheus_query", "args": {"query": "vector(1)"}},
    ),
    "alertmanager": ServiceKind(title="Alertmanager", usual="ALERTMANAGER_TOKEN", look={"tool": "alertmanager_status"}),
    "kibana": ServiceKind(title="Kibana or Elasticsearch", usual="ELASTIC_API_KEY", look={"tool": "kibana_status"}),
    "slack": ServiceKind(
        title="Slack", url="https://slack.com/api", usual="SLACK_BOT_TOKEN", look={"tool": "slack_login_state"}
    ),
    "google_calendar": ServiceKind(
        title="Google Calendar, or a calendar that speaks CalDAV",
        url="https://www.googleapis.com/calendar/v3",
        in_place_of_url="caldav_url",
        usual="GOOGLE_CALENDAR_TOKEN",
        look={"tool": "google_calendar_status"},
    ),
    "registry": ServiceKind(
        title="an image registry",
        look={"tool": "registry_login_state", "args": {"registry": "{url}"}},
        login={"tool": "registry_login"},
    ),
    "git": ServiceKind(title="a git server"),
    "forge": ServiceKind(title="the GitLab whose merge requests are tested", usual="GITLAB_TOKEN"),
}
"""By the name of the domain that the tools of a service belong to."""
