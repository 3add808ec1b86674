"""T1 and T2 of one patient, and the answers of the data's own scoring program."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.pipeline import System
from napari_lumbar.training.figures import FigureMaker
from napari_lumbar.training.figures.midsagittal import Pair, pair_figures, usable_pairs
from napari_lumbar.training.figures.rsna import rsna_figures, score_figures

DISCS = np.stack([np.zeros(5), np.zeros(5), np.arange(5) * -35.0], axis=1)


def pair(shift_mm: float, lost: int | None = None) -> Pair:
    t2 = DISCS + np.array([0, 0, shift_mm])
    if lost is not None:
        t2[lost] = np.nan
    return Pair("1", DISCS, t2)


def test_pairs_agree_where_every_level_lies_in_the_same_place() -> None:
    make = FigureMaker("midsagittal", "c", "b")
    pairs = [pair(0.0), pair(4.0), pair(35.0), pair(0.0, lost=2)]
    figures = {f.name.split("/")[1]: f for f in pair_figures(pairs, make)}
    assert figures["agreeing"].value == 0.5
    assert figures["complete"].value == 0.75
    assert figures["agreeing_of_complete"].value == pytest.approx(2 / 3, abs=1e-5)
    assert figures["agreeing_of_complete"].n == 3
    assert figures["distance_median"].value == 4
    assert figures["agreeing"].target


def test_pairs_need_a_usual_field_and_the_same_one(tmp_path: Path) -> None:
    sizes = {
        "good": ((512, 400), (256, 200)),  # other pixels, the same field
        "resampled": ((512, 400), (512, 800)),
        "other": ((512, 400), (470, 400)),
        "seen": ((512, 400), (512, 400)),
        "alone": ((512, 400), None),
    }
    with (tmp_path / "overview.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, ("new_file_name", "PixelSpacing"))
        table.writeheader()
        for patient, shapes in sizes.items():
            for contrast, shape in zip(("t1", "t2"), shapes, strict=True):
                if shape is not None:
                    Image.fromarray(np.zeros(shape, np.uint8)).save(tmp_path / f"{patient}_{contrast}.png")
                    spacing = 1.0 if shape[0] == 256 else 0.5
                    table.writerow(
                        {"new_file_name": f"{patient}_{contrast}", "PixelSpacing": f"[{spacing}, {spacing}]"}
                    )
    assert set(usable_pairs(tmp_path, {"seen"})) == {"good"}


def test_the_program_s_answer_becomes_figures_of_one_patient() -> None:
    answer = {
        "study": "1",
        "Spinal Canal Stenosis": {
            "mm": {"median": 3.5, "max": 9.0},
            "slices_off_max": 1,
            "wrong_level": 2,
            "wrong_side": 0,
            "missing": ["L1/L2"],
            "ungraded": [],
            "accuracy": "3/4",
            "weighted_log_loss": 0.7,
        },
    }
    figures = {f.name: f for f in score_figures(answer, FigureMaker("rsna", "c", "b"))}
    assert figures["rsna/canal/mm_median"].value == 3.5
    assert figures["rsna/canal/accuracy"].value == 0.75
    assert figures["rsna/canal/missing"].value == 1
    assert figures["rsna/canal/wrong_level"].met is False
    assert all(f.n == 1 and f.low is None for f in figures.values())


def test_the_data_must_be_there(tmp_path: Path) -> None:
    system = System(None, None, "b", "0", "cpu")  # type: ignore[arg-type]  # nothing is located or graded
    with pytest.raises(LumbarError, match="set LUMBAR_DATA"):
        rsna_figures(system, tmp_path, tmp_path / "score_study.py", FigureMaker("rsna", "c", "b"))
