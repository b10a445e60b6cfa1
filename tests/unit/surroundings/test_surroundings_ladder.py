"""The ladder is climbed by reading files and variables; nothing is asked, and no secret leaves its place."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.outcome import ToolCall
from engine.surroundings.found import Asked, Asking, Find, Rung
from engine.surroundings.gitlabs import gitlabs, projects
from engine.surroundings.kubeconfigs import MOST, cluster_name, contexts
from engine.surroundings.ladder import Written, climbed, missing
from engine.surroundings.lines import headed, lines_of, toml
from engine.surroundings.machine import Machine
from engine.surroundings.registries import registries

CLUSTER = "clusters: [{name: c, cluster: {server: 'https://api.stage.example:6443'}}]\n"


def machine(home: Path, **variables: str) -> Machine:
    """A machine with this home and environment, and nothing on its PATH."""
    return Machine.of({"HOME": str(home), "PATH": str(home / "bin"), **variables}, home / "work")


def write(path: Path, text: str) -> Path:
    """Writes a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def config(*names: str, current: str = "") -> str:
    """A kubeconfig with these contexts."""
    told = ", ".join(f"{{name: {json.dumps(name)}, context: {{cluster: c, user: u}}}}" for name in names)
    return f"current-context: {json.dumps(current)}\n{CLUSTER}contexts: [{told}]\n"


def test_an_empty_machine_has_the_local_profile_only_where_git_is(tmp_path: Path) -> None:
    """And says what would stand on each other rung."""
    (found,) = climbed(machine(tmp_path), Written(domains={}))
    assert (found.rung, found.ok, found.hint) == (Rung.LOCAL, False, "install git")
    assert [rung for rung, _ in missing((found,))] == [Rung.PODMAN, Rung.KUBECONFIG, Rung.REGISTRY, Rung.GITLAB]


def test_contexts_come_current_first_and_from_every_file(tmp_path: Path) -> None:
    """KUBECONFIG names two files; a third that is not there is none."""
    one = write(tmp_path / "one", config("a", "b", current="b"))
    two = write(tmp_path / "two", config("c"))
    found = list(contexts(machine(tmp_path, KUBECONFIG=f"{one}:{tmp_path / 'gone'}:{two}")))
    assert [each.lines for each in found] == [
        {"clusters": {name: {"kubeconfig": f"~/{file}", "context": name}}}
        for name, file in (("b", "one"), ("a", "one"), ("c", "two"))
    ]


def test_of_many_contexts_the_first_are_asked_and_the_rest_counted(tmp_path: Path) -> None:
    """Somebody with fifty contexts does not log in fifty times."""
    write(tmp_path / ".kube" / "config", config(*(f"c{number}" for number in range(20))))
    found = list(contexts(machine(tmp_path)))
    assert len(found) == MOST + 1
    assert found[-1].told == "and 12 more contexts, which were not asked"
    assert found[-1].asking is None


def test_a_login_that_runs_a_program_is_not_tried_unasked(tmp_path: Path) -> None:
    """Many of them open a browser; the lines are told all the same."""
    users = "users: [{name: u, user: {exec: {command: /usr/local/bin/kubelogin, args: [get-token]}}}]\n"
    write(tmp_path / ".kube" / "config", config("stage") + users)
    (found,) = contexts(machine(tmp_path))
    assert found.asking is None
    assert found.told.endswith("not asked, since its login runs kubelogin")
    assert found.lines


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("stage", "stage"),
        ("default/api-stage-example:6443/ann", "api-stage-example"),
        ("arn:aws:eks:eu:1:cluster/shop", "arn"),
        ("12", "cluster-12"),
        ("...", "cluster"),
        ("ünï code", "n-code"),
    ],
)
def test_a_context_becomes_a_name_that_a_cluster_can_have(context: str, name: str) -> None:
    """Letters, digits, _ and -, beginning with a letter."""
    assert cluster_name(context) == name


def test_no_cluster_is_called_like_a_service_or_another_one(tmp_path: Path) -> None:
    """It would be the same domain."""
    write(tmp_path / ".kube" / "config", config("gitlab", "ephemeral", "x/a", "x a", "mine"))
    found = contexts(machine(tmp_path), ["mine"])
    names = [name for each in found for name in each.lines["clusters"]]
    assert names == ["gitlab-2", "ephemeral-2", "x-a", "x-a-2", "mine-2"]


def test_logins_of_every_file_are_found_once(tmp_path: Path) -> None:
    """Podman before docker; Docker Hub by the name of its registry; plain HTTP on this machine only."""
    write(tmp_path / ".config/containers/auth.json", json.dumps({"auths": {"images.example/team": {"auth": "eA=="}}}))
    kept = {"auths": {"https://index.docker.io/v1/": {}, "images.example": {}}, "credHelpers": {"127.0.0.1:5000": "x"}}
    write(tmp_path / ".docker/config.json", json.dumps(kept))
    found = list(registries(machine(tmp_path)))
    hub = "registry-1.docker" + ".io"
    assert [each.lines["services"]["registry"]["url"] for each in found] == [
        "https://images.example",
        f"https://{hub}",
        "http://127.0.0.1:5000",
    ]


def test_a_file_of_logins_elsewhere_is_named_in_the_lines(tmp_path: Path) -> None:
    """Where the tools would not look by themselves."""
    path = write(tmp_path / "ci" / "auth.json", json.dumps({"auths": {"images.example": {}}}))
    (found,) = registries(machine(tmp_path, REGISTRY_AUTH_FILE=str(path)))
    assert found.lines["services"]["registry"]["auth_file"] == "~/ci/auth.json"


def test_a_token_is_for_the_server_that_the_environment_names(tmp_path: Path) -> None:
    """By reference, with the project of the remote at the same host."""
    write(tmp_path / "work/.git/config", '[remote "origin"]\n\turl = git@code.example:shop/team/web.git\n')
    (found,) = gitlabs(machine(tmp_path, GITLAB_TOKEN="glpat-1", GITLAB_HOST="code.example"))
    told = {"url": "https://code.example", "project": "shop/team/web", "credential": {"env": "GITLAB_TOKEN"}}
    assert found.lines == {"services": {"gitlab": told}}
    assert found.asking is not None
    assert "glpat-1" not in repr(found)


def test_a_token_that_nobody_says_whose_it_is_is_shown_to_nobody(tmp_path: Path) -> None:
    """What is to be done is told, with the host of the remote."""
    write(tmp_path / "work/.git/config", '[remote "origin"]\n\turl = https://code.example/shop/web\n')
    (found,) = gitlabs(machine(tmp_path, GITLAB_TOKEN="glpat-1"))
    assert (found.asking, found.lines) == (None, {})
    assert found.hint == "if it is for code.example: GITLAB_HOST=code.example skill doctor"


def test_a_token_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    """But for this machine itself."""
    (found,) = gitlabs(machine(tmp_path, GITLAB_TOKEN="glpat-1", CI_SERVER_URL="http://code.example"))
    assert (found.asking, found.lines) == (None, {})
    (near,) = gitlabs(machine(tmp_path, GITLAB_TOKEN="glpat-1", CI_SERVER_URL="http://127.0.0.1:8000"))
    assert near.asking is not None


def test_a_login_of_glab_is_asked_of_glab(tmp_path: Path) -> None:
    """Its file is read for the hosts alone; without the program there is nobody to ask."""
    write(
        tmp_path / ".config/glab-cli/config.yml",
        "hosts:\n  code.example:\n    token: !!null glpat-2\n    api_protocol: https\n    api_host: api.code.example\n"
        "  other.example: {user: ann}\n",
    )
    (found,) = gitlabs(machine(tmp_path))
    assert (found.lines, found.hint[:12]) == ({}, "install glab")
    write(tmp_path / "bin" / "glab", "#!/bin/sh\n").chmod(0o755)
    (found,) = gitlabs(machine(tmp_path))
    credential = {"command": ["glab", "config", "get", "token", "--host", "code.example"]}
    assert found.lines == {"services": {"gitlab": {"url": "https://api.code.example", "credential": credential}}}
    assert "glpat-2" not in repr(found)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://ann:secret@code.example:8443/a/b.git", [("code.example", "a/b", "code.example:8443")]),
        ("http://127.0.0.1:8000/a/b.git", [("127.0.0.1", "a/b", "http://127.0.0.1:8000")]),
        ("ssh://git@code.example:22/a/b", [("code.example", "a/b", "code.example")]),
        ("git@code.example:a/b.git", [("code.example", "a/b", "code.example")]),
        ("/srv/git/web.git", []),
        ("https://code.example/web", []),
    ],
)
def test_a_remote_names_host_and_project(tmp_path: Path, url: str, found: list[tuple[str, str, str]]) -> None:
    """However it is written, and never with a password; the port of an SSH server is none of GitLab's."""
    write(tmp_path / ".git/config", f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +refs\n')
    assert list(projects(tmp_path)) == found


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "a: [", "\x00", "hosts: 3", '{"auths": []}', "contexts: {a: 1}", "[" * 50_000]
)
def test_files_that_say_nothing_are_no_rung(tmp_path: Path, text: str) -> None:
    """Whatever stands in them, nothing is raised."""
    for place in (".kube/config", ".docker/config.json", ".config/glab-cli/config.yml", "work/.git/config"):
        write(tmp_path / place, text)
    assert [each.rung for each in climbed(machine(tmp_path), Written(domains={}))] == [Rung.LOCAL]


@pytest.mark.parametrize(
    "place",
    ["https://[::1", "[x", "a b", "https://x:99999999", "$(touch${IFS}x)", "file:///etc", "https://", "\x1b[31m"],
)
def test_what_is_no_address_is_no_server(tmp_path: Path, place: str) -> None:
    """In a file of logins, of glab, of git or in a variable: nothing is raised, and nothing is written of it."""
    write(tmp_path / ".docker/config.json", json.dumps({"auths": {place: {}}}))
    write(tmp_path / ".config/glab-cli/config.yml", json.dumps({"hosts": {place: {"token": "x"}}}))
    write(tmp_path / "bin" / "glab", "#!/bin/sh\n").chmod(0o755)
    write(tmp_path / "work/.git/config", f'[remote "origin"]\n\turl = {place}/team/web\n')
    cluster = f"clusters: [{{name: c, cluster: {{server: {json.dumps(place)}}}}}]\n"
    write(tmp_path / ".kube/config", config("stage").replace(CLUSTER, cluster))
    found = climbed(machine(tmp_path, GITLAB_TOKEN="glpat-1", GITLAB_HOST=place), Written(domains={}))
    assert lines_of([Asked(find=each, ok=None) for each in found]) == {}
    assert "GITLAB_HOST=gitlab.com" in next(each.hint for each in found if each.variable)


def test_a_password_in_an_address_is_neither_shown_nor_written(tmp_path: Path) -> None:
    """Whoever put it there; the rest of the address is what is meant."""
    write(tmp_path / ".docker/config.json", json.dumps({"auths": {"ann:hunter2@images.example": {}}}))
    server = CLUSTER.replace("https://", "https://ann:hunter2@")
    write(tmp_path / ".kube/config", config("stage").replace(CLUSTER, server))
    variables = {
        "GITLAB_TOKEN": "glpat-1",
        "GITLAB_HOST": "https://ann:hunter2@code.example:8443/?private_token=hunter2",
    }
    found = climbed(machine(tmp_path, **variables), Written(domains={}))
    assert "hunter2" not in repr(found)
    urls = [each.lines["services"] for each in found if "services" in each.lines]
    assert [next(iter(each.values()))["url"] for each in urls] == [
        "https://images.example",
        "https://code.example:8443",
    ]


def test_what_is_described_already_is_not_written_twice(tmp_path: Path) -> None:
    """The same cluster under another name; another registry than the one that is used."""
    write(tmp_path / ".kube/config", config("stage"))
    write(tmp_path / ".docker/config.json", json.dumps({"auths": {"images.example": {}}}))
    written = Written(
        domains={
            "mine": {"kubeconfig": "~/.kube/config", "context": "stage"},
            "registry": {"url": "https://other.example"},
            "gitlab": {},
        },
        variables={"GITLAB_TOKEN": "gitlab"},
    )
    found = climbed(machine(tmp_path, GITLAB_TOKEN="x"), written)
    assert [(each.rung, each.used) for each in found[1:]] == [
        (Rung.KUBECONFIG, "mine"),
        (Rung.REGISTRY, ""),
        (Rung.GITLAB, "gitlab"),
    ]
    assert found[-1].told == "a token in GITLAB_TOKEN"
    assert lines_of([Asked(find=each, ok=True) for each in found]) == {}


def find(section: str, name: str, **settings: str) -> Find:
    """Something that was found."""
    asking = Asking(call=ToolCall(tool="echo", args={}))
    return Find(rung=Rung.GITLAB, told="it", lines={section: {name: settings}}, asking=asking)


def test_what_is_refused_is_not_written_but_for_a_cluster() -> None:
    """Its token is renewed by its login; of two of a kind the first that is not refused is taken."""
    asked = [
        Asked(find=find("clusters", "stage", context="a"), ok=False),
        Asked(find=find("services", "gitlab", url="refused"), ok=False),
        Asked(find=find("services", "gitlab", url="silent"), ok=None),
        Asked(find=find("services", "gitlab", url="good"), ok=True),
    ]
    assert lines_of(asked) == {"clusters": {"stage": {"context": "a"}}, "services": {"gitlab": {"url": "silent"}}}


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(WORDS, st.dictionaries(WORDS, VALUES, max_size=4), max_size=3))
def test_lines_say_in_toml_what_was_meant(named: dict[str, dict[str, object]]) -> None:
    """Whatever a context, a host or a path is called."""
    assert tomllib.loads(toml({"clusters": named})).get("clusters", {}) == named
    assert tomllib.loads("\n".join(headed({"clusters": named}, cluster="c")) + "\n").get("clusters", {}) == named
