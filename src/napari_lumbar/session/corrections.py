"""What a person changed, as a record beside the predictions: it never holds or alters one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..domain.findings import Override
from ..domain.geometry import Vector3
from ..domain.landmarks import Landmark, LandmarkSource
from ..domain.spine import FindingKey
from .names import Naming, Spot


@dataclass(frozen=True)
class Place:
    """Where a person put a point, or had one put: in patient space, and on the slice where it was put.

    Parameters
    ----------
    point_lps_mm
        The point in patient space.
    series_id, slice_index, pixel_rc
        Spatial rank of the slice in the series, and (row, column) there.
    source
        ``CORRECTED`` by a person, or ``PROPAGATED`` from another point that a person moved.
    confidence
        0 to 1 as the networks estimated it for a propagated point; a person estimates none.

    Raises
    ------
    ValueError
        If the source is ``PREDICTED``: corrections hold no predictions.
    """

    point_lps_mm: Vector3
    series_id: str
    slice_index: int
    pixel_rc: tuple[float, float]
    source: LandmarkSource = LandmarkSource.CORRECTED
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.source is LandmarkSource.PREDICTED:
            raise ValueError("a correction's place is corrected or propagated, never predicted")

    @classmethod
    def of(cls, landmark: Landmark) -> Place:
        """Return the place of a landmark; unless it was propagated, a person chose it."""
        place = cls(landmark.point_lps_mm, landmark.series_id, landmark.slice_index, landmark.pixel_rc)
        if landmark.source is LandmarkSource.PROPAGATED:
            return replace(place, source=landmark.source, confidence=landmark.confidence)
        return place

    def landmark(self, key: FindingKey) -> Landmark:
        """Return the place as the landmark of ``key``."""
        return Landmark(
            key=key,
            point_lps_mm=self.point_lps_mm,
            series_id=self.series_id,
            slice_index=self.slice_index,
            pixel_rc=self.pixel_rc,
            confidence=self.confidence,
            source=self.source,
        )


@dataclass(frozen=True)
class Correction:
    """Everything a person said about one spot; by default, nothing.

    Raises
    ------
    ValueError
        If the spot is absent and yet has a place or a grade.
    """

    place: Place | None = None
    absent: bool = False
    override: Override | None = None

    def __post_init__(self) -> None:
        if self.absent and (self.place is not None or self.override is not None):
            raise ValueError("what is marked absent has neither a place nor a grade")

    @property
    def moves_point(self) -> bool:
        """Whether the point is not where it was predicted: it was put elsewhere, or is absent."""
        return self.absent or self.place is not None


@dataclass(frozen=True)
class Corrections:
    """All corrections of one analysis: the names, and what was said about single spots."""

    naming: Naming = field(default_factory=Naming)
    by_spot: Mapping[Spot, Correction] = field(default_factory=dict)

    def at(self, spot: Spot) -> Correction:
        """What was said about a spot."""
        return self.by_spot.get(spot, Correction())

    def of(self, key: FindingKey) -> Correction:
        """What was said about the spot that is called ``key``."""
        return self.at(self.naming.spot(key))

    def having(self, key: FindingKey, correction: Correction) -> Corrections:
        """Return a copy in which this is said about the spot that is called ``key``."""
        spot = self.naming.spot(key)
        others = {other: said for other, said in self.by_spot.items() if other != spot}
        said = {} if correction == Correction() else {spot: correction}
        return replace(self, by_spot={**others, **said})
