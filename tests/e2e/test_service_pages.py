"""docs/kibana.md and docs/communication.md: their settings are taken, and their skills run as the pages show them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from tests.e2e.page_commands import DOCS, commands_of
from tests.flow.workshop import Workshop
from tests.servers import emulated
from tests.servers.elasticsearch import KEY, elasticsearch
from tests.servers.slack import TOKEN, slack


def workplace(page: str, folder: Path, **servers: str) -> Workshop:
    """A workspace with the page's settings and its skill; the addresses of servers stand for those that are made up."""
    place = Workshop(folder / "work", folder / "home")
    text = (DOCS / page).read_text(encoding="utf-8")
    (settings,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    for made_up, real in servers.items():
        assert made_up in settings
        settings = settings.replace(made_up, real)
    (skill,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (place.folder / "skills").mkdir(parents=True)
    (place.folder / "skill.toml").write_text(settings)
    (place.folder / "skills" / f"{skill.splitlines()[0].removeprefix('name: ')}.yaml").write_text(skill)
    return place


def shown(page: str) -> list[str]:
    """The one command of a page."""
    (command,) = commands_of(page)
    return shlex.split(command)


def told(place: Workshop, page: str, **environment: str) -> Any:
    """What the page's command says when it runs."""
    done = place.run(*shown(page), environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_errors_of_a_namespace_are_told_as_the_page_shows(tmp_path: Path) -> None:
    """In groups, by the page's own skill."""
    with elasticsearch() as server:
        for number in (4711, 4712):
            server.log(f"order {number} failed", level="error", kubernetes={"namespace_name": "shop"})
        place = workplace("kibana.md", tmp_path, **{"https://elasticsearch.example:9200": server.url})
        assert "2 x order # failed" in told(place, "kibana.md", ELASTIC_API_KEY=KEY)


def test_something_is_announced_as_the_page_shows(tmp_path: Path) -> None:
    """In the channel and in the calendar."""
    with slack() as server, emulated.google(tmp_path) as calendar:
        servers = {
            "[services.slack]": f'[services.slack]\nurl = "{server.url}"',
            "[services.google_calendar]": f'[services.google_calendar]\nurl = "{calendar}"',
            '"gcloud", "auth", "print-access-token"': f'"echo", "{emulated.GOOGLE_TOKEN}"',
        }
        place = workplace("communication.md", tmp_path, **servers)
        said = told(place, "communication.md", SLACK_BOT_TOKEN=TOKEN)
        assert "Release of checkout 1.4 is in the calendar" in said
        (message,) = server.messages["C000000002"]
    assert (message["text"], message["reactions"][0]["name"]) == (
        "Release of checkout 1.4: 2026-01-31T09:00:00Z",
        "calendar",
    )
