"""What kind of phantoms to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: How the lumbar spine meets the sacrum: as most do, with one mobile segment more, or with one less.
Transitional: TypeAlias = Literal["none", "l6", "sacralised"]
#: What the study shows: the whole lumbar spine, or the segments above L5/S1.
Field: TypeAlias = Literal["lumbar", "thoracolumbar"]
#: How much fat lies in front of the sac: much the same in all people, or as different as between people.
FrontFat: TypeAlias = Literal["even", "varied"]


@dataclass(frozen=True)
class PhantomConfig:
    """Options of ``make_phantom``; everything else varies with the seed.

    Parameters
    ----------
    balanced
        False: severities follow the frequencies and correlations of the RSNA 2024 tables.
        True: each of the three severities is equally likely, independently (for training).
    randomize_appearance
        Jitter every tissue's brightness widely on top of the signal equation (for training).
    sagittal_matrices, axial_matrices
        In-plane sizes in pixels to choose from; a sagittal image may have more rows than columns.
    voxel_mm
        Edge of the anatomy's voxels.
    transitional
        Make every spine of this kind; None leaves it to the seed.
    cobb_deg
        Give every spine a scoliosis of this angle; None leaves it to the seed.
    field
        What the images show. Landmarks of a thoracolumbar study may be missing, with the reason.
    front_fat
        How much fat lies in front of the sac.

    Raises
    ------
    ValueError
        If no matrix is given, one is below 32 pixels, the voxel is not within 0.3..3 mm, or the Cobb angle
        not within 0..40 degrees.
    """

    balanced: bool = False
    randomize_appearance: bool = False
    sagittal_matrices: tuple[int, ...] = (256, 288, 320, 384)
    axial_matrices: tuple[int, ...] = (256, 288, 320, 384)
    voxel_mm: float = 0.8
    transitional: Transitional | None = None
    cobb_deg: float | None = None
    field: Field = "lumbar"
    front_fat: FrontFat = "varied"

    def __post_init__(self) -> None:
        if not self.sagittal_matrices or not self.axial_matrices:
            raise ValueError("sagittal_matrices and axial_matrices must each name at least one size")
        if min(*self.sagittal_matrices, *self.axial_matrices) < 32:
            raise ValueError(
                f"matrices {self.sagittal_matrices} and {self.axial_matrices} must be at least 32 pixels"
            )
        if not 0.3 <= self.voxel_mm <= 3:
            raise ValueError(f"voxel_mm {self.voxel_mm} must lie within 0.3..3 mm")
        if self.cobb_deg is not None and not 0 <= self.cobb_deg <= 40:
            raise ValueError(f"cobb_deg {self.cobb_deg} must lie within 0..40 degrees")
