"""Tags, digests and builds, against a server that answers what a test says."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tool_registry.functions.registry_images import image_build_status, quay_get_tag
from tool_registry.registry import ToolRegistry
from tool_registry.tool import ToolError

TAG = 40 * "a"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "layers": [{"size": 30}, {"size": 12}],
    }
)
DIGEST = f"sha256:{sha256(MANIFEST.encode()).hexdigest()}"
PATH = f"GET /v2/demo/shop/manifests/{TAG}"


@pytest.mark.parametrize("headers", [{"Docker-Content-Digest": DIGEST}, {}])
async def test_a_tag_has_the_digest_of_its_manifest(contexts: Contexts, headers: dict[str, str]) -> None:
    """Of what arrived; a registry should name it too (distribution specification), and need not."""
    with StandIn({PATH: Answer(body=MANIFEST, headers=headers)}) as registry:
        answer = await quay_get_tag("demo/shop", TAG, contexts({"url": registry.url}))
    assert (answer.value["found"], answer.value["digest"], answer.value["size"]) == (True, DIGEST, 42)


@pytest.mark.parametrize("code", ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"])
async def test_an_unknown_tag_is_a_normal_answer(contexts: Contexts, code: str) -> None:
    """An image that is not built yet is news, not a failure."""
    missing = Answer(status=404, body={"errors": [{"code": code, "message": "manifest unknown", "detail": {}}]})
    with StandIn({PATH: missing}) as registry:
        answer = await quay_get_tag("demo/shop", TAG, contexts({"url": registry.url}))
    assert (answer.found, answer.value["found"], answer.value["reason"]) == (False, False, "manifest unknown")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404, body="<html>Not here</html>"),
        Answer(status=404, body={"errors": [{"code": "DENIED", "message": "x"}]}),
        Answer(body=MANIFEST, headers={"Docker-Content-Digest": "sha256:" + 64 * "d"}),
        Answer(body="[]"),
        Answer(body={"tag": TAG}),
    ],
)
async def test_what_is_no_registrys_answer_is_a_failure(contexts: Contexts, answer: Answer) -> None:
    """A page of somebody's proxy is not "no such image", and a digest that is not the manifest's is none."""
    with StandIn({PATH: answer}) as registry, pytest.raises(ToolError) as caught:
        await quay_get_tag("demo/shop", TAG, contexts({"url": registry.url}))
    assert caught.value.kind == "api_contract_mismatch"


async def test_a_short_tag_is_refused_before_anything_is_asked(contexts: Contexts) -> None:
    """The registry would say `manifest unknown`, and that would look like an image nobody built."""
    with StandIn({}) as registry:
        async with ToolRegistry() as tools:
            tools.add(quay_get_tag)
            with pytest.raises(ToolError, match="`tag` must match") as caught:
                await tools.call("quay_get_tag", {"repository": "x", "tag": "74ec56e"}, contexts({"url": registry.url}))
        assert (caught.value.kind, caught.value.sent, registry.asked) == ("usage_error", False, [])


async def test_a_build_nobody_asked_for_has_the_status_none(contexts: Contexts) -> None:
    """Whoever waits for it would wait for ever."""
    failed = {"commit": TAG, "status": "failed", "reason": "no Procfile", "started_at": 1, "finished_at": 2}
    with StandIn({"GET /api/images/builds": [Answer(body=[]), Answer(body=[failed])]}) as platform:
        context = contexts({"url": platform.url})
        none = await image_build_status("demo/shop", TAG, context)
        found = await image_build_status("demo/shop", TAG, context)
    assert json.dumps(none) == '{"status": "none", "reason": "", "started_at": null, "finished_at": null}'
    assert (found["status"], found["reason"]) == ("failed", "no Procfile")
