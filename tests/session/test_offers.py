"""When a moved canal point offers to propose its side points, and how long the offer stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.session import SessionState, commands, landmark_at
from napari_lumbar.session.offers import LEAST_MOVE_MM, offer_after_move

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)


def moved(state: SessionState, study: Study, key: FindingKey, mm: float) -> SessionState:
    old = state.landmarks.points[key]
    series = study.by_id(old.series_id)
    row, column = old.pixel_rc
    column += mm / series.slices[0].geometry.column_spacing_mm
    return state.doing(commands.move(state, landmark_at(series, key, old.slice_index, (row, column))))


def test_a_canal_point_that_moved_far_enough_offers_until_it_moves_again(
    state: SessionState, small_study: Study
) -> None:
    after = moved(state, small_study, CANAL, 9)
    offer = offer_after_move(state, after, CANAL)
    assert offer is not None
    assert offer.text == "L4/L5 canal point moved 9 mm: propose side points again?"
    assert offer.stands_in(after)
    assert not offer.stands_in(after.undoing())
    assert not offer.stands_in(None)


@pytest.mark.parametrize(("key", "mm"), [(CANAL, LEAST_MOVE_MM - 0.1), (LEFT, 9)])
def test_a_nudge_or_another_point_offers_nothing(
    state: SessionState, small_study: Study, key: FindingKey, mm: float
) -> None:
    assert offer_after_move(state, moved(state, small_study, key, mm), key) is None


def test_a_point_that_was_set_where_there_was_none_offers(state: SessionState, small_study: Study) -> None:
    absent = state.doing(commands.mark_absent(state, CANAL))
    place = landmark_at(small_study.by_id("t2"), CANAL, 3, (40, 30))
    offer = offer_after_move(absent, absent.doing(commands.move(absent, place)), CANAL)
    assert offer is not None
    assert offer.text.startswith("L4/L5 canal point was set: propose")


def test_nothing_is_offered_where_no_side_point_is_ever_placed(
    state: SessionState, small_study: Study
) -> None:
    points = state.analysis.landmarks.points
    others = {k: p for k, p in points.items() if k.condition.group is not ConditionGroup.SUBARTICULAR}
    bare = replace(state, analysis=replace(state.analysis, landmarks=Landmarks(others)))
    assert offer_after_move(bare, moved(bare, small_study, CANAL, 9), CANAL) is None
