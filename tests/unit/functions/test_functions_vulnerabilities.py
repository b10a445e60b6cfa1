"""What Quay's scanner found: images in a real registry, and a stand-in for the one address of Quay's API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.quay_security import finding, scanning
from tests.servers.registry import Registry, put_index, registry
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.vulnerabilities import quay_get_vulnerabilities
from tool_registry.tool import ToolError

FOUND = [
    finding("CVE-2026-0001", "Critical", fixed_by="3.0.2"),
    finding("CVE-2026-0002", "Low", package="tar"),
    finding("CVE-2026-0003", "High"),
    finding("CVE-2026-0003", "High"),
    finding("CVE-2026-0004", "Defcon1", package="odd"),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with an image for two platforms."""
    with registry(tmp_path_factory.mktemp("registry")) as made:
        one, other = made.push("team/app:v1"), made.push("team/app:arm", text="for arm")
        put_index(made, "team/app", "all", {"linux/amd64": one, "linux/arm64": other})
        yield made


async def test_a_scan_lists_what_is_bad_enough_worst_first(images: Registry, contexts: Contexts) -> None:
    """Counts are of everything, the list begins at the threshold, and what is told twice counts once."""
    digest = images.images["team/app:v1"]
    with scanning({digest: FOUND}) as scanner:
        context = contexts({"url": images.url, "api_url": scanner.url})
        found = await quay_get_vulnerabilities("team/app", "v1", context, severity="high")
    assert (found["status"], found["digest"]) == ("scanned", digest)
    assert found["counts"] == {"unknown": 0, "negligible": 0, "low": 1, "medium": 0, "high": 1, "critical": 2}
    assert [each["name"] for each in found["found"]] == ["CVE-2026-0001", "CVE-2026-0004", "CVE-2026-0003"]
    assert (found["count"], found["fixable"], found["truncated"]) == (3, 1, False)
    assert found["found"][0]["link"] == "https://security.example/CVE-2026-0001"


@pytest.mark.parametrize("status", ["queued", "failed", "unsupported"])
async def test_an_image_that_was_not_scanned_is_an_answer(images: Registry, contexts: Contexts, status: str) -> None:
    """Nothing was found, because nothing was looked at; the status says so."""
    with scanning({images.images["team/app:v1"]: status}) as scanner:
        context = contexts({"url": images.url, "api_url": scanner.url})
        found = await quay_get_vulnerabilities("team/app", "v1", context)
    assert (found["status"], found["found"], found["count"]) == (status, [], 0)


async def test_of_several_platforms_the_image_is_asked_for(images: Registry, contexts: Contexts) -> None:
    """Quay scans images, and no lists of them."""
    with scanning({images.images["team/app:arm"]: FOUND}) as scanner:
        context = contexts({"url": images.url, "api_url": scanner.url})
        found = await quay_get_vulnerabilities("team/app", "all", context, platform="linux/arm64")
    assert found["digest"] == images.images["team/app:arm"]


async def test_an_image_that_is_not_there_and_a_registry_without_a_scanner_are_told_apart(
    images: Registry, contexts: Contexts
) -> None:
    """`manifest unknown`, Quay's own 404, and the 404 of a registry that has no such address."""
    with scanning({}) as scanner:
        context = contexts({"url": images.url, "api_url": scanner.url})
        for reference in ("v9", "v1"):
            with pytest.raises(ToolError) as caught:
                await quay_get_vulnerabilities("team/app", reference, context)
            assert caught.value.kind == "image_not_found"
    with pytest.raises(ToolError, match="has no security API of Quay's") as nobody:
        await quay_get_vulnerabilities("team/app", "v1", contexts({"url": images.url}))
    assert nobody.value.kind == "configuration_error"


async def test_the_token_is_shown_to_the_domains_own_server_only(
    images: Registry, contexts: Contexts, secrets: list[Any], tmp_path: Path
) -> None:
    """A wrong one is a 401; another registry, named by the caller, gets none; its own may be named too."""
    results = {images.images["team/app:v1"]: FOUND}
    (tmp_path / "token").write_text("t0ken\n")
    with scanning(results, token="t0ken") as scanner:
        settings = {"url": images.url, "api_url": scanner.url}
        right = contexts({**settings, "api_credential": {"file": "token"}})
        assert (await quay_get_vulnerabilities("team/app", "v1", right))["count"] == 4
        assert "t0ken" in secrets
        with pytest.raises(ToolError) as caught:
            await quay_get_vulnerabilities("team/app", "v1", contexts(settings, QUAY_TOKEN="other"))
        assert caught.value.http_status == 401
        named = contexts({**settings, "url": f"{images.url}/", "api_credential": {"file": "token"}})
        assert (await quay_get_vulnerabilities(f"{images.host}/team/app", "v1", named))["count"] == 4
    foreign = contexts({"url": "https://quay.example", "api_credential": {"file": "token"}})
    with pytest.raises(ToolError) as nobody:
        await quay_get_vulnerabilities(f"{images.host}/team/app", "v1", foreign)
    assert nobody.value.kind == "configuration_error"
