"""The file of figures, the tables made of it, and the model card."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.models.bundle import BundleManifest, write_manifest
from napari_lumbar.models.weights import file_sha256
from napari_lumbar.training.figures import Figure, FigureMaker, load_figures, save_figures
from napari_lumbar.training.figures.schema import meets
from napari_lumbar.training.figures.table import figure_tables
from napari_lumbar.training.metrics import Interval
from napari_lumbar.training.model_card import write_model_card

MANIFEST = BundleManifest(
    name="small",
    recipe="multistage_mil",
    preset="tiny",
    networks={},
    training={"command": "make bundle", "seed": 7, "phantoms": 1234, "spider_cases": ["a", "b"], "hours": 2},
)


def made(section: str, name: str, value: Interval | float, n: int = 29, bundle: str = "b") -> Figure:
    return FigureMaker(section, f"measure {section}", bundle)(name, f"the {name}", value, n, "mm")


def test_a_target_is_met_on_its_own_side_only() -> None:
    assert meets("<= 1.2", 1.2)
    assert meets("<= 1.2", 1.21) is False
    assert meets(">= 0.9", 0.89) is False
    assert meets(">= 0.9", None) is None
    assert meets("", 3.0) is None
    assert meets("0.88 to 0.92", 0.9)
    assert meets("0.88 to 0.92", 0.93) is False
    with pytest.raises(ValueError, match="must be '<= x', '>= x' or 'x to y'"):
        meets("about 3", 3.0)


def test_figures_take_their_target_by_name() -> None:
    assert made("spider", "along_spine_median", 1.5).met is False
    assert made("spider", "along_spine_median", 1.1).met is True
    assert made("spider", "something_else", 1.1).met is None


def test_a_command_replaces_its_own_figures_only(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    save_figures(path, [made("spider", "a", 1.0), made("spider", "b", Interval(2, 1, 3))])
    save_figures(path, [made("phantoms", "all/c", math.nan)])
    save_figures(path, [made("spider", "b", Interval(5, 4, 6))])
    stored = {figure.name: figure for figure in load_figures(path)}
    assert set(stored) == {"phantoms/all/c", "spider/b"}
    assert (stored["spider/b"].low, stored["spider/b"].value, stored["spider/b"].high) == (4, 5, 6)
    assert stored["phantoms/all/c"].value is None
    assert stored["phantoms/all/c"].shown == "not measured"


def test_a_malformed_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text('{"figures": [{"name": "x"}]}')
    with pytest.raises(LumbarError, match=r"figures\.json is malformed"):
        load_figures(tmp_path / "figures.json")


def test_tables_show_n_interval_target_and_what_was_missed() -> None:
    text = figure_tables([made("spider", "along_spine_median", Interval(1.5, 1.25, 2), n=29)], "b")
    assert "| the along_spine_median | 1.5 mm [1.25 to 2] | 29 | <= 1.2 | **missed** |" in text
    assert "`measure spider`" in text
    assert "other weights" not in text
    assert "Not measured: T1 and T2 of the same patient" in text


def test_figures_of_other_weights_are_called_out() -> None:
    assert "Measured with other weights" in figure_tables([made("spider", "a", 1.0, bundle="old")], "new")


def test_special_cases_stand_in_one_table() -> None:
    make = FigureMaker("special", "c", "b")
    figures = [make("L6/error", "error", 1.0, 15, "mm"), make("L6/lost", "not found", 0.25, 15)]
    text = figure_tables([*figures, make("T1 only/error", "error", 3.0, 14, "mm")], "b")
    assert "| kind | n | error | not found |" in text
    assert "| L6 | 15 | 1 mm | 0.25 |" in text
    assert "| T1 only | 14 | 3 mm |  |" in text


def test_groups_are_told_apart() -> None:
    assert "| error (canal) |" in figure_tables(
        [FigureMaker("phantoms", "c", "b")("canal/x", "error", 1.0, 5)], "b"
    )


def test_the_card_is_written_from_the_manifest_and_the_figures_alone(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    write_model_card(tmp_path, MANIFEST)
    assert "None was measured yet." in (tmp_path / "MODEL_CARD.md").read_text()

    sha = file_sha256(tmp_path / "bundle.json")
    measured = [made("spider", "along_spine_median", 1.5, bundle=sha), made("midsagittal", "agreeing", 1.0)]
    save_figures(tmp_path / "figures.json", measured)
    (tmp_path / "curves.png").touch()
    write_model_card(tmp_path, MANIFEST)
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "1 of 2 targets are met. Missed: spider: the along_spine_median." in card
    assert "1,234 synthetic studies" in card
    assert "| hours | 2 |" in card
    assert "(curves.png)" in card
    assert card.count("Measured with other weights") == 1
    assert "Research use only" in card
