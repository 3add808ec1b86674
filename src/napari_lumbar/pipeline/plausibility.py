"""Whether landmarks can be those of a lumbar spine: what contradicts anatomy, another series, or the names.

Limits are wide: in the RSNA 2024 tables neighbouring levels of adults lie 28 to 42 mm apart, on training
phantoms 24 to 39 mm; there left points lay at least 4.1 mm left of the canal, and the middle of the recesses
at most 4.4 mm beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..domain.doubts import Doubt, DoubtKind
from ..domain.findings import Finding
from ..domain.geometry import FloatArray
from ..domain.landmarks import Landmarks, NotGradable
from ..domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from ..domain.study import SAGITTAL_ROLES, Study
from .image_quality import quality_doubts

#: Neighbouring levels of a lumbar spine lie this far apart (mm); a cervical one's 12 to 20 mm.
STEP_RANGE_MM = (20.0, 50.0)
#: The middle of the recesses lies this far in front of the canal point (training phantoms: 0.5 to 6 mm).
_RECESSES_IN_FRONT_MM = 2.7
#: Sagittal and axial series disagree from here on; from the second on the axial points are another place's.
DISAGREEMENT_MM, OTHER_PLACE_MM = 5.0, 15.0
#: Below this mean confidence of the canal points nothing like a lumbar spine was seen.
LEAST_CONFIDENCE = 0.3
#: Above this much evidence of a disc below L5/S1 (training phantoms: at most 0.31) one more may be there.
DISC_BELOW = 0.5

Canal = Mapping[Level, FloatArray]


def find_doubts(study: Study, landmarks: Landmarks) -> tuple[Doubt, ...]:
    """Everything about the landmarks of a study, and the images they lie on, that speaks against them."""
    if not any(study.with_role(role) for role in SAGITTAL_ROLES):
        return ()  # nothing could be named; each finding says so
    middles = level_middles(landmarks)
    foreign = [*_not_lumbar(landmarks, middles)]
    if foreign:
        return tuple(foreign)
    found: list[Doubt] = [*_numbering(landmarks)]
    for check in _CHECKS:
        found += check(landmarks, middles)
    return (*found, *quality_doubts(study, landmarks))


def withhold(findings: Mapping[FindingKey, Finding], doubts: Sequence[Doubt]) -> dict[FindingKey, Finding]:
    """The findings without the grades that a doubt forbids; the first such doubt is the reason."""
    reasons: dict[FindingKey, NotGradable] = {}
    for doubt in doubts:
        for key in doubt.withheld:
            reasons.setdefault(key, NotGradable(doubt.kind.code, doubt.text))
    return {
        key: Finding(key, None, finding.landmark, not_gradable=reasons[key])
        if key in reasons and finding.probs is not None
        else finding
        for key, finding in findings.items()
    }


def without_numberless(landmarks: Landmarks) -> Landmarks:
    """The landmarks without those whose coordinates are not finite; these are missing with the reason."""
    lost = [p.key for p in landmarks if not np.isfinite([*p.point_lps_mm, *p.pixel_rc]).all()]
    why = NotGradable("no_place", "a network gave a place that is no number")
    points = {key: point for key, point in landmarks.points.items() if key not in lost}
    return replace(landmarks, points=points, missing={**landmarks.missing, **dict.fromkeys(lost, why)})


def level_middles(landmarks: Landmarks) -> Canal:
    """A point amid the spine at each level, LPS mm, shape (3,): the canal, else between the foramina."""
    middles = {}
    for level in Level:
        canal = _points(landmarks, level, ConditionGroup.CANAL)
        foramina = _points(landmarks, level, ConditionGroup.FORAMINAL)
        if canal or len(foramina) == 2:
            middles[level] = np.mean(canal or foramina, axis=0)
    return middles


def beyond_middle_mm(landmarks: Landmarks, middles: Canal) -> dict[FindingKey, float]:
    """How far each point lies beyond its level's middle, on the side that its name does not say, mm.

    Negative where it lies on its own side. Points of levels without a middle are left out.
    """
    beyond = {}
    for key, point in landmarks.points.items():
        if key.condition.side is not None and key.level in middles:
            lateral_mm = point.point_lps_mm[0] - middles[key.level][0]  # positive towards the patient's left
            beyond[key] = float(-lateral_mm if key.condition.side is Side.LEFT else lateral_mm)
    return beyond


def wrong_side_words(key: FindingKey, beyond_mm: float) -> str:
    """Say that a point lies on the other side than its name says."""
    other = key.opposite.condition.side
    return f"{key.text} lies {beyond_mm:.0f} mm to the {other.value.lower() if other else ''} of the canal"


def _points(landmarks: Landmarks, level: Level, group: ConditionGroup) -> list[FloatArray]:
    """The points of a group at a level, left before right."""
    sides = (None,) if group is ConditionGroup.CANAL else tuple(Side)
    keys = [FindingKey(Condition.of(group, side), level) for side in sides]
    return [np.array(landmarks.points[key].point_lps_mm) for key in keys if key in landmarks.points]


def _not_lumbar(landmarks: Landmarks, middles: Canal) -> Iterator[Doubt]:
    canal = [p for p in landmarks if p.key.condition.group is ConditionGroup.CANAL]
    sure = [p.confidence for p in canal or landmarks if p.confidence is not None]
    steps = _steps_mm(middles)
    why = ""
    if not landmarks.points:
        why = "no lumbar level was found on the sagittal images"
    elif sure and np.mean(sure) < LEAST_CONFIDENCE:
        why = f"what was found resembles lumbar levels little (mean confidence {np.mean(sure):.2f})"
    elif len(steps) > 1 and not STEP_RANGE_MM[0] <= np.median(list(steps.values())) <= STEP_RANGE_MM[1]:
        why = (
            f"levels lie {np.median(list(steps.values())):.0f} mm apart, as those of no adult lumbar spine do"
        )
    if why:
        everything = frozenset(ALL_FINDINGS)
        yield Doubt(DoubtKind.NOT_LUMBAR, f"The images may show no lumbar spine: {why}", everything)


def _numbering(landmarks: Landmarks) -> Iterator[Doubt]:
    numbering = landmarks.numbering
    reasons = []
    if numbering.sacrum_seen is False:
        reasons.append("the sacrum, which levels are counted from, is not in view")
    if numbering.is_unsure:
        reasons.append("the discs fit almost as well one level off")
    if numbering.disc_below > DISC_BELOW:
        reasons.append("one more disc seems to lie below L5/S1, as with a transitional vertebra")
    if numbering.contrasts_differ_by:
        reasons.append(numbering.contrasts_words)
    if reasons:
        yield Doubt(DoubtKind.NUMBERING_UNCERTAIN, f"The numbering of the levels is unsure: {_and(reasons)}")


def _in_view(landmarks: Landmarks, _: Canal) -> Iterator[Doubt]:
    found = {point.key.level for point in landmarks}
    absent = [level.value for level in Level if level not in found]
    if absent:
        sentence = f"{len(found)} of 5 levels were found; not found: {_and(absent)}"
        yield Doubt(DoubtKind.LEVELS_NOT_IN_VIEW, sentence)


def order_doubts(landmarks: Landmarks, _: Canal) -> Iterator[Doubt]:
    """Names must follow each other from head to foot; patient space says which way that is."""
    for condition in Condition:
        keys = [key for level in Level if (key := FindingKey(condition, level)) in landmarks.points]
        heights = [landmarks.points[key].point_lps_mm[2] for key in keys]
        for (upper, lower), (high, low) in zip(pairwise(keys), pairwise(heights), strict=True):
            if high <= low:
                yield Doubt(
                    DoubtKind.LEVELS_OUT_OF_ORDER,
                    f"{upper.text} lies {low - high:.0f} mm below {lower.text}",
                    frozenset({upper, lower}),
                )


def _spacing(_: Landmarks, middles: Canal) -> Iterator[Doubt]:
    low, high = STEP_RANGE_MM
    odd = [
        f"{a.value} and {b.value} {step:.0f} mm"
        for (a, b), step in _steps_mm(middles).items()
        if not low <= step <= high
    ]
    if odd:
        usual = f"{low:.0f} to {high:.0f} mm"
        yield Doubt(DoubtKind.SPACING_IMPLAUSIBLE, f"{_and(odd)} apart, where {usual} are plausible")


def _sides(landmarks: Landmarks, middles: Canal) -> Iterator[Doubt]:
    """A point of one side must lie on that side of the canal, wherever the canal lies in the image."""
    for key, beyond_mm in beyond_middle_mm(landmarks, middles).items():
        if beyond_mm > 0:
            yield Doubt(DoubtKind.SIDE_CONTRADICTED, wrong_side_words(key, beyond_mm), frozenset({key}))


def _agreement(landmarks: Landmarks, _: Canal) -> Iterator[Doubt]:
    """The recesses, from axial images, must lie around the canal point, from sagittal ones."""
    apart_mm = {}
    for level in Level:
        recesses = _points(landmarks, level, ConditionGroup.SUBARTICULAR)
        canal = _points(landmarks, level, ConditionGroup.CANAL)
        if canal and len(recesses) == 2:
            lateral, behind, _height = np.mean(recesses, axis=0) - canal[0]
            apart_mm[level] = float(max(abs(lateral), abs(behind + _RECESSES_IN_FRONT_MM)))
    far = {level: apart for level, apart in apart_mm.items() if apart > DISAGREEMENT_MM}
    if far:
        what = _and([f"{apart:.0f} mm at {level.value}" for level, apart in far.items()])
        other = [level for level, apart in far.items() if apart > OTHER_PLACE_MM]
        keys = [FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, s), lv) for lv in other for s in Side]
        sentence = f"Sagittal and axial images put the canal at different places: {what}"
        yield Doubt(DoubtKind.SERIES_DISAGREE, sentence, frozenset(keys))


def _steps_mm(middles: Canal) -> dict[tuple[Level, Level], float]:
    """Distance between neighbouring levels of which both were found."""
    return {
        (a, b): float(np.linalg.norm(middles[a] - middles[b]))
        for a, b in pairwise(Level)
        if a in middles and b in middles
    }


def _and(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]


_CHECKS: tuple[Callable[[Landmarks, Canal], Iterator[Doubt]], ...] = (
    _in_view,
    order_doubts,
    _spacing,
    _sides,
    _agreement,
)
