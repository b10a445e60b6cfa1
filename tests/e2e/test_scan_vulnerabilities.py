"""The skill `scan_vulnerabilities`, run by the real command against Debian's registry with a login.

What a scanner found is told by the stand-in for that one address of Quay's (tests/servers/quay_security.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.quay_security import Scanner, finding, scanning
from tests.servers.registry import PASSWORD, USER, Registry, registry
from tests.shell import Shell

pytestmark = pytest.mark.timeout(240)
TOKEN = "t0ken-of-the-scanner"
SETTINGS = """
[env]
secret = ["SHOP_PASSWORD"]

[domains.registry]
description = "The shop's images."
fixes.login = {{call = {{tool = "registry_login"}}, cooldown = 0}}
fixes.registry_login = {{call = {{tool = "registry_login"}}, cooldown = 0}}

[domains.registry.settings]
url = "{url}"
api_url = "{api}"
username = "{user}"
credential = {{env = "SHOP_PASSWORD"}}
api_credential = {{env = "SCANNER_TOKEN"}}
auth_file = "{{state}}/logins.json"
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants a login, with three images."""
    with registry(tmp_path_factory.mktemp("images"), login=True) as made:
        for tag in ("v1", "v2", "v3"):
            made.push(f"team/app:{tag}", text=f"app {tag}")
        yield made


@pytest.fixture
def scanner(images: Registry) -> Iterator[Scanner]:
    """v1 is clean, v2 is not, v3 waits for its scan."""
    found = [finding("CVE-2026-1", "Critical", fixed_by="3.0.2"), finding("CVE-2026-2", "High", package="tar")]
    results: dict[str, Any] = {
        images.images["team/app:v1"]: [finding("CVE-2026-9", "Low")],
        images.images["team/app:v2"]: found,
        images.images["team/app:v3"]: "queued",
    }
    with scanning(results, token=TOKEN) as made:
        yield made


def workspace(tmp_path: Path, images: Registry, scanner: Scanner) -> Shell:
    """A workspace whose domain `registry` is this one."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "skill.toml").write_text(SETTINGS.format(url=images.url, api=scanner.url, user=USER))
    return Shell(folder=folder, home=tmp_path / "home")


def run(shell: Shell, *words: str, password: str = PASSWORD, status: int = 0) -> Any:
    """The record of a run with the password in the environment."""
    secrets = {"SHOP_PASSWORD": password, "SCANNER_TOKEN": TOKEN}
    done = shell.run("run", "scan_vulnerabilities", *words, "--json", environment=secrets)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_every_image_is_told_and_one_login_is_enough(tmp_path: Path, images: Registry, scanner: Scanner) -> None:
    """Nobody was logged in: the first step is healed by a login, and all the others need none."""
    shell = workspace(tmp_path, images, scanner)
    record = run(shell, "-i", "repository=team/app")
    assert (record["status"], record["healed"]) == ("ok", 1)
    outputs = record["outputs"]
    assert [(each["image"], each["status"], each["count"]) for each in outputs["images"]] == [
        ("team/app:v1", "scanned", 0),
        ("team/app:v2", "scanned", 2),
        ("team/app:v3", "queued", 0),
    ]
    assert outputs["images"][1]["digest"] == images.digest("team/app:v2")
    assert [each["name"] for each in outputs["weaknesses"]] == ["CVE-2026-1", "CVE-2026-2"]
    assert (outputs["clean"], outputs["counts"]["critical"]) == (False, 1)
    assert "2 of 3 images judged, 1 with weaknesses of severity high or worse" in outputs["summary"]
    assert run(shell, "-i", "images=team/app:v1")["healed"] == 0
    leaked = [path for path in shell.home.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert leaked == []


def test_an_image_that_is_not_there_and_one_of_two_that_is(tmp_path: Path, images: Registry, scanner: Scanner) -> None:
    """`manifest unknown` is an answer; a clean image does not make the other one clean."""
    shell = workspace(tmp_path, images, scanner)
    record = run(shell, "-i", "images=team/app:v1,team/app:v9", "-i", "must_be_clean=true", status=1)
    assert record["message"] == "1 images could not be judged: team/app:v9 (missing)"
    assert record["outputs"]["clean"] is False


def test_what_must_be_clean_and_is_passes(tmp_path: Path, images: Registry, scanner: Scanner) -> None:
    """By its digest as well as by its tag; a low weakness does not count."""
    shell = workspace(tmp_path, images, scanner)
    named = f"team/app:v1,team/app@{images.images['team/app:v1']}"
    record = run(shell, "-i", f"images={named}", "-i", "must_be_clean=true")
    assert (record["status"], record["outputs"]["clean"]) == ("ok", True)


def test_a_wrong_password_heals_nothing(tmp_path: Path, images: Registry, scanner: Scanner) -> None:
    """The login is tried once and refused; the step fails as what it is, and nothing is kept."""
    shell = workspace(tmp_path, images, scanner)
    record = run(shell, "-i", "repository=team/app", password="wrong-and-secret", status=1)
    failed = next(step for step in record["steps"] if step["status"] == "failed")
    assert (failed["name"], record["healed"]) == ("listed", 0)
    assert list(shell.home.rglob("logins.json")) == []
    assert "wrong-and-secret" not in str(record)


def test_a_registry_without_a_scanner_is_said_and_not_healed(
    tmp_path: Path, images: Registry, scanner: Scanner
) -> None:
    """Nothing was looked at, so nothing is called clean."""
    shell = workspace(tmp_path, images, scanner)
    settings = shell.folder / "skill.toml"
    settings.write_text(settings.read_text().replace(f'api_url = "{scanner.url}"\n', ""))
    record = run(shell, "-i", "images=team/app:v1", status=1)
    assert "has no security API of Quay's" in record["message"]
    assert record["outputs"]["clean"] is False
