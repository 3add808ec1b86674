"""A study in memory: series, stacks and slices in spatial order, and what became of every file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from .errors import AccountingError, StudyError
from .geometry import FloatArray, SliceGeometry, median_step_mm
from .pseudonym import pseudonym
from .spine import ConditionGroup

PixelArray = npt.NDArray[np.float32]
#: Share of the best score that is as good: what only its name calls T2 (0.8) is, a water image (0.75) is not.
_NEARLY_AS_GOOD = 0.76


class SeriesRole(Enum):
    """What a series is for; the value is RSNA's ``series_description``."""

    SAGITTAL_T1 = "Sagittal T1"
    SAGITTAL_T2 = "Sagittal T2/STIR"
    AXIAL_T2 = "Axial T2"

    @property
    def across_axis(self) -> int:
        """The patient's axis (0 to the left, 2 to the head) that slices of the role are counted along."""
        return 2 if self is SeriesRole.AXIAL_T2 else 0


SAGITTAL_ROLES: Final = (SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2)
#: The series that the landmarks of a group lie on, as RSNA's readers marked them.
OWN_ROLES: Final[Mapping[ConditionGroup, SeriesRole]] = {
    ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
    ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
    ConditionGroup.SUBARTICULAR: SeriesRole.AXIAL_T2,
}


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

    @cached_property
    def step_mm(self) -> float:
        """Median distance between neighbouring slices, or 0 for a single slice."""
        return median_step_mm([s.geometry for s in self.slices])


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
    candidate_role, role_score
        The role it could play and how well, 0 to 1, whether or not another series was preferred. 1 where a
        person gave the role.
    role_assumed
        Whether nothing but its plane speaks for its role; a series that is sure of it is used where both are.
    window
        (centre, width) in units of the pixels that the scanner proposes for showing the series, or None.
    weighting
        Its contrast by its headers, for a person: "T2", "STIR"; "unknown" or empty where they do not say.
    """

    series_id: str
    series_uid: str
    stacks: tuple[SliceStack, ...]
    role: SeriesRole | None
    role_reason: str
    description: str = ""
    frame_of_reference_uid: str = ""
    candidate_role: SeriesRole | None = None
    role_score: float = 0.0
    window: tuple[float, float] | None = None
    weighting: str = ""
    role_assumed: bool = False

    @cached_property
    def slices(self) -> tuple[MRSlice, ...]:
        """All slices, stack after stack, in spatial order."""
        return tuple(s for stack in self.stacks for s in stack.slices)

    @property
    def shown_id(self) -> str:
        """What stands for the id on the screen: the number of RSNA's folder, or a pseudonym of the UID."""
        is_uid = self.series_id.startswith(self.series_uid) and not self.series_id.isdecimal()
        return pseudonym(self.series_id) if is_uid else self.series_id

    @cached_property
    def positions_lps_mm(self) -> FloatArray:
        """Centre of every slice, shape (n, 3)."""
        return np.stack([s.geometry.centre_lps_mm for s in self.slices])

    def may_play(self, role: SeriesRole) -> bool:
        """Whether at least half of its slices are within 60 degrees of the role's plane."""
        upright = [abs(s.geometry.normal[role.across_axis]) for s in self.slices]
        return bool(np.median(upright) >= _LEAST_UPRIGHT)

    def given(self, role: SeriesRole | None, reason: str) -> MRSeries:
        """Return a copy with a role, or none, that is no assumption: a person decided, and none is better."""
        score = self.role_score if role is None else 1.0
        return replace(self, role=role, role_reason=reason, role_assumed=False, role_score=score)

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


def best_suited(series: Iterable[MRSeries]) -> tuple[MRSeries, ...]:
    """Of series in one role those to choose from by place, in their order.

    An assumed role counts only where no other is there, and a reformat or second-choice contrast only where
    no series plays the role better: that its plane passes nearer makes up for neither.
    """
    kept = tuple(series)
    all_assumed = all(one.role_assumed for one in kept)
    sure = [one for one in kept if one.role_assumed == all_assumed]
    best = max((one.role_score for one in sure), default=0.0)
    return tuple(one for one in sure if one.role_score >= _NEARLY_AS_GOOD * best)


class FileOutcome(Enum):
    """What became of a file that was found."""

    USED = "used"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class FileRecord:
    """One file that was found: its path relative to the folder, the outcome, why, and what can be done."""

    path: str
    outcome: FileOutcome
    code: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class FileAccounting:
    """Every file that was found; found = used + excluded."""

    records: tuple[FileRecord, ...] = ()

    @classmethod
    def closed(cls, found: Collection[str], records: Iterable[FileRecord]) -> FileAccounting:
        """Return the accounting of ``found``, sorted by path.

        Raises
        ------
        AccountingError
            If something that was found has no record, or not exactly one.
        """
        ordered = tuple(sorted(records, key=lambda record: record.path))
        if [record.path for record in ordered] != sorted(found):
            raise AccountingError(
                f"{len(found)} files were found and {len(ordered)} accounted for; nothing may be lost in "
                "silence, so nothing is read. This is a defect: please report it."
            )
        return cls(ordered)

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

    def alternatives(self, role: SeriesRole) -> tuple[MRSeries, ...]:
        """The series that could play a role but do not, the best first."""
        return tuple(s for s in self.series if s.candidate_role is role and s.role is not role)

    def by_id(self, series_id: str) -> MRSeries:
        """The series with this ``series_id``; raise ``KeyError`` naming those there are."""
        for series in self.series:
            if series.series_id == series_id:
                return series
        raise KeyError(f"series {series_id!r} is none of {[s.series_id for s in self.series]}")

    def assigning(self, series_id: str, role: SeriesRole | None) -> Study:
        """Return a copy in which a person has given a series its role.

        Another series loses a sagittal role to it; of axial series a study may use several, this one first.
        Of the others nothing was said: what was assumed of them stays an assumption.

        Raises
        ------
        KeyError, StudyError
            As ``choosing`` does.
        """
        self._check_plane(role, [series_id])
        if role is not None and role is not SeriesRole.AXIAL_T2:
            return self.choosing(role, [series_id])
        chosen = self.by_id(series_id).given(role, _CHOSEN)
        of_role = [s for s in self.with_role(role) if s.series_id != series_id] if role is not None else []
        places = iter([chosen, *of_role])
        held = {series_id, *(s.series_id for s in of_role)}
        return replace(self, series=tuple(next(places) if s.series_id in held else s for s in self.series))

    def with_firsts_chosen(self, automatic: Study, reason: str) -> Study:
        """Return a copy in which a series that comes before the automatic first of its role is no assumption.

        Parameters
        ----------
        automatic
            The same study, with the roles that its series get by themselves.
        """
        firsts = [(s, automatic.first(role)) for role in SeriesRole for s in self.with_role(role)[:1]]
        chosen = {s.series_id for s, usual in firsts if usual is None or usual.series_id != s.series_id}
        return replace(
            self,
            series=tuple(s.given(s.role, reason) if s.series_id in chosen else s for s in self.series),
        )

    def choosing(self, role: SeriesRole, series_ids: Sequence[str]) -> Study:
        """Return a copy in which a person has chosen a role's series, the best first; others lose it.

        Raises
        ------
        KeyError
            If the study has no such series.
        StudyError
            If its slices lie in another plane than those of the role do.
        """
        self._check_plane(role, series_ids)
        # The chosen ones swap places among themselves, so that the best comes first.
        chosen = iter([self.by_id(s).given(role, _CHOSEN) for s in series_ids])
        reason = f"series {', '.join(series_ids)} was chosen for {role.value} instead"
        return replace(
            self,
            series=tuple(
                next(chosen) if s.series_id in series_ids else s.given(None, reason) if s.role is role else s
                for s in self.series
            ),
        )

    def _check_plane(self, role: SeriesRole | None, series_ids: Sequence[str]) -> None:
        for series in map(self.by_id, series_ids):
            if role is not None and not series.may_play(role):
                raise StudyError(
                    f"series {series.shown_id} cannot be {role.value}: its slices lie in another plane. "
                    "Choose a series whose slices lie in that one."
                )


_CHOSEN = "chosen by a person"
#: Cosine of 60 degrees: slices through a steep L5/S1 are tilted by 40 degrees and more.
_LEAST_UPRIGHT: Final = 0.499
