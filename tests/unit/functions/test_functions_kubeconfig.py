"""Kubeconfigs as kubectl writes them: tokens, certificates made by openssl, exec plug-ins that are real programs."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from engine import Engine
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.kubeconfig import kubeconfig_expiry, load_kubeconfig
from tool_registry.functions.moments import certificate_end, jwt_end, moment
from tool_registry.tool import ToolError

PLUGIN = """#!/bin/sh
test -n "$KUBERNETES_EXEC_INFO" || exit 9
test "$REGION" = here || exit 8
echo '{"kind": "ExecCredential", "status": STATUS}'
"""


def jwt(**claims: Any) -> str:
    """A token with these claims, signed by nobody."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "sig"])


def write(folder: Path, user: Mapping[str, Any], *, name: str = "config") -> Path:
    """A kubeconfig with this user in its current context."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "ephemeral",
        "contexts": [
            {"name": "stage", "context": {"cluster": "s", "user": "nobody"}},
            {"name": "ephemeral", "context": {"cluster": "e", "user": "ann"}},
        ],
        "users": [{"name": "nobody", "user": {}}, {"name": "ann", "user": dict(user)}],
    }
    path = folder / name
    path.write_text(json.dumps(config))
    return path


def certificate(folder: Path, days: int) -> bytes:
    """A certificate that openssl made, in PEM."""
    if which("openssl") is None:
        pytest.skip("openssl is not installed")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=ann/O=group", "-days", str(days), "-keyout", str(folder / "key.pem")]
    subprocess.run([*words, "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    return (folder / "cert.pem").read_bytes()


def openssl(*words: str, given: bytes) -> bytes:
    """What openssl says of a certificate."""
    return subprocess.run(["openssl", "x509", *words], input=given, check=True, capture_output=True).stdout


def kubectl_config(path: Path, *words: str) -> None:
    """Lets kubectl write into a kubeconfig."""
    if which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    subprocess.run(["kubectl", "--kubeconfig", str(path), "config", *words], check=True, capture_output=True)


async def test_a_token_ends_when_it_says_so(contexts: Contexts, tmp_path: Path, secrets: list[Any]) -> None:
    """By its `exp`; the token itself is masked, and never given back."""
    token = jwt(sub="ann", exp=4_000_000_000)
    found = await kubeconfig_expiry(contexts(), kubeconfig=str(write(tmp_path, {"token": token})))
    assert (found["source"], found["user"], found["expires_at"], found["ok"]) == ("token", "ann", 4e9, True)
    assert secrets == [token]
    assert token not in json.dumps(found)


async def test_a_token_that_does_not_tell_its_end_is_there_all_the_same(contexts: Contexts, tmp_path: Path) -> None:
    """A service account's old token, or OpenShift's `sha256~...`; and one that lies in a file beside."""
    write(tmp_path, {"token": "sha256~opaque"})
    found = await kubeconfig_expiry(contexts({"kubeconfig": "config"}))
    assert (found["ok"], found["expires_at"], found["expires_in"]) == (True, None, None)
    (tmp_path / "token").write_text(jwt(exp=2_000_000_000) + "\n")
    write(tmp_path, {"tokenFile": "token"})
    assert (await kubeconfig_expiry(contexts({"kubeconfig": "config"})))["expires_at"] == 2e9


@pytest.mark.parametrize("inline", [True, False])
async def test_a_client_certificate_ends_as_openssl_made_it(contexts: Contexts, tmp_path: Path, inline: bool) -> None:
    """In the file itself, or in one beside it; openssl is asked when that is."""
    pem = certificate(tmp_path, 3)
    data = {"client-certificate-data": base64.b64encode(pem).decode()}
    write(tmp_path, data if inline else {"client-certificate": "cert.pem"})
    found = await kubeconfig_expiry(contexts(KUBECONFIG=str(tmp_path / "config")))
    said = openssl("-enddate", "-noout", "-dateopt", "iso_8601", given=pem).decode().strip().removeprefix("notAfter=")
    assert (found["source"], found["expires_at"]) == ("certificate", moment(said.replace(" ", "T", 1)))
    assert certificate_end(openssl("-outform", "DER", given=pem)) == found["expires_at"]


@pytest.mark.parametrize(
    ("status", "ends"),
    [
        ({"token": "t", "expirationTimestamp": "2033-05-18T03:33:20Z"}, 2e9),
        ({"token": jwt(exp=1_999_999_999)}, 1_999_999_999.0),
        ({"token": "opaque"}, None),
    ],
)
async def test_a_plug_in_is_run_as_kubectl_runs_it(
    contexts: Contexts, tmp_path: Path, status: dict[str, Any], ends: float | None
) -> None:
    """With its own environment and without a terminal; a relative one is found from the kubeconfig."""
    plugin = tmp_path / "get-token"
    plugin.write_text(PLUGIN.replace("STATUS", json.dumps(status)))
    plugin.chmod(0o755)
    described = {"command": "./get-token", "env": [{"name": "REGION", "value": "here"}], "apiVersion": "v1"}
    path = write(tmp_path, {"exec": described})
    found = await kubeconfig_expiry(contexts(), kubeconfig=str(path))
    assert (found["source"], found["ok"], found["expires_at"]) == ("exec", True, ends)
    described["env"] = []
    write(tmp_path, {"exec": described})
    found = await kubeconfig_expiry(contexts(), kubeconfig=str(path))
    assert (found["ok"], found["message"]) == (False, "./get-token ended with status 8: it said nothing")


async def test_a_plug_in_that_wants_a_terminal_is_not_asked(contexts: Contexts, tmp_path: Path) -> None:
    """Nobody would see its question."""
    path = write(tmp_path, {"exec": {"command": "login", "interactiveMode": "Always"}})
    with pytest.raises(ToolError, match="wants a terminal") as caught:
        await kubeconfig_expiry(contexts(), kubeconfig=str(path))
    assert caught.value.kind == "configuration_error"


async def test_where_there_is_nothing_nothing_is_there(contexts: Contexts, tmp_path: Path) -> None:
    """No file, no such context, a user without credentials."""
    path = write(tmp_path, {})
    said = {
        (tmp_path / "none", ""): f"there is no file {tmp_path / 'none'}",
        (path, "no-such"): f"{path} has no context no-such; it has stage, ephemeral",
        (path, "stage"): "it holds no credentials",
        (path, ""): "it holds no credentials",
    }
    for (wanted, name), message in said.items():
        found = await kubeconfig_expiry(contexts(), kubeconfig=str(wanted), context_name=name)
        assert (found["ok"], found["source"], found["expires_at"]) == (False, "none", None)
        assert found["message"] == message


async def test_an_identity_provider_and_a_password_are_known_too(contexts: Contexts, tmp_path: Path) -> None:
    """The id token of the old OIDC plug-in ends; a password does not tell."""
    provider = {"auth-provider": {"name": "oidc", "config": {"id-token": jwt(exp=2_000_000_000)}}}
    path = write(tmp_path, provider)
    assert (await kubeconfig_expiry(contexts(), kubeconfig=str(path)))["expires_at"] == 2e9
    write(tmp_path, {"username": "ann", "password": "p"})
    assert (await kubeconfig_expiry(contexts(), kubeconfig=str(path)))["source"] == "password"


async def test_yaml_is_read_by_the_engine(tmp_path: Path) -> None:
    """What kubectl writes is YAML; a run has a reader for it, and what it reads is what kubectl reads."""
    path = tmp_path / "kubeconfig"
    kubectl_config(path, "set-credentials", "ann", f"--token={jwt(exp=2_000_000_000)}")
    kubectl_config(path, "set-context", "ephemeral", "--user=ann", "--cluster=e")
    kubectl_config(path, "use-context", "ephemeral")
    assert "current-context: ephemeral" in path.read_text()
    async with Engine.open(tmp_path, home=tmp_path / "home") as engine:
        context = engine.context(domain=None, run_id="r", step="s", timeout=10)
        output = await engine.registry.call("kubeconfig_expiry", {"kubeconfig": str(path)}, context)
    assert (output.value["user"], output.value["expires_at"]) == ("ann", 2e9)


@pytest.mark.parametrize("text", ["", "a.b.c", "....", "a", "é.é.é", jwt(), jwt(exp="soon"), jwt(exp=float("inf"))])
def test_what_is_no_token_ends_never(text: str) -> None:
    """Nothing is guessed."""
    assert jwt_end(text) is None


@pytest.mark.parametrize(
    "text", [b"", b"0", b"\x30\x82", b"\x30\x84\xff\xff\xff\xff", b"-----BEGIN CERTIFICATE-----\n!"]
)
def test_what_is_no_certificate_ends_never(text: bytes) -> None:
    """Cut off, empty, not base64: none of it breaks the look."""
    assert certificate_end(text) is None


def test_moments_are_read_as_they_are_written() -> None:
    """RFC 3339, a day, numbers; everything else is none."""
    assert moment("1970-01-01T00:01:00Z") == moment("1970-01-01T01:01:00+01:00") == moment(60) == 60.0
    assert moment("1970-01-02") == 86_400.0
    assert {moment("soon"), moment(None), moment(True), moment(float("nan"))} == {None}


async def test_of_several_files_the_first_that_says_a_thing_counts(contexts: Contexts, tmp_path: Path) -> None:
    """As for kubectl, which is asked too; a missing one is left out, and what one names lies beside it."""
    ends = {"second": 2_100_000_000, "first": 2_000_000_000}
    for name, end in ends.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(jwt(exp=end))
        path = write(tmp_path / name, {"tokenFile": "token"})
        path.write_text(path.read_text().replace("stage", f"stage-of-{name}").replace("nobody", name))
        config = json.loads(path.read_text())
        config["users"][0]["user"] = {"tokenFile": "token"}
        path.write_text(json.dumps(config))
    files = ":".join(str(tmp_path / name / "config") for name in ("gone", *ends))
    for named, whose in (("", "second"), ("stage-of-first", "first"), ("stage-of-second", "second")):
        found = await kubeconfig_expiry(contexts(KUBECONFIG=files), context_name=named)
        assert found["expires_at"] == ends[whose]
    if which("kubectl"):
        said = seen_by_kubectl(tmp_path, files)
        config, _ = load_kubeconfig("", contexts(KUBECONFIG=files))
        assert said["current-context"] == config["current-context"]
        for section in ("users", "contexts"):
            assert {one["name"] for one in said[section]} == {one["name"] for one in config[section]}


def seen_by_kubectl(home: Path, files: str) -> Any:
    """What kubectl makes of several files."""
    words = ["kubectl", "config", "view", "--raw", "-o", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": files}
    return json.loads(subprocess.run(words, check=True, capture_output=True, env=environment).stdout)
