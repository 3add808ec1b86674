"""What a person can do to a landmark, as commands that know how to undo themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..domain.geometry import vector3
from ..domain.landmarks import Landmark, LandmarkSource
from ..domain.spine import FindingKey
from ..domain.study import MRSeries
from .state import SessionState


@dataclass(frozen=True)
class LandmarkEdit:
    """One step of work: the correction of a finding before and after; None means the prediction."""

    key: FindingKey
    before: Landmark | None
    after: Landmark | None

    @property
    def text(self) -> str:
        """What was done, for a person."""
        return f"{'Reset' if self.after is None else 'Moved'} {self.key.text}"

    def applied(self, state: SessionState) -> SessionState:
        """Return the state after the edit."""
        return _with_correction(state, self.key, self.after)

    def reverted(self, state: SessionState) -> SessionState:
        """Return the state before the edit."""
        return _with_correction(state, self.key, self.before)


@dataclass(frozen=True)
class History:
    """Edits that can be undone and redone, the latest last."""

    done: tuple[LandmarkEdit, ...] = ()
    undone: tuple[LandmarkEdit, ...] = ()

    def pushing(self, edit: LandmarkEdit) -> History:
        """Return the history after a new edit, which ends what could be redone."""
        return History((*self.done, edit))

    def undoing(self) -> History:
        """Return the history after the latest edit was undone."""
        return replace(self, done=self.done[:-1], undone=(*self.undone, self.done[-1]))

    def redoing(self) -> History:
        """Return the history after the edit undone last was done again."""
        return replace(self, done=(*self.done, self.undone[-1]), undone=self.undone[:-1])


def move(state: SessionState, landmark: Landmark) -> LandmarkEdit:
    """The edit that puts ``landmark`` in place of the one there is."""
    return LandmarkEdit(landmark.key, state.corrections.get(landmark.key), landmark)


def reset(state: SessionState, key: FindingKey) -> LandmarkEdit:
    """The edit that brings the predicted landmark of ``key`` back."""
    return LandmarkEdit(key, state.corrections.get(key), None)


def landmark_at(
    series: MRSeries, key: FindingKey, slice_index: int, pixel_rc: tuple[float, float]
) -> Landmark:
    """Return a person's landmark at (row, column) of a slice; a place beyond the image goes to its border."""
    geometry = series.slices[slice_index].geometry
    row, column = np.clip(pixel_rc, 0, (geometry.rows - 1, geometry.columns - 1))
    return Landmark(
        key=key,
        point_lps_mm=vector3(geometry.lps_from_pixel((row, column))),
        series_id=series.series_id,
        slice_index=slice_index,
        pixel_rc=(float(row), float(column)),
        confidence=None,
        source=LandmarkSource.CORRECTED,
    )


def landmark_on_slice(series: MRSeries, landmark: Landmark, slice_index: int) -> Landmark:
    """Return ``landmark`` projected along the normal onto another slice, as a person's."""
    row, column = series.slices[slice_index].geometry.pixel_from_lps(landmark.point_lps_mm)
    return landmark_at(series, landmark.key, slice_index, (float(row), float(column)))


def _with_correction(state: SessionState, key: FindingKey, landmark: Landmark | None) -> SessionState:
    return state.resetting(key) if landmark is None else state.correcting(landmark)
