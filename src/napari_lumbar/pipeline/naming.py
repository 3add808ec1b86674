"""Naming discs: peaks of "any disc" joined to names by ordered dynamic programming.

One head per level lets two levels claim one disc; here names must follow each other down the spine, at
plausible distances, and may be absent only with the network's consent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max

from ..domain.geometry import FloatArray
from ..domain.study import PixelArray

#: Distance of neighbouring disc centres and its spread (RSNA tables: 28-42 mm over adults).
_STEP_MM, _STEP_SD_MM = 35.0, 9.0
#: A name collects the probability within this distance of a peak.
_REACH_MM = 12.0
_SKIPPED_NAME_COST = 6.0
#: A disc left unnamed beyond the ends of the chain, and between two named ones, where it cannot be missing.
_SKIPPED_PEAK_COST, _INNER_PEAK_COST = 3.0, 8.0
_LEAST_MASS = 1e-3
#: Where the sacrum above and below a disc is looked for, below the disc's centre.
_ABOVE_MM, _BELOW_MM = (-6.0, -9.0), (12.0, 15.0, 18.0)
#: L5/S1 is the disc on the sacrum: with less of it in view below, no disc gets that name.
_SACRUM_SEEN = 0.25
#: With less of the image below it than this, a cut vertebra looks like a sacrum: L5/S1 needs this mass there.
_BORDER_MM, _BORDER_MASS = 28.0, 0.8
#: How much the sacrum below a disc speaks against every name but L5/S1, and the sacrum above it against that.
_SACRUM_WEIGHT = 0.8
#: How much each name's own answer counts, from cranial to caudal. Levels are counted from the sacrum; what
#: the upper names answer leans on where the field ends.
_NAME_WEIGHTS = np.array([0.3, 0.4, 0.6, 0.8, 1.0, 1.0])
#: Log mass of a name that a disc cannot bear.
_IMPOSSIBLE = 2 * float(np.log(_LEAST_MASS))
_PEAK_THRESHOLD = 0.15
_PEAK_DISTANCE_MM = 12.0


@dataclass(frozen=True, eq=False)
class DiscEvidence:
    """Maps of one view, averaged over its middle slices.

    Parameters
    ----------
    any_disc
        Probability of a disc centre, shape (h, w).
    named
        Probability of each name's place, cranial to caudal, shape (names, h, w).
    absent
        Probability that a name lies outside the image, shape (names,).
    pixel_mm
        Size of a map pixel.
    sacrum
        Probability of the sacrum, shape (h, w), where the network gives one.
    """

    any_disc: PixelArray
    named: PixelArray
    absent: PixelArray
    pixel_mm: float
    sacrum: PixelArray | None = None


@dataclass(frozen=True, eq=False)
class DiscChain:
    """Named discs.

    Parameters
    ----------
    centres_rc
        Map pixel of each name, shape (names, 2), NaN where absent.
    confidence
        Probability mass at the chosen place, shape (names,).
    margin
        How much better these names fit than the same discs named one level higher or lower.
    sacrum_seen
        Whether the sacrum is in view below the last name, or, where that is absent, below any disc; None
        without a map of it.
    disc_below
        Height of the strongest peak below the last name, 0 to 1, less what the sacrum above it takes away.
    """

    centres_rc: FloatArray
    confidence: FloatArray
    margin: float
    sacrum_seen: bool | None = None
    disc_below: float = 0.0


def name_discs(evidence: DiscEvidence) -> DiscChain:
    """Find and name the discs; every name may be absent."""
    peaks, strength = find_peaks(evidence)
    unary, mass = _unary(evidence, peaks)
    unary *= _NAME_WEIGHTS[-len(unary) :, None]
    log_absent = np.log(np.maximum(evidence.absent, _LEAST_MASS))
    below = None
    if evidence.sacrum is not None:
        above, below = (
            _sacrum_beside(evidence.sacrum, peaks, places_mm, evidence.pixel_mm)
            for places_mm in (_ABOVE_MM, _BELOW_MM)
        )
        # A disc with the sacrum above it is a rudiment inside the sacrum: leaving it unnamed costs nothing.
        strength = strength * (1 - above)
        unary += _sacrum_says(above, below, len(unary))
        if (below < _SACRUM_SEEN).all():
            log_absent[-1] = 0.0
    unary[-1, (_below_mm(evidence, peaks) < _BORDER_MM) & (mass[-1] < _BORDER_MASS)] = _IMPOSSIBLE
    chosen = _best_chain(peaks * evidence.pixel_mm, unary, log_absent, strength)
    centres = np.full((len(unary), 2), np.nan)
    confidence = np.zeros(len(unary))
    for name, peak in chosen.items():
        centres[name], confidence[name] = peaks[peak], mass[name, peak]
    _fill_gaps(evidence, centres, confidence)
    last = chosen.get(len(unary) - 1)
    return DiscChain(
        centres,
        np.clip(confidence, 0, 1),
        _margin(unary, chosen),
        None if below is None else bool((below[slice(None) if last is None else last] >= _SACRUM_SEEN).any()),
        0.0 if last is None else float(strength[last + 1 :].max(initial=0.0)),
    )


def _below_mm(evidence: DiscEvidence, peaks: FloatArray) -> FloatArray:
    """How far the image goes on below each peak, shape (peaks,)."""
    return np.asarray((len(evidence.any_disc) - 0.5 - peaks[:, 0]) * evidence.pixel_mm)


def _sacrum_says(above: FloatArray, below: FloatArray, names: int) -> FloatArray:
    """What the sacrum near each peak adds to the evidence for each name, shape (names, peaks)."""
    says = np.tile(np.log(1 - _SACRUM_WEIGHT * below), (names, 1))
    says[-1] = np.log(1 - _SACRUM_WEIGHT * above)
    says[-1, below < _SACRUM_SEEN] = _IMPOSSIBLE
    return says


def find_peaks(evidence: DiscEvidence) -> tuple[FloatArray, FloatArray]:
    """Sub-pixel peaks of "any disc" from top to bottom, shape (n, 2), and their heights, shape (n,)."""
    distance = max(1, round(_PEAK_DISTANCE_MM / evidence.pixel_mm))
    found = peak_local_max(
        evidence.any_disc, min_distance=distance, threshold_abs=_PEAK_THRESHOLD, exclude_border=False
    )
    found = found[np.argsort(found[:, 0])]
    heights = np.array([evidence.any_disc[r, c] for r, c in found])
    return np.array([centre_of_mass_near(evidence.any_disc, rc) for rc in found]).reshape(-1, 2), heights


def centre_of_mass_near(image: PixelArray, pixel_rc: FloatArray, reach: int = 2) -> FloatArray:
    """Centre of mass of the (2 reach + 1)-pixel square around a pixel, shape (2,)."""
    row, column = (int(v) for v in pixel_rc)
    top, left = max(0, row - reach), max(0, column - reach)
    window = image[top : row + reach + 1, left : column + reach + 1]
    return np.array(ndimage.center_of_mass(window)) + np.array([top, left])


def _unary(evidence: DiscEvidence, peaks: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log mass, and mass, of each name near each peak, shape (names, peaks)."""
    rows, columns = np.indices(evidence.any_disc.shape)
    reach = _REACH_MM / evidence.pixel_mm
    near = [((rows - r) ** 2 + (columns - c) ** 2) <= reach**2 for r, c in peaks]
    mass = np.array([[float(named[n].sum()) for n in near] for named in evidence.named])
    mass = mass.reshape(len(evidence.named), len(peaks))
    return np.log(np.maximum(mass, _LEAST_MASS)), mass


def _sacrum_beside(
    sacrum: PixelArray, peaks: FloatArray, places_mm: tuple[float, ...], pixel_mm: float
) -> FloatArray:
    """Mean probability of the sacrum at places below each peak along the spine, shape (peaks,)."""
    beside = np.zeros(len(peaks))
    for i in range(len(peaks)):
        # The way from the disc above; the topmost disc takes that to the one below.
        way = peaks[i] - peaks[i - 1] if i else peaks[min(1, len(peaks) - 1)] - peaks[0]
        caudal = way / np.linalg.norm(way) if way.any() else np.array([1.0, 0.0])
        places = peaks[i] + caudal * np.array(places_mm)[:, None] / pixel_mm
        beside[i] = ndimage.map_coordinates(sacrum, places.T, order=1, mode="constant").mean()
    return beside


def _best_chain(
    peaks_mm: FloatArray, unary: FloatArray, log_absent: FloatArray, strength: FloatArray
) -> dict[int, int]:
    """Viterbi over (name, peak): names in order, peaks in order; at most one name skipped at a time."""
    names, count = unary.shape
    score = np.full((names, count), -np.inf)
    back: dict[tuple[int, int], tuple[int, int]] = {}
    skipped = np.concatenate([[0.0], np.cumsum(strength)]) * _INNER_PEAK_COST
    for name in range(names):
        for peak in range(count):
            # Discs above that could have borne the names declared absent speak against it.
            above = strength[max(0, peak - name) : peak].sum() * _SKIPPED_PEAK_COST
            score[name, peak] = log_absent[:name].sum() - above
            for before, jump in _predecessors(name):
                for earlier in range(peak):
                    cost = skipped[peak] - skipped[earlier + 1] + _step_cost(peaks_mm, earlier, peak, jump)
                    cost += (_SKIPPED_NAME_COST - log_absent[name - 1]) if jump == 2 else 0.0
                    if score[before, earlier] - cost > score[name, peak]:
                        score[name, peak] = score[before, earlier] - cost
                        back[name, peak] = (before, earlier)
            score[name, peak] += unary[name, peak]
    # So do discs below the last name: under L5/S1 there is at most a rudiment of one.
    below = (strength.sum() - np.cumsum(strength)) * _SKIPPED_PEAK_COST
    return _trace(score - below, back, log_absent)


def _predecessors(name: int) -> list[tuple[int, int]]:
    return [(name - jump, jump) for jump in (1, 2) if name >= jump]


def _step_cost(peaks_mm: FloatArray, earlier: int, peak: int, jump: int) -> float:
    distance = float(np.linalg.norm(peaks_mm[peak] - peaks_mm[earlier]))
    return 0.5 * ((distance - jump * _STEP_MM) / (_STEP_SD_MM * jump)) ** 2


def _trace(
    score: FloatArray, back: dict[tuple[int, int], tuple[int, int]], log_absent: FloatArray
) -> dict[int, int]:
    if score.size == 0:
        return {}
    tail = np.array([log_absent[name + 1 :].sum() for name in range(len(log_absent))])
    total = score + tail[:, None]
    state: tuple[int, int] | None = tuple(int(v) for v in np.unravel_index(total.argmax(), total.shape))  # type: ignore[assignment]
    if total.max() < log_absent.sum():
        return {}
    chosen = {}
    while state is not None:
        chosen[state[0]] = state[1]
        state = back.get(state)
    return chosen


def _fill_gaps(evidence: DiscEvidence, centres: FloatArray, confidence: FloatArray) -> None:
    """An inner disc without a peak gets the best place of its name between its neighbours."""
    for name in range(1, len(centres) - 1):
        if np.isnan(centres[name, 0]) and not np.isnan(centres[[name - 1, name + 1], 0]).any():
            middle = centres[[name - 1, name + 1]].mean(axis=0)
            rows, columns = np.indices(evidence.any_disc.shape)
            reach = _REACH_MM / evidence.pixel_mm
            near = ((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2) <= reach**2
            weight = np.where(near, evidence.named[name] + 1e-6, 0)
            centres[name] = ndimage.center_of_mass(weight)
            confidence[name] = 0.5 * evidence.named[name][near].sum()


def _margin(unary: FloatArray, chosen: dict[int, int]) -> float:
    """Evidence of the names chosen minus that of the same discs named one level off, per disc."""
    if not chosen:
        return 0.0
    margins = []
    for shift in (-1, 1):
        pairs = [(n, k) for n, k in chosen.items() if 0 <= n + shift < len(unary)]
        margins.append(np.mean([unary[n, k] - unary[n + shift, k] for n, k in pairs]) if pairs else np.inf)
    return float(min(margins))
