"""A session as it stands in a file, and whether it belongs to a study and a bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from ..domain.errors import SessionError
from ..domain.findings import SeriesUse
from ..domain.geometry import Vector3
from ..domain.landmarks import Landmarks
from ..domain.spine import Level
from ..domain.study import MRSeries, SeriesRole, Study
from ..pipeline.plausibility import level_middles
from .corrections import Correction, Place
from .steps import Work
from .view import ViewState

#: A point may lie this far from its own pixel (rounding in the file); further, and the images are others.
_TOLERANCE_MM = 0.1
#: A level's middle may move so far between versions; levels lie 24 mm apart or more.
_SAME_LEVEL_MM = 15.0
_AS_SAVED = "as in the session file"
_UNKNOWN = "not known to the session file"


@dataclass(frozen=True)
class SavedSession:
    """What a file says.

    Parameters
    ----------
    study_sha256
        SHA-256 of the StudyInstanceUID.
    bundle_sha256
        Bundle whose predictions were corrected.
    reader
        Name or pseudonym of who corrected; empty if none was given.
    saved_at
        When, with time zone.
    roles
        What each series of the study was used for, by ``series_id``, the preferred one of a role first. Older
        files hold only the series that were used.
    predicted_lps_mm
        Where the predictions that were corrected had the middle of each level. Older files do not say.
    work
        What the reader did.
    view
        What the reader was looking at.
    """

    study_sha256: str
    bundle_sha256: str
    reader: str
    saved_at: datetime
    roles: Mapping[str, SeriesRole | None]
    predicted_lps_mm: Mapping[Level, Vector3]
    work: Work
    view: ViewState = field(default_factory=ViewState)

    @property
    def reader_text(self) -> str:
        """Who corrected and when, for a person."""
        return f"{reader_name(self.reader)}, saved {self.saved_at:%Y-%m-%d %H:%M} UTC"

    def with_roles(self, study: Study) -> Study:
        """Return the study with its series used as they were when the session was saved, and no others.

        A warning says so where that leaves out a series which the session does not know.

        Raises
        ------
        SessionError
            If the session belongs to another study, or used series that this one does not have.
        """
        if self.study_sha256 != sha256_text(study.study_uid):
            raise SessionError("the session belongs to another study: choose the study it was saved for")
        known = self.with_known_roles(study)
        new = {series.series_id for series in known.series if series.role} - set(self.roles)
        series = tuple(one.given(None, _UNKNOWN) if one.series_id in new else one for one in known.series)
        has, it = ("has", "it") if len(new) == 1 else ("have", "them")
        said = f"{len(new)} series {has} no role here, because the session does not know or use {it}."
        return replace(known, series=series, warnings=(*study.warnings, said) if new else study.warnings)

    def with_known_roles(self, study: Study) -> Study:
        """Return the study with the series that the session knows used as they were then.

        Raises
        ------
        SessionError
            If the session used series that this study does not have.
        """
        used = {series_id for series_id, role in self.roles.items() if role is not None}
        lacking = used - {series.series_id for series in study.series}
        if lacking:
            raise SessionError(
                f"the session used {len(lacking)} series that this folder lacks; choose the whole study"
            )
        order = {series_id: rank for rank, series_id in enumerate(self.roles)}
        ordered = sorted(study.series, key=lambda series: order.get(series.series_id, len(order)))
        known = replace(study, series=tuple(self._with_role(series) for series in ordered))
        return known.with_firsts_chosen(study, _AS_SAVED)

    def check_bundle(self, bundle_sha256: str) -> None:
        """Raise ``SessionError`` if other weights made the predictions that were corrected."""
        if self.bundle_sha256 != bundle_sha256:
            raise SessionError(
                f"the session corrects predictions of the bundle {self.bundle_sha256[:8]}, and the bundle in "
                f"use is {bundle_sha256[:8]}: choose the bundle it was saved with"
            )

    def check_names(self, predicted: Landmarks) -> None:
        """Raise ``SessionError`` if predicted names now lie at other discs than those that were corrected.

        The same weights may name levels otherwise where a newer version has other rules, and what a reader
        said of one disc, or of all names, would be said of another.
        """
        for level, middle in level_middles(predicted).items():
            if level not in self.predicted_lps_mm:
                continue
            apart_mm = float(np.linalg.norm(middle - self.predicted_lps_mm[level]))
            if apart_mm > _SAME_LEVEL_MM:
                raise SessionError(
                    f"the session corrects predictions that had {level.value} {apart_mm:.0f} mm from where "
                    "it is now: use the version that it was saved with, or correct these anew"
                )

    def check_places(self, study: Study) -> None:
        """Raise ``SessionError`` if a point is not where a slice of a series in use is."""
        if not all(_fits(study, place) for place in _places(self.work)):
            raise SessionError(
                "the session has points on slices that the series in use do not have: give the series the "
                "roles they had, or choose the images it was saved for"
            )

    def _with_role(self, series: MRSeries) -> MRSeries:
        role = self.roles.get(series.series_id, series.role)
        if role is series.role:
            return series
        return series.given(role, _AS_SAVED)


def reader_name(reader: str) -> str:
    """The reader in a sentence, also one who gave no name."""
    return f"reader {reader!r}" if reader else "a reader without a name"


def roles_sha256(series: Iterable[MRSeries | SeriesUse]) -> str:
    """SHA-256 of which series play which role, the preferred first: what predictions are made from."""
    series = list(series)
    used = {role.value: [one.series_id for one in series if one.role is role] for role in SeriesRole}
    return sha256_text(json.dumps(used))


def sha256_text(text: str) -> str:
    """SHA-256 of a text as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _places(work: Work) -> Iterator[Place]:
    """Every place that is in force or can come back by undo or redo."""
    said: list[Correction] = list(work.corrections.by_spot.values())
    for step in (*work.done, *work.undone):
        for point in step.points:
            said += [point.before, point.after]
    return (one.place for one in said if one.place is not None)


def _fits(study: Study, place: Place) -> bool:
    series = next((s for s in study.series if s.series_id == place.series_id and s.role is not None), None)
    if series is None or not 0 <= place.slice_index < len(series.slices):
        return False
    point = series.slices[place.slice_index].geometry.lps_from_pixel(place.pixel_rc)
    return bool(np.allclose(point, place.point_lps_mm, rtol=0, atol=_TOLERANCE_MM))
