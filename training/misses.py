"""How far the localiser misses, measured on phantoms that it was not trained on.

The graders' crops are moved by such misses (Panditrao et al. draw theirs from stage 1's errors too), so that
they learn from what they will be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file

from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import ConditionGroup
from ..domain.study import MRSeries
from ..models.bundle import load_bundle
from ..pipeline.localise import MultistageLocalizer
from ..pipeline.progress import CancelToken, ignore_progress
from ..preprocess.bags import Jitter
from ..preprocess.canonical import canonical_series
from .calibrate import varied_phantoms
from .phantom_kinds import TRAINING_CONFIG
from .processes import map_in_processes

#: Rows of (down mm, right mm, slices) in the usual view, shape (n, 3), of each group's own landmarks.
Misses = Mapping[ConditionGroup, npt.NDArray[np.float64]]

#: Share of misses that are drawn instead of measured, their spread, and their slices with probabilities:
#: on scans unlike the phantoms the localiser misses farther, but a network that often sees far misses grades
#: the usual near ones worse.
_FAR_SHARE, _FAR_SD_MM = 0.03, 5.0
#: What the embedded localiser misses on phantoms by: spread in the plane, and shares of slices -1, 0, 1.
_TYPICAL_SD_MM, _TYPICAL_SHARES = 1.4, (0.15, 0.7, 0.15)
_SLICE_SHIFTS, _SHIFT_SHARES = (-2, -1, 0, 1, 2), (0.05, 0.25, 0.4, 0.25, 0.05)


def random_jitter(rng: np.random.Generator, measured: npt.NDArray[np.float64]) -> Jitter:
    """A miss like those of ``measured``, shape (n, 3), or now and then a far one; only those if n is 0."""
    if len(measured) == 0 or rng.random() < _FAR_SHARE:
        down, right = rng.normal(0, _FAR_SD_MM, 2)
        return Jitter(float(down), float(right), int(rng.choice(_SLICE_SHIFTS, p=_SHIFT_SHARES)))
    down, right, slices = measured[rng.integers(len(measured))]
    return Jitter(float(down), float(right), int(slices))


def typical_jitter(rng: np.random.Generator) -> Jitter:
    """A miss like those of the embedded localiser on phantoms, for recipes that measure none of their own."""
    down, right = rng.normal(0, _TYPICAL_SD_MM, 2)
    return Jitter(float(down), float(right), int(rng.choice((-1, 0, 1), p=_TYPICAL_SHARES)))


def measure_misses(
    bundle: Path, seeds: Sequence[int], jobs: int, out: Path, say: Callable[[str], None] = print
) -> None:
    """Run the localiser of a bundle on phantoms and keep its misses in ``out``, if that is not there yet."""
    if out.exists():
        return
    shares = [seeds[i::jobs] for i in range(jobs)]
    measured = map_in_processes(partial(_measure, bundle), shares, jobs)
    parts = [part for some in measured for part in some]
    joined = {group.name: np.concatenate([part[group] for part in parts]) for group in ConditionGroup}
    temporary = out.with_name(f"part.{out.name}")
    save_file(joined, temporary)
    temporary.replace(out)
    say(f"misses measured on {len(parts)} phantoms")


def load_misses(path: Path) -> Misses:
    """What ``measure_misses`` kept."""
    stored = load_file(path)
    return {group: stored[group.name] for group in ConditionGroup}


def misses_of(found: Landmarks, truth: Landmarks, series: Sequence[MRSeries]) -> Misses:
    """From each true landmark to the one found on the same series."""
    usual = {one.series_id: canonical_series(one) for one in series}
    rows: dict[ConditionGroup, list[list[float]]] = {group: [] for group in ConditionGroup}
    for landmark in found:
        true = truth.get(landmark.key)
        if true is not None and true.series_id == landmark.series_id:
            rows[landmark.key.condition.group].append(_miss(landmark, true, usual[true.series_id]))
    return {group: np.array(of_group, dtype=np.float64).reshape(-1, 3) for group, of_group in rows.items()}


def _miss(found: Landmark, true: Landmark, usual: MRSeries) -> list[float]:
    geometry = usual.slices[true.slice_index].geometry
    places = [geometry.pixel_from_lps(point.point_lps_mm) for point in (found, true)]
    down, right = (places[0] - places[1]) * geometry.spacing_rc_mm
    return [float(down), float(right), float(found.slice_index - true.slice_index)]


def _measure(bundle: Path, seeds: Sequence[int]) -> list[Misses]:
    localizer = MultistageLocalizer(load_bundle(bundle), torch.device("cpu"))
    return [
        misses_of(
            localizer.locate(phantom.study, ignore_progress, CancelToken()),
            phantom.landmarks,
            phantom.study.series,
        )
        for phantom in varied_phantoms(seeds, TRAINING_CONFIG.front_fat)
    ]
