"""The spine's own frame at each level: where the disc and the canal are, and which way is up and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..domain.geometry import FloatArray
from ..domain.landmarks import Numbering
from ..domain.spine import Level
from ..preprocess.channels import NAMED_DISCS
from .naming import DiscChain, name_discs
from .sagittal_maps import SagittalMaps, left_pointing

#: Where to look for the canal behind a disc centre, and what to assume where it is not seen (adults).
_CANAL_RANGE_MM = (9.0, 42.0)
_CANAL_USUAL_MM = 25.0
_CANAL_PROBABILITY = 0.35
#: How far the curve goes on turning at the ends of the chain; 0.5 would be a parabola through three discs.
_END_TURN = 0.25


@dataclass(frozen=True, eq=False)
class LevelFrame:
    """One disc level.

    Parameters
    ----------
    disc_lps_mm, canal_lps_mm
        Disc centre, and canal centre on the disc's mid-plane, on the sagittal plane through the canal there.
    posterior, cranial, left
        Unit vectors in patient space, perpendicular to each other.
    confidence
        0 to 1: evidence for the disc's name and place.
    canal_seen
        False where the canal was assumed at its usual distance.
    """

    disc_lps_mm: FloatArray
    canal_lps_mm: FloatArray
    posterior: FloatArray
    cranial: FloatArray
    left: FloatArray
    confidence: float
    canal_seen: bool

    def moved_to(self, canal_lps_mm: FloatArray) -> LevelFrame:
        """Return the frame shifted along the patient's left only, to where a canal was seen."""
        shift = float((canal_lps_mm - self.canal_lps_mm) @ self.left) * self.left
        return replace(self, disc_lps_mm=self.disc_lps_mm + shift, canal_lps_mm=self.canal_lps_mm + shift)


@dataclass(frozen=True, eq=False)
class SpineFrame:
    """The levels that were found, and what their names rest on (see ``DiscChain``)."""

    levels: Mapping[Level, LevelFrame]
    numbering: Numbering


def find_spine(maps: SagittalMaps) -> SpineFrame:
    """Name the discs and find the canal behind each."""
    evidence, middle_mm = maps.middle_evidence()
    chain = name_discs(evidence)
    canal = _canal_map(maps, middle_mm)
    levels = {}
    for level in Level:
        name = NAMED_DISCS.index(level.value)
        if not np.isnan(chain.centres_rc[name, 0]):
            levels[level] = _level_frame(maps, chain, name, canal, middle_mm)
    return SpineFrame(levels, _numbering(chain))


def _numbering(chain: DiscChain) -> Numbering:
    # Margins are log evidence per disc: the share of the names chosen against those one level off.
    confidence = float(1 / (1 + np.exp(-np.clip(chain.margin, -50, 50))))
    return Numbering(chain.sacrum_seen, confidence, chain.disc_below)


def _canal_map(maps: SagittalMaps, middle_mm: float) -> FloatArray:
    near = np.abs(maps.across_mm - middle_mm) <= 7.0
    if not near.any():
        near = np.abs(maps.across_mm - middle_mm) <= np.abs(maps.across_mm - middle_mm).min()
    return maps.maps["canal"][near].max(0).astype(np.float64)


def _level_frame(
    maps: SagittalMaps, chain: DiscChain, name: int, canal: FloatArray, middle_mm: float
) -> LevelFrame:
    caudal_rc = caudal_direction(chain.centres_rc, name)
    # Columns run to posterior in the usual view, so this quarter turn points backwards.
    posterior_rc = np.array([-caudal_rc[1], caudal_rc[0]])
    centre = chain.centres_rc[name]
    distance, seen = _canal_distance_mm(canal, centre, posterior_rc, maps.map_mm)
    geometry, left = maps.geometry, left_pointing(maps.geometry)
    down, back = np.array(geometry.along_column), np.array(geometry.along_row)
    posterior = posterior_rc[0] * down + posterior_rc[1] * back
    # Where a spine bends sideways, each level has a middle of its own.
    across_mm = maps.canal_across_mm(centre + distance / maps.map_mm * posterior_rc, middle_mm)
    disc = geometry.lps_from_pixel(maps.pixel_from_map(centre)) + across_mm * left
    return LevelFrame(
        disc_lps_mm=disc,
        canal_lps_mm=disc + distance * posterior,
        posterior=posterior,
        cranial=-(caudal_rc[0] * down + caudal_rc[1] * back),
        left=left,
        confidence=float(chain.confidence[name]) * (1.0 if seen else 0.5),
        canal_seen=seen,
    )


def caudal_direction(centres_rc: FloatArray, name: int) -> FloatArray:
    """Unit tangent of the chain of discs towards the feet, shape (2,) as (row, column).

    Inside the chain the chord of the neighbours; at its ends the last chord, turned on by a part of how far
    it turned against the one before, because the lumbosacral disc is tilted beyond its last chord.
    """
    known = [n for n in range(len(centres_rc)) if not np.isnan(centres_rc[n, 0])]
    place = known.index(name)
    if len(known) == 1:
        return np.array([1.0, 0.0])
    if 0 < place < len(known) - 1:
        tangent = centres_rc[known[place + 1]] - centres_rc[known[place - 1]]
    elif len(known) == 2:
        tangent = centres_rc[known[1]] - centres_rc[known[0]]
    elif place == 0:
        a, b, c = centres_rc[known[:3]]
        tangent = (b - a) + _END_TURN * ((b - a) - (c - b))
    else:
        a, b, c = centres_rc[known[-3:]]
        tangent = (c - b) + _END_TURN * ((c - b) - (b - a))
    return np.asarray(tangent / np.linalg.norm(tangent))


def _canal_distance_mm(
    canal: FloatArray, centre_rc: FloatArray, posterior_rc: FloatArray, map_mm: float
) -> tuple[float, bool]:
    """How far behind the disc centre the canal's middle lies; (usual distance, False) where not seen."""
    steps = np.arange(*_CANAL_RANGE_MM, 0.5)
    along = np.array([-posterior_rc[1], posterior_rc[0]])
    profile = np.mean(
        [
            ndimage.map_coordinates(
                canal, (centre_rc + offset * along)[:, None] + posterior_rc[:, None] * steps / map_mm, order=1
            )
            for offset in (-0.7, 0.0, 0.7)
        ],
        axis=0,
    )
    labels, count = ndimage.label(profile > _CANAL_PROBABILITY)
    if count == 0:
        return _CANAL_USUAL_MM, False
    # Several runs: the one with the most evidence; fat behind the canal may answer weakly.
    best = 1 + int(np.argmax(ndimage.sum(profile, labels, range(1, count + 1))))
    weight = np.where(labels == best, profile, 0)
    return float((weight * steps).sum() / weight.sum()), True
