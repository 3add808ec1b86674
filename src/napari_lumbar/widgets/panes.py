"""The sagittal and the axial pane as a pair: they show the same study, state, finding and place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from napari.components import ViewerModel
from psygnal import Signal

from ..domain.findings import CropEvidence
from ..domain.geometry import Vector3
from ..domain.landmarks import Landmark
from ..domain.planes import frames_differ, link_trouble
from ..domain.spine import FindingKey
from ..domain.study import MRSeries, SeriesRole, Study, best_suited
from ..session import SessionState
from .ghosts import Ghosts
from .pane import CALM_ZONE, Pane, slice_holding
from .shown import Shown


class LinkedPanes:
    """Two panes, linked through patient space.

    Parameters
    ----------
    sagittal, axial
        The canvases' models.
    when_idle
        Does what may wait until the pane that a person scrolls is painted (default: at once).
    """

    landmark_moved: ClassVar[Signal] = Signal(object, str, int, tuple)
    landmark_picked: ClassVar[Signal] = Signal(object, Pane)
    edit_refused: ClassVar[Signal] = Signal()
    #: Another series is on the screen.
    series_changed: ClassVar[Signal] = Signal()

    def __init__(
        self,
        sagittal: ViewerModel,
        axial: ViewerModel,
        when_idle: Callable[[Callable[[], None]], None] = lambda work: work(),
    ) -> None:
        self._when_idle = when_idle
        self.sagittal, self.axial = Pane(sagittal), Pane(axial)
        self._axials: tuple[MRSeries, ...] = ()
        self._cursor: Vector3 | None = None
        self._trouble = ""
        self._ghosts = tuple(Ghosts(pane) for pane in self)
        self._ghosts_of: tuple[SessionState | None, FindingKey | None] = None, None
        for pane in self:
            self._relay(pane)

    def __iter__(self) -> Iterator[Pane]:
        return iter((self.sagittal, self.axial))

    def close(self) -> None:
        """Listen to the viewers no more."""
        for pane in self:
            pane.close()

    def show_study(self, study: Study, sagittal_role: SeriesRole | None) -> None:
        """Show the first axial series and the sagittal series of the given role."""
        self._cursor = None
        self._axials = tuple(study.with_role(SeriesRole.AXIAL_T2))
        for pane in self:
            pane.windowing.forget()
            pane.forget()
        self._draw_axial(study.first(SeriesRole.AXIAL_T2))
        self.sagittal.show(study.first(sagittal_role) if sagittal_role else None)
        self._link()

    def show_sagittal(self, series: MRSeries | None) -> None:
        """Show another sagittal series at the same place in the patient."""
        view = self.sagittal.view
        self.sagittal.show(series)
        if view is not None:
            self.sagittal.look_at(view)
        self.sagittal.draw_cursor(self._cursor)
        self._link()

    def draw(self, state: SessionState | None) -> None:
        """Show the landmarks as they are now."""
        for pane in self:
            pane.draw(state)

    def mark(self, chosen: FindingKey | None) -> None:
        """Point out the finding that is chosen."""
        for pane in self:
            pane.mark(chosen)

    def draw_ghosts(self, state: SessionState | None, chosen: FindingKey | None) -> None:
        """Show where corrected points were predicted."""
        self._ghosts_of = state, chosen
        for ghosts in self._ghosts:
            ghosts.draw(state, chosen)

    def draw_evidence(self, evidence: tuple[CropEvidence, ...]) -> None:
        """Show what the grader saw for the chosen finding."""
        for pane in self:
            pane.draw_evidence(evidence)

    def highlight(self, crop: CropEvidence | None) -> None:
        """Draw the box of one crop bright and the others thin; None: all alike."""
        for pane in self:
            pane.highlight(crop)

    def set_shown(self, shown: Shown) -> None:
        """Switch drawings on or off."""
        for pane in self:
            pane.set_shown(shown)

    def choose_window(self, name: str) -> None:
        """Set a preset window in both panes."""
        for pane in self:
            pane.windowing.choose(name)

    def reset_windows(self) -> None:
        """Both panes back to the window that they began with."""
        for pane in self:
            pane.windowing.reset()

    @property
    def offered_windows(self) -> tuple[str, ...]:
        """The presets that at least one pane has."""
        return tuple(dict.fromkeys(name for pane in self for name in pane.windowing.offered))

    def fit(self) -> None:
        """Show the whole images."""
        for pane in self:
            pane.fit()

    def point_at(self, point_lps_mm: Vector3, source: Pane, slice_index: int) -> None:
        """Put the shared cursor where a person pointed in one pane; the other goes there."""
        self._cursor = point_lps_mm
        other = self._other(source)
        if other is self.axial:
            self._show_axial(self._axial_holding(point_lps_mm))
        source.draw_cursor(point_lps_mm, slice_index)
        held = other.follow(point_lps_mm)
        outside = other.series is not None and not held
        other.text.draw_link("The cursor is outside these images" if outside else self._trouble)

    def go_to(self, landmark: Landmark, but: Pane | None = None, crops: Sequence[CropEvidence] = ()) -> None:
        """Show a landmark in both panes, except in one where a person is working.

        The pane that does not show the landmark itself gets the cursor in its place, or says that it has no
        image of it. Of several axial series the one is shown that the landmark or one of ``crops`` lies on,
        else one that holds the point.
        """
        self._cursor = point = landmark.point_lps_mm
        if but is not self.axial:
            ids = (landmark.series_id, *(crop.series_id for crop in crops))
            named = (series for id_ in ids for series in self._axials if series.series_id == id_)
            self._show_axial(next(named, None) or self._axial_holding(point))
        for pane in self:
            own = pane.series is not None and pane.series.series_id == landmark.series_id
            if pane is but:
                pane.draw_cursor(None if own else point)
            elif own:
                pane.draw_cursor(None)
                pane.go_to_point(point, landmark.slice_index)
                pane.text.draw_link(self._trouble)
            else:
                outside = not pane.follow(point, CALM_ZONE) and pane.series is not None
                pane.text.draw_link("The point is outside these images" if outside else self._trouble)

    def go_to_slice(self, series_id: str, slice_index: int) -> None:
        """Show a slice in the pane that shows its series, or in the axial one if it is an axial one's."""
        self._show_axial(next((series for series in self._axials if series.series_id == series_id), None))
        for pane in self:
            if pane.series is not None and pane.series.series_id == series_id:
                pane.go_to_slice(slice_index)

    def _axial_holding(self, point_lps_mm: Vector3) -> MRSeries | None:
        """An axial series that holds a place: the one on the screen, else the nearest of the best suited."""
        if self.axial.series is not None and slice_holding(self.axial.series, point_lps_mm) is not None:
            return self.axial.series
        holding = [one for one in self._axials if slice_holding(one, point_lps_mm) is not None]
        suited = best_suited(holding)
        return min(suited, key=lambda one: one.plane_distances_mm(point_lps_mm).min(), default=None)

    def _show_axial(self, series: MRSeries | None) -> None:
        if series is not None and series is not self.axial.series:
            self._draw_axial(series)
            self.draw_ghosts(*self._ghosts_of)  # those of the series before are no places on this one
            self._link()

    def _draw_axial(self, series: MRSeries | None) -> None:
        count = len(self._axials)
        place = next((i for i, one in enumerate(self._axials, start=1) if one is series), 0)
        self.axial.show(series, f"series {place} of {count}" if place and count > 1 else "")

    def _other(self, pane: Pane) -> Pane:
        return self.axial if pane is self.sagittal else self.sagittal

    def _link(self) -> None:
        """Draw the lines of both panes, and say what keeps them apart."""
        self._trouble = _trouble(self.sagittal.series, self.axial.series)
        for pane in self:
            pane.text.draw_link(self._trouble)
            self._draw_lines(pane)
        self.series_changed.emit()

    def _draw_lines(self, pane: Pane) -> None:
        other = self._other(pane)
        pane.draw_lines(other.series, other.slice_index)

    def _on_slice(self, pane: Pane) -> None:
        self._draw_lines(pane)
        self._when_idle(self._point_out_lines)

    def _point_out_lines(self) -> None:
        for pane in self:
            pane.point_out_line(self._other(pane).slice_index)

    def _relay(self, pane: Pane) -> None:
        # psygnal calls a bound ``emit`` once, to find its signature: relay through functions instead.
        pane.landmark_moved.connect(lambda *what: self.landmark_moved.emit(*what))
        pane.landmark_picked.connect(lambda key: self.landmark_picked.emit(key, pane))
        pane.edit_refused.connect(lambda: self.edit_refused.emit())
        pane.slice_changed.connect(lambda _index: self._on_slice(pane))
        pane.pointed.connect(lambda point, index: self.point_at(point, pane, index))


def _trouble(sagittal: MRSeries | None, axial: MRSeries | None) -> str:
    """What a person should know about the link between the panes; empty where all is well."""
    if sagittal is None or axial is None:
        return f"Not linked: no {'axial' if axial is None else 'sagittal'} series"
    trouble = link_trouble(sagittal, axial)
    if trouble:
        return f"Not linked: {trouble}"
    return "Linked across two frames of reference" if frames_differ(sagittal, axial) else ""
