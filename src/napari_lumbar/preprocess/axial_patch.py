"""The axial patch around a canal point that the axial network sees."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.geometry import FloatArray
from ..domain.study import MRSlice, PixelArray
from .intensity import percentile_scale
from .resample import sample_box

PATCH_PX = 96
PATCH_MM = 1.0


@dataclass(frozen=True, eq=False)
class AxialPatch:
    """96 x 96 pixels of 1 mm, columns to the patient's left, rows to posterior; and how to get back."""

    image: PixelArray
    top_left_rc: FloatArray
    step_rc: FloatArray

    def pixel_from_patch(self, patch_rc: FloatArray) -> FloatArray:
        """Patch pixel to (row, column) of the slice."""
        return self.top_left_rc + (patch_rc + 0.5) * self.step_rc

    def patch_from_pixel(self, pixel_rc: FloatArray) -> FloatArray:
        """Inverse of ``pixel_from_patch``."""
        return (pixel_rc - self.top_left_rc) / self.step_rc - 0.5


def axial_patch(mr_slice: MRSlice, centre_rc: FloatArray) -> AxialPatch:
    """Cut the patch around a pixel of an axial slice in the usual view."""
    step = PATCH_MM / mr_slice.geometry.spacing_rc_mm
    top_left = centre_rc - step * PATCH_PX / 2
    bottom_right = centre_rc + step * PATCH_PX / 2
    box = (float(top_left[0]), float(top_left[1]), float(bottom_right[0]), float(bottom_right[1]))
    image = percentile_scale(sample_box(mr_slice.pixels, box, (PATCH_PX, PATCH_PX)))
    return AxialPatch(image, top_left, step)
