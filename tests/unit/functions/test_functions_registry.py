"""The registry family against Debian's docker-registry: open, with a login, with tokens, with TLS."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.heal.detect import diagnose
from engine.model.failure import Evidence, Failure
from tests.servers.registry import LABELS, PASSWORD, USER, Registry, certificate, put_index, registry
from tests.servers.registry_tokens import token_registry
from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tool_registry.functions.registry_contents import quay_check_image_exists, quay_get_manifest, quay_list_tags
from tool_registry.functions.registry_images import quay_get_tag
from tool_registry.functions.registry_logins import registry_login
from tool_registry.tool import ToolError

SHA = 40 * "a"


def kind_of(error: ToolError) -> str:
    """What the engine makes of it, without a pattern."""
    evidence = Evidence(declared=error.kind, http_status=error.http_status, errno=error.errno, text=error.output)
    return diagnose(Failure(message=error.message, evidence=evidence), ()).kind.value


@pytest.fixture(scope="module")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that asks nobody, with three tags."""
    with registry(tmp_path_factory.mktemp("open")) as made:
        made.push(f"demo/shop:{SHA}")
        made.push("demo/shop:v2", text="a bigger shop")
        made.push("demo/other:v1", labels={"team": "stock"}, text="a store")
        yield made


@pytest.fixture(scope="module")
def locked_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants a name and a password."""
    with registry(tmp_path_factory.mktemp("locked"), login=True) as made:
        made.push("demo/shop:v1")
        yield made


async def test_a_digest_is_the_one_that_skopeo_tells(open_registry: Registry, contexts: Contexts) -> None:
    """By three tools, and the same that the layout had."""
    context = contexts({"url": open_registry.url})
    told = open_registry.images[f"demo/shop:{SHA}"]
    assert (await quay_get_tag("demo/shop", SHA, context)).value["digest"] == told
    assert (await quay_check_image_exists("demo/shop", SHA, context))["digest"] == told
    assert (await quay_get_manifest("demo/shop", SHA, context))["digest"] == told
    assert (await quay_get_manifest("demo/shop", told, context))["digest"] == told


async def test_a_manifest_is_read_with_what_its_configuration_says(open_registry: Registry, contexts: Contexts) -> None:
    """Labels, platform and layers are those that skopeo shows."""
    found = await quay_get_manifest("demo/shop", "v2", contexts({"url": open_registry.url}))
    address = f"docker://{open_registry.host}/demo/shop:v2"
    shown = json.loads(open_registry.skopeo("inspect", "--tls-verify=false", address))
    assert found["labels"] == shown["Labels"] == LABELS
    assert found["platform"] == f"{shown['Os']}/{shown['Architecture']}"
    assert [layer["digest"] for layer in found["layers"]] == shown["Layers"]
    assert (found["created"], found["platforms"], found["index_digest"]) == ("2026-01-02T09:00:00Z", [], "")


async def test_of_several_platforms_the_wanted_one_is_read(open_registry: Registry, contexts: Contexts) -> None:
    """One name, two images; the digest is that of the image, and the list's stands beside it."""
    one, other = open_registry.push("demo/many:one"), open_registry.push("demo/many:other", text="for arm")
    put_index(open_registry, "demo/many", "all", {"linux/amd64": one, "linux/arm64": other})
    context = contexts({"url": open_registry.url})
    found = await quay_get_manifest("demo/many", "all", context, platform="linux/arm64")
    assert (found["digest"], found["index_digest"]) == (other, open_registry.digest("demo/many:all"))
    assert (await quay_get_manifest("demo/many", "all", context))["digest"] == one


async def test_tags_are_listed_and_cut_at_the_limit(open_registry: Registry, contexts: Contexts) -> None:
    """In the registry's order; `truncated` says that there are more."""
    context = contexts({"url": open_registry.url})
    everything = await quay_list_tags("demo/shop", context)
    shown = json.loads(
        open_registry.skopeo("list-tags", "--tls-verify=false", f"docker://{open_registry.host}/demo/shop")
    )
    assert everything["tags"] == shown["Tags"]
    assert (everything["count"], everything["truncated"]) == (2, False)
    first = await quay_list_tags("demo/shop", context, limit=1)
    assert (first["tags"], first["truncated"]) == (everything["tags"][:1], True)


async def test_a_registry_can_be_named_with_the_repository(open_registry: Registry, contexts: Contexts) -> None:
    """As podman writes it; no domain is needed then."""
    found = await quay_check_image_exists(f"{open_registry.host}/demo/shop", "v2", contexts())
    assert found["exists"] is True


async def test_what_is_not_there_is_an_answer_or_a_failure_as_declared(
    open_registry: Registry, contexts: Contexts
) -> None:
    """`manifest unknown` and `name unknown`, in the registry's own words."""
    context = contexts({"url": open_registry.url})
    asked = await quay_get_tag("demo/shop", 40 * "b", context)
    assert (asked.found, asked.value["reason"]) == (False, "manifest unknown")
    exists = await quay_check_image_exists("demo/shop", "v9", context)
    assert (exists["exists"], exists["reason"]) == (False, "manifest unknown")
    nowhere = await quay_list_tags("demo/nowhere", context)
    assert (nowhere["found"], nowhere["tags"]) == (False, [])
    with pytest.raises(ToolError, match="demo/shop:v9: manifest unknown") as caught:
        await quay_get_manifest("demo/shop", "v9", context)
    assert (kind_of(caught.value), caught.value.details["code"]) == ("image_not_found", "MANIFEST_UNKNOWN")


async def test_a_login_is_wanted_kept_and_then_enough(
    locked_registry: Registry, contexts: Contexts, tmp_path: Path, secrets: list[Any]
) -> None:
    """401, then login, then success; skopeo reads what was kept, and the password stands in no message."""
    kept = tmp_path / "logins" / "auth.json"
    settings = {
        "url": locked_registry.url,
        "username": USER,
        "credential": {"env": "SHOP_PASSWORD"},
        "auth_file": str(kept),
    }
    context = contexts(settings, SHOP_PASSWORD=PASSWORD)
    with pytest.raises(ToolError) as caught:
        await quay_get_manifest("demo/shop", "v1", context)
    assert (caught.value.http_status, kind_of(caught.value)) == (401, "auth_expired")
    assert caught.value.details["code"] == "UNAUTHORIZED"
    done = await registry_login(context)
    assert done == {"registry": locked_registry.host, "user": USER, "auth_file": str(kept), "changed": True}
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    told = await quay_get_manifest("demo/shop", "v1", context)
    address = f"docker://{locked_registry.host}/demo/shop:v1"
    words = ("inspect", "--tls-verify=false", "--format={{.Digest}}", address)
    assert locked_registry.skopeo(*words, auth_file=kept).strip() == told["digest"]
    assert PASSWORD in secrets


async def test_a_second_login_changes_nothing(locked_registry: Registry, contexts: Contexts, tmp_path: Path) -> None:
    """It says so, the file stays as it is, and the logins of other registries stay in it."""
    kept = tmp_path / "auth.json"
    kept.write_text(json.dumps({"auths": {"quay.example": {"auth": "eDp5"}}, "credHelpers": {"a.example": "b"}}))
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    settings = {
        "url": locked_registry.url,
        "username": USER,
        "credential": {"file": "password"},
        "auth_file": str(kept),
    }
    context = contexts(settings)
    assert (await registry_login(context))["changed"] is True
    before = (kept.read_bytes(), kept.stat().st_mtime_ns)
    assert (await registry_login(context))["changed"] is False
    assert (kept.read_bytes(), kept.stat().st_mtime_ns) == before
    assert set(json.loads(kept.read_text())["auths"]) == {"quay.example", locked_registry.host}
    assert json.loads(kept.read_text())["credHelpers"] == {"a.example": "b"}


async def test_a_wrong_password_is_refused_and_not_kept(
    locked_registry: Registry, contexts: Contexts, tmp_path: Path
) -> None:
    """The registry says 401, the file is not written, and the message does not say what was tried."""
    kept = tmp_path / "auth.json"
    settings = {"url": locked_registry.url, "username": USER, "credential": {"env": "WRONG"}, "auth_file": str(kept)}
    with pytest.raises(ToolError, match="does not accept the configured login of ann") as caught:
        await registry_login(contexts(settings, WRONG="nothing-like-it"))
    assert (kind_of(caught.value), kept.exists()) == ("auth_expired", False)
    assert "nothing-like-it" not in f"{caught.value.message}{caught.value.details}{caught.value.output}"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "configuration_error"),
        ({"username": "ann"}, "configuration_error"),
        ({"username": "ann", "credential": {"env": "NOT_SET"}}, "environment_variable"),
        ({"username": "ann", "credential": {"file": "nowhere"}}, "configuration_error"),
        ({"username": "ann", "credential": {"env": "HOME"}, "url": "http://registry.example"}, "configuration_error"),
    ],
)
async def test_a_login_that_cannot_be_tried_says_what_is_missing(
    contexts: Contexts, settings: dict[str, Any], kind: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ToolError) as caught:
        await registry_login(contexts({"url": "http://127.0.0.1:9", **settings}))
    assert (caught.value.kind, caught.value.sent) == (kind, False)


async def test_the_password_is_shown_to_no_other_registry(contexts: Contexts) -> None:
    """A caller cannot make the domain's password go elsewhere."""
    context = contexts({"url": "http://127.0.0.1:9", "username": "ann", "credential": {"env": "PW"}}, PW="x")
    with pytest.raises(ToolError, match=r"is not shown to quay\.example") as caught:
        await registry_login(context, registry="quay.example")
    assert caught.value.sent is False


async def test_a_token_is_got_where_the_registry_wants_one(contexts: Contexts, tmp_path: Path) -> None:
    """In the name of the kept login; without one there is a 401, as there is with a wrong one."""
    with token_registry(tmp_path / "r") as (made, tokens):
        digest = made.push("demo/shop:v1")
        tokens.asked.clear()
        context = contexts({"url": made.url, "auth_file": str(made.auth_file())})
        assert (await quay_get_manifest("demo/shop", "v1", context))["digest"] == digest
        assert tokens.asked[0] == "repository:demo/shop:pull with login"
        nobody = contexts({"url": made.url, "auth_file": "none.json"})
        with pytest.raises(ToolError) as caught:
            await quay_check_image_exists("demo/shop", "v1", nobody)
        assert (caught.value.http_status, kind_of(caught.value)) == (401, "auth_expired")
        login = {"url": made.url, "username": USER, "credential": {"env": "PW"}, "auth_file": "kept.json"}
        assert (await registry_login(contexts(login, PW=PASSWORD)))["changed"] is True
        assert (await quay_check_image_exists("demo/shop", "v1", contexts(login)))["digest"] == digest


async def test_what_a_login_does_not_allow_is_no_matter_of_logging_in(contexts: Contexts, tmp_path: Path) -> None:
    """The token is good and allows nothing: permission denied, so that nobody logs in again in vain."""
    with token_registry(tmp_path / "r") as (made, tokens):
        made.push("demo/shop:v1")
        tokens.grants = False
        with pytest.raises(ToolError, match="may not read demo/shop") as caught:
            await quay_get_manifest("demo/shop", "v1", contexts({"url": made.url, "auth_file": str(made.auth_file())}))
    assert kind_of(caught.value) == "permission_denied"


async def test_an_anonymous_token_is_enough_for_what_is_public(contexts: Contexts, tmp_path: Path) -> None:
    """As on Docker Hub and quay.io."""
    with token_registry(tmp_path / "r", anonymous=True) as (made, tokens):
        digest = made.push("demo/shop:v1")
        tokens.asked.clear()
        found = await quay_check_image_exists("demo/shop", "v1", contexts({"url": made.url, "auth_file": "none.json"}))
    assert (found["digest"], tokens.asked) == (digest, ["repository:demo/shop:pull without login"])


async def test_a_certificate_that_nobody_vouches_for_is_a_matter_of_tls(contexts: Contexts, tmp_path: Path) -> None:
    """Never a login; with the authority that the domain names it is good."""
    pair = certificate(tmp_path / "tls")
    with registry(tmp_path / "r", tls=pair) as made:
        digest = made.push("demo/shop:v1")
        with pytest.raises(ToolError) as caught:
            await quay_check_image_exists("demo/shop", "v1", contexts({"url": made.url}))
        assert (kind_of(caught.value), caught.value.sent) == ("tls", False)
        trusting = contexts({"url": made.url, "ca_file": str(pair[0])})
        assert (await quay_check_image_exists("demo/shop", "v1", trusting))["digest"] == digest
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "words").write_text("trust everybody")
        for name in ("pipe", "words", "none", "."):
            odd = contexts({"url": made.url, "ca_file": str(tmp_path / name)})
            with pytest.raises(ToolError, match="the certificate authority") as refused:
                await quay_check_image_exists("demo/shop", "v1", odd)
            assert (refused.value.kind, refused.value.sent) == ("configuration_error", False)
        with pytest.raises(ToolError) as plain:
            await quay_list_tags("demo/shop", contexts({"url": made.url.replace("https", "http")}))
        assert plain.value.http_status == 400


async def test_a_registry_that_nobody_answers_at_refuses_the_connection(contexts: Contexts, tmp_path: Path) -> None:
    """After its process was killed."""
    with registry(tmp_path / "r") as made:
        pass
    with pytest.raises(ToolError) as caught:
        await quay_list_tags("demo/shop", contexts({"url": made.url}))
    assert (caught.value.errno, caught.value.sent) == ("ECONNREFUSED", False)


async def test_reading_leaves_a_registry_as_it_is(open_registry: Registry, contexts: Contexts) -> None:
    """Every file it keeps is the same after every read, those that fail too."""
    context = contexts({"url": open_registry.url})
    before = _files(open_registry.folder / "images")
    await quay_get_tag("demo/shop", SHA, context)
    await quay_check_image_exists("demo/shop", "v9", context)
    await quay_list_tags("demo/shop", context)
    await quay_get_manifest("demo/shop", "v2", context)
    assert _files(open_registry.folder / "images") == before


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


async def test_pages_are_followed_on_the_same_server_only(contexts: Contexts) -> None:
    """A registry that pages (Debian's does not) is asked for the next page, and never led to another server."""
    pages = [
        Answer(body={"tags": ["a", "b"]}, headers={"Link": '</v2/demo/shop/tags/list?last=b&n=2>; rel="next"'}),
        Answer(body={"tags": ["c"]}),
        Answer(body={"tags": ["a"]}, headers={"Link": '<http://127.0.0.1:9/v2/x>; rel="next"'}),
    ]
    with StandIn({"GET /v2/demo/shop/tags/list": pages}) as server:
        context = contexts({"url": server.url})
        assert (await quay_list_tags("demo/shop", context))["tags"] == ["a", "b", "c"]
        assert server.asked[1].path == "/v2/demo/shop/tags/list?last=b&n=2"
        with pytest.raises(ToolError, match="another server") as caught:
            await quay_list_tags("demo/shop", context)
    assert caught.value.kind == "api_contract_mismatch"


async def test_pages_without_an_end_are_left(contexts: Contexts) -> None:
    """Fifty of them, and the list says that there are more."""
    again = Answer(body={"tags": ["a"]}, headers={"Link": '</v2/demo/shop/tags/list?last=a>; rel="next"'})
    with StandIn({"GET /v2/demo/shop/tags/list": again}) as server:
        found = await quay_list_tags("demo/shop", contexts({"url": server.url}))
    assert (found["tags"], found["truncated"], len(server.asked)) == (["a"], True, 50)


@pytest.mark.parametrize("name", ["../../api", "demo/../x", "Demo/shop", "demo//shop", "quay.io/"])
async def test_a_name_that_is_none_is_refused(contexts: Contexts, name: str) -> None:
    """Before anything is asked, so that no other address of the server is reached by it."""
    with StandIn({}) as server, pytest.raises(ToolError) as caught:
        await quay_list_tags(name, contexts({"url": server.url}))
    assert (caught.value.kind, server.asked) == ("usage_error", [])
