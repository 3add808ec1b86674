"""The spine's curve and the coordinates the anatomy is described in.

Spine coordinates are (along, behind, lateral) in mm: ``along`` runs caudally on the curve through the
middle of the vertebral bodies (0 at the L3/L4 disc), ``behind`` is the signed distance behind that
curve, ``lateral`` the distance to the patient's left of the midline. The curve lies in the (y, z) plane
of DICOM LPS; scoliosis shifts the midline sideways as a function of z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ..domain.geometry import FloatArray, Vector3, vector3

FloatMap: TypeAlias = npt.NDArray[np.floating[Any]]

#: Distance between samples of the curve.
STEP_MM = 0.5


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
    scoliosis_mm, scoliosis_phase
        Amplitude and phase of the midline's sideways wave.
    """

    along_mm: FloatArray
    points_yz_mm: FloatArray
    angles_rad: FloatArray
    scoliosis_mm: float = 0.0
    scoliosis_phase: float = 0.0

    @classmethod
    def through(
        cls, knots_mm: FloatArray, angles_deg: FloatArray, scoliosis_mm: float, scoliosis_phase: float
    ) -> SpineCurve:
        """Integrate tangent angles given at arc lengths ``knots_mm``; both of shape (k,)."""
        along = np.arange(-260.0, 260.0 + STEP_MM, STEP_MM)
        angles = np.radians(np.interp(along, knots_mm, angles_deg))
        # Smoothed so that neighbouring vertebrae do not meet in a kink.
        kernel = np.hanning(41)
        padded = np.pad(angles, 20, mode="edge")
        angles = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        steps = STEP_MM * np.stack([np.sin(angles), -np.cos(angles)], axis=1)
        points = np.cumsum(steps, axis=0)
        origin = points[np.searchsorted(along, 0.0)]
        return cls(along, points - origin, angles, scoliosis_mm, scoliosis_phase)

    def angle_rad(self, along_mm: float) -> float:
        """Angle of the downward tangent behind the vertical at ``along_mm``."""
        return float(np.interp(along_mm, self.along_mm, self.angles_rad))

    def midline_x_mm(self, z_mm: npt.ArrayLike) -> FloatArray:
        """Patient x of the midline at heights ``z_mm``, same shape."""
        z = np.asarray(z_mm, dtype=np.float64)
        return np.asarray(self.scoliosis_mm * np.sin(z / 55.0 + self.scoliosis_phase), dtype=np.float64)

    def point_lps_mm(self, along_mm: float, behind_mm: float = 0.0, lateral_mm: float = 0.0) -> Vector3:
        """Patient-space point of spine coordinates."""
        angle = self.angle_rad(along_mm)
        y, z = (np.interp(along_mm, self.along_mm, self.points_yz_mm[:, axis]) for axis in (0, 1))
        y, z = y + behind_mm * np.cos(angle), z + behind_mm * np.sin(angle)
        return vector3([float(self.midline_x_mm(z)) + lateral_mm, y, z])

    def points_yz_at(self, along_mm: FloatArray, behind_mm: FloatArray) -> FloatArray:
        """Patient (y, z) of all pairs of spine coordinates, shape (len(along), len(behind), 2)."""
        angle = np.interp(along_mm, self.along_mm, self.angles_rad)[:, None]
        y, z = (np.interp(along_mm, self.along_mm, self.points_yz_mm[:, axis])[:, None] for axis in (0, 1))
        return np.stack([y + behind_mm * np.cos(angle), z + behind_mm * np.sin(angle)], axis=-1)

    def coordinates(self, y_mm: FloatArray, z_mm: FloatArray) -> tuple[FloatMap, FloatMap]:
        """(along, behind) on the grid of ``z_mm`` x ``y_mm``, each of shape (nz, ny)."""
        grid = np.stack(np.meshgrid(y_mm, z_mm), axis=-1)
        # Every fourth sample is near enough: the tangent places the point between samples.
        tree = cKDTree(self.points_yz_mm[::4])
        nearest = 4 * tree.query(grid)[1]
        offset = grid - self.points_yz_mm[nearest]
        sine, cosine = np.sin(self.angles_rad)[nearest], np.cos(self.angles_rad)[nearest]
        along = self.along_mm[nearest] + offset[..., 0] * sine - offset[..., 1] * cosine
        behind = offset[..., 0] * cosine + offset[..., 1] * sine
        return along.astype(np.float32), behind.astype(np.float32)
