from __future__ import annotations

import pytest

from napari_lumbar.domain.landmarks import Dependence, Landmark, Landmarks, NotGradable, dependent_findings
from napari_lumbar.domain.spine import Condition, FindingKey, Level

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT_FORAMEN = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L4_L5)
LEFT_RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)


def landmark(key: FindingKey) -> Landmark:
    return Landmark(key, (1, 2, 3), "7", 4, (5.0, 6.0), 0.9)


def test_replacing_fills_a_gap_and_leaves_the_original() -> None:
    before = Landmarks({CANAL: landmark(CANAL)}, {LEFT_RECESS: NotGradable("no_axial", "no axial series")})
    after = before.replacing(landmark(LEFT_RECESS))
    assert (len(before), len(after)) == (1, 2)
    assert LEFT_RECESS in before.missing
    assert not after.missing
    assert {point.key for point in after} == {CANAL, LEFT_RECESS}
    assert before.get(LEFT_RECESS) is None


@pytest.mark.parametrize(
    ("moved", "stale"),
    [(CANAL, {CANAL}), (LEFT_FORAMEN, {LEFT_FORAMEN}), (LEFT_RECESS, {LEFT_RECESS, LEFT_FORAMEN, CANAL})],
)
def test_only_findings_cropped_at_a_point_depend_on_it(moved: FindingKey, stale: set[FindingKey]) -> None:
    assert dependent_findings(moved) == stale


@pytest.mark.parametrize("moved", [CANAL, LEFT_FORAMEN, LEFT_RECESS])
def test_where_one_pass_answers_a_level_all_its_findings_depend_on_every_point(moved: FindingKey) -> None:
    level = {FindingKey(condition, Level.L4_L5) for condition in Condition}
    assert dependent_findings(moved, Dependence.LEVEL) == level
