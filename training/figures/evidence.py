"""Do the heatmaps show what counts? Blur away what they call hottest, and compare with any other place.

A deletion test (Petsiuk et al., arXiv:1806.07421) on whole findings: in every crop that a finding was graded
from, the hottest tenth is replaced by a blurred image in the study itself, and the study graded again with
the same landmarks. So it holds for any grader that hands out evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...domain.findings import Analysis, CropEvidence, Finding
from ...domain.study import MRSeries, PixelArray, SliceStack, Study
from ...phantom import PhantomStudy
from ...pipeline import System
from ...pipeline.run import analyze, regrade
from ..metrics import bootstrap
from .schema import Figure, FigureMaker

_SHARE = 0.1
#: Sigma of the blur that stands for "nothing to be seen", as a share of the crop's height.
_BLUR = 0.12

Mask = npt.NDArray[np.bool_]
Chooser = Callable[[CropEvidence, tuple[int, ...]], Mask]
Places = dict[tuple[str, int], Mask]


def change_figures(changes: Sequence[npt.NDArray[np.float64]], make: FigureMaker) -> list[Figure]:
    """How much more the hottest places count than others; intervals draw studies (``study_changes``)."""

    def mean(column: int) -> Callable[[Sequence[npt.NDArray[np.float64]]], float]:
        return lambda drawn: float(np.concatenate(drawn)[:, column].mean())

    def ratio(drawn: Sequence[npt.NDArray[np.float64]]) -> float:
        hot, other = np.concatenate(drawn).mean(axis=0)
        return float(hot / other) if other > 0 else float("nan")

    def more(drawn: Sequence[npt.NDArray[np.float64]]) -> float:
        hot, other = np.concatenate(drawn).T
        return float((hot > other).mean())

    n = len(changes)
    what = "change of the answered severity's probability"
    return [
        make("hot_change", f"{what}, hottest tenth blurred", bootstrap(changes, mean(0)), n),
        make("random_change", f"{what}, random connected tenth blurred", bootstrap(changes, mean(1)), n),
        make("ratio", "ratio of the two", bootstrap(changes, ratio), n),
        make("hot_changes_more", "findings that the hottest tenth changes more", bootstrap(changes, more), n),
    ]


def phantom_changes(phantom: PhantomStudy, system: System) -> npt.NDArray[np.float64]:
    """``study_changes`` of a phantom."""
    return study_changes(phantom.study, system)


def study_changes(study: Study, system: System) -> npt.NDArray[np.float64]:
    """Change of the answer's probability per graded finding with a heatmap, shape (findings, 2).

    In the first column the hottest places are blurred, in the second random ones, which follow from the
    study's number.
    """
    rng = np.random.default_rng(int(study.study_id))
    analysis = analyze(study, system)
    shown = [f for f in analysis.graded if any(crop.heatmap.any() for crop in f.evidence)]
    choosers: tuple[Chooser, Chooser] = (hottest, lambda crop, shape: random_place(crop, shape, rng))
    rows = [[_change(study, system, analysis, finding, choose) for choose in choosers] for finding in shown]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _change(study: Study, system: System, analysis: Analysis, finding: Finding, choose: Chooser) -> float:
    changed = blurred(study, finding, choose)
    again = regrade(changed, system, analysis.landmarks, [finding.key])[finding.key]
    return abs(_probability(again, finding) - _probability(finding, finding))


def _probability(finding: Finding, answer: Finding) -> float:
    """What ``finding`` gives to the severity that ``answer`` calls most probable."""
    if finding.probs is None or answer.severity is None:
        raise ValueError(f"{finding.key.text}: only findings with a grade can be compared")
    return finding.probs.as_tuple[answer.severity]


def blurred(study: Study, finding: Finding, choose: Chooser) -> Study:
    """The study with the chosen places of the finding's crops blurred; crops without a heatmap stay."""
    places: Places = {}
    sigma: dict[tuple[str, int], float] = {}
    for crop in (crop for crop in finding.evidence if crop.heatmap.any()):
        place = (crop.series_id, crop.slice_index)
        pixels = study.by_id(crop.series_id).slices[crop.slice_index].pixels
        chosen = choose(crop, pixels.shape)
        places[place] = chosen | places.get(place, np.zeros(pixels.shape, np.bool_))
        sigma[place] = _BLUR * (crop.box_rc[2] - crop.box_rc[0])
    series = tuple(_blur_series(each, places, sigma) for each in study.series)
    return replace(study, series=series)


def _blur_series(series: MRSeries, places: Places, sigma: Mapping[tuple[str, int], float]) -> MRSeries:
    stacks, index = [], 0
    for stack in series.stacks:
        slices = []
        for mr_slice in stack.slices:
            place = (series.series_id, index)
            if place in places:
                pixels = _blur(mr_slice.pixels, places[place], sigma[place])
                mr_slice = replace(mr_slice, pixels=pixels)
            slices.append(mr_slice)
            index += 1
        stacks.append(SliceStack(tuple(slices)))
    return replace(series, stacks=tuple(stacks))


def _blur(pixels: PixelArray, where: Mask, sigma_px: float) -> PixelArray:
    return np.where(where, ndimage.gaussian_filter(pixels, sigma_px), pixels)


def hottest(crop: CropEvidence, shape: tuple[int, ...]) -> Mask:
    """The tenth of the crop's pixels in the image with the highest heat."""
    rows, columns = _pixels(crop, shape)
    top, left, bottom, right = crop.box_rc
    height, width = crop.heatmap.shape
    at_rows = (rows - top) / (bottom - top) * height
    at_columns = (columns - left) / (right - left) * width
    grid = np.meshgrid(at_rows - 0.5, at_columns - 0.5, indexing="ij")
    heat = ndimage.map_coordinates(crop.heatmap.astype(np.float64), np.stack(grid), order=1, mode="nearest")
    return _most(heat, rows, columns, shape)


def random_place(crop: CropEvidence, shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    """A connected tenth of the crop's pixels in the image: those nearest to a random one."""
    rows, columns = _pixels(crop, shape)
    row, column = rng.choice(rows), rng.choice(columns)
    nearness = -np.hypot(rows[:, None] - row, columns[None] - column)
    return _most(nearness, rows, columns, shape)


def _pixels(
    crop: CropEvidence, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns of the image whose centres lie in the crop."""
    top, left, bottom, right = crop.box_rc
    rows = np.arange(max(0, int(np.ceil(top))), min(shape[0], int(np.floor(bottom)) + 1))
    columns = np.arange(max(0, int(np.ceil(left))), min(shape[1], int(np.floor(right)) + 1))
    return rows, columns


def _most(
    score: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    shape: tuple[int, ...],
) -> Mask:
    """The tenth of the pixels with the highest score, as a mask of the image."""
    chosen = np.zeros(score.size, np.bool_)
    chosen[np.argsort(-score.ravel(), kind="stable")[: round(_SHARE * score.size)]] = True
    mask = np.zeros(shape, np.bool_)
    mask[np.ix_(rows, columns)] = chosen.reshape(score.shape)
    return mask
