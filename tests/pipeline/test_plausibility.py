"""Landmarks of the small study, spoilt in one way each: what is doubted, and what gets no grade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from napari_lumbar.domain.doubts import Doubt, DoubtKind
from napari_lumbar.domain.findings import Analysis, GradeSource
from napari_lumbar.domain.geometry import vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks, Numbering
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.plausibility import find_doubts, withhold, without_numberless
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import analyze

CANAL = Condition.SPINAL_CANAL_STENOSIS
Move = Callable[[Landmark], tuple[float, float, float]]


def plausible() -> Landmarks:
    """A straight spine: 33 mm from level to level, recesses 8 mm and foramina 17 mm beside the canal."""
    return Landmarks({key: point(key) for key in ALL_FINDINGS}, numbering=Numbering(True, 0.95))


def point(key: FindingKey) -> Landmark:
    beside = {ConditionGroup.CANAL: 0.0, ConditionGroup.SUBARTICULAR: 8.0, ConditionGroup.FORAMINAL: 17.0}
    sign = -1 if key.condition.side is Side.RIGHT else 1
    group = key.condition.group
    front = -2.7 if group is ConditionGroup.SUBARTICULAR else 0.0
    series = {ConditionGroup.CANAL: "t2", ConditionGroup.FORAMINAL: "t1", ConditionGroup.SUBARTICULAR: "ax"}
    place = (sign * beside[group], front, 66.0 - 33.0 * key.level.rank)
    return Landmark(key, place, series[group], 3, (8.0 + 16 * key.level.rank, 30.0), 0.9)


def changed(change: Callable[[Landmark], tuple[float, float, float]], *keys: FindingKey) -> Landmarks:
    landmarks = plausible()
    for key in keys or ALL_FINDINGS:
        one = landmarks.points[key]
        landmarks = landmarks.replacing(replace(one, point_lps_mm=change(one)))
    return landmarks


def moved(x: float = 0, y: float = 0, z: float = 0) -> Move:
    return lambda one: vector3([a + b for a, b in zip(one.point_lps_mm, (x, y, z), strict=True)])


def stretched(share: float) -> Move:
    return lambda one: (one.point_lps_mm[0], one.point_lps_mm[1], share * one.point_lps_mm[2])


def doubts(study: Study, landmarks: Landmarks) -> Mapping[DoubtKind, Doubt]:
    """By kind, without those about the images, which are stripes here."""
    about_images = (DoubtKind.POOR_IMAGES, DoubtKind.SIGNAL_VOID)
    found = [d for d in find_doubts(study, landmarks) if d.kind not in about_images]
    assert len({d.kind for d in found}) == len(found), "each kind is said once here"
    return {d.kind: d for d in found}


def keys(level: Level, *groups: ConditionGroup) -> frozenset[FindingKey]:
    return frozenset(k for k in ALL_FINDINGS if k.level is level and k.condition.group in groups)


RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
OTHER_FORAMEN = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L3_L4)
FORAMEN = FindingKey(Condition.RIGHT_NEURAL_FORAMINAL_NARROWING, Level.L1_L2)
L4_RECESSES = keys(Level.L4_L5, ConditionGroup.SUBARTICULAR)


def test_a_plausible_spine_is_not_doubted(small_study: Study) -> None:
    assert doubts(small_study, plausible()) == {}


def test_a_scoliosis_is_not_doubted(small_study: Study) -> None:
    """Sides are those of the canal, not of the image: a spine may bend by more than a recess is lateral."""
    bent = changed(lambda one: moved(x=12.0 * (one.key.level.rank % 3))(one))
    assert doubts(small_study, bent) == {}


@pytest.mark.parametrize(
    ("landmarks", "kind", "sentence", "withheld"),
    [
        pytest.param(
            changed(moved(x=-20), OTHER_FORAMEN),
            DoubtKind.SIDE_CONTRADICTED,
            "L3/L4 left neural foraminal narrowing lies 3 mm to the right of the canal",
            {OTHER_FORAMEN},
            id="left of a right one",
        ),
        pytest.param(
            changed(moved(x=18), FORAMEN),
            DoubtKind.SIDE_CONTRADICTED,
            "L1/L2 right neural foraminal narrowing lies 1 mm to the left of the canal",
            {FORAMEN},
            id="right of a left one",
        ),
        pytest.param(
            changed(moved(z=40), OTHER_FORAMEN),
            DoubtKind.LEVELS_OUT_OF_ORDER,
            "L2/L3 left neural foraminal narrowing lies 7 mm below L3/L4 left neural foraminal narrowing",
            {
                FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, level)
                for level in (Level.L2_L3, Level.L3_L4)
            },
            id="order",
        ),
        pytest.param(
            changed(moved(x=6), *L4_RECESSES),
            DoubtKind.SERIES_DISAGREE,
            "Sagittal and axial images put the canal at different places: 6 mm at L4/L5",
            set(),
            id="6 mm apart",
        ),
        pytest.param(
            changed(moved(y=18), *L4_RECESSES),
            DoubtKind.SERIES_DISAGREE,
            "Sagittal and axial images put the canal at different places: 18 mm at L4/L5",
            L4_RECESSES,
            id="18 mm apart",
        ),
        pytest.param(
            changed(moved(z=-20), *keys(Level.L5_S1, *ConditionGroup)),
            DoubtKind.SPACING_IMPLAUSIBLE,
            "L4/L5 and L5/S1 53 mm apart, where 20 to 50 mm are plausible",
            set(),
            id="a gap",
        ),
        pytest.param(
            changed(stretched(0.5)),
            DoubtKind.NOT_LUMBAR,
            "The images may show no lumbar spine: levels lie 16 mm apart, as those of no adult lumbar "
            "spine do",
            set(ALL_FINDINGS),
            id="cervical spacing",
        ),
        pytest.param(
            Landmarks(numbering=Numbering(False)),
            DoubtKind.NOT_LUMBAR,
            "The images may show no lumbar spine: no lumbar level was found on the sagittal images",
            set(ALL_FINDINGS),
            id="nothing found",
        ),
        pytest.param(
            Landmarks({k: replace(p, confidence=0.2) for k, p in plausible().points.items()}),
            DoubtKind.NOT_LUMBAR,
            "The images may show no lumbar spine: what was found resembles lumbar levels little "
            "(mean confidence 0.20)",
            set(ALL_FINDINGS),
            id="nothing alike",
        ),
        pytest.param(
            Landmarks(
                {
                    k: replace(p, confidence=0.1)
                    for k, p in plausible().points.items()
                    if k.condition is not CANAL
                }
            ),
            DoubtKind.NOT_LUMBAR,
            "The images may show no lumbar spine: what was found resembles lumbar levels little "
            "(mean confidence 0.10)",
            set(ALL_FINDINGS),
            id="nothing alike, and no canal",
        ),
        pytest.param(
            replace(plausible(), numbering=Numbering(True, 0.6)),
            DoubtKind.NUMBERING_UNCERTAIN,
            "The numbering of the levels is unsure: the discs fit almost as well one level off",
            set(),
            id="one level off",
        ),
        pytest.param(
            replace(plausible(), numbering=Numbering(True, 0.9, disc_below=0.8)),
            DoubtKind.NUMBERING_UNCERTAIN,
            "The numbering of the levels is unsure: one more disc seems to lie below L5/S1, as with a "
            "transitional vertebra",
            set(),
            id="transitional",
        ),
        pytest.param(
            replace(plausible(), numbering=Numbering(True, 0.9, contrasts_differ_by=-1)),
            DoubtKind.NUMBERING_UNCERTAIN,
            "The numbering of the levels is unsure: sagittal T1 and T2 name the same discs 1 level apart",
            set(),
            id="T1 and T2 differ",
        ),
    ],
)
def test_each_contradiction_is_said_with_its_values(
    small_study: Study, landmarks: Landmarks, kind: DoubtKind, sentence: str, withheld: set[FindingKey]
) -> None:
    (doubt,) = doubts(small_study, landmarks).values()
    assert (doubt.kind, doubt.sentence, doubt.withheld) == (kind, sentence, frozenset(withheld))
    assert doubt.text == f"{sentence}. To do: {kind.remedy}."


def test_a_field_that_ends_early_leaves_levels_and_the_sacrum_out(small_study: Study) -> None:
    points = {k: p for k, p in plausible().points.items() if k.level is not Level.L5_S1}
    found = doubts(small_study, Landmarks(points, numbering=Numbering(False, 0.9)))
    assert found[DoubtKind.LEVELS_NOT_IN_VIEW].sentence == "4 of 5 levels were found; not found: L5/S1"
    assert "the sacrum, which levels are counted from, is not in view" in (
        found[DoubtKind.NUMBERING_UNCERTAIN].sentence
    )
    assert not any(d.withheld for d in found.values())


def test_a_level_is_found_that_any_point_lies_at(small_study: Study) -> None:
    """As where T2 shows no canal, and T1 one foramen of each level."""
    points = {k: p for k, p in plausible().points.items() if k.condition is OTHER_FORAMEN.condition}
    assert DoubtKind.LEVELS_NOT_IN_VIEW not in doubts(small_study, Landmarks(points))


def test_without_sagittal_series_nothing_more_is_said(small_study: Study) -> None:
    axial = replace(small_study, series=tuple(s for s in small_study.series if s.series_id == "ax"))
    assert find_doubts(axial, Landmarks()) == ()


def test_what_is_doubted_gets_no_grade_and_says_why(small_analysis: Analysis) -> None:
    doubt = Doubt(DoubtKind.SIDE_CONTRADICTED, "it lies on the wrong side", frozenset({RECESS, FORAMEN}))
    graded = withhold(small_analysis.findings, (doubt, replace(doubt, sentence="another")))
    for key, finding in graded.items():
        assert (finding.severity is None) == (key in doubt.withheld)
    why = graded[RECESS].not_gradable
    assert why is not None
    assert why.code == "side_contradicted"
    assert why.reason.startswith("it lies on the wrong side. To do: compare the letters")
    assert graded[RECESS].landmark == small_analysis.landmarks.points[RECESS]
    assert graded[RECESS].source is GradeSource.PREDICTED


def test_a_place_that_is_no_number_is_no_place() -> None:
    landmarks = changed(lambda _: (float("nan"), 0.0, 0.0), RECESS)
    cleaned = without_numberless(landmarks)
    assert RECESS not in cleaned.points
    assert cleaned.missing[RECESS].code == "no_place"
    assert len(cleaned) == len(landmarks) - 1


class Swapped:
    """A localiser that calls the left recesses right ones and the other way round."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def locate(self, *arguments: object) -> Landmarks:
        found: Landmarks = self.inner.locate(*arguments)  # type: ignore[attr-defined]
        points = {}
        for key, one in found.points.items():
            other = FindingKey(key.condition.opposite, key.level)
            points[other] = replace(one, key=other)
        return replace(found, points=points, numbering=Numbering(True, 0.8))


def test_an_analysis_doubts_itself(small_study: Study, fake_system: System) -> None:
    analysis = analyze(small_study, replace(fake_system, localizer=Swapped(fake_system.localizer)))
    contradicted = {d for d in analysis.doubts if d.kind is DoubtKind.SIDE_CONTRADICTED}
    assert {key for d in contradicted for key in d.withheld} == {k for k in ALL_FINDINGS if k.condition.side}
    assert all(d.text in analysis.warnings for d in analysis.doubts)
    for key in ALL_FINDINGS:
        if key.condition.side:
            why = analysis.findings[key].not_gradable
            assert why is not None
            assert why.code == "side_contradicted"
