"""Bundles side by side: figures, tables and a page that says what they are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_lumbar import RESEARCH_USE_ONLY
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition
from napari_lumbar.training import metrics
from napari_lumbar.training.comparison import Candidate
from napari_lumbar.training.comparison_report import write_comparison
from napari_lumbar.training.figures import FigureMaker
from napari_lumbar.training.figures.phantom_figures import phantom_figures
from napari_lumbar.training.figures.records import ROW, Rows


def rows(seed: int, skill: float) -> Rows:
    """A study whose answers are right with a probability that grows with ``skill``."""
    rng = np.random.default_rng(seed)
    made = np.zeros(len(ALL_FINDINGS), ROW)
    for row, key in zip(made, ALL_FINDINGS, strict=True):
        row["condition"], row["level"] = list(Condition).index(key.condition), key.level.rank
        row["truth"], row["expected"], row["found"] = rng.integers(3), True, True
        row["error_mm"], row["slices_off"], row["confidence"] = rng.exponential(2), rng.integers(3), 0.9
        logits = rng.normal(0, 1, 3) + skill * (np.arange(3) == row["truth"])
        row["probs"] = np.exp(logits) / np.exp(logits).sum()
    return made


def candidate(name: str, skill: float) -> Candidate:
    studies = [rows(seed, skill) for seed in range(24)]
    figures = phantom_figures(studies, FigureMaker(name, "a command", "0" * 64), draws=20)
    return Candidate(name, "multistage_mil", 1_500_000, studies, tuple(figures))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    write_comparison([candidate("good", 3.0), candidate("poor <b>", 0.0)], "Some studies.", out)
    return out


def test_the_page_shows_every_candidate_the_no_skill_line_and_the_warning(written: Path) -> None:
    page = (written / "report.html").read_text()
    assert RESEARCH_USE_ONLY in page
    assert "poor &lt;b&gt;" in page
    assert page.count("no skill</th>") == 3
    assert page.count("data:image/png;base64,") == 3
    assert "1.5" in page


def test_the_table_of_figures_is_for_programs(written: Path) -> None:
    with (written / "figures.csv").open(newline="") as stream:
        figures = {(row["candidate"], row["figure"]): row for row in csv.DictReader(stream)}
    good, poor = (float(figures[name, "canal/macro_auroc"]["value"]) for name in ("good", "poor <b>"))
    assert good > 0.9 > 0.7 > poor
    assert float(figures["good", "canal/auroc_severe"]["low"]) <= 1.0
    assert float(figures["good", "canal/quadratic_kappa"]["value"]) > 0.6


def test_every_finding_is_in_one_cell_of_the_confusion(written: Path) -> None:
    with (written / "confusion.csv").open(newline="") as stream:
        table = [row for row in csv.DictReader(stream) if row["candidate"] == "good"]
    counts = sum(int(row[column]) for row in table for column in row if column.startswith("answer_"))
    assert counts == 24 * len(ALL_FINDINGS)


def test_kappa_is_one_for_right_answers_and_none_for_a_single_class() -> None:
    labels = np.array([0, 1, 2, 2])
    assert metrics.quadratic_kappa(np.eye(3)[labels], labels) == pytest.approx(1.0)
    assert np.isnan(metrics.quadratic_kappa(np.eye(3)[[0, 0]], np.array([0, 0])))


def test_reliability_counts_every_finding() -> None:
    probs = np.array([[0.9, 0.05, 0.05], [0.4, 0.35, 0.25], [0.1, 0.8, 0.1]])
    bins = metrics.reliability(probs, np.array([0, 1, 1]))
    assert bins[:, 2].sum() == 3
    np.testing.assert_allclose(bins[0], [0.4, 0.0, 1.0])
