"""What every tool that asks a configured web service needs of its domain."""

from __future__ import annotations

from tool_registry.tool import Needs, ToolContext, ToolError

SERVICE = Needs(settings=("url",))


def service_url(context: ToolContext, title: str) -> str:
    """Where the service answers, without a slash at the end; ToolError (`configuration_error`) where nobody says."""
    url = str(context.settings.get("url") or "").rstrip("/")
    if not url:
        message = f"no {title} is configured: its url belongs under [services.{title.lower()}] in skill.toml"
        raise ToolError(message, kind="configuration_error", sent=False)
    return url
