"""A study in memory: series, stacks and slices in spatial order, and what became of every file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .geometry import FloatArray, SliceGeometry

PixelArray = npt.NDArray[np.float32]


class SeriesRole(Enum):
    """What a series is for; the value is RSNA's ``series_description``."""

    SAGITTAL_T1 = "Sagittal T1"
    SAGITTAL_T2 = "Sagittal T2/STIR"
    AXIAL_T2 = "Axial T2"


@dataclass(frozen=True, eq=False)
class MRSlice:
    """One image: geometry and rescaled pixels, shape (rows, columns)."""

    geometry: SliceGeometry
    pixels: PixelArray
    sop_instance_uid: str
    instance_number: int


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Parallel slices of one series, ordered along their normal."""

    slices: tuple[MRSlice, ...]

    @property
    def step_mm(self) -> float:
        """Median distance between neighbouring slices, or 0 for a single slice."""
        first = self.slices[0].geometry
        depths = [float(first.signed_distance_mm(s.geometry.centre_lps_mm)) for s in self.slices]
        return float(np.median(np.abs(np.diff(depths)))) if len(depths) > 1 else 0.0


@dataclass(frozen=True, eq=False)
class MRSeries:
    """One SeriesInstanceUID.

    ``slice_index`` everywhere means a place in ``slices``: sagittal slices run from the patient's right
    to left, axial slices from cranial to caudal, stack by stack. It is never InstanceNumber.

    Parameters
    ----------
    series_id
        How files name the series: its folder in an RSNA tree, else the SeriesInstanceUID.
    series_uid
        SeriesInstanceUID.
    role
        What the series is used for, or None.
    role_reason
        One sentence saying why it has that role, or why it has none.
    """

    series_id: str
    series_uid: str
    stacks: tuple[SliceStack, ...]
    role: SeriesRole | None
    role_reason: str
    description: str = ""
    frame_of_reference_uid: str = ""

    @cached_property
    def slices(self) -> tuple[MRSlice, ...]:
        """All slices, stack after stack, in spatial order."""
        return tuple(s for stack in self.stacks for s in stack.slices)

    @cached_property
    def positions_lps_mm(self) -> FloatArray:
        """Centre of every slice, shape (n, 3)."""
        return np.stack([s.geometry.centre_lps_mm for s in self.slices])

    def plane_distances_mm(self, point_lps_mm: npt.ArrayLike) -> FloatArray:
        """Unsigned distance of one point, shape (3,), to every slice plane, shape (n,)."""
        return np.abs([float(s.geometry.signed_distance_mm(point_lps_mm)) for s in self.slices])

    def nearest_slice_index(self, point_lps_mm: npt.ArrayLike) -> int:
        """Index of the slice whose plane is nearest among those that have the point on the image.

        A tilted stack's planes run on beyond their image, so a far stack can pass nearer to the point;
        only where no image holds the point does the plane distance alone decide.
        """
        distances = self.plane_distances_mm(point_lps_mm)
        inside = [s.geometry.contains(s.geometry.pixel_from_lps(point_lps_mm)) for s in self.slices]
        return int(np.argmin(np.where(inside, distances, distances + 1e6)))


class FileOutcome(Enum):
    """What became of a file that was found."""

    USED = "used"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class FileRecord:
    """One file that was found: its path relative to the folder, the outcome, and why."""

    path: str
    outcome: FileOutcome
    code: str
    reason: str


@dataclass(frozen=True)
class FileAccounting:
    """Every file that was found; found = used + excluded, by construction."""

    records: tuple[FileRecord, ...] = ()

    def count(self, outcome: FileOutcome) -> int:
        """How many files had this outcome."""
        return sum(record.outcome is outcome for record in self.records)

    @property
    def excluded(self) -> tuple[FileRecord, ...]:
        """The files that were not used, with their reasons."""
        return tuple(r for r in self.records if r.outcome is FileOutcome.EXCLUDED)


@dataclass(frozen=True, eq=False)
class Study:
    """One lumbar MR study.

    Parameters
    ----------
    study_id
        How files name the study: its folder in an RSNA tree, else the StudyInstanceUID.
    """

    study_id: str
    study_uid: str
    series: tuple[MRSeries, ...]
    accounting: FileAccounting = field(default_factory=FileAccounting)
    warnings: tuple[str, ...] = ()

    def with_role(self, role: SeriesRole) -> tuple[MRSeries, ...]:
        """All series of a role, the best first."""
        return tuple(s for s in self.series if s.role is role)

    def first(self, role: SeriesRole) -> MRSeries | None:
        """The series to use for a role, or None."""
        return next(iter(self.with_role(role)), None)

    def by_id(self, series_id: str) -> MRSeries:
        """The series with this ``series_id``; raise ``KeyError`` naming those there are."""
        for series in self.series:
            if series.series_id == series_id:
                return series
        raise KeyError(f"series {series_id!r} is none of {[s.series_id for s in self.series]}")

    def assigning(self, series_id: str, role: SeriesRole | None) -> Study:
        """Return a copy in which a person has given a series its role; others of that role lose it."""
        self.by_id(series_id)
        return replace(self, series=tuple(self._reassigned(series_id, role)))

    def _reassigned(self, series_id: str, role: SeriesRole | None) -> Iterator[MRSeries]:
        for series in self.series:
            if series.series_id == series_id:
                yield replace(series, role=role, role_reason="chosen by a person")
            elif role is not None and series.role is role:
                reason = f"series {series_id} was chosen for {role.value} instead"
                yield replace(series, role=None, role_reason=reason)
            else:
                yield series
