"""The spine's curve and the coordinates the anatomy is described in.

Spine coordinates are (along, behind, lateral) in mm: ``along`` runs caudally on the curve through the
middle of the vertebral bodies (0 at the L3/L4 disc), ``behind`` is the signed distance behind that
curve, ``lateral`` the distance to the patient's left of the midline. The curve lies in the (y, z) plane
of DICOM LPS; scoliosis shifts the midline sideways as a function of z and tilts everything with it;
a slipped vertebra lies in front of the curve with all above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ..domain.geometry import FloatArray, Vector3, vector3

FloatMap: TypeAlias = npt.NDArray[np.floating[Any]]

#: Distance between samples of the curve, and the stretch of it that is sampled.
STEP_MM = 0.5
FIRST_MM, LAST_MM = -500.0, 300.0
#: The midline swings sideways as sin(z / SWING_MM).
SWING_MM = 55.0
#: Voxels between those whose nearest place on the curve is searched for; linear in between.
SEARCH_STEP = 4


@dataclass(frozen=True)
class Swing:
    """The sideways wave of the midline: its amplitude in mm (sign: to which side) and its phase."""

    amplitude_mm: float = 0.0
    phase: float = 0.0

    @classmethod
    def of_cobb(cls, cobb_deg: float, phase: float) -> Swing:
        """The wave between whose steepest places the spine turns by a Cobb angle (signed)."""
        return cls(float(SWING_MM * np.tan(np.radians(cobb_deg) / 2)), phase)

    def x_mm(self, z_mm: npt.ArrayLike) -> FloatArray:
        """Patient x of the midline at heights ``z_mm``, same shape."""
        z = np.asarray(z_mm, dtype=np.float64)
        return np.asarray(self.amplitude_mm * np.sin(z / SWING_MM + self.phase), dtype=np.float64)

    def tilt(self, z_mm: npt.ArrayLike) -> FloatArray:
        """How far ``along`` grows per mm to the patient's left at heights ``z_mm``, same shape."""
        z = np.asarray(z_mm, dtype=np.float64)
        slope = self.amplitude_mm / SWING_MM * np.cos(z / SWING_MM + self.phase)
        return np.asarray(-slope, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class SpineCurve:
    """A sampled plane curve with its tangent.

    Parameters
    ----------
    along_mm
        Arc length of each sample, increasing caudally, shape (n,).
    points_yz_mm
        The samples in patient space, shape (n, 2).
    angles_rad
        Angle of the downward tangent behind the vertical, shape (n,).
    slips_mm
        How far the spine lies in front of the curve, shape (n,).
    swing
        The midline's sideways wave.
    """

    along_mm: FloatArray
    points_yz_mm: FloatArray
    angles_rad: FloatArray
    slips_mm: FloatArray
    swing: Swing

    @classmethod
    def through(
        cls, knots_mm: FloatArray, angles_deg: FloatArray, slip: tuple[float, float, float], swing: Swing
    ) -> SpineCurve:
        """Integrate tangent angles given at arc lengths ``knots_mm``; both of shape (k,).

        ``slip`` is (arc length, half length of the step, step), all in mm.
        """
        along = np.arange(FIRST_MM, LAST_MM + STEP_MM, STEP_MM)
        angles = np.radians(np.interp(along, knots_mm, angles_deg))
        # Smoothed so that neighbouring vertebrae do not meet in a kink.
        kernel = np.hanning(41)
        padded = np.pad(angles, 20, mode="edge")
        angles = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        steps = STEP_MM * np.stack([np.sin(angles), -np.cos(angles)], axis=1)
        points = np.cumsum(steps, axis=0)
        origin = points[np.searchsorted(along, 0.0)]
        centre, half, step = slip
        slips = step * np.clip((centre + half - along) / (2 * half), 0, 1)
        return cls(along, points - origin, angles, slips, swing)

    def angle_rad(self, along_mm: float) -> float:
        """Angle of the downward tangent behind the vertical at ``along_mm``."""
        return float(np.interp(along_mm, self.along_mm, self.angles_rad))

    def midline_x_mm(self, z_mm: npt.ArrayLike) -> FloatArray:
        """Patient x of the midline at heights ``z_mm``, same shape."""
        return self.swing.x_mm(z_mm)

    def point_lps_mm(self, along_mm: float, behind_mm: float = 0.0, lateral_mm: float = 0.0) -> Vector3:
        """Patient-space point of spine coordinates."""
        return vector3(self.points_lps_mm(np.array(along_mm), np.array(behind_mm), np.array(lateral_mm)))

    def points_lps_mm(
        self, along_mm: FloatArray, behind_mm: FloatArray, lateral_mm: FloatArray
    ) -> FloatArray:
        """Patient-space points of spine coordinates that broadcast to (...), shape (..., 3)."""
        along, behind, lateral = np.broadcast_arrays(along_mm, behind_mm, lateral_mm)
        base = along
        # The tilt is that of the point's own height; it changes slowly, so this settles at once.
        for _ in range(8):
            y, z = self._yz(base, behind)
            base = along - self.swing.tilt(z) * lateral
        return np.stack([self.midline_x_mm(z) + lateral, y, z], axis=-1)

    def _yz(self, along_mm: FloatArray, behind_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Patient y and z of coordinates on the midline, of their shape."""
        angle = np.interp(along_mm, self.along_mm, self.angles_rad)
        y, z = (np.interp(along_mm, self.along_mm, self.points_yz_mm[:, axis]) for axis in (0, 1))
        behind = behind_mm - np.interp(along_mm, self.along_mm, self.slips_mm)
        return y + behind * np.cos(angle), z + behind * np.sin(angle)

    def points_yz_at(self, along_mm: FloatArray, behind_mm: FloatArray) -> FloatArray:
        """Patient (y, z) of all pairs of midline coordinates, shape (len(along), len(behind), 2)."""
        return np.stack(self._yz(*np.broadcast_arrays(along_mm[:, None], behind_mm)), axis=-1)

    def coordinates(self, y_mm: FloatArray, z_mm: FloatArray) -> tuple[FloatMap, FloatMap]:
        """(along, behind) on the midline over the grid of ``z_mm`` x ``y_mm``, each of shape (nz, ny)."""
        coarse_y, coarse_z = y_mm[::SEARCH_STEP], z_mm[::SEARCH_STEP]
        # Every fourth sample is near enough: the tangent places the point between samples.
        grid = np.stack(np.meshgrid(_reaching(coarse_y, y_mm), _reaching(coarse_z, z_mm)), axis=-1)
        nearest = 4 * cKDTree(self.points_yz_mm[::4]).query(grid)[1]
        offset = grid - self.points_yz_mm[nearest]
        sine, cosine = np.sin(self.angles_rad)[nearest], np.cos(self.angles_rad)[nearest]
        along = self.along_mm[nearest] + offset[..., 0] * sine - offset[..., 1] * cosine
        behind = offset[..., 0] * cosine + offset[..., 1] * sine
        rows, columns = _linear(z_mm.size, along.shape[0]), _linear(y_mm.size, along.shape[1])
        fine = (rows @ values.astype(np.float32) @ columns.T for values in (along, behind))
        far, deep = fine
        deep += np.interp(far, self.along_mm, self.slips_mm).astype(np.float32)
        return far, deep


def _reaching(coarse_mm: FloatArray, fine_mm: FloatArray) -> FloatArray:
    """The coarse axis with one more sample, so that it reaches beyond the fine one."""
    return np.append(coarse_mm, coarse_mm[-1] + SEARCH_STEP * (fine_mm[1] - fine_mm[0]))


def _linear(fine: int, coarse: int) -> FloatMap:
    """Linear interpolation from every ``SEARCH_STEP``-th sample, shape (fine, coarse)."""
    place = np.arange(fine) / SEARCH_STEP
    return np.clip(1 - np.abs(place[:, None] - np.arange(coarse)), 0, 1).astype(np.float32)
