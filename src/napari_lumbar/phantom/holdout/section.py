"""Cross-section of the canal at a disc: the dural sac and the two lateral recesses.

Lengths are millimetres in the disc's frame, counted to the back from the disc's posterior wall and sideways
from the midline. Both measures are set exactly: the sac's radius is the one at which its painted area is the
wanted one, and the roof stands over the floor of a recess by the wanted depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Reals: TypeAlias = npt.NDArray[np.floating[Any]]
Mask: TypeAlias = npt.NDArray[np.bool_]

#: Open depth of a healthy recess; deeper ones lift the roof.
HEALTHY_RECESS_MM: Final = 9.5
#: A disc's narrowing reaches this far above and below its mid-plane.
REACH_MM: Final = 8.0
ROOT_RADIUS_MM: Final = 1.5
_CELL_MM: Final = 0.2
#: Fat between the sac and its walls.
_MARGIN_MM: Final = 0.3


@dataclass(frozen=True)
class Section:
    """The canal at one disc. Pairs are (right, left) of the patient.

    Parameters
    ----------
    sac_radius_mm, sac_centre_mm, aspect, lobes
        Size, place behind the wall, width over depth, and share of the trefoil of the dural sac.
    bulge_mm, bulge_side, flavum_mm
        How far disc and ligamenta flava stand into the middle of the canal; how much more the disc does so on
        the left, as a share.
    roof_mm
        Posterior wall to the laminae in the midline.
    recess_lateral_mm
        Where the recess is measured, beside the midline.
    recess_depth_mm
        Its open depth.
    front_share
        Share of a recess's loss that comes from the disc; the rest from the facet.
    reach_mm
        Where the canal ends beside the midline.
    """

    sac_radius_mm: float
    sac_centre_mm: float
    aspect: float
    lobes: float
    bulge_mm: float
    bulge_side: float
    flavum_mm: float
    roof_mm: float
    recess_lateral_mm: float
    recess_depth_mm: tuple[float, float]
    front_share: tuple[float, float]
    reach_mm: float

    def recess_middle_mm(self, index: int) -> float:
        """Middle of the depth of the right (0) or left (1) recess, behind the wall."""
        depth = self.recess_depth_mm[index]
        return self.front_share[index] * max(HEALTHY_RECESS_MM - depth, 0.0) + depth / 2


def nearness(height_mm: Reals) -> Floats:
    """1 at the disc's mid-plane, 0 far above and below it; flat in between."""
    square = np.square(height_mm / np.float32(REACH_MM))
    return np.asarray(np.exp(-np.minimum(square * square, 50)), dtype=np.float32)


def smooth(value: Reals) -> Floats:
    """0 below 0, 1 above 1, smooth in between."""
    v = np.clip(value, 0, 1)
    return np.asarray(v * v * (3 - 2 * v), dtype=np.float32)


def borders(section: Section, x: Floats, near: Floats, roof_far_mm: float) -> tuple[Floats, Floats]:
    """Floor and roof of the open canal behind the wall, each shaped like ``x``.

    Parameters
    ----------
    x
        Millimetres to the patient's left.
    near
        ``nearness`` of the points.
    roof_far_mm
        Roof at the vertebra's middle.
    """
    beside = np.abs(x)
    lateral = section.recess_lateral_mm
    depth, share = (
        np.where(x > 0, p[1], p[0]).astype(np.float32) for p in (section.recess_depth_mm, section.front_share)
    )
    healthy = np.maximum(depth, HEALTHY_RECESS_MM)
    lost = healthy - depth
    inside = np.minimum(beside / (lateral - 1.5), 1)
    middle = roof_far_mm + (section.roof_mm - roof_far_mm) * near
    arch = healthy + (middle - healthy) * (1 - inside * np.sqrt(inside))
    in_recess = smooth((beside - (lateral - 5)) / 3.5)
    bulge = section.bulge_mm * (1 + section.bulge_side * np.clip(x / 6, -1, 1))
    floor = near * ((1 - in_recess) * bulge + in_recess * share * lost)
    roof = arch - near * ((1 - in_recess) * section.flavum_mm + in_recess * (1 - share) * lost)
    # Beside the recess, at the height of the disc, facet capsule and annulus meet.
    shut = near * smooth((beside - lateral - 2) / 3.5) * (roof - floor) / 2
    return np.asarray(floor + shut, np.float32), np.asarray(roof - shut, np.float32)


def sac_distance(section: Section, x: Floats, behind: Floats) -> Floats:
    """The sac's radius at which its edge passes each point (mm), shaped like ``x``."""
    v = behind - section.sac_centre_mm
    elliptic = np.sqrt(x * x / section.aspect + v * v * section.aspect)
    cosine = v / np.maximum(np.sqrt(x * x + v * v), 1e-3)
    # One lobe to the back, two to the front and sides: cos 3t = 4 cos^3 t - 3 cos t.
    return np.asarray(elliptic / (1 + section.lobes * (4 * cosine**2 - 3) * cosine), dtype=np.float32)


def passing_roots(section: Section, x: Floats, behind: Floats, floor: Floats, roof: Floats) -> Mask:
    """Where the roots lie that pass through the recesses to the next foramen."""
    beside = np.abs(x) - section.recess_lateral_mm - 0.6
    place = floor + np.minimum((roof - floor) / 2, 2.6)
    inside = beside**2 + (behind - place) ** 2 < ROOT_RADIUS_MM**2
    return np.asarray(inside & (behind > floor) & (behind < roof), dtype=np.bool_)


def in_sac(section: Section, x: Floats, behind: Floats, floor: Floats, roof: Floats) -> Floats:
    """``sac_distance`` where the canal is open, infinite elsewhere."""
    free = (behind > floor + _MARGIN_MM) & (behind < roof - _MARGIN_MM)
    free &= np.abs(x) < section.reach_mm - _MARGIN_MM
    free &= ~passing_roots(section, x, behind, floor, roof)
    return np.where(free, sac_distance(section, x, behind), np.float32(np.inf))


def fitted(section: Section, area_mm2: float) -> Section:
    """The section whose sac has an area of ``area_mm2``; its roof rises where there is no room."""
    x, behind = np.meshgrid(
        np.arange(-16, 16, _CELL_MM, dtype=np.float32), np.arange(-1, 28, _CELL_MM, dtype=np.float32)
    )
    cells = round(area_mm2 / _CELL_MM**2)
    while True:
        floor, roof = borders(section, x, np.ones_like(x), section.roof_mm)
        distances = in_sac(section, x, behind, floor, roof)
        reachable = np.sort(distances[np.isfinite(distances)])
        # A sac that fills its canal to the last corner is no sac.
        if reachable.size > 1.12 * cells or section.roof_mm > 26:
            break
        section = replace(section, roof_mm=section.roof_mm + 0.5)
    return replace(section, sac_radius_mm=float(reachable[min(cells, reachable.size - 1)]))
