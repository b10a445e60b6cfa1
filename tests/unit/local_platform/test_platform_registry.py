"""The registry over an image layout: what is there, under which digest, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tool_registry.local_platform.registry import LAYER_TYPE, MANIFEST_TYPE, Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with one tagged manifest and one layer."""
    made = Registry(tmp_path / "registry")
    made.put_blob("demo/shop", b"layer", LAYER_TYPE)
    made.put_tag("demo/shop", "v1", made.put_blob("demo/shop", b"{}", MANIFEST_TYPE))
    (tmp_path / "registry" / "private").write_text("not to be served")
    return made


def digest(content: bytes) -> str:
    """Give the digest of some content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_tag_and_its_digest_are_the_same_manifest(registry: Registry) -> None:
    """Both ways lead to the same file and the same header."""
    for reference in ("v1", digest(b"{}")):
        answer = registry.answer(f"/v2/demo/shop/manifests/{reference}")
        assert answer.headers["Docker-Content-Digest"] == digest(b"{}")
        assert answer.content_type == MANIFEST_TYPE
        assert answer.file is not None
        assert answer.file.read_bytes() == b"{}"


def test_a_tag_can_be_moved(registry: Registry) -> None:
    """The newer manifest is meant from then on, and the tag is listed once."""
    registry.put_tag("demo/shop", "v1", registry.put_blob("demo/shop", b"{ }", MANIFEST_TYPE))
    assert registry.digest("demo/shop", "v1") == digest(b"{ }")
    assert json.loads(registry.answer("/v2/demo/shop/tags/list").body)["tags"] == ["v1"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/demo/shop/manifests/v2", "MANIFEST_UNKNOWN"),
        ("/v2/demo/other/manifests/v1", "MANIFEST_UNKNOWN"),
        ("/v2/demo/shop/manifests/../../private", "NAME_INVALID"),
        ("/v2/demo/shop/blobs/sha256:" + "0" * 64, "BLOB_UNKNOWN"),
        ("/v2/demo/shop/blobs/private", "BLOB_UNKNOWN"),
        ("/v2/demo/shop/blobs/sha256:../../../private", "NAME_INVALID"),
        ("/v2/../private/tags/list", "NAME_INVALID"),
        ("/v2/demo/other/tags/list", "NAME_UNKNOWN"),
        ("/v2/demo", "NAME_INVALID"),
    ],
)
def test_what_is_not_there_has_the_specifications_code(registry: Registry, path: str, code: str) -> None:
    """Unknown and strange paths are 404 and never reach a file."""
    answer = registry.answer(path)
    assert (answer.status, answer.file) == (404, None)
    assert json.loads(answer.body)["errors"][0]["code"] == code


def test_a_layer_that_is_no_manifest_is_none(registry: Registry) -> None:
    """A digest of other content is not a manifest."""
    assert registry.answer(f"/v2/demo/shop/manifests/{digest(b'layer')}").status == 404
