"""Measures and narrowness are two names of one thing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.phantom.scales import measure_of, narrowness_of


@given(st.sampled_from(ConditionGroup), st.floats(-6, 4))
def test_a_measure_gives_its_narrowness_back(group: ConditionGroup, narrowness: float) -> None:
    assert float(narrowness_of(group, measure_of(group, narrowness))) == pytest.approx(narrowness, abs=1e-6)


@pytest.mark.parametrize(
    ("group", "borders"),
    [
        (ConditionGroup.CANAL, (100, 60)),
        (ConditionGroup.FORAMINAL, (50, 20)),
        (ConditionGroup.SUBARTICULAR, (5, 3)),
    ],
)
def test_borders_are_the_published_ones(group: ConditionGroup, borders: tuple[float, float]) -> None:
    np.testing.assert_allclose(measure_of(group, [0, 1]), borders)
