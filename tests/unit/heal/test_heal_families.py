"""The families of the reference documents, each on a message a real program prints."""

from __future__ import annotations

import pytest

from engine.model.failure import Basis, FailureKind
from tests.unit.heal.shipped import read_as

KUBECTL = "error: You must be logged in to the server (the server has asked for the client to provide credentials)\n"
SKOPEO = (
    'time="2026-01-12T10:45:23Z" level=fatal msg="Error parsing image name \\"docker://localhost:5000/app:74ec56e\\": '
    'reading manifest 74ec56e in localhost:5000/app: manifest unknown"\n'
)
SKOPEO_FULL = (
    "FATA[0000] Error parsing image name: reading manifest 74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091 in "
    "localhost:5000/app: manifest unknown\n"
)
QUAY = (
    "Error: initializing source docker://quay.io/team/app:1: reading manifest 1 in quay.io/team/app: "
    "unauthorized: access to the requested resource is not authorized\n"
)
DOCKER_LOGIN = (
    "Error response from daemon: pull access denied for team/app, repository does not exist or may require "
    "'docker login': denied: requested access to the resource is denied\n"
)


@pytest.mark.parametrize(
    ("text", "kind", "fix"),
    [
        (KUBECTL, FailureKind.AUTH_EXPIRED, "login"),
        ("error: You must be logged in to the server (Unauthorized)\n", FailureKind.AUTH_EXPIRED, "login"),
        ("Error: Unauthorized. The server has asked for the client to provide credentials", "auth_expired", "login"),
        ("oauth2: cannot fetch token: error invalid_grant: token expired", "auth_expired", "login"),
        ("ssh: connect to host 10.0.0.9 port 22: No route to host\n", FailureKind.NETWORK_UNREACHABLE, "connect"),
        ("dial tcp 10.0.0.9:6443: connect: no route to host", FailureKind.NETWORK_UNREACHABLE, "connect"),
        ("curl: (6) Could not resolve host: api.internal\n", FailureKind.DNS_FAILURE, "connect"),
        ("bash: connect: Connection refused\n", FailureKind.CONNECTION_REFUSED, "connect"),
        (QUAY, FailureKind.AUTH_EXPIRED, "registry_login"),
        (DOCKER_LOGIN, FailureKind.AUTH_EXPIRED, "registry_login"),
        ("the input device is not a TTY\n", FailureKind.TTY_REQUIRED, None),
        ("Output is not a TTY. Aborting.\n", FailureKind.TTY_REQUIRED, None),
        ("ERROR: namespace ephemeral-ab12cd is not owned by you\n", FailureKind.PERMISSION_DENIED, None),
        ("Namespace ephemeral-ab12cd owned by jdoe, not releasing", FailureKind.PERMISSION_DENIED, None),
        (SKOPEO, FailureKind.IMAGE_NOT_FOUND, None),
        (SKOPEO_FULL, FailureKind.IMAGE_NOT_FOUND, None),
        ("web-1  0/1  ImagePullBackOff  0  4m\n", FailureKind.IMAGE_NOT_FOUND, None),
        ("fatal: your current branch 'main' does not have any commits yet\n", FailureKind.RESOURCE_NOT_FOUND, None),
        ("pull request create failed: No commits between main and feature-1\n", FailureKind.RESOURCE_NOT_FOUND, None),
        ("error: src refspec feature-1 does not match any\n", FailureKind.RESOURCE_NOT_FOUND, None),
        (
            "error: src refspec fix does not match any\nerror: failed to push some refs to 'forge.example:shop'\n",
            FailureKind.RESOURCE_NOT_FOUND,
            None,
        ),
        ("fatal: The current branch feature-1 has no upstream branch.\n", FailureKind.RESOURCE_NOT_FOUND, None),
        ("fatal: couldn't find remote ref feature-1\n", FailureKind.RESOURCE_NOT_FOUND, None),
    ],
)
def test_reference_family_is_understood(text: str, kind: str, fix: str | None) -> None:
    """Auth, network, registry, terminal, ownership, short SHA, commits and branches are known by their words."""
    found = read_as(text)
    assert (found.kind, found.basis) == (kind, Basis.PATTERN)
    assert found.pattern is not None
    assert found.pattern.fix == fix


def test_short_sha_is_told_from_a_missing_image() -> None:
    """A manifest asked for by a short SHA has its own pattern, a full SHA has not."""
    short, full = read_as(SKOPEO.replace('level=fatal msg="', "")), read_as(SKOPEO_FULL)
    assert short.pattern is not None
    assert full.pattern is not None
    assert (short.pattern.id, full.pattern.id) == ("image-short-sha", "image-manifest-unknown")


@pytest.mark.parametrize(
    "text",
    [
        "12 passed (401 handled)",
        "fix: 401 handling",
        "tests/test_auth.py::test_unauthorized PASSED",
        "0 timeouts, 0 refused",
        "",
    ],
)
def test_bare_words_mean_nothing(text: str) -> None:
    """A word that could stand in a success is no diagnosis, even when the call did fail."""
    found = read_as(text)
    assert (found.kind, found.confidence) == (FailureKind.UNKNOWN, 0.0)


def test_a_seed_without_texts_is_honestly_unsure() -> None:
    """What was never seen among labelled texts has no confidence, so it can only ask."""
    assert read_as("ERROR: namespace ephemeral-ab12cd is not owned by you\n").confidence == 0.0
