"""The session file, schema version 5, and how older versions are read.

Version 1 held moved points only; version 2 neither steps about several points, nor propagated points, nor the
view; version 3 no series without a role; version 4 not where levels were predicted. A version newer than this
one is refused, not guessed at.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..domain.errors import SessionError
from ..domain.findings import Override
from ..domain.landmarks import LandmarkSource
from ..domain.spine import Condition, FindingKey, Level, Severity
from ..domain.study import SeriesRole
from .corrections import Correction, Corrections, Place
from .names import MAX_SHIFT, Naming, Spot
from .saved import SavedSession
from .steps import CompoundStep, NamingStep, PointStep, Step, Work
from .view import ViewState

SCHEMA_VERSION = 5

SeverityLabel = Literal["Normal/Mild", "Moderate", "Severe"]


class UnreadableSession(SessionError):
    """The bytes are no session file, or contradict themselves."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PlaceRecord(_Record):
    """A place: LPS mm, and the slice and zero-based (row, column) where it was put."""

    point_lps_mm: tuple[float, float, float]
    series_id: str
    slice_index: int
    pixel_rc: tuple[float, float]
    source: LandmarkSource = LandmarkSource.CORRECTED
    confidence: float | None = Field(default=None, ge=0, le=1)


class OverrideRecord(_Record):
    """A grade by hand."""

    severity: SeverityLabel
    reason: str = ""

    @classmethod
    def of(cls, override: Override) -> OverrideRecord:
        """Return the record of a grade by hand."""
        return cls(severity=override.severity.label, reason=override.reason)

    def override(self) -> Override:
        """Return what the record says."""
        return Override(Severity.from_label(self.severity), self.reason)


class CorrectionRecord(_Record):
    """What was said about one spot."""

    place: PlaceRecord | None = None
    absent: bool = False
    override: OverrideRecord | None = None

    @classmethod
    def of(cls, correction: Correction) -> CorrectionRecord:
        """Return the record of a correction."""
        place, override = correction.place, correction.override
        return cls(
            place=None if place is None else PlaceRecord(**vars(place)),
            absent=correction.absent,
            override=None if override is None else OverrideRecord.of(override),
        )

    def correction(self) -> Correction:
        """Return what the record says."""
        place, override = self.place, self.override
        return Correction(
            place=None if place is None else Place(**dict(place)),
            absent=self.absent,
            override=None if override is None else override.override(),
        )


class SpotRecord(_Record):
    """A spot by its predicted name (rank 0 is L1/L2), and what was said about it."""

    condition: Condition
    rank: int = Field(ge=-MAX_SHIFT, lt=len(Level) + MAX_SHIFT)
    said: CorrectionRecord


class NamingRecord(_Record):
    """How the names differ from the predicted ones."""

    level_shift: int = Field(default=0, ge=-MAX_SHIFT, le=MAX_SHIFT)
    sides_swapped: bool = False

    def naming(self) -> Naming:
        """Return what the record says."""
        return Naming(self.level_shift, self.sides_swapped)


class PointStepRecord(_Record):
    """A step about one finding, by its name at that time."""

    kind: Literal["point"] = "point"
    condition: Condition
    level: Level
    before: CorrectionRecord
    after: CorrectionRecord

    def step(self) -> PointStep:
        """Return what the record says."""
        key = FindingKey(self.condition, self.level)
        return PointStep(key, self.before.correction(), self.after.correction())


class NamingStepRecord(_Record):
    """A step about all names."""

    kind: Literal["naming"] = "naming"
    before: NamingRecord
    after: NamingRecord

    def step(self) -> NamingStep:
        """Return what the record says."""
        return NamingStep(self.before.naming(), self.after.naming())


class CompoundStepRecord(_Record):
    """Steps that belong together."""

    kind: Literal["compound"] = "compound"
    points: tuple[PointStepRecord, ...] = Field(min_length=1)

    def step(self) -> CompoundStep:
        """Return what the record says."""
        return CompoundStep(tuple(one.step() for one in self.points))


StepRecord = Annotated[PointStepRecord | CompoundStepRecord | NamingStepRecord, Field(discriminator="kind")]


class ChosenRecord(_Record):
    """A finding by its name."""

    condition: Condition
    level: Level


class ViewRecord(_Record):
    """What was looked at."""

    chosen: ChosenRecord | None = None
    slices: dict[str, int] = Field(default_factory=dict)
    windows: dict[SeriesRole, tuple[float, float]] = Field(default_factory=dict)

    @classmethod
    def of(cls, view: ViewState) -> ViewRecord:
        """Return the record of a view."""
        chosen = ChosenRecord(**view.chosen._asdict()) if view.chosen else None
        return cls(chosen=chosen, slices=dict(view.slices), windows=dict(view.windows))

    def view(self) -> ViewState:
        """Return what the record says."""
        chosen = FindingKey(self.chosen.condition, self.chosen.level) if self.chosen else None
        return ViewState(chosen, self.slices, self.windows)


class SessionRecord(_Record):
    """A session file."""

    schema_version: Literal[5] = 5
    study_sha256: str
    bundle_sha256: str
    reader: str = ""
    saved_utc: AwareDatetime
    roles: dict[str, SeriesRole | None] = Field(default_factory=dict)
    predicted_lps_mm: dict[Level, tuple[float, float, float]] = Field(default_factory=dict)
    naming: NamingRecord = Field(default_factory=NamingRecord)
    corrections: tuple[SpotRecord, ...]
    done: tuple[StepRecord, ...] = ()
    undone: tuple[StepRecord, ...] = ()
    view: ViewRecord = Field(default_factory=ViewRecord)

    def work(self) -> Work:
        """Return what the reader did."""
        by_spot = {Spot(one.condition, one.rank): one.said.correction() for one in self.corrections}
        done, undone = (tuple(one.step() for one in steps) for steps in (self.done, self.undone))
        return Work(Corrections(self.naming.naming(), by_spot), done, undone)


class PointRecord1(PlaceRecord):
    """A moved point of version 1."""

    condition: Condition
    level: Level

    def spot(self) -> SpotRecord:
        """Return the point as this version has it."""
        place = PlaceRecord(**self.model_dump(exclude={"condition", "level"}))
        said = CorrectionRecord(place=place)
        return SpotRecord(condition=self.condition, rank=self.level.rank, said=said)


class SessionRecord1(_Record):
    """A session file of version 1: moved points, but no steps, no reader, no roles."""

    schema_version: Literal[1]
    study_sha256: str
    bundle_sha256: str
    saved_utc: AwareDatetime
    corrections: tuple[PointRecord1, ...]

    def migrated(self) -> SessionRecord:
        """Return the session as this version has it."""
        return SessionRecord(
            study_sha256=self.study_sha256,
            bundle_sha256=self.bundle_sha256,
            saved_utc=self.saved_utc,
            corrections=tuple(point.spot() for point in self.corrections),
        )


def encode(saved: SavedSession) -> str:
    """Return the text of the file."""
    corrections = saved.work.corrections
    record = SessionRecord(
        study_sha256=saved.study_sha256,
        bundle_sha256=saved.bundle_sha256,
        reader=saved.reader,
        saved_utc=saved.saved_at,
        roles=dict(saved.roles),
        predicted_lps_mm=dict(saved.predicted_lps_mm),
        naming=_naming_record(corrections.naming),
        corrections=tuple(
            SpotRecord(condition=spot.condition, rank=spot.rank, said=CorrectionRecord.of(said))
            for spot, said in sorted(corrections.by_spot.items(), key=_spot_order)
        ),
        done=tuple(map(_step_record, saved.work.done)),
        undone=tuple(map(_step_record, saved.work.undone)),
        view=ViewRecord.of(saved.view),
    )
    return record.model_dump_json(indent=1)


def decode(content: bytes) -> SavedSession:
    """Return what the bytes of a file say.

    Raises
    ------
    UnreadableSession
        If they are no session file, or contradict themselves.
    SessionError
        If a newer version wrote them.
    """
    try:
        record = _record(content)
        work = record.work()
    except ValueError as error:
        raise UnreadableSession(
            f"it is no session file, or a damaged one ({type(error).__name__})"
        ) from error
    if not work.is_consistent:
        raise UnreadableSession("its steps do not lead to its corrections")
    return SavedSession(
        study_sha256=record.study_sha256,
        bundle_sha256=record.bundle_sha256,
        reader=record.reader,
        saved_at=record.saved_utc,
        roles=record.roles,
        predicted_lps_mm=record.predicted_lps_mm,
        work=work,
        view=record.view.view(),
    )


def _record(content: bytes) -> SessionRecord:
    document = json.loads(content)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise SessionError(
            f"the session was saved by a newer napari-lumbar (file version {version}; this one reads up to "
            f"{SCHEMA_VERSION}): update napari-lumbar, or choose another session folder"
        )
    if version == 1:
        return SessionRecord1.model_validate(document).migrated()
    if version in (2, 3, 4):
        document["schema_version"] = SCHEMA_VERSION  # what is new since may be missing
    return SessionRecord.model_validate(document)


def _naming_record(naming: Naming) -> NamingRecord:
    return NamingRecord(level_shift=naming.level_shift, sides_swapped=naming.sides_swapped)


def _step_record(step: Step) -> StepRecord:
    if isinstance(step, NamingStep):
        return NamingStepRecord(before=_naming_record(step.before), after=_naming_record(step.after))
    if isinstance(step, CompoundStep):
        return CompoundStepRecord(points=tuple(map(_point_record, step.points)))
    return _point_record(step)


def _point_record(step: PointStep) -> PointStepRecord:
    before, after = CorrectionRecord.of(step.before), CorrectionRecord.of(step.after)
    return PointStepRecord(condition=step.key.condition, level=step.key.level, before=before, after=after)


def _spot_order(item: tuple[Spot, Correction]) -> tuple[int, str]:
    return item[0].rank, item[0].condition.value
