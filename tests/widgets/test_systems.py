"""Which bundle and device: names, and the list of those used lately."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.models.bundle import BundleManifest, default_bundle_path, write_manifest
from napari_lumbar.widgets.systems import RecentBundles, bundle_name


def bundle(folder: Path, name: str) -> Path:
    folder.mkdir()
    write_manifest(folder, BundleManifest(name=name, recipe="mscan", preset="tiny", networks={}, training={}))
    return folder


def test_a_bundle_is_called_by_its_manifest(tmp_path: Path) -> None:
    assert bundle_name(None) == "Embedded"
    assert bundle_name(bundle(tmp_path / "x", "fold 3")) == "fold 3 (mscan, tiny)"
    assert bundle_name(default_bundle_path()).endswith("(multistage_mil, tiny)")
    with pytest.raises(BundleError, match=r"'empty' is not a bundle: it holds no bundle\.json"):
        bundle_name(tmp_path / "empty")


def test_the_latest_bundle_comes_first_and_lost_ones_go(tmp_path: Path) -> None:
    recent = RecentBundles(tmp_path / "config" / "recent.json")
    assert recent.paths() == ()
    first, second = bundle(tmp_path / "a", "a"), bundle(tmp_path / "b", "b")
    for path in (first, second, first):
        recent.remember(path)
    assert recent.paths() == (first, second)
    (first / "bundle.json").unlink()
    assert RecentBundles(tmp_path / "config" / "recent.json").paths() == (second,)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"a": 1}', "null"])
def test_a_damaged_list_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "recent.json").write_text(text)
    recent = RecentBundles(tmp_path / "recent.json")
    assert recent.paths() == ()
    recent.remember(bundle(tmp_path / "a", "a"))
    assert recent.paths() == (tmp_path / "a",)
