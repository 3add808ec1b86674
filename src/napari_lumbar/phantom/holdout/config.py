"""What kind of test phantoms to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

from ...domain.study import SeriesRole

Transition: TypeAlias = Literal["none", "l6", "sacralised"]
Field: TypeAlias = Literal["lumbar", "thoracolumbar"]
MIN_MATRIX: Final = 64


@dataclass(frozen=True)
class TestPhantomConfig:
    """Options of ``make_test_phantom``; everything else varies with the seed.

    Parameters
    ----------
    roles
        The series that the study has.
    transitional
        "none": five lumbar vertebrae. "l6": six; names still count from the lowest disc. "sacralised": the
        L5/S1 disc is rudimentary. None: drawn, 3 % each.
    cobb_deg
        Coronal curvature between T12/L1 and L5/S1. None: drawn, mostly below 6 degrees.
    field
        "thoracolumbar": every image ends above L5/S1, which then has no landmark.
    sagittal_matrices, axial_matrices
        In-plane sizes in pixels to choose from.

    Raises
    ------
    ValueError
        If there is no role or no matrix, a matrix is below 64 pixels, or the curvature is not within 0..60.
    """

    #: pytest takes every class whose name starts with Test for one of its own.
    __test__: ClassVar[bool] = False

    roles: frozenset[SeriesRole] = frozenset(SeriesRole)
    transitional: Transition | None = None
    cobb_deg: float | None = None
    field: Field = "lumbar"
    sagittal_matrices: tuple[int, ...] = (256, 320, 320, 384, 448)
    axial_matrices: tuple[int, ...] = (256, 320, 320, 384)

    def __post_init__(self) -> None:
        if not self.roles:
            raise ValueError("roles must name at least one series: a study without images cannot be read")
        if not self.sagittal_matrices or not self.axial_matrices:
            raise ValueError("sagittal_matrices and axial_matrices must each name at least one size")
        smallest = min(*self.sagittal_matrices, *self.axial_matrices)
        if smallest < MIN_MATRIX:
            raise ValueError(f"matrix {smallest} must be at least {MIN_MATRIX} pixels")
        if self.cobb_deg is not None and not 0 <= self.cobb_deg <= 60:
            raise ValueError(f"cobb_deg {self.cobb_deg} must lie within 0..60")
