"""What a person was looking at: kept with the session so that a reading goes on where it was left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..domain.spine import FindingKey
from ..domain.study import SeriesRole

#: Lower and upper end of the grey scale, in pixel values.
Window = tuple[float, float]


@dataclass(frozen=True)
class ViewState:
    """Where a person looks; it changes no result and is no part of undo.

    Parameters
    ----------
    chosen
        The finding that is chosen, by its name in force.
    slices
        Spatial rank of the slice shown, by ``series_id``.
    windows
        Grey scale by role.
    """

    chosen: FindingKey | None = None
    slices: Mapping[str, int] = field(default_factory=dict)
    windows: Mapping[SeriesRole, Window] = field(default_factory=dict)
