"""What the commands keep, print and refuse."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_lumbar.models.bundle import BundleManifest, write_manifest
from napari_lumbar.training.__main__ import app
from napari_lumbar.training.figures import load_figures, runs
from napari_lumbar.training.figures.commands import _command
from napari_lumbar.training.figures.records import ROW
from napari_lumbar.training.figures.schema import FigureMaker, save_figures
from napari_lumbar.training.figures.special import KINDS, kind_figures
from napari_lumbar.training.metrics import Interval


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    training = {"command": "make bundle", "seed": 7, "phantoms": 2, "spider_cases": []}
    write_manifest(
        tmp_path,
        BundleManifest(name="small", recipe="multistage_mil", preset="tiny", networks={}, training=training),
    )
    return tmp_path


def rows(error_mm: float = 1.0) -> np.ndarray:
    made = np.zeros(25, ROW)
    made["condition"], made["level"] = np.divmod(np.arange(25), 5)
    made["expected"] = made["found"] = True
    made["error_mm"] = error_mm
    made["probs"] = made["confidence"] = made["strangeness"] = made["attention_off"] = np.nan
    return made


def test_measured_figures_are_kept_and_shown_by_the_card(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "rows_of", lambda *_: [rows(1.0), rows(3.0)])
    result = CliRunner().invoke(app, ["figures", "phantoms", "--bundle", str(bundle), "--studies", "2"])
    assert result.exit_code == 0, result.output
    assert "phantoms/canal/landmark_median: 2 mm [1 to 3] (n = 2)" in result.output
    stored = {figure.name: figure for figure in load_figures(bundle / "figures.json")}
    assert stored["phantoms/all/named_right"].value == 1
    assert "phantoms/canal/macro_auroc" not in stored  # nothing was graded
    assert CliRunner().invoke(app, ["figures", "card", "--bundle", str(bundle)]).exit_code == 0
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "| landmark error, median (canal) | 2 mm [1 to 3] | 2 |  |  |" in card
    assert "| landmarks at another level (canal) | 0 [0 to 0] | 2 | <= 0 | met |" in card
    assert "other weights" not in card


def test_figures_of_patients_need_to_know_who_was_trained_on(bundle: Path) -> None:
    result = CliRunner().invoke(app, ["figures", "spider", "--bundle", str(bundle)])
    assert result.exit_code == 1
    assert "does not say which SPIDER patients" in result.output
    assert not (bundle / "figures.json").exists()


def test_the_kept_command_names_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    line = ["x", "figures", "phantoms", "--bundle", "some/b", "--studies", "9", "--out=some/f.json"]
    monkeypatch.setattr(sys, "argv", line)
    assert _command() == "python -m napari_lumbar.training figures phantoms --studies 9"


def test_special_cases_count_wrong_names_and_what_is_claimed_outside() -> None:
    right, silent, claiming = rows(), rows(), rows()
    for each in (right, silent, claiming):
        lowest = each["level"] == 4
        each["outside"][lowest], each["expected"][lowest] = True, False
        each["found"][lowest] = False
    silent["found"] = False
    silent["error_mm"] = np.nan
    silent["unsure_numbering"] = True
    claiming["found"][claiming["level"] == 4] = True
    make = FigureMaker("special", "c", "b")
    figures = {
        f.name.split("/")[-1]: f.value for f in kind_figures([right, silent, claiming], make, "cut", draws=5)
    }
    assert figures["studies_named"] == pytest.approx(1 / 3, abs=1e-5)
    assert figures["l5_s1_outside"] == pytest.approx(1 / 3, abs=1e-5)
    assert figures["missing"] == pytest.approx(1 / 3, abs=1e-5)
    assert figures["unsure"] == pytest.approx(1 / 3, abs=1e-5)
    assert len(KINDS) == 7


def kept(path: Path, values: dict[str, Interval | float]) -> str:
    make = FigureMaker("phantoms", "python -m napari_lumbar.training figures phantoms", "0" * 64)
    save_figures(path, [make(name, "what", value, 5) for name, value in values.items()])
    return str(path)


def test_two_bundles_are_compared_by_their_intervals(tmp_path: Path) -> None:
    first = kept(
        tmp_path / "a.json",
        {"a": Interval(1, 0.5, 1.5), "b": Interval(1, 0.5, 1.5), "c": 3.0, "only": 2.0},
    )
    second = kept(tmp_path / "b.json", {"a": Interval(1.2, 1, 2), "b": Interval(1.6, 1.4, 2), "c": 4.0})
    result = CliRunner().invoke(app, ["figures", "compare", first, second])
    assert result.exit_code == 0, result.output
    assert "phantoms/a: 1 [0.5 to 1.5] | 1.2 [1 to 2] | within" in result.output
    assert "phantoms/b: 1 [0.5 to 1.5] | 1.6 [1.4 to 2] | overlapping" in result.output
    assert "phantoms/c: 3 | 4 | no interval" in result.output
    assert "only" not in result.output
    assert "3 figures: 1 within, 1 overlapping, 0 apart, 1 no interval" in result.output


def test_figures_that_lie_apart_end_with_status_1(tmp_path: Path) -> None:
    first = kept(tmp_path / "a.json", {"a": Interval(1, 0.5, 1.5)})
    second = kept(tmp_path / "b.json", {"a": Interval(2, 1.6, 2.5)})
    result = CliRunner().invoke(app, ["figures", "compare", first, second])
    assert result.exit_code == 1
    assert "| apart" in result.output


def test_figures_without_a_counterpart_are_not_compared(tmp_path: Path) -> None:
    first = kept(tmp_path / "a.json", {"a": 1.0})
    result = CliRunner().invoke(app, ["figures", "compare", first, str(tmp_path / "none.json")])
    assert result.exit_code == 1
    assert "have no figure in common; measure both bundles with the same commands" in result.output
