"""Rigid frames of the discs, and the pose of the patient in the scanner.

The *patient frame* has its origin in the L3/L4 disc: x to the left, y to the back, z to the head, mm. A
disc's frame has its axes turned with the disc: left, back, up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...domain.geometry import FloatArray, Vector3, vector3


def turned(about_x_deg: float, about_y_deg: float, about_z_deg: float) -> FloatArray:
    """Rotation by three angles, x first, shape (3, 3); columns are the images of the axes."""
    (cx, cy, cz), (sx, sy, sz) = (
        f(np.radians([about_x_deg, about_y_deg, about_z_deg])) for f in (np.cos, np.sin)
    )
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Frame:
    """A rigid frame: its origin, shape (3,), and its axes as columns, shape (3, 3)."""

    origin_mm: FloatArray
    axes: FloatArray

    def outer(self, place_mm: npt.ArrayLike) -> FloatArray:
        """Points given in this frame, shape (..., 3), in the frame it lies in."""
        return np.asarray(self.origin_mm + np.asarray(place_mm) @ self.axes.T, dtype=np.float64)

    def inner(self, point_mm: npt.ArrayLike) -> FloatArray:
        """Inverse of ``outer``."""
        return np.asarray((np.asarray(point_mm) - self.origin_mm) @ self.axes, dtype=np.float64)

    def point_lps_mm(self, place_mm: npt.ArrayLike) -> Vector3:
        """One point of this frame, where it lies directly in patient space."""
        return vector3(self.outer(place_mm))


def chain(steps_mm: FloatArray, angles_deg: FloatArray, fixed: int) -> tuple[Frame, ...]:
    """Frames one below the other.

    Parameters
    ----------
    steps_mm
        Distance from each origin to the next, shape (n - 1,).
    angles_deg
        Sagittal angle (positive: the back is higher), coronal angle and twist of each frame, shape (n, 3).
    fixed
        Which frame's origin is that of the patient frame.
    """
    axes = [turned(*angles) for angles in angles_deg]
    down = -np.stack([a[:, 2] for a in axes])
    origins = np.zeros((len(axes), 3))
    origins[1:] = np.cumsum(steps_mm[:, None] * (down[1:] + down[:-1]) / 2, axis=0)
    origins -= origins[fixed]
    return tuple(Frame(o, a) for o, a in zip(origins, axes, strict=True))
