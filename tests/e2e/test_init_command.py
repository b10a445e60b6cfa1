"""`skill init` writes a skill.toml once, by agreement, with references in place of secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_terminal import Terminals
from tests.servers.machines import Ann, Servers, complete, empty, half, servers


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers that the machines have logins for."""
    with servers(tmp_path_factory.mktemp("servers")) as made:
        yield made


def test_a_plain_one_makes_a_workspace(tmp_path: Path) -> None:
    """Its live files lie in the folder from then on; a second one is refused, and the first stays as it is."""
    ann = empty(tmp_path / "ann")
    assert ann.shell.run("init", environment=ann.environment).returncode == 0
    before = (ann.work / "skill.toml").read_bytes()
    again = ann.shell.run("init", environment=ann.environment)
    assert again.returncode == 2
    assert "is there already, and stays as it is" in again.stderr
    assert (ann.work / "skill.toml").read_bytes() == before


def test_what_is_there_is_not_changed_and_what_is_missing_is_named(tmp_path: Path, there: Servers) -> None:
    """With --yes too."""
    ann = half(tmp_path / "ann", there)
    before = (ann.work / "skill.toml").read_bytes()
    done = ann.shell.run("init", "--from-machine", "--yes", environment=ann.environment)
    assert done.returncode == 2
    assert "`skill doctor` shows the lines" in done.stderr
    assert (ann.work / "skill.toml").read_bytes() == before


def test_nothing_is_written_unless_somebody_agrees(tmp_path: Path, there: Servers) -> None:
    """By --dry-run, and where nobody can be asked; what would be written is the result."""
    ann = complete(tmp_path / "ann", there)
    shown = ann.shell.run("init", "--from-machine", "--dry-run", "--json", environment=ann.environment)
    told = json.loads(shown.stdout)
    assert (shown.returncode, told["written"]) == (0, False)
    assert set(told["lines"]) == {"clusters", "services"}
    assert ann.variables["GITLAB_TOKEN"] not in shown.stdout
    refused = ann.shell.run("init", "--from-machine", environment=ann.environment)
    assert (refused.returncode, "--yes" in refused.stderr) == (4, True)
    assert not (ann.work / "skill.toml").exists()


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 4)])
def test_a_person_is_asked(answer: str, status: int, tmp_path: Path, there: Servers) -> None:
    """After the whole file was shown."""
    ann = complete(tmp_path / "ann", there)
    terminals = Terminals(shell=ann.shell)
    opened = terminals(
        "init", "--from-machine", "--offline", width=80, environment={**ann.environment, "NO_COLOR": "1"}
    )
    try:
        opened.until("write skill.toml?")
        assert "[clusters.stage]" in opened.seen
        opened.type(answer)
        assert opened.end() == status
    finally:
        terminals.close()
    assert (ann.work / "skill.toml").exists() is (status == 0)


def test_what_is_refused_is_left_out_with_the_reason(tmp_path: Path, there: Servers) -> None:
    """A token that GitLab does not take; the cluster and the registry are written."""
    ann = complete(tmp_path / "ann", there)
    ann.variables["GITLAB_TOKEN"] = "glpat-not-one-of-yours"
    done = ann.shell.run("init", "--from-machine", "--yes", environment=ann.environment)
    written = (ann.work / "skill.toml").read_text()
    assert done.returncode == 0, done.stderr
    assert "gitlab" not in written
    assert "[services.registry]" in written
    assert "its login is not accepted any more" in done.stderr
    assert "glpat-not-one-of-yours" not in done.stdout + done.stderr


def test_a_workspace_inside_of_another_hides_it(tmp_path: Path) -> None:
    """And says so."""
    ann: Ann = empty(tmp_path / "ann")
    ann.write("skill.toml", "")
    done = ann.shell.run("init", environment=ann.environment)
    assert done.returncode == 0, done.stderr
    assert "~/skill.toml is not seen from here any more" in done.stderr
