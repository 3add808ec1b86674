"""How far a crop reaches from its point: Table 1 of the multistage system, and a closer version of it.

The published ranges are pixels in a frame resized to 512 x 512: ``published``. Deviations of ``close``, which
the embedded bundle and small presets use: millimetres, those of a usual field of view, because a severity is
a matter of millimetres and fields of view differ by half; and axial crops and foramina are cut closer,
because at half of the published resolution they would be blurred.
Left and right are those of the image in the usual view: the patient's right lies left on axial images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..domain.errors import BundleError
from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.spine import ConditionGroup, FindingKey, Level, Side
from .resample import Box

#: What a pixel of the published frame of 512 measures in a usual field: 290 mm sagittal, 190 mm axial.
_FRAME_PX = 512
_SAGITTAL_PX_MM, _AXIAL_PX_MM = 290 / _FRAME_PX, 190 / _FRAME_PX


@dataclass(frozen=True)
class CropSpec:
    """How far a crop reaches from its point, in published pixels of ``pixel_mm`` (rows, columns, or both)."""

    left: float
    right: float
    up: float
    down: float
    pixel_mm: float | tuple[float, float]
    #: Moved this much towards the feet at L5/S1.
    lumbosacral_shift: float = 0.0

    def box(self, pixel_rc: FloatArray, spacing_rc_mm: FloatArray, level: Level) -> Box:
        """Outer borders (top, left, bottom, right) in pixels of an image of this spacing, shape (2,)."""
        rows, columns = np.asarray(self.pixel_mm) / spacing_rc_mm
        row, column = pixel_rc
        row += (self.lumbosacral_shift if level is Level.L5_S1 else 0.0) * rows
        return (
            float(row - self.up * rows),
            float(column - self.left * columns),
            float(row + self.down * rows),
            float(column + self.right * columns),
        )

    def in_frame(self, geometry: SliceGeometry) -> CropSpec:
        """The same range in pixels of the whole image resized to 512 x 512."""
        rows_mm, columns_mm = geometry.spacing_rc_mm * (geometry.rows, geometry.columns) / _FRAME_PX
        return replace(self, pixel_mm=(float(rows_mm), float(columns_mm)))


@dataclass(frozen=True)
class CropTable:
    """The crops of a system.

    Parameters
    ----------
    sagittal
        Around the point of the canal and of the foramen.
    axial_canal
        Around the recess of a side, for the canal.
    axial_side
        Around the recess of a side, for the side's own recess and foramen.
    is_framed
        True where ranges are pixels of the image resized to 512 x 512, whatever it measures.
    """

    sagittal: Mapping[ConditionGroup, CropSpec]
    axial_canal: Mapping[Side, CropSpec]
    axial_side: Mapping[Side, CropSpec]
    is_framed: bool

    def spec(self, plane: str, key: FindingKey, side: Side, geometry: SliceGeometry) -> CropSpec | None:
        """The crop of a finding in a plane, on an image; None where the plane does not show it."""
        group = key.condition.group
        axial = self.axial_canal if group is ConditionGroup.CANAL else self.axial_side
        spec = axial[side] if plane == "axial" else self.sagittal.get(group)
        return spec.in_frame(geometry) if spec is not None and self.is_framed else spec


_CLOSE_SIDE = CropSpec(64, 64, 64, 64, _AXIAL_PX_MM)

#: By the name that a network's configuration gives. Axial canal crops lie around a point moved 20 px from the
#: recess to the midline.
CROP_TABLES: Final[Mapping[str, CropTable]] = {
    "close": CropTable(
        sagittal={
            ConditionGroup.CANAL: CropSpec(96, 32, 40, 40, _SAGITTAL_PX_MM, lumbosacral_shift=20),
            ConditionGroup.FORAMINAL: CropSpec(56, 56, 32, 32, _SAGITTAL_PX_MM),
        },
        axial_canal={
            Side.LEFT: CropSpec(76, 36, 56, 56, _AXIAL_PX_MM),
            Side.RIGHT: CropSpec(36, 76, 56, 56, _AXIAL_PX_MM),
        },
        axial_side=dict.fromkeys(Side, _CLOSE_SIDE),
        is_framed=False,
    ),
    "published": CropTable(
        sagittal={
            ConditionGroup.CANAL: CropSpec(96, 32, 40, 40, _SAGITTAL_PX_MM, lumbosacral_shift=20),
            ConditionGroup.FORAMINAL: CropSpec(96, 64, 32, 32, _SAGITTAL_PX_MM, lumbosacral_shift=10),
        },
        axial_canal={
            Side.LEFT: CropSpec(116, 76, 96, 96, _AXIAL_PX_MM),
            Side.RIGHT: CropSpec(76, 116, 96, 96, _AXIAL_PX_MM),
        },
        axial_side={
            Side.LEFT: CropSpec(48, 144, 96, 96, _AXIAL_PX_MM),
            Side.RIGHT: CropSpec(144, 48, 96, 96, _AXIAL_PX_MM),
        },
        is_framed=True,
    ),
}


def crop_table(name: str) -> CropTable:
    """The crops of this name.

    Raises
    ------
    BundleError
        If there are none.
    """
    if name not in CROP_TABLES:
        raise BundleError(
            f"crops {name!r} are none of {sorted(CROP_TABLES)}; "
            "the bundle was made for another version of napari-lumbar"
        )
    return CROP_TABLES[name]
