"""The platform of the local profile, as a caller sees it: the real process, asked over HTTP."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.e2e.local_platform_client import Platform, head, repository, running

SERVICE = "web: python -m http.server --bind 127.0.0.1 $PORT\n# health: /\n"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all tests here that leave it as it was."""
    with running(tmp_path_factory.mktemp("platform"), settings={"pool_limit": 50}) as started:
        yield started


def demo_image(platform: Platform, number: int) -> tuple[str, str]:
    """Give the image of a demo merge request and its digest."""
    sha = head(platform.data / "forge" / "demo-shop.git", f"refs/merge-requests/{number}/head")
    found = platform.ask("GET", f"/v2/demo/shop/manifests/{sha}", user=None)
    return f"{urlsplit(platform.url).netloc}/demo/shop", found.headers["Docker-Content-Digest"]


def test_health_and_figures_need_no_login(platform: Platform) -> None:
    """Anybody on this machine may ask how the platform is."""
    health = platform.ask("GET", "/healthz", user=None).value
    assert (health["status"], health["platform"]) == ("ok", "skill-engine local profile")
    assert health["isolation"] in {"namespaces", "process group"}
    assert set(platform.ask("GET", "/metrics.json", user=None).value) == {"logins", "reservations", "requests"}


def test_a_token_says_who_and_until_when(platform: Platform) -> None:
    """A login gives a JWT, the user information repeats what it says, and the login is counted once."""
    before = platform.ask("GET", "/metrics.json", user=None).value["logins"]
    granted = platform.login().value
    claims = json.loads(base64.urlsafe_b64decode(granted["access_token"].split(".")[1] + "=="))
    info = platform.send("GET", "/oauth/userinfo", None, {"Authorization": f"Bearer {granted['access_token']}"}).value
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)
    assert {"iss", "sub", "iat", "exp", "jti"} == set(claims)
    assert info == {"sub": "ada", "exp": claims["exp"]}
    assert platform.ask("GET", "/metrics.json", user=None).value["logins"] == before + 1


def test_a_revoked_token_is_401_and_a_new_one_is_not(tmp_path: Path) -> None:
    """By RFC 7009, and it stays revoked after a restart; whatever is no token of ours is none to begin with."""
    with running(tmp_path) as platform:
        form = urlencode({"token": platform.token("ada")}).encode()
        assert platform.send("POST", "/oauth/revoke", form, {}).value == {"revoked": True}
        refused = platform.ask("GET", "/oauth/userinfo")
        assert (refused.status, refused.value["code"], refused.value["reason"]) == (401, "invalid_token", "revoked")
        assert platform.send("POST", "/oauth/revoke", b"token=nonsense", {}).value == {"revoked": False}
        assert platform.send("POST", "/oauth/revoke", b"", {}).status == 400
        old = platform.tokens
    with running(tmp_path) as platform:
        platform.tokens = old
        assert platform.ask("GET", "/oauth/userinfo").status == 401
        platform.tokens = {}
        assert platform.ask("GET", "/oauth/userinfo").status == 200


def test_all_tokens_can_be_revoked_by_the_settings(tmp_path: Path) -> None:
    """Those that were given before a moment; a login after it counts at once."""
    with running(tmp_path) as platform:
        platform.token("ada")
        time.sleep(0.01)
        (tmp_path / "settings.json").write_text(json.dumps({"revoked_before": time.time()}))
        assert platform.ask("GET", "/oauth/userinfo").value["reason"] == "revoked"
        platform.tokens.clear()
        assert platform.ask("GET", "/oauth/userinfo").status == 200


def test_an_expired_token_is_told_with_its_end(tmp_path: Path) -> None:
    """So that whoever explains it need not look."""
    with running(tmp_path, "--token-lifetime", "0.05") as platform:
        platform.token("ada")
        time.sleep(0.1)
        refused = platform.ask("GET", "/oauth/userinfo").value
        assert (refused["reason"], refused["user"]) == ("expired", "ada")
        assert refused["expired_at"] < time.time()


def test_a_registry_may_want_a_login_and_still_deploys(tmp_path: Path) -> None:
    """Without one 401 in the specification's words; with name and secret, or a token, all is as before."""
    with running(tmp_path, settings={"registry_login": True}) as platform:
        sha = head(tmp_path / "forge" / "demo-shop.git", "refs/merge-requests/4/head")
        path = f"/v2/demo/shop/manifests/{sha}"
        words = {}
        for said in ("", "ada:wrong", "ada:secret of ada"):
            login = {"Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"} if said else {}
            words[said] = platform.send("GET", path, None, login)
        assert [reply.status for reply in words.values()] == [401, 401, 200]
        assert words[""].value["errors"][0]["code"] == "UNAUTHORIZED"
        assert words[""].headers["WWW-Authenticate"].startswith("Basic ")
        found = platform.ask("GET", path)
        image = (f"{urlsplit(platform.url).netloc}/demo/shop", found.headers["Docker-Content-Digest"])
        assert platform.deploy(platform.reserve(), image).status == 202


def test_skopeo_logs_in_where_the_registry_wants_it(tmp_path: Path) -> None:
    """A real client's real login; a wrong secret is refused."""
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    with running(tmp_path, settings={"registry_login": True}) as platform:
        host = urlsplit(platform.url).netloc
        login = ["skopeo", "login", "--tls-verify=false", "--authfile", str(tmp_path / "auth.json"), "-u", "ada"]
        tried = [
            subprocess.run(
                [*login, "--password-stdin", host], input=secret, text=True, capture_output=True, check=False
            )
            for secret in ("wrong", "secret of ada")
        ]
        assert [bool(done.returncode) for done in tried] == [True, False]


def test_no_token_a_forged_and_an_expired_one_are_401(tmp_path: Path) -> None:
    """Every way not to be logged in is answered 401 with the challenge of RFC 6750."""
    with running(tmp_path, "--token-lifetime", "0.2") as platform:
        good = platform.token("ada")
        assert platform.ask("GET", "/oauth/userinfo").status == 200
        time.sleep(0.25)
        forged = good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")
        for authorization in ({}, {"Authorization": f"Bearer {forged}"}, {"Authorization": f"Bearer {good}"}):
            refused = platform.send("POST", "/api/namespaces", b'{"duration": 60}', authorization)
            assert (refused.status, refused.value["code"]) == (401, "invalid_token")
            assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
        assert "expired at" in refused.value["error"]


def test_a_wrong_secret_gets_no_token(platform: Platform) -> None:
    """The token endpoint refuses in the words of RFC 6749."""
    refused = platform.login("ada", secret="guessed")
    assert (refused.status, refused.value["error"]) == (401, "invalid_client")
    strange = platform.send("POST", "/oauth/token", b"grant_type=password", {})
    assert (strange.status, strange.value["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/healthz", {"Host": "evil.example"}, 421, "wrong_host"),
        ("GET", "/healthz", {"Host": "127.0.0.1.evil.example"}, 421, "wrong_host"),
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("GET", "/../login/ada.secret", {}, 404, "not_found"),
        ("PUT", "/api/namespaces", {}, 405, "method_not_allowed"),
        ("POST", "/api/namespaces", {"Content-Length": "99999999"}, 413, "too_large"),
        ("POST", "/api/namespaces", {"Transfer-Encoding": "chunked"}, 411, "length_required"),
    ],
)
def test_requests_are_bounded(
    platform: Platform, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """A strange host, path, method or size is refused, and the platform goes on."""
    refused = platform.send(method, path, None, headers)
    assert (refused.status, refused.value["code"]) == (status, code)
    assert platform.ask("GET", "/healthz", user=None).status == 200


@pytest.mark.parametrize(
    ("body", "word"),
    [({}, "duration"), ({"duration": -1}, "duration"), ({"duration": 5, "name": "../x"}, "name"), ([], "object")],
)
def test_a_bad_field_is_named(platform: Platform, body: object, word: str) -> None:
    """What is wrong with a request is said in its sentence."""
    refused = platform.ask("POST", "/api/namespaces", body)
    assert (refused.status, refused.value["code"]) == (400, "bad_request")
    assert word in refused.value["error"]


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not on this machine")
def test_skopeo_agrees_with_the_digest(platform: Platform, tmp_path: Path) -> None:
    """A program that knows the registry protocol reads the image, checks it, and finds the same digest."""
    sha = head(platform.data / "forge" / "demo-shop.git", "refs/merge-requests/4/head")
    address = f"docker://{urlsplit(platform.url).netloc}/demo/shop:{sha}"
    shown = subprocess.run(["skopeo", "inspect", "--tls-verify=false", address], capture_output=True, check=True)
    assert json.loads(shown.stdout)["Digest"] == demo_image(platform, 4)[1]
    copy = ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", address, f"dir:{tmp_path}/copy"]
    subprocess.run(copy, capture_output=True, check=True)
    missing = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", address[:-40] + "0" * 40], capture_output=True, check=False
    )
    assert missing.returncode != 0
    assert b"manifest unknown" in missing.stderr


def test_the_merge_request_that_is_not_built_has_no_image(platform: Platform) -> None:
    """Its tag answers `manifest unknown` and its list of builds is empty; a built one says when."""
    forge = platform.data / "forge" / "demo-shop.git"
    missing, built = (head(forge, f"refs/merge-requests/{number}/head") for number in (1, 4))
    refused = platform.ask("GET", f"/v2/demo/shop/manifests/{missing}", user=None)
    assert (refused.status, refused.value["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")
    assert platform.ask("GET", f"/api/images/builds?name=demo/shop&commit={missing}", user=None).value == []
    (build,) = platform.ask("GET", f"/api/images/builds?name=demo/shop&commit={built}", user=None).value
    assert (build["status"], build["reason"]) == ("built", "")


def test_the_same_commit_gives_the_same_digest(platform: Platform, tmp_path: Path) -> None:
    """An image depends on the commit alone."""
    first = platform.build(repository(tmp_path / "one", {"Procfile": SERVICE}), "local/one")
    second = platform.build(repository(tmp_path / "two", {"Procfile": SERVICE}), "local/two")
    assert first[1] == second[1]


def test_what_cannot_be_built_is_refused_and_remembered(platform: Platform, tmp_path: Path) -> None:
    """A short SHA, an unknown commit, a folder without git, and a tree without a Procfile each have a code."""
    plain = repository(tmp_path / "plain", {"README": "nothing to start"})
    cases = (
        (head(plain)[:8], 400, "short_commit"),
        ("0" * 40, 404, "unknown_commit"),
        (head(plain), 422, "no_procfile"),
    )
    for commit, status, code in cases:
        body = {"repository": str(plain), "commit": commit, "name": "local/plain"}
        refused = platform.ask("POST", "/api/images", body)
        assert (refused.status, refused.value["code"]) == (status, code)
    (failed,) = platform.ask("GET", "/api/images/builds?name=local/plain", user=None).value
    assert failed["status"] == "failed"
    assert "web: python" in failed["reason"]
    nowhere = {"repository": str(tmp_path / "none"), "commit": "0" * 40, "name": "local/plain"}
    assert platform.ask("POST", "/api/images", nowhere).value["code"] == "no_repository"


def test_a_lease_can_be_seen_extended_and_released(platform: Platform) -> None:
    """The life of a lease, in the order of its events."""
    lease = platform.ask("POST", "/api/namespaces", {"duration": 60}).value
    name = lease["name"]
    assert lease["owner"] == "ada"
    assert 55 < lease["expires_at"] - time.time() <= 60
    assert name in [one["name"] for one in platform.ask("GET", "/api/namespaces?mine=true").value]
    assert name not in [one["name"] for one in platform.ask("GET", "/api/namespaces?mine=true", user="ben").value]
    longer = platform.ask("POST", f"/api/namespaces/{name}/extend", {"duration": 100}).value
    assert longer["expires_at"] == pytest.approx(lease["expires_at"] + 100)
    platform.release(name)
    platform.release(name)
    assert platform.ask("GET", f"/api/namespaces/{name}").value["code"] == "no_namespace"
    assert platform.ask("DELETE", "/api/namespaces/ephemeral-never1").status == 404
    assert not (platform.data / "namespaces" / name).exists()


def test_the_same_key_gives_the_same_namespace(platform: Platform) -> None:
    """A reservation sent twice with one idempotency key is one reservation."""
    sent = [platform.ask("POST", "/api/namespaces", {"duration": 60}, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    others = platform.ask("POST", "/api/namespaces", {"duration": 60}, user="ben", **{"Idempotency-Key": "k1"})
    assert [reply.status for reply in sent] == [201, 200]
    assert sent[0].value["name"] == sent[1].value["name"] != others.value["name"]
    platform.release(sent[0].value["name"])


def test_somebody_elses_namespace_is_not_mine(platform: Platform) -> None:
    """Everything inside and every change is the owner's; the refusal names the owner."""
    name = platform.reserve()
    asked = (
        ("DELETE", "", None),
        ("POST", "/extend", {"duration": 5}),
        ("GET", "/pods", None),
        ("GET", "/secrets/database", None),
        ("POST", "/exec", {"app": "shop", "command": ["id"]}),
        ("POST", "/deployments", {"app": "shop", "image": "x/y", "digest": "z"}),
    )
    for method, path, body in asked:
        refused = platform.ask(method, f"/api/namespaces/{name}{path}", body, user="ben")
        assert (refused.status, refused.value["code"], refused.value["owner"]) == (403, "not_owner", "ada")
        assert "ada" in refused.value["error"]
    platform.release(name)


def test_a_full_pool_says_who_holds_it(tmp_path: Path) -> None:
    """The refusal names every holder; a place given back can be taken."""
    with running(tmp_path, settings={"pool_limit": 2}) as platform:
        names = [platform.reserve(), platform.reserve()]
        refused = platform.ask("POST", "/api/namespaces", {"duration": 60})
        assert (refused.status, refused.value["code"]) == (409, "pool_exhausted")
        assert all(name in refused.value["error"] for name in names)
        assert "Retry-After" not in refused.headers
        assert platform.ask("POST", "/api/namespaces", {"duration": 60, "pool": "other"}).status == 201
        platform.release(names[0])
        assert platform.ask("POST", "/api/namespaces", {"duration": 60}).status == 201


def test_twenty_at_once_get_five_places(tmp_path: Path) -> None:
    """The limit of the pool holds however many ask at the same moment."""
    with running(tmp_path) as platform, ThreadPoolExecutor(20) as callers:
        platform.token("ada")
        sent = callers.map(lambda _: platform.ask("POST", "/api/namespaces", {"duration": 60}).status, range(20))
        assert sorted(sent) == [201] * 5 + [409] * 15
        figures = platform.ask("GET", "/metrics.json", user=None).value
        assert (figures["logins"], figures["reservations"]) == (1, 5)


def test_the_good_merge_request_passes_its_tests(platform: Platform) -> None:
    """Deployed by digest, ready, seen as a pod, tested inside against the running service."""
    name = platform.reserve()
    assert platform.deploy(name, demo_image(platform, 4)).status == 202
    ready = platform.state(name, until="ready")
    (pod,) = platform.ask("GET", f"/api/namespaces/{name}/pods").value
    assert (pod["phase"], pod["ready"], pod["restarts"]) == ("Running", True, 0)
    lines = platform.ask("GET", f"/api/namespaces/{name}/pods/{pod['name']}/logs?tail=5").value["lines"]
    assert "shop: serving" in lines[0]
    ran = platform.run(name, "python", "-m", "pytest", "--junitxml=report.xml", collect="report.xml")
    assert ran["exit_status"] == 0, ran
    assert 'tests="9"' in ran["collected"]
    assert 'skipped="0"' in ran["collected"]
    kept = platform.ask("GET", f"/api/namespaces/{name}/secrets/database").value["data"]
    shown = platform.run(name, "sh", "-c", 'echo "$DATABASE_PASSWORD $DATABASE_NAME $BASE_URL"')["stdout"].split()
    assert shown == [kept["password"], kept["name"], ready["url"]]
    assert Path(kept["name"]).read_bytes().startswith(b"SQLite format 3")
    platform.release(name)


def test_the_failing_merge_request_names_its_test(platform: Platform) -> None:
    """Exactly one test of merge request 2 fails, and the report says which."""
    name = platform.reserve()
    platform.deploy(name, demo_image(platform, 2))
    platform.state(name, until="ready")
    ran = platform.run(name, "python", "-m", "pytest", "--junitxml=report.xml", collect="report.xml")
    assert ran["exit_status"] == 1
    assert 'failures="1"' in ran["collected"]
    assert "test_a_discount_is_rounded_to_the_nearest_cent" in ran["stdout"]
    platform.release(name)


def test_an_image_that_is_not_there_is_refused_at_once(platform: Platform) -> None:
    """A missing digest is 404; a tag in its place and a foreign registry are 422."""
    name = platform.reserve()
    image, digest = demo_image(platform, 4)
    assert platform.deploy(name, (image, "sha256:" + "0" * 64)).value["code"] == "image_not_found"
    assert platform.deploy(name, (image, "latest")).value["code"] == "bad_image"
    assert platform.deploy(name, ("registry.example/demo/shop", digest)).value["code"] == "bad_image"
    assert platform.ask("GET", f"/api/namespaces/{name}/deployments/shop").value["code"] == "no_deployment"
    platform.release(name)


def test_a_damaged_layer_is_not_started(platform: Platform, tmp_path: Path) -> None:
    """The checksum of what was fetched decides, not the registry's word."""
    image = platform.build(repository(tmp_path, {"Procfile": SERVICE, "own": "only here"}), "local/damaged")
    blobs = platform.data / "registry" / "local" / "damaged" / "blobs" / "sha256"
    layer = max(blobs.iterdir(), key=lambda path: path.stat().st_size)
    layer.write_bytes(layer.read_bytes().replace(b"only here", b"only hers"))
    name = platform.reserve()
    assert platform.deploy(name, image).status == 202
    assert "damaged" in platform.state(name, until="crashed")["reason"]
    assert platform.ask("GET", f"/api/namespaces/{name}/pods").value[0]["phase"] == "Failed"
    platform.release(name)
