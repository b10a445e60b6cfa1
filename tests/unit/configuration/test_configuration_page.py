"""docs/configuration.md: every example loads as it is printed, and every key there is stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.configuration import SERVICES
from engine.documents import schema
from engine.errors import DocumentError
from engine.model.heal import Domain
from engine.profile import load_profile
from engine.workspace import find_workspace

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")
FIRST, PERSON, ROBOT, OWN = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(TEAM,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PARTS = schema("profile")["$defs"]


def domains(folder: Path, settings: str, profile: str = "") -> Mapping[str, Domain]:
    """What a workspace with these files means."""
    (folder / "skill.toml").write_text(settings)
    (folder / "config").mkdir()
    (folder / "config" / "stage_profile.yaml").write_text(profile)
    return load_profile(find_workspace(folder)).domains


def test_a_first_example_brings_its_logins(tmp_path: Path) -> None:
    """Without a line about fixes."""
    found = domains(tmp_path, FIRST)
    assert found["ephemeral"].fixes["login"].call.tool == "kube_login"
    assert found["registry"].fixes["login"].call.tool == "registry_login"
    assert found["gitlab"].settings["credential"] == {"env": "GITLAB_TOKEN"}


def test_the_persons_places_lie_behind_the_vpn(tmp_path: Path) -> None:
    """Each can be connected to its network; the demo platform is asked nothing."""
    found = domains(tmp_path, PERSON)
    assert {name for name, domain in found.items() if "connect" in domain.fixes} == {*found}
    assert all(domain.fixes["connect"].call.tool == "vpn_connect" for domain in found.values())
    assert not any("platform" in domain.settings for domain in found.values())


def test_the_robot_needs_no_person(tmp_path: Path) -> None:
    """It gets its token itself, and keeps it in the state folder."""
    ephemeral = domains(tmp_path, ROBOT)["ephemeral"]
    assert ephemeral.settings["login"]["client_secret"] == {"env": "SSO_SECRET"}
    assert ephemeral.settings["token_file"].endswith("/state/clusters/ephemeral.token")
    assert "{app}" in ephemeral.settings["deploy"]["command"]


def test_the_team_shares_a_profile_and_a_person_adds_to_it(tmp_path: Path) -> None:
    """Both files count, and the long form is laid over the short one."""
    found = domains(tmp_path, OWN, TEAM)
    assert {"stage", "konflux", "kibana", "slack", "jira", "git"} <= {*found}
    assert {*found["prometheus"].fixes} == {"connect", "login"}
    assert found["slack"].settings["url"] == "https://slack.com/api"


def keys() -> Iterator[tuple[str, str]]:
    """Every key that may be written, with the section that its name stands in."""
    for title, part in (("Clusters", "cluster"), ("Networks", "network"), ("Credentials", "reference")):
        for key in PARTS[part]["properties"]:
            yield title if key not in {"description", "mode", "network"} else "Domains", key
    for key in PARTS["cluster_login"]["properties"]:
        yield "Clusters", key
    for kind, service in PARTS["services"]["properties"].items():
        yield "Services", kind
        for key in set(service["properties"]) - {"description", "mode", "network"}:
            yield "Services", key


@pytest.mark.parametrize(("section", "key"), sorted(set(keys())))
def test_every_key_stands_in_the_page(section: str, key: str) -> None:
    """In its own section."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert re.search(rf"[`{{ ]{key}(`| =|\b)", text)


def test_every_kind_of_service_is_in_the_schema_with_its_usual_variable() -> None:
    """What the engine knows, what may be written, and what the page says are the same kinds."""
    written: dict[str, Any] = PARTS["services"]["properties"]
    assert {*written} == {*SERVICES}
    for kind, known in SERVICES.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE, re.MULTILINE)
        assert not known.usual or row.endswith(f"| `{known.usual}` |")
        assert ("url" in written[kind].get("required", ())) is not bool(known.url)


def test_a_mistake_looks_as_the_page_shows_it(tmp_path: Path) -> None:
    """The place, the code, and the nearest key."""
    (shown,) = re.findall(r"^skill\.toml:2:11: .*$", PAGE, re.MULTILINE)
    (tmp_path / "skill.toml").write_text('\n[services.gitlb]\nurl = "https://gitlab.example"\n')
    with pytest.raises(DocumentError) as refused:
        load_profile(find_workspace(tmp_path))
    (finding,) = refused.value.findings
    assert str(finding).removeprefix(f"{tmp_path}/") == shown


@pytest.mark.parametrize("page", ["gitlab.md", "monitoring.md", "git-and-registries.md", "kubernetes.md"])
def test_the_settings_of_a_familys_page_load(page: str, tmp_path: Path) -> None:
    """As they are printed."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for number, block in enumerate(re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)):
        (folder := tmp_path / str(number)).mkdir()
        assert domains(folder, block)
