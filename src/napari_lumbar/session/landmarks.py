"""The landmarks in force: the predicted ones under a person's names, with a person's places among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..domain.landmarks import ABSENT, RENAMED, Landmark, Landmarks, LandmarkSource, NotGradable
from ..domain.spine import ALL_FINDINGS, FindingKey
from .corrections import Corrections
from .names import Spot

MARKED_ABSENT = NotGradable(ABSENT, "marked absent by the reader")


def landmarks_in_force(predicted: Landmarks, corrections: Corrections) -> Landmarks:
    """Return the predicted landmarks with the corrections applied.

    A predicted point under another name counts as corrected, and loses its confidence, which was that of
    being the place it was called. What has no point says why; what has no name any more is in the notes.
    """
    found = {key: _resolved(predicted, corrections, key) for key in ALL_FINDINGS}
    return Landmarks(
        points={key: what for key, what in found.items() if isinstance(what, Landmark)},
        missing={key: what for key, what in found.items() if isinstance(what, NotGradable)},
        notes=(*predicted.notes, *correction_notes(predicted, corrections)),
        numbering=replace(predicted.numbering, moved_by_hand=corrections.naming.level_shift),
    )


def correction_notes(predicted: Landmarks, corrections: Corrections) -> tuple[str, ...]:
    """Return what a reader should know about changed names, as sentences."""
    naming, notes = corrections.naming, []
    if naming.level_shift:
        way, by = "down" if naming.level_shift > 0 else "up", abs(naming.level_shift)
        notes.append(f"The reader moved the level names {way} by {by}; the points stayed where they are.")
    if naming.sides_swapped:
        notes.append("The reader swapped left and right: each point and grade bears the other side's name.")
    return (*notes, *_nameless(predicted, corrections))


def predicted_place(predicted: Landmarks, corrections: Corrections, key: FindingKey) -> Landmark | None:
    """Return where the point that is called ``key`` was predicted, under its predicted name."""
    old_key = corrections.naming.spot(key).predicted_key
    return predicted.get(old_key) if old_key else None


def _resolved(
    predicted: Landmarks, corrections: Corrections, key: FindingKey
) -> Landmark | NotGradable | None:
    correction = corrections.of(key)
    if correction.absent:
        return MARKED_ABSENT
    if correction.place is not None:
        return correction.place.landmark(key)
    if corrections.naming.is_predicted:
        return predicted.get(key) or predicted.missing.get(key)
    point = predicted_place(predicted, corrections, key)
    if point is None:
        return _why_missing(predicted, corrections, key)
    if point.key == key:
        return point
    return replace(point, key=key, source=LandmarkSource.CORRECTED, confidence=None)


def _why_missing(predicted: Landmarks, corrections: Corrections, key: FindingKey) -> NotGradable:
    """Why a name has no point after the names changed."""
    old_key = corrections.naming.spot(key).predicted_key
    if old_key == key and key in predicted.missing:
        return predicted.missing[key]
    if old_key is None:
        way = "down" if corrections.naming.level_shift > 0 else "up"
        reason = f"the reader moved the level names {way}, and no point was predicted for the disc now called"
        return NotGradable(RENAMED, f"{reason} {key.level.value}")
    why = predicted.missing.get(old_key)
    reason = why.reason if why else f"{old_key.text} has no landmark"
    return NotGradable(RENAMED, f"called {old_key.level.value} by the prediction: {reason}")


def _nameless(predicted: Landmarks, corrections: Corrections) -> Iterator[str]:
    """Sentences for each disc that has no name any more though it has points or grades by hand."""
    said = corrections.by_spot
    predicted_spots = {Spot(key.condition, key.level.rank) for key in predicted.points}
    points = predicted_spots.union(spot for spot in said if said[spot].place is not None)
    points -= {spot for spot in said if said[spot].absent}
    graded = {spot for spot in said if said[spot].override is not None}
    nameless = {spot.rank for spot in points | graded if corrections.naming.key(spot) is None}
    for rank in sorted(nameless):
        counts = ((points, "points"), (graded, "grades by hand"))
        kept = [f"{n} {what}" for spots, what in counts if (n := sum(spot.rank == rank for spot in spots))]
        yield f"{_disc(rank)} has no name after the level names moved; kept but not shown: {', '.join(kept)}."


def _disc(rank: int) -> str:
    key = Spot(ALL_FINDINGS[0].condition, rank).predicted_key
    if key:
        return f"The disc predicted as {key.level.value}"
    return "A disc set by hand above L1/L2" if rank < 0 else "A disc set by hand below L5/S1"
