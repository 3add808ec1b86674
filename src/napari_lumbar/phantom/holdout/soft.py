"""What lies at a disc's height behind it: canal, recesses, foramina and facet joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from ..tissue import Tissue
from .cells import Cells
from .foramen import ROOT_HEIGHT_MM, Foramen, keyhole, opening_along, root
from .section import Floats, Mask, borders, in_sac, nearness, passing_roots, smooth
from .spine import Disc, Spine, Vertebra

#: Strands of the cauda equina below L1; they grow fewer downwards. At L4/L5 they fill about 40 mm2, so that a
#: severely narrow sac shows no fluid.
N_STRANDS: Final = 22
STRAND_MM: Final = 0.95
_GOLDEN_RAD: Final = 2.39996
#: What a canal's contents replace; bone stays.
_BONE: Final = (Tissue.VERTEBRA, Tissue.SACRUM, Tissue.CORTEX)


@dataclass(frozen=True, eq=False)
class Half:
    """The cells on one disc's side of a wedge.

    Parameters
    ----------
    height
        Above the disc's mid-plane, mm, negative below; shape (n,).
    behind
        Behind the posterior wall, mm.
    own_behind
        Behind the middle of the disc's posterior wall, straight on in the disc's own frame, mm.
    place
        In discs from the first one.
    """

    cells: Cells
    disc: Disc
    height: Floats
    behind: Floats
    own_behind: Floats
    place: Floats

    @property
    def beside(self) -> Floats:
        """Distance from the midline, mm."""
        return np.asarray(np.abs(self.cells.x))

    def on(self, mask: Mask, painter: Callable[[Half], None]) -> None:
        """Let a painter work on the cells of a mask only."""
        cells, origin = self.cells.part(mask)
        if origin.size:
            height, behind, own, place = (
                values[origin] for values in (self.height, self.behind, self.own_behind, self.place)
            )
            painter(Half(cells, self.disc, height, behind, own, place))
            self.cells.materials[origin] = cells.materials

    def paint(self, mask: Mask, material: int) -> None:
        """Give cells a material."""
        self.cells.materials[mask] = material


def paint_fat(cells: Cells, behind: Floats, vertebra: Vertebra) -> None:
    """Fill canal and foramina with fat, before the bone; ``behind`` is counted from the posterior wall."""
    beside = np.abs(cells.x)
    free = (behind > -2) & (behind < vertebra.roof_mm + 3 - 0.72 * beside)
    cells.materials[free & (beside < vertebra.canal_half_width_mm + 1)] = Tissue.EPIDURAL_FAT
    outer = vertebra.canal_half_width_mm + 2 * vertebra.pedicle_half_width_mm
    across = ((beside - outer + 2) / 10) ** 2 + ((behind - 2) / 9) ** 2
    height = np.minimum(np.abs(cells.above - 4), np.abs(cells.below + 4))
    mouth = across + (height / 11) ** 2 < 1
    cells.materials[mouth & (beside > vertebra.canal_half_width_mm)] = Tissue.FAT


def paint_facets(half: Half) -> None:
    """Paint both joints: the lower vertebra's process in front and outside, the upper one's behind."""
    beside = half.beside
    near = (beside > 3) & (beside < 28) & (half.behind > 3) & (half.behind < 32) & (np.abs(half.height) < 19)
    half.on(near, _paint_joints)


def _paint_joints(half: Half) -> None:
    disc, beside, height = half.disc, half.beside, half.height
    size = disc.facet_size
    behind = float(np.mean([f.behind_mm for f in disc.foramina])) + 10.2
    front_x, front_y = beside - disc.facet_lateral_mm, half.behind - behind
    back_x, back_y = front_x + 4.6, front_y - 5.6
    front = (front_x / 5.4) ** 2 + (front_y / 4.9) ** 2
    back = (back_x / 4.8) ** 2 + (back_y / 5.2) ** 2
    front_tip, back_tip = smooth((11 - height) / 6), smooth((height + 11) / 6)
    in_front = (front < size**2 * front_tip) & (height > -16)
    in_back = (back < size**2 * back_tip) & (height < 19)
    half.paint(in_back, Tissue.FACET)
    half.paint(in_front, Tissue.FACET)
    rim = (in_front & (front > 0.66 * size**2 * front_tip)) | (in_back & (back > 0.66 * size**2 * back_tip))
    half.paint(rim, Tissue.CORTEX)
    joint = (front_x * -4.6 + front_y * 5.6) / 7.25 - 3.6
    within = (np.maximum(front, back) < 1.25 * size**2) & (np.abs(height) < 9)
    half.paint(within & (np.abs(joint) < 1.5), Tissue.CORTEX)
    half.paint(within & (np.abs(joint) < 0.15 + 0.5 * disc.wear), Tissue.JOINT_FLUID)


def paint_foramina(half: Half, vertebra: Vertebra) -> None:
    """Paint the keyholes of fat, what narrows them, and the roots; after the bone."""
    level = (half.height > -12) & (half.height < 17) & (half.behind > -14) & (half.behind < 19)
    for side, foramen in zip((-1, 1), half.disc.foramina, strict=True):
        beside = half.cells.x * side
        near = level & (beside > vertebra.canal_half_width_mm - 4) & (beside < foramen.lateral_mm + 18)
        half.on(near, partial(_paint_foramen, foramen=foramen, vertebra=vertebra))


def _paint_foramen(half: Half, foramen: Foramen, vertebra: Vertebra) -> None:
    beside = half.beside
    depth = half.own_behind - foramen.behind_mm
    inner = vertebra.canal_half_width_mm - 1.5
    outer = vertebra.canal_half_width_mm + 2 * vertebra.pedicle_half_width_mm + 1
    run = beside - foramen.lateral_mm
    # The root runs down, forward and outwards.
    sink = 0.45 * np.clip(run, -5, 5) + 1.0 * (run - np.clip(run, -5, 5))
    above, back = half.height - ROOT_HEIGHT_MM + sink, depth + 0.3 * run
    opening = opening_along(foramen, beside)
    # Bone and disc around the channel taper off to the side.
    lens = 1 - np.clip(run / min(outer - foramen.lateral_mm, 9.0), 0, 1) ** 2
    reach = np.where(depth < 0, max(8.5, foramen.behind_mm + 8), 8.5)
    room = (depth / reach) ** 2 + ((half.height - 4) / 13.5) ** 2 < np.minimum(lens, 0.999)
    channel = room & (beside > inner) & (beside < outer)
    open_, nerve = keyhole(depth, above, opening), root(back, above)
    wide = keyhole(depth, above, opening + np.float32(0.16))
    blocked = channel & ~open_
    low = half.height < half.disc.height_mm / 2 + 1.5
    half.paint(blocked & (depth < 0) & low, Tissue.DISC_ANNULUS)
    half.paint(blocked & (depth < 0) & ~low, Tissue.VERTEBRA)
    half.paint(blocked & (depth >= 0), Tissue.FACET)
    half.paint(blocked & wide & ~((depth < 0) & low), Tissue.CORTEX)
    half.paint(channel & open_, Tissue.FORAMINAL_FAT)
    free = (beside > inner - 2) & (run < 17) & ~blocked
    half.paint(free & nerve, Tissue.NERVE_ROOT)


def paint_canal(half: Half, vertebra: Vertebra, spine: Spine) -> None:
    """Paint ligaments, disc bulges and the sac with what it holds; after the bone."""
    within = (half.beside < vertebra.canal_half_width_mm) & (half.behind > 0)
    within &= half.behind < max(vertebra.roof_mm, half.disc.section.roof_mm) + 4
    half.on(within, partial(_paint_canal, vertebra=vertebra, spine=spine))


def _paint_canal(half: Half, vertebra: Vertebra, spine: Spine) -> None:
    section, cells = half.disc.section, half.cells
    near = nearness(half.height)
    floor, roof = borders(section, cells.x, near, vertebra.roof_mm)
    bone = np.isin(cells.materials, _BONE)
    level = np.abs(half.height) < 12
    half.paint((half.behind <= floor) & level, Tissue.DISC_ANNULUS)
    deep = half.behind - roof
    half.paint((deep >= 0) & (deep < 3.2) & level & ~bone, Tissue.LIGAMENTUM_FLAVUM)
    # Where a recess is narrow, its roof is the overgrown joint.
    grown = (deep >= 3.2) & level & (cells.materials == Tissue.EPIDURAL_FAT)
    half.paint(grown, Tissue.LIGAMENTUM_FLAVUM)
    half.paint(grown & (half.beside > section.recess_lateral_mm - 2.5), Tissue.FACET)
    open_ = (half.behind > floor) & (half.behind < roof)
    half.paint(open_ & (near > 0.3), Tissue.EPIDURAL_FAT)
    distance = in_sac(section, cells.x, half.behind, floor, roof)
    half.paint(open_ & passing_roots(section, cells.x, half.behind, floor, roof), Tissue.NERVE_ROOT)
    radius = _sac_radius(half, spine)
    sac = np.flatnonzero((distance < radius) & (half.beside < vertebra.canal_half_width_mm - 0.5))
    cells.materials[sac] = Tissue.CSF
    _paint_contents(half, spine, sac, radius[sac])


def _sac_radius(half: Half, spine: Spine) -> Floats:
    """Between two discs the sac widens to what is usual there."""
    usual = 7.6 * np.interp(half.place, [spine.last + 0.2, spine.last + 1.2, spine.last + 2.2], [1, 0.7, 0.2])
    near = nearness(half.height)
    return np.asarray(usual + (half.disc.section.sac_radius_mm - usual) * near, dtype=np.float32)


def _paint_contents(half: Half, spine: Spine, sac: np.ndarray, radius: Floats) -> None:
    section = half.disc.section
    x = half.cells.x[sac]
    back = half.behind[sac] - section.sac_centre_mm
    place = half.place[sac]
    width, depth = radius * np.sqrt(section.aspect), radius / np.sqrt(section.aspect)
    crowded = smooth((6.2 - radius) / 2.5)
    fewer = (
        int(np.clip(N_STRANDS - 2.0 * max(float(place.mean()) - spine.conus, 0), 4, N_STRANDS))
        if sac.size
        else 0
    )
    below = place > spine.conus - 1.0
    roots = np.zeros(sac.size, dtype=np.bool_)
    thick = (STRAND_MM * (1 + 0.15 * crowded)) ** 2
    waves = np.sin(0.7 * place), np.cos(0.7 * place)
    for k in range(fewer):
        # Seeds of a sunflower; lying patients' roots settle at the back unless they are crowded.
        out, turn = 0.86 * np.sqrt((k + 0.5) / fewer), _GOLDEN_RAD * k + 9 * spine.conus
        sway = 0.3 * out * (np.cos(k) * waves[0] + np.sin(k) * waves[1])
        settled = (out * np.cos(turn) + sway) * (0.5 + 0.5 * crowded) + 0.36 * (1 - crowded)
        across = (out * np.sin(turn) - sway) * width
        roots |= (x - across) ** 2 + (back - settled * depth) ** 2 < thick
    half.cells.materials[sac[roots & below]] = Tissue.ROOTS
    taper = np.sqrt(np.clip((spine.conus - place) / 0.7, 0, 1))
    cord = (x / 4.6) ** 2 + ((back - 0.4) / 3.4) ** 2 < taper**2
    half.cells.materials[sac[cord]] = Tissue.CORD
