"""A session on the small study, and one step of work after another as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from napari_lumbar.domain.errors import EditRefused
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.landmarks import Landmark, LandmarkSource
from napari_lumbar.domain.spine import (
    ALL_FINDINGS,
    Condition,
    ConditionGroup,
    FindingKey,
    Level,
    Severity,
    Side,
)
from napari_lumbar.domain.study import Study
from napari_lumbar.session import SessionState, commands, landmark_at

#: The name of a command and its arguments.
Action = tuple[str, tuple[Any, ...]]

_KEYS = st.sampled_from(ALL_FINDINGS)
ACTIONS: st.SearchStrategy[list[Action]] = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.tuples(_KEYS, st.integers(0, 2), st.integers(0, 39))),
        st.tuples(st.just("propagate"), st.tuples(st.sampled_from(Level), st.integers(0, 19))),
        st.tuples(st.just("reset"), st.tuples(_KEYS)),
        st.tuples(st.just("mark_absent"), st.tuples(_KEYS)),
        st.tuples(st.just("override"), st.tuples(_KEYS, st.sampled_from(Severity), st.text(max_size=4))),
        st.tuples(st.just("clear_override"), st.tuples(_KEYS)),
        st.tuples(st.just("shift_levels"), st.tuples(st.sampled_from((-1, 1)))),
        st.tuples(st.just("swap_sides"), st.tuples(st.just(True))),
        st.tuples(st.just("undoing"), st.just(())),
        st.tuples(st.just("redoing"), st.just(())),
    ),
    max_size=12,
)

Act = Callable[[SessionState, Action], SessionState]


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    """The predictions of the small study, nothing corrected."""
    return SessionState(small_study.study_uid, small_analysis)


@pytest.fixture
def act(small_study: Study) -> Act:
    """Does an action to a state; one that is refused changes nothing."""

    def act(state: SessionState, action: Action) -> SessionState:
        name, arguments = action
        if name in ("undoing", "redoing"):
            return getattr(state, name)()
        if name == "move":
            key, slice_index, column = arguments
            arguments = (_landmark(small_study, key, slice_index, column),)
        if name == "propagate":
            arguments = (side_points(small_study, *arguments),)
        try:
            return state.doing(getattr(commands, name)(state, *arguments))
        except EditRefused:
            return state

    return act


def side_points(study: Study, level: Level, column: int) -> tuple[Landmark, ...]:
    """Both side points of a level as networks would propose them from a corrected canal point."""
    keys = [FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level) for side in Side]
    places = {key: _landmark(study, key, 1, column + 10 * i) for i, key in enumerate(keys)}
    return tuple(
        replace(place, source=LandmarkSource.PROPAGATED, confidence=0.75) for place in places.values()
    )


def _landmark(study: Study, key: FindingKey, slice_index: int, column: int) -> Landmark:
    series = study.by_id("ax" if "Subarticular" in key.condition.value else "t2")
    return landmark_at(series, key, slice_index, (20, column))
