"""docs/doctor.md shows what `skill doctor` says on three machines, which are made here: SCREENS=1 writes them anew."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.page_commands import commands_of
from tests.e2e.test_terminal import Terminals
from tests.servers.machines import Ann, Servers, complete, empty, half, servers, settled

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
WIDTH = 100


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers that the machines have logins for."""
    with servers(tmp_path_factory.mktemp("servers")) as made:
        yield made


def screen(ann: Ann, *words: str, width: int = WIDTH) -> tuple[str, int]:
    """What stands on her terminal at the end, and the exit status."""
    terminals = Terminals(shell=ann.shell)
    opened = terminals(*words, width=width, environment={**ann.environment, "NO_COLOR": "1"})
    try:
        status = opened.end()
        return "\n".join(opened.lines).rstrip() + "\n", status
    finally:
        terminals.close()


def assert_shown(name: str, shown: str) -> None:
    """The page has this screen; with SCREENS=1 it gets it."""
    block = re.compile(rf"(<!-- screen: {name} -->\n```text\n)(.*?)(```\n)", re.DOTALL)
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("SCREENS"):
        PAGE.write_text(block.sub(lambda found: found[1] + shown + found[3], page), encoding="utf-8")
        return
    found = block.search(page)
    assert found is not None
    assert shown == found[2], "SCREENS=1 pytest tests/e2e/test_doctor_page.py writes the page anew"


def test_an_empty_machine_is_well_and_says_what_could_be_added(tmp_path: Path) -> None:
    """No login anywhere: the local profile works, and nothing is asked."""
    ann = empty(tmp_path / "ann")
    shown, status = screen(ann, "doctor")
    assert status == 0, shown
    assert_shown("empty", settled(shown, ann))


def test_a_half_configured_machine_says_what_to_do(tmp_path: Path, there: Servers) -> None:
    """What does not work and is configured makes the command fail; what was only found does not."""
    ann = half(tmp_path / "ann", there)
    shown, status = screen(ann, "doctor")
    assert status == 1, shown
    assert "glpat-of-some-server" not in shown
    assert_shown("half", settled(shown, ann, there))


def test_a_complete_machine_writes_its_own_settings_and_is_well(tmp_path: Path, there: Servers) -> None:
    """`skill init --from-machine` writes what the next `skill doctor` finds good."""
    ann = complete(tmp_path / "ann", there)
    done = ann.shell.run("init", "--from-machine", "--yes", environment=ann.environment)
    assert done.returncode == 0, done.stderr
    written = (ann.work / "skill.toml").read_text()
    assert tomllib.loads(written)["services"]["gitlab"] == {
        "url": there.forge.url,
        "project": "shop/web",
        "credential": {"env": "GITLAB_TOKEN"},
    }
    assert ann.variables["GITLAB_TOKEN"] not in written
    shown, status = screen(ann, "doctor")
    assert status == 0, shown
    assert_shown("complete", settled(shown, ann, there))


def test_no_line_is_wider_than_the_terminal(tmp_path: Path, there: Servers) -> None:
    """At 80 columns and at 120; the lines for skill.toml are never broken."""
    ann = half(tmp_path / "ann", there)
    for width in (80, 120):
        shown, _ = screen(ann, "doctor", width=width)
        assert max(map(len, shown.splitlines())) <= width
        assert '      context = "stage"\n' in shown


def test_the_page_s_commands_are_taken(tmp_path: Path, there: Servers) -> None:
    """Those that no other test here runs as they stand."""
    commands = commands_of("doctor.md")
    assert {"doctor", "doctor --offline", "init --from-machine --yes", "init --from-machine --dry-run"} < {*commands}
    ann = complete(tmp_path / "ann", there)
    assert ann.shell.run("init", "--from-machine", "--yes", environment=ann.environment).returncode == 0
    misspelt = ann.shell.run("doctor", "--offline", "--only", "stag", environment=ann.environment)
    assert (misspelt.returncode, "did you mean stage?" in misspelt.stderr) == (2, True)
    for command in ("doctor --only gitlab --only skills", "doctor -o json"):
        assert command in commands
        done = ann.shell.run(*command.split(), environment=ann.environment)
        assert done.returncode == 0, done.stdout + done.stderr


def test_data_has_what_people_are_told(tmp_path: Path, there: Servers) -> None:
    """Each line as a record, with its section and whether it is well; found lines as data."""
    ann = half(tmp_path / "ann", there)
    done = ann.shell.run("doctor", "--json", "--only", "ladder", "--only", "jira", environment=ann.environment)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert {each["section"] for each in told} == {"ladder", "domains"}
    (cluster,) = [each for each in told if each["name"] == "kubeconfig"]
    assert (cluster["ok"], cluster["used"]) == (False, False)
    assert cluster["lines"] == {"clusters": {"stage": {"kubeconfig": "~/.kube/config", "context": "stage"}}}
    (jira,) = [each for each in told if each["name"] == "jira"]
    assert jira["ok"] is False
    assert jira["way_out"]


def test_offline_asks_nobody(tmp_path: Path, there: Servers) -> None:
    """No request arrives anywhere; what this machine alone can tell is told all the same."""
    ann = half(tmp_path / "ann", there)
    before = len(there.cluster.asked), len(there.forge.asked)
    done = ann.shell.run("doctor", "--offline", "--only", "domains", environment=ann.environment)
    assert "· prometheus             http://127.0.0.1:9; not asked" in done.stdout
    assert "the environment variable JIRA_OF_THE_SHOP is not set" in done.stdout
    assert (len(there.cluster.asked), len(there.forge.asked)) == before


def test_a_name_of_nothing_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """Exit status 2."""
    ann = empty(tmp_path / "ann")
    done = ann.shell.run("doctor", "--only", "registri", environment=ann.environment)
    assert done.returncode == 2
    assert "did you mean registry?" in done.stderr


def test_broken_files_are_told_and_the_rest_is_looked_at_all_the_same(tmp_path: Path) -> None:
    """A tool that is none, a misspelt service with the nearest: each once, at its place."""
    ann = empty(tmp_path / "ann")
    ann.write("shop/skill.toml", '[services.gitlb]\nurl = "http://127.0.0.1:9"\n')
    done = ann.shell.run("doctor", environment=ann.environment)
    assert done.returncode == 1
    assert "skill.toml:1:11: unknown-key the key `gitlb` is not known here (did you mean `gitlab`?)" in done.stdout
    assert done.stdout.count("did you mean") == 1
    ann.write("shop/skill.toml", '[services.gitlab]\nurl = "http://127.0.0.1:9"\n')
    ann.write("shop/tools/bad.yaml", "name: bad\n")
    done = ann.shell.run("doctor", environment=ann.environment)
    assert done.returncode == 1
    assert "✗ tools" in done.stdout
    assert "✗ gitlab                 http://127.0.0.1:9; Connection refused" in done.stdout
