"""What the platform keeps on disk: settings, endpoint, the lock, and the demo project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tool_registry.local_platform import demo_project, endpoint
from tool_registry.local_platform.files import read_json, write_whole
from tool_registry.local_platform.git import git
from tool_registry.local_platform.images import Images
from tool_registry.local_platform.registry import Registry
from tool_registry.local_platform.settings import DEFAULTS, Settings


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pool_limit": "many"}', '{"pool_limit": true}', '{"pool_limit": 0}'])
def test_settings_that_cannot_be_are_passed_over(tmp_path: Path, text: str) -> None:
    """A broken file or value leaves the default standing."""
    (tmp_path / "settings.json").write_text(text)
    assert Settings(path=tmp_path / "settings.json").number("pool_limit") == DEFAULTS["pool_limit"]


def test_a_written_setting_comes_before_a_given_one(tmp_path: Path) -> None:
    """The file, then the command line, then the default."""
    settings = Settings(path=tmp_path / "settings.json", given={"token_lifetime": 5})
    assert settings.number("token_lifetime") == 5
    (tmp_path / "settings.json").write_text('{"token_lifetime": 6}')
    assert settings.number("token_lifetime") == 6


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    """The second is told where the first answers; afterwards the folder is free."""
    with endpoint.held(tmp_path):
        url = endpoint.announce(tmp_path, 4711)
        with pytest.raises(endpoint.OccupiedError, match=url), endpoint.held(tmp_path):
            pass
    with endpoint.held(tmp_path):
        endpoint.withdraw(tmp_path)
    assert not (tmp_path / "endpoint.json").exists()


def test_a_file_is_written_whole_or_not(tmp_path: Path) -> None:
    """A write that fails leaves the old content and nothing beside it."""
    write_whole(tmp_path / "file", b"old")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "file", "text is not bytes")  # type: ignore[arg-type]  # the failure is wanted
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert read_json(tmp_path / "file") is None


def test_the_demo_project_is_the_same_everywhere(tmp_path: Path) -> None:
    """Two are equal to the last commit and the last image."""
    heads, digests = [], []
    for name in ("one", "two"):
        registry = Registry(tmp_path / name / "registry")
        demo_project.prepare(tmp_path / name, Images(registry, tmp_path / name / "builds"), registry)
        forge = tmp_path / name / "demo-shop.git"
        heads.append(git(forge, "for-each-ref", "--format=%(objectname) %(refname)").stdout.decode().splitlines())
        index = json.loads((tmp_path / name / "registry" / "demo" / "shop" / "index.json").read_text())
        digests.append([entry["digest"] for entry in index["manifests"]])
    assert heads[0] == heads[1]
    assert len(heads[0]) == 5
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4


def test_without_a_place_for_the_demo_the_platform_goes_on(tmp_path: Path) -> None:
    """Trouble with the demo is logged, not raised."""
    (tmp_path / "forge").write_text("a file where the folder should be")
    registry = Registry(tmp_path / "registry")
    demo_project.prepare(tmp_path / "forge", Images(registry, tmp_path / "builds"), registry)
    assert registry.digest(demo_project.IMAGE, "0" * 40) is None
