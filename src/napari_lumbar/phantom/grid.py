"""The material volume, painted through spine coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .curve import FloatMap, SpineCurve
from .tissue import LabelArray

Range: TypeAlias = tuple[float, float]
Mask: TypeAlias = npt.NDArray[np.bool_]
Index: TypeAlias = slice


@dataclass(frozen=True, eq=False)
class Voxels:
    """Voxels within a box of spine coordinates, shape (p, k); the three arrays broadcast to it.

    Parameters
    ----------
    along, behind, lateral
        Spine coordinates in mm; ``behind`` has shape (p, 1).
    """

    along: FloatMap
    behind: FloatMap
    lateral: FloatMap
    _first: npt.NDArray[np.intp]
    _materials: LabelArray

    def paint(self, mask: Mask, material: int) -> None:
        """Give the voxels of ``mask``, broadcast to (p, k), a material."""
        rows, columns = _places(np.broadcast_to(mask, self.lateral.shape))
        self._materials[self._first[rows] + columns] = material

    def hold(self, *materials: int) -> Mask:
        """Where the voxels are made of one of these materials now, shape (p, k)."""
        table = np.zeros(256, dtype=np.bool_)
        table[list(materials)] = True
        places = self._first[:, None] + np.arange(self.lateral.shape[1])
        return table[self._materials[places]]

    def holding(self, mask: Mask) -> Voxels:
        """The voxels of ``mask``, shape (p, k), as a flat set of shape (q, 1)."""
        rows, columns = _places(mask)
        return Voxels(
            self.along[rows, columns][:, None],
            self.behind[rows],
            self.lateral[rows, columns][:, None],
            self._first[rows] + columns,
            self._materials,
        )


def _places(mask: Mask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """``np.nonzero`` of a mask of shape (p, k), which in one dimension is three times as fast."""
    return np.divmod(np.flatnonzero(mask), mask.shape[1])


@dataclass(frozen=True, eq=False)
class SpineGrid:
    """Materials on a regular grid of patient space.

    Parameters
    ----------
    materials
        Labels, shape (nz, ny, nx); indices grow with LPS z, y, x.
    origin_lps_mm
        Centre of voxel (0, 0, 0) as (x, y, z), shape (3,).
    voxel_mm
        Edge of a voxel.
    along, behind
        Spine coordinates on the midline, shape (nz, ny).
    midline_x_mm, tilt
        Patient x of the midline, and how far ``along`` grows per mm to the patient's left, shape (nz,).
    curve
        What the spine coordinates refer to.
    """

    materials: LabelArray
    origin_lps_mm: npt.NDArray[np.float64]
    voxel_mm: float
    along: FloatMap
    behind: FloatMap
    midline_x_mm: FloatMap
    tilt: FloatMap
    curve: SpineCurve

    @classmethod
    def covering(
        cls, low_lps_mm: npt.ArrayLike, high_lps_mm: npt.ArrayLike, voxel_mm: float, curve: SpineCurve
    ) -> SpineGrid:
        """An empty (air) grid around the box from ``low_lps_mm`` to ``high_lps_mm``, shape (3,) each."""
        low, high = np.asarray(low_lps_mm) - voxel_mm, np.asarray(high_lps_mm) + voxel_mm
        counts = np.ceil((high - low) / voxel_mm).astype(int) + 1
        counts += counts % 2  # even, so that the coarse background fits
        _, y, z = (low[axis] + voxel_mm * np.arange(counts[axis]) for axis in range(3))
        along, behind = curve.coordinates(y, z)
        return cls(
            np.zeros(tuple(counts[::-1]), np.uint8),
            low,
            voxel_mm,
            along,
            behind,
            curve.midline_x_mm(z).astype(np.float32),
            curve.swing.tilt(z).astype(np.float32),
            curve,
        )

    def coarse(self) -> SpineGrid:
        """An empty grid of the same place with voxels twice as long."""

        def halved(values: FloatMap) -> FloatMap:
            return np.asarray((values[::2] + values[1::2]) / 2, dtype=np.float32)

        nz, ny, nx = self.materials.shape
        return SpineGrid(
            np.zeros((nz // 2, ny // 2, nx // 2), np.uint8),
            self.origin_lps_mm + self.voxel_mm / 2,
            2 * self.voxel_mm,
            halved(halved(self.along).T).T,
            halved(halved(self.behind).T).T,
            halved(self.midline_x_mm),
            halved(self.tilt),
            self.curve,
        )

    @property
    def x_mm(self) -> FloatMap:
        """Patient x of the voxel centres, shape (nx,)."""
        count = self.materials.shape[2]
        return (self.origin_lps_mm[0] + self.voxel_mm * np.arange(count)).astype(np.float32)

    def reaches(self, along: Range) -> bool:
        """Whether places along the spine can lie on the grid."""
        return bool(self.along.min() - 20 < along[1] and along[0] < self.along.max() + 20)

    def select(self, along: Range, behind: Range, lateral: Range) -> Voxels:
        """The voxels within ranges of spine coordinates (mm); a few beyond the ends of ``along``."""
        spare = float(np.abs(self.tilt).max()) * max(abs(lateral[0]), abs(lateral[1]))
        along = along[0] - spare, along[1] + spare
        top, left, window = self._window(along, behind)
        far, deep = self.along[window], self.behind[window]
        near = (far > along[0]) & (far < along[1]) & (deep > behind[0]) & (deep < behind[1])
        rows, columns = np.nonzero(near)
        rows, columns = rows + top, columns + left
        shifts = self.midline_x_mm[rows]
        x = self.x_mm
        low, high = (lateral[0] + shifts.min(), lateral[1] + shifts.max()) if rows.size else (np.inf, np.inf)
        first, last = (int(v) for v in np.searchsorted(x, [low, high]))
        _, ny, nx = self.materials.shape
        beside = x[first:last] - shifts[:, None]
        return Voxels(
            self.along[rows, columns][:, None] + self.tilt[rows][:, None] * beside,
            self.behind[rows, columns][:, None],
            beside,
            (rows * ny + columns) * nx + first,
            self.materials.reshape(-1),
        )

    def _window(self, along: Range, behind: Range) -> tuple[int, int, tuple[Index, Index]]:
        """Rows and columns of the (y, z) maps that can hold these spine coordinates."""
        corners = self.curve.points_yz_at(np.linspace(*along, 7), np.asarray(behind))
        low, high = corners.min(axis=(0, 1)) - 3, corners.max(axis=(0, 1)) + 3
        first = np.floor((low - self.origin_lps_mm[1:]) / self.voxel_mm)
        last = np.ceil((high - self.origin_lps_mm[1:]) / self.voxel_mm)
        (left, top), (right, bottom) = np.clip(first, 0, None).astype(int), np.clip(last, 0, None).astype(int)
        return int(top), int(left), (np.s_[top:bottom], np.s_[left:right])
