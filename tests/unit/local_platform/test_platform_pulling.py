"""Unpacking an image: what is in it arrives, and nothing of it gets out of its folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.pulling import reference, unpack_layer

DIGEST = "sha256:" + "a" * 64


def entry(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """Describe one tar entry."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    return made


def layer(*entries: tarfile.TarInfo) -> bytes:
    """Write a tar; every file holds four bytes."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for one in entries:
            if one.isreg():
                one.size = 4
            tar.addfile(one, io.BytesIO(b"text") if one.isreg() else None)
    return written.getvalue()


def test_files_folders_and_inner_links_arrive(tmp_path: Path) -> None:
    """Content, the right to execute and links inside the tree are kept; setuid is not."""
    unpack_layer(
        layer(
            entry("bin", kind=tarfile.DIRTYPE),
            entry("bin/run", mode=0o4755),
            entry("deep/er/file"),
            entry("deep/link", kind=tarfile.SYMTYPE, link="../bin/run"),
        ),
        tmp_path,
    )
    assert (tmp_path / "deep" / "link").read_text() == "text"
    assert (tmp_path / "bin" / "run").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "deep" / "er" / "file").stat().st_mode & 0o111 == 0


@pytest.mark.parametrize(
    "entries",
    [
        (entry("/absolute"),),
        (entry("../out"),),
        (entry("a/../../out"),),
        (entry("link", kind=tarfile.SYMTYPE, link="/etc/passwd"),),
        (entry("link", kind=tarfile.SYMTYPE, link="../../out"),),
        (entry("a/link", kind=tarfile.SYMTYPE, link="../../out"),),
        (entry("hard", kind=tarfile.LNKTYPE, link="/etc/passwd"),),
        (entry("device", kind=tarfile.CHRTYPE),),
        (entry("pipe", kind=tarfile.FIFOTYPE),),
        (entry("link", kind=tarfile.SYMTYPE, link="."), entry("link")),
        (entry("link", kind=tarfile.SYMTYPE, link="a"), entry("link", kind=tarfile.SYMTYPE, link="b")),
    ],
)
def test_an_unsafe_entry_is_refused(tmp_path: Path, entries: tuple[tarfile.TarInfo, ...]) -> None:
    """Absolute and climbing names, links out of the tree, hard links and devices refuse the whole image."""
    folder = tmp_path / "deep" / "app"
    folder.mkdir(parents=True)
    with pytest.raises(Refusal) as refused:
        unpack_layer(layer(*entries), folder)
    assert refused.value.code == "bad_image"
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["app"]


def test_a_file_through_a_link_that_was_there_is_refused(tmp_path: Path) -> None:
    """A link that leads out, made by whatever came before, is not followed."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "out").symlink_to(tmp_path)
    with pytest.raises(Refusal, match="link that leads out"):
        unpack_layer(layer(entry("out/file")), tmp_path / "app")
    assert not (tmp_path / "file").exists()


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    """A layer that cannot be read is a bad image, not a crash."""
    with pytest.raises(Refusal, match="cannot be read"):
        unpack_layer(b"no tar at all" * 100, tmp_path)


@pytest.mark.parametrize(
    ("image", "digest"),
    [
        ("127.0.0.1:81/demo/shop", DIGEST),
        ("registry.example/demo/shop", DIGEST),
        ("demo/shop", DIGEST),
        ("127.0.0.1:80/demo/../shop", DIGEST),
        ("127.0.0.1:80/demo/shop", "latest"),
    ],
)
def test_only_images_of_this_registry_by_digest(image: str, digest: str) -> None:
    """Another host, another port, a strange name and a tag are refused."""
    assert reference("127.0.0.1:80/demo/shop", DIGEST, 80).name == "demo/shop"
    with pytest.raises(Refusal):
        reference(image, digest, 80)


def test_a_link_that_leads_out_by_way_of_another_is_refused(tmp_path: Path) -> None:
    """`a/b/top` is the folder itself, so `a/b/top/..` is outside, though the path alone looks as if it stayed."""
    (tmp_path / "app").mkdir()
    through = (
        entry("a/b", kind=tarfile.DIRTYPE),
        entry("a/b/top", kind=tarfile.SYMTYPE, link="../.."),
        entry("out", kind=tarfile.SYMTYPE, link="a/b/top/../other"),
    )
    with pytest.raises(Refusal, match="leads out"):
        unpack_layer(layer(*through), tmp_path / "app")


def test_links_in_a_circle_are_harmless(tmp_path: Path) -> None:
    """They lead nowhere, and so not out."""
    round_and_round = (entry("a", kind=tarfile.SYMTYPE, link="b"), entry("b", kind=tarfile.SYMTYPE, link="a"))
    unpack_layer(layer(*round_and_round), tmp_path)
    assert (tmp_path / "a").is_symlink()


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    """A header of a few bytes would fill the disk with a terabyte of zeros."""
    sparse = tarfile.TarInfo("zeros")
    sparse.pax_headers = {"GNU.sparse.size": str(1 << 40), "GNU.sparse.map": "0,4", "GNU.sparse.numblocks": "1"}
    with pytest.raises(Refusal) as refused:
        unpack_layer(layer(sparse), tmp_path)
    assert refused.value.code == "bad_image"
    assert list(tmp_path.iterdir()) == []
