"""The sagittal and the axial pane as a pair: they show the same study, state, finding and place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from napari.components import ViewerModel
from psygnal import Signal

from ..domain.findings import CropEvidence
from ..domain.landmarks import Landmark
from ..domain.spine import FindingKey
from ..domain.study import MRSeries, SeriesRole, Study
from ..session import SessionState
from .ghosts import Ghosts
from .pane import Pane


class LinkedPanes:
    """Two panes, linked through patient space."""

    landmark_moved: ClassVar[Signal] = Signal(object, str, int, tuple)
    landmark_picked: ClassVar[Signal] = Signal(object, Pane)
    edit_refused: ClassVar[Signal] = Signal()

    def __init__(self, sagittal: ViewerModel, axial: ViewerModel) -> None:
        self.sagittal, self.axial = Pane(sagittal), Pane(axial)
        self._ghosts = tuple(Ghosts(pane) for pane in self)
        for pane in self:
            self._relay(pane)

    def __iter__(self) -> Iterator[Pane]:
        return iter((self.sagittal, self.axial))

    def show_study(self, study: Study, sagittal_role: SeriesRole | None) -> None:
        """Show the axial series and the sagittal series of the given role."""
        self.axial.show(study.first(SeriesRole.AXIAL_T2))
        self.show_sagittal(study.first(sagittal_role) if sagittal_role else None)

    def show_sagittal(self, series: MRSeries | None) -> None:
        """Show another sagittal series."""
        self.sagittal.show(series)

    def draw(self, state: SessionState | None) -> None:
        """Show the landmarks as they are now."""
        for pane in self:
            pane.draw(state)

    def draw_ghosts(self, state: SessionState | None, chosen: FindingKey | None) -> None:
        """Show where corrected points were predicted."""
        for ghosts in self._ghosts:
            ghosts.draw(state, chosen)

    def draw_evidence(self, evidence: tuple[CropEvidence, ...]) -> None:
        """Show what the grader saw for the chosen finding."""
        for pane in self:
            pane.draw_evidence(evidence)

    def set_evidence_visible(self, attention: bool, boxes: bool) -> None:
        """Switch heatmaps and boxes on or off."""
        for pane in self:
            pane.set_evidence_visible(attention, boxes)

    def go_to(self, landmark: Landmark, but: Pane | None = None) -> None:
        """Show a landmark in both panes, except in one where a person is working.

        The pane that does not show the landmark itself gets a cross in its place.
        """
        for pane in self:
            own = pane.series is not None and pane.series.series_id == landmark.series_id
            pane.draw_place(None if own else landmark.point_lps_mm)
            if pane is but:
                continue
            pane.go_to_point(landmark.point_lps_mm, landmark.slice_index if own else None)

    def go_to_slice(self, series_id: str, slice_index: int) -> None:
        """Show a slice in the pane that shows its series."""
        for pane in self:
            if pane.series is not None and pane.series.series_id == series_id:
                pane.go_to_slice(slice_index)

    def _relay(self, pane: Pane) -> None:
        # psygnal calls a bound ``emit`` once, to find its signature: relay through functions instead.
        pane.landmark_moved.connect(lambda *what: self.landmark_moved.emit(*what))
        pane.landmark_picked.connect(lambda key: self.landmark_picked.emit(key, pane))
        pane.edit_refused.connect(lambda: self.edit_refused.emit())
