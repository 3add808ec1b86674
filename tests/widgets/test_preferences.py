"""Preferences as napari keeps them, read in one place; what cannot be used is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.pipeline.device import DEVICES
from napari_lumbar.widgets.preferences import PLUGIN_NAME, Preferences, preferences_from, read_preferences

MANIFEST = Path(__file__).parents[2] / "src" / "napari_lumbar" / "napari.yaml"

GIVEN = {
    "reader": " AB ",
    "session_folder": "",
    "device": "cpu",
    "bundle_folder": "",
    "regrade_delay_ms": 300,
}


def test_the_manifest_and_the_code_have_the_same_defaults(plugin_settings: Any, npe2pm: Any) -> None:
    from napari.settings import get_plugin_settings
    from npe2 import PluginManifest

    assert read_preferences() == Preferences(), "napari does not know the plugin"
    manifest = PluginManifest.from_file(MANIFEST)
    npe2pm.register(manifest)
    assert read_preferences() == Preferences()
    assert manifest.contributions.configurations is not None
    assert manifest.contributions.configurations["computing"].properties["device"].enum == list(DEVICES)
    settings = get_plugin_settings(PLUGIN_NAME)
    settings.reading.reader_name = "AB"
    settings.computing.regrade_delay_ms = 1000
    assert read_preferences() == Preferences(reader="AB", regrade_delay_ms=1000)


def test_folders_and_names_are_tidied(tmp_path: Path) -> None:
    given = {**GIVEN, "bundle_folder": f" {tmp_path} ", "session_folder": str(tmp_path / "new")}
    assert preferences_from(given) == Preferences(
        reader="AB", session_folder=tmp_path / "new", bundle_folder=tmp_path, device="cpu"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("bundle_folder", "/no/such/folder", "The folder of weights .* is not there; the weights of the"),
        ("session_folder", "sessions", "The session folder sessions is no full path"),
        ("device", "tpu", "The device 'tpu' is none of auto, cpu, cuda, mps; 'auto' is used"),
    ],
)
def test_what_cannot_be_used_is_told_and_left_out(name: str, value: str, said: str) -> None:
    preferences = preferences_from({**GIVEN, name: value})
    (problem,) = preferences.problems
    assert re.search(said, problem)
    assert getattr(preferences, name) == getattr(Preferences(), name)
