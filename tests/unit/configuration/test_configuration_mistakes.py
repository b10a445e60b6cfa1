"""Mistakes in skill.toml and in profiles: each at its place, with the nearest known key, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DocumentError
from engine.model.place import Finding
from engine.profile import load_profile
from engine.workspace import find_workspace

NETWORK = '[networks.office]\nconnect.command = ["vpn", "up"]\nprobe = "vpn.example:443"\n'


def found(folder: Path, settings: str, profile: str = "") -> list[str]:
    """What is wrong with a workspace of this, as `LINE:COLUMN: code message (hint)`."""
    return [str(each).partition(":")[2] for each in findings(folder, settings, profile)]


def findings(folder: Path, settings: str, profile: str = "") -> tuple[Finding, ...]:
    """What is wrong with a workspace of this."""
    (folder / "skill.toml").write_text(f'profile = "{"stage" if profile else "local"}"\n{settings}')
    if profile:
        (folder / "config").mkdir(exist_ok=True)
        (folder / "config" / "stage_profile.yaml").write_text(profile)
    with pytest.raises(DocumentError) as wrong:
        load_profile(find_workspace(folder))
    return wrong.value.findings


@pytest.mark.parametrize(
    ("settings", "where", "message", "hint"),
    [
        (
            '[services.gitlb]\nurl = "https://g"',
            "2:11 unknown-key",
            "the key `gitlb` is not known here",
            "did you mean `gitlab`?",
        ),
        (
            '[services.git]\nurl = "https://g"\nusernam = "a"',
            "4:1 unknown-key",
            "the key `usernam` is not known here",
            "did you mean `username`?",
        ),
        (
            '[clusters.a]\nkubeconfg = "k"',
            "3:1 unknown-key",
            "the key `kubeconfg` is not known here",
            "did you mean `kubeconfig`?",
        ),
        ('[clusters.a]\nnamespace = "k"', "2:11 no-choice", "one of `kubeconfig`, `url` is needed here", ""),
        (
            '[clusters.a]\nkubeconfig = "k"\nurl = "https://g"',
            "4:1 not-allowed",
            "`kubeconfig`, `url` may not stand here together",
            "",
        ),
        ('[services.jira]\nproject = "S"', "2:11 missing-key", "the key `url` is missing in `jira`", ""),
        (
            '[services.jira]\nurl = "jira.example"',
            "3:7 wrong-form",
            "this is not a web address",
            "write it with https://",
        ),
        (
            '[networks.a]\nconnect = {command = ["x"]}\nprobe = "here"',
            "4:9 wrong-form",
            "this is not a host and a port",
            "write it as host:port",
        ),
        (
            '[network.a]\nprobe = "b:1"',
            "2:2 unknown-key",
            "the key `network` is not known here",
            "did you mean `networks`?",
        ),
        (
            '[clusters.a]\nkubeconfig = "k"\nlogin = {comand = ["x"]}',
            "4:10 unknown-key",
            "the key `comand` is not known here",
            "did you mean `command`?",
        ),
        (
            f'{NETWORK}[clusters.a]\nkubeconfig = "k"\nnetwork = "ofice"',
            "7:11 unknown-network",
            "there is no network called ofice",
            "did you mean office?",
        ),
        (
            '[domains.a]\nnetwork = "lab"',
            "3:11 unknown-network",
            "there is no network called lab",
            "describe it as [networks.NAME], with `connect` and `probe`",
        ),
        (
            '[clusters.jira]\nkubeconfig = "k"\n[services.jira]\nurl = "https://j"',
            "2:11 given-twice",
            "jira is a service too, and both would be the domain jira",
            "call the cluster something else",
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, settings: str, where: str, message: str, hint: str) -> None:
    """At its line and column, once, with the nearest word that would be right."""
    (told,) = findings(tmp_path, settings)
    assert f"{told.place.line}:{told.place.column} {told.code}" == where
    assert (told.message, told.hint) == (message, hint)


def test_a_workspace_that_adds_places_is_not_said_to_keep_to_this_machine(tmp_path: Path) -> None:
    """Of the local profile nothing leaves the machine; of the places beside it that is not known."""
    (tmp_path / "skill.toml").write_text("")
    assert load_profile(find_workspace(tmp_path)).description.endswith("this machine. Nothing leaves it.")
    services = "".join(f'[services.{name}]\nurl = "https://x"\n' for name in ("jira", "git", "gitlab", "kibana"))
    (tmp_path / "skill.toml").write_text(f'[clusters.stage]\nkubeconfig = "k"\n{services}')
    told = load_profile(find_workspace(tmp_path)).description
    assert told.endswith("this machine. skill.toml adds stage, jira, git, gitlab and 1 more.")


def test_a_profile_is_looked_at_as_closely(tmp_path: Path) -> None:
    """The same keys, and the same words; a network of the other file counts."""
    wrong = "services:\n  registry:\n    url: https://quay.example\n    credentials: {env: A}\n"
    assert found(tmp_path, "", wrong) == [
        "4:5: unknown-key the key `credentials` is not known here (did you mean `credential`?)"
    ]
    unknown = "clusters:\n  a: {kubeconfig: k, network: ofice}\n"
    assert found(tmp_path, NETWORK, unknown) == [
        "2:31: unknown-network there is no network called ofice (did you mean office?)"
    ]
    (tmp_path / "config" / "stage_profile.yaml").write_text(unknown.replace("ofice", "office"))
    assert "connect" in load_profile(find_workspace(tmp_path)).domains["a"].fixes


@pytest.mark.parametrize("value", ['"glpat-s3cret"', '{env = "A", file = "glpat-s3cret"}', "{}", '["glpat-s3cret"]'])
def test_a_secret_that_stands_in_the_file_is_not_shown(tmp_path: Path, value: str) -> None:
    """Only where it stands, and what may stand there instead; so in every form."""
    for before in ('[services.gitlab]\nurl = "https://g"', "[domains.mine.settings]\na = 1"):
        (finding,) = findings(tmp_path, f"{before}\ncredential = {value}")
        assert (finding.code, finding.place.line, finding.place.column) == ("secret-here", 4, 14)
        assert "glpat" not in str(finding)
        assert "by exactly one of env, file, keyring and command" in finding.message


@pytest.mark.parametrize(
    "url", ["https://ann:s3cret@g.example", "https://g.example/?private_token=s3cret", "https://g.example/#s3cret"]
)
def test_an_address_has_no_secret_in_it(tmp_path: Path, url: str) -> None:
    """It would be shown wherever the address is; and what stands behind it would swallow every path."""
    for before in ("[services.gitlab]", "[clusters.stage]\ntoken_file = 't'", "[services.google_calendar]"):
        (finding,) = findings(tmp_path, f"{before}\nurl = '{url}'")
        assert finding.code == "secret-here"
        assert "s3cret" not in str(finding)


@pytest.mark.parametrize(
    ("written", "place", "hint"),
    [
        ('[services.jira]\nurl = "https://j"\ntoken = "s3cret"', "4:1", '`credential = {env = "NAME"}` says where'),
        ('[services.jira]\nurl = "https://j"\ncredentials = "s3cret"', "4:1", "did you mean `credential`?"),
        ('[services.jira]\nurl = "https://j"\ncredential = {token = "s3cret"}', "4:15", "may stand here: env, file"),
        ('[services.jira]\nurl = "https://j"\ncredential = {env = "s3cret-of-ann"}', "4:21", ""),
        ('[clusters.stage]\nkubeconfig = "k"\ntoken = "s3cret"', "4:1", "`token_file` names the file"),
        ('[networks.a]\nprobe = "a:1"\nconnect.command = ["x"]\npassword = "s3cret"', "5:12", "write {env = "),
    ],
)
def test_a_secret_under_another_key_is_not_shown_either(tmp_path: Path, written: str, place: str, hint: str) -> None:
    """The key that people write first, a misspelt one, and the token where its variable's name belongs."""
    (finding,) = findings(tmp_path, written)
    assert (finding.code, f"{finding.place.line}:{finding.place.column}") == ("secret-here", place)
    assert hint in finding.hint
    assert "s3cret" not in str(finding)


def test_a_form_of_a_reference_that_is_misspelt_is_told_with_those_there_are(tmp_path: Path) -> None:
    """What is in it may not be what it seems, but its key is known to be none."""
    (told,) = found(tmp_path, '[services.gitlab]\nurl = "https://g"\ncredential = {fil = "x"}')
    assert told == "4:15: unknown-key the key `fil` is not known here (did you mean `file`?)"
