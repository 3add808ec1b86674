"""Landmarks: 3-D points in patient space with a name, and reasons for those that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from .geometry import FloatArray, Vector3
from .spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level

#: Code of a landmark, and of its finding, that a person marked absent.
ABSENT = "absent"
#: Code of a landmark that is missing because a person gave the points other names.
RENAMED = "renamed"
#: Below this confidence the names could as well be one level off.
UNSURE_NUMBERING = 0.668


class LandmarkSource(Enum):
    """Who placed a landmark."""

    PREDICTED = "predicted"
    #: A person put it there, or gave a predicted point another name.
    CORRECTED = "corrected"
    PROPAGATED = "propagated"


@dataclass(frozen=True)
class Landmark:
    """A point on a slice.

    Parameters
    ----------
    key
        Condition and level it belongs to.
    point_lps_mm
        The point in patient space.
    series_id, slice_index, pixel_rc
        The slice it is shown on (spatial rank in the series), and (row, column) there.
    confidence
        0 to 1, or None where nobody estimated it (a person's point).
    """

    key: FindingKey
    point_lps_mm: Vector3
    series_id: str
    slice_index: int
    pixel_rc: tuple[float, float]
    confidence: float | None
    source: LandmarkSource = LandmarkSource.PREDICTED


@dataclass(frozen=True)
class NotGradable:
    """Why a landmark or a finding is absent: a stable code and a sentence for a person."""

    code: str
    reason: str


@dataclass(frozen=True)
class Numbering:
    """What the names of the levels rest on.

    Parameters
    ----------
    sacrum_seen
        Whether the sacrum, which levels are counted from, is in view below L5/S1; None where the localiser
        does not look for it but gives discs the names it learnt.
    confidence
        Share of the evidence that speaks for these names rather than for the same discs named one level
        higher or lower, 0 to 1; None where nobody estimated it. It is no measured probability: a
        transitional vertebra shifts every name without lowering it.
    disc_below
        Evidence of one more disc between vertebrae below the one named L5/S1, 0 to 1.
    moved_by_hand
        By how many levels a reader moved the names since, caudal positive.
    contrasts_differ_by
        By how many levels the other sagittal contrast names the same discs lower, before any move by hand; 0
        where it agrees, or where there is none.
    """

    sacrum_seen: bool | None = None
    confidence: float | None = None
    disc_below: float = 0.0
    moved_by_hand: int = 0
    contrasts_differ_by: int = 0

    @property
    def is_unsure(self) -> bool:
        """Whether the discs fit almost as well one level off."""
        return self.confidence is not None and self.confidence < UNSURE_NUMBERING

    @property
    def short(self) -> str:
        """The assumption in a few words, for a column of a table."""
        counted = {None: "names learnt", True: "from sacrum (seen)", False: "from sacrum (not seen)"}
        moved = f", moved by hand {self.moved_by_hand:+d}" if self.moved_by_hand else ""
        sure = "" if self.confidence is None else f", confidence {self.confidence:.2f}"
        differ = f", {self.contrasts_words}" if self.contrasts_differ_by else ""
        return f"{counted[self.sacrum_seen]}{sure}{differ}{moved}"

    @property
    def sentence(self) -> str:
        """The assumption in words, as every export states it."""
        if self.sacrum_seen is None:
            how = "Levels carry the names that the networks learnt; the sacrum was not looked for"
        else:
            seen = "seen" if self.sacrum_seen else "not seen"
            how = f"Levels were numbered upwards from the sacrum ({seen})"
        sure = "not estimated" if self.confidence is None else f"{self.confidence:.2f}"
        differ = f"; {self.contrasts_words}" if self.contrasts_differ_by else ""
        moved = f" A reader then moved the names by {self.moved_by_hand:+d}." if self.moved_by_hand else ""
        return (
            f"{how}; numbering confidence {sure}{differ}.{moved} A transitional vertebra shifts every name."
        )

    @property
    def contrasts_words(self) -> str:
        """How differently the two sagittal contrasts name the discs, before any move by hand."""
        levels = abs(self.contrasts_differ_by)
        return f"sagittal T1 and T2 name the same discs {levels} level{'s' * (levels > 1)} apart"


@dataclass(frozen=True)
class Landmarks:
    """At most one landmark per finding, and a reason for each one that is missing."""

    points: Mapping[FindingKey, Landmark] = field(default_factory=dict)
    missing: Mapping[FindingKey, NotGradable] = field(default_factory=dict)
    #: What a reader should know about all of them, for example that the numbering is unsure.
    notes: tuple[str, ...] = ()
    numbering: Numbering = Numbering()

    def __iter__(self) -> Iterator[Landmark]:
        return iter(self.points.values())

    def __len__(self) -> int:
        return len(self.points)

    def get(self, key: FindingKey) -> Landmark | None:
        """The landmark of a finding, or None."""
        return self.points.get(key)

    def replacing(self, landmark: Landmark) -> Landmarks:
        """Return a copy in which this landmark stands for its finding."""
        missing = {key: why for key, why in self.missing.items() if key != landmark.key}
        return replace(self, points={**self.points, landmark.key: landmark}, missing=missing)


def disc_points_lps_mm(landmarks: Landmarks) -> dict[Level, FloatArray]:
    """A point beside the disc of every level that has a landmark, shape (3,) each, from the top down.

    The canal's point lies at the disc; without one, the subarticular points do, and the foraminal ones
    lie a little above it.
    """
    places: dict[Level, FloatArray] = {}
    for level in Level:
        for group in (ConditionGroup.CANAL, ConditionGroup.SUBARTICULAR, ConditionGroup.FORAMINAL):
            keys = [FindingKey(condition, level) for condition in Condition if condition.group is group]
            points = [landmarks.points[key].point_lps_mm for key in keys if key in landmarks.points]
            if points and level not in places:
                places[level] = np.mean(points, axis=0)
    return places


class Dependence(Enum):
    """Which landmarks a grader looks at for one finding."""

    #: Those that place the finding's own crops (Table 1 of the multistage system).
    CROPS = "crops"
    #: Every landmark of its level: one pass answers all five findings.
    LEVEL = "level"
    #: Every landmark of the study: one pass answers all levels.
    STUDY = "study"


def dependent_findings(moved: FindingKey, dependence: Dependence = Dependence.CROPS) -> frozenset[FindingKey]:
    """Findings that have to be graded again once the landmark of ``moved`` moved.

    With ``CROPS`` the subarticular points also centre the axial crops of the canal and of the same side's
    foramen, so moving one makes those findings stale too. A grader that leaves such a crop out grades a
    finding too many again, never one too few.
    """
    if dependence is Dependence.STUDY:
        return frozenset(ALL_FINDINGS)
    if dependence is Dependence.LEVEL:
        return frozenset(FindingKey(condition, moved.level) for condition in Condition)
    if moved.condition.group is not ConditionGroup.SUBARTICULAR:
        return frozenset({moved})
    foramen = Condition.of(ConditionGroup.FORAMINAL, moved.condition.side)
    canal = Condition.SPINAL_CANAL_STENOSIS
    return frozenset({moved, FindingKey(foramen, moved.level), FindingKey(canal, moved.level)})
