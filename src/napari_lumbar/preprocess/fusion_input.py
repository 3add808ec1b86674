"""What a network that joins series is shown of one finding: pixels, what is there, words, what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..domain.spine import ConditionGroup, FindingKey
from ..domain.study import MRSeries, PixelArray, SeriesRole
from .bags import Bag
from .finding_views import sample_finding_view
from .series_text import TEXT_LENGTH, series_text, text_numbers


@dataclass(frozen=True, eq=False)
class FusionInput:
    """One finding as arrays.

    Parameters
    ----------
    views
        (roles, slices, size, size) in 0..1; zeros where a series is missing.
    visible
        (roles,): which series are there.
    texts
        (roles, T): numbers of words, 0 for none.
    level, group
        Rank of the level and place of the condition group.
    """

    views: PixelArray
    visible: npt.NDArray[np.bool_]
    texts: npt.NDArray[np.int64]
    level: int
    group: int


@dataclass(frozen=True)
class FusionShape:
    """The roles in their order, slices per view, and the side of a view in pixels."""

    roles: tuple[SeriesRole, ...]
    slices: int
    size: int


def fusion_input(
    key: FindingKey,
    views: Mapping[SeriesRole, Bag],
    series: Mapping[str, MRSeries],
    shape: FusionShape,
    words: Mapping[str, Sequence[int]],
) -> FusionInput:
    """Sample the views of a finding (``finding_views``) and put their series into words.

    Parameters
    ----------
    series
        As ``prepared_series`` gives them.
    words
        See ``text_numbers``.
    """
    pixels = np.zeros((len(shape.roles), shape.slices, shape.size, shape.size), np.float32)
    texts = np.zeros((len(shape.roles), TEXT_LENGTH), np.int64)
    for i, role in enumerate(shape.roles):
        if role in views:
            one = series[views[role].series_id]
            pixels[i] = sample_finding_view(views[role], one, shape.size)
            texts[i] = text_numbers(series_text(one, views[role].annotated), words)
    visible = np.array([role in views for role in shape.roles], np.bool_)
    return FusionInput(
        pixels, visible, texts, key.level.rank, list(ConditionGroup).index(key.condition.group)
    )
