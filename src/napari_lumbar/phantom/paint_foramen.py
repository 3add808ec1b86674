"""Neural foramina with their fat and root, and the facet joints behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..domain.spine import Side
from .curve import FloatMap
from .foramen import ROOT_ABOVE_MM, ForamenState
from .grid import SpineGrid, Voxels
from .levels import FORAMEN_MEDIAL_MM, RECESS_ROOM_MM, SIGN, LevelState
from .shape import Disc, SpineShape
from .tissue import Tissue

#: A foramen's lateral end, mm lateral of its middle.
LATERAL_MM = 7.5
#: What closes a foramen reaches this far above, below and behind a healthy one, mm.
AROUND_MM = 4.5
BEHIND_MM = 7.0
SOFT = (
    Tissue.FORAMINAL_FAT,
    Tissue.EPIDURAL_FAT,
    Tissue.FAT,
    Tissue.MUSCLE,
    Tissue.ABDOMEN,
)


@dataclass(frozen=True, eq=False)
class _Tunnel:
    """Voxels around one foramen: ``outward`` from its middle, caudal and dorsal of its opening's middle."""

    voxels: Voxels
    outward: FloatMap
    height: FloatMap
    depth: FloatMap


def _tunnel(grid: SpineGrid, shape: SpineShape, level: LevelState, side: Side) -> _Tunnel:
    state, wall = level.foramina[side], shape.disc(level.level).half_depth_mm
    centre = level.along_mm - state.above_mm
    ends = state.lateral_mm - FORAMEN_MEDIAL_MM - 2, state.lateral_mm + LATERAL_MM + 9
    lateral = ends if side is Side.LEFT else (-ends[1], -ends[0])
    voxels = grid.select((centre - 16, centre + 16), (wall - 10, wall + 20), lateral)
    outward = voxels.lateral * SIGN[side] - state.lateral_mm
    return _Tunnel(voxels, outward, voxels.along - centre, voxels.behind - wall - state.behind_mm)


def paint_foramina(grid: SpineGrid, shape: SpineShape) -> None:
    """Open the foramina, close what narrowed them, and lay the roots through, after bone."""
    for level in shape.levels:
        for side in Side:
            tunnel = _tunnel(grid, shape, level, side)
            _paint_opening(tunnel, shape, level, level.foramina[side])
            _paint_root(tunnel, level.foramina[side])


def _opening(tunnel: _Tunnel, state: ForamenState) -> FloatMap:
    """How open the foramen is, funnelling out at both ends."""
    return np.asarray(state.opening + (max(1.0, state.opening) - state.opening) * _widening(tunnel, state))


def _widening(tunnel: _Tunnel, state: ForamenState) -> FloatMap:
    """0 where it is narrowest, 1 where it is healthy again."""
    beyond = np.abs(tunnel.outward) - state.narrowest_mm
    return np.asarray(np.clip(beyond / state.widens_mm, 0, 1))


def _paint_opening(tunnel: _Tunnel, shape: SpineShape, level: LevelState, state: ForamenState) -> None:
    voxels, height, depth = tunnel.voxels, tunnel.height, tunnel.depth
    disc = shape.disc(level.level)
    within = (tunnel.outward > -FORAMEN_MEDIAL_MM) & (tunnel.outward < LATERAL_MM)
    opening = _opening(tunnel, state)
    free = state.is_open(height, depth, opening) & within
    # All that is fat in a foramen is in its opening: what remains up to the bones belongs to them.
    tall = np.abs(height) < state.half_height_mm + AROUND_MM
    deep = (depth > _body_wall(tunnel, disc, state.behind_mm) - 2.5) & (
        depth < state.half_depth_mm + BEHIND_MM
    )
    closed = within & ~free & tall & deep & voxels.hold(*SOFT)
    rim = state.is_open(height, depth, opening + state.rim)
    at_disc = np.abs(height - state.above_mm) < disc.height_mm / 2 + 2
    in_front = depth < 0
    voxels.paint(closed & ~in_front, state.behind)
    voxels.paint(closed & in_front & at_disc, Tissue.DISC_ANNULUS)
    voxels.paint(closed & in_front & ~at_disc, state.front)
    voxels.paint(closed & rim & ~(in_front & at_disc), Tissue.CORTEX)
    voxels.paint(free, Tissue.FORAMINAL_FAT)


def _body_wall(tunnel: _Tunnel, disc: Disc, behind_mm: float) -> FloatMap:
    """Where the disc's border lies, as a depth of the tunnel; it curves forward to the sides."""
    across = np.clip(np.abs(tunnel.voxels.lateral) / disc.half_width_mm, 0, 0.97)
    border = disc.half_depth_mm * (1 - across**2.6) ** (1 / 3)
    return np.asarray(border - disc.half_depth_mm - behind_mm)


def _paint_root(tunnel: _Tunnel, state: ForamenState) -> None:
    """The root, with its ganglion at the middle of the foramen, runs outwards, down and forwards."""
    out = np.where(np.abs(tunnel.outward) < 1.5, 0, tunnel.outward - 1.5 * np.sign(tunnel.outward))
    squeezed = 1 - _widening(tunnel, state)
    thinner = 1 + 0.035 * np.abs(out)
    height, depth = tunnel.height + ROOT_ABOVE_MM - 0.4 * out, tunnel.depth + 0.15 * out
    radius = state.root_radius(height * thinner - ROOT_ABOVE_MM, depth * thinner, squeezed)
    soft = ~tunnel.voxels.hold(Tissue.VERTEBRA, Tissue.CORTEX, Tissue.CSF, Tissue.LIGAMENTUM_FLAVUM)
    tunnel.voxels.paint(
        (radius < 1) & (soft | (np.abs(tunnel.outward) < state.narrowest_mm)), Tissue.NERVE_ROOT
    )


def paint_facets(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Facet joints at the discs; those that narrow a recess are thickened."""
    for level in shape.levels:
        for side in Side:
            _paint_facet(grid, shape, level, side, rng)


def _paint_facet(
    grid: SpineGrid, shape: SpineShape, level: LevelState, side: Side, rng: np.random.Generator
) -> None:
    recess, size = level.recesses[side], shape.size
    wall = shape.disc(level.level).half_depth_mm
    upper = level.level.value.split("/")[0]
    centre = shape.body(upper).canal_half_width_mm + 5.0 * size
    # A thick joint comes nearer to the disc.
    grown = float(np.clip(RECESS_ROOM_MM * size - recess.back_mm, -1.5, 7))
    middle = wall + 17.5 * size - 0.3 * grown
    thick = float(np.clip(1 + 0.035 * grown + rng.uniform(-0.08, 0.12), 0.85, 1.4))
    ends = centre - 12 * size * thick, centre + 12 * size * thick
    lateral = ends if side is Side.LEFT else (-ends[1], -ends[0])
    voxels = grid.select((level.along_mm - 14, level.along_mm + 11), (middle - 13, middle + 14), lateral)
    across = voxels.lateral * SIGN[side] - centre
    behind = voxels.behind - middle
    radius = np.hypot(across / (8 * thick), behind / (7 * thick)) / size
    radius = radius + ((voxels.along - level.along_mm + 2) / (10 * size)) ** 6
    voxels.paint(radius < 1, Tissue.FACET)
    voxels.paint(radius < 0.62 + 0.1 * rng.uniform(), Tissue.VERTEBRA)
    # The joint runs from the front of the inner side to the back of the outer one.
    slope, fluid = rng.uniform(0.45, 1.1), rng.uniform(-0.3, 0.75)
    gap = np.abs(across - slope * behind + 0.04 * behind**2) / np.hypot(1, slope)
    voxels.paint((radius < 0.9) & (gap < 1.5), Tissue.FACET)
    voxels.paint((radius < 0.8) & (gap < fluid), Tissue.JOINT_FLUID)
