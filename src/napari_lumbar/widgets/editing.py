"""What a person does to the chosen finding and to the names: from buttons and keys to session commands."""

from __future__ import annotations

from collections.abc import Callable

from ..domain.spine import ConditionGroup, FindingKey
from ..session import Session, landmark_at, landmark_on_slice
from .panes import LinkedPanes
from .reading import Reading


class Editing:
    """Turns what a person asks for into commands on the session under way.

    Parameters
    ----------
    reading
        Holds the session.
    panes
        Where points are dragged and which slices are shown.
    chosen
        Returns the chosen finding, or None.
    choose
        Chooses a finding, after an undo for example.
    """

    def __init__(
        self,
        reading: Reading,
        panes: LinkedPanes,
        chosen: Callable[[], FindingKey | None],
        choose: Callable[[FindingKey], None],
    ) -> None:
        self._reading = reading
        self._panes = panes
        self._chosen = chosen
        self._choose = choose
        panes.landmark_moved.connect(self.move)
        panes.edit_refused.connect(self._on_refused)

    def move(self, key: FindingKey, series_id: str, slice_index: int, pixel_rc: tuple[float, float]) -> None:
        """Put a point where it was dragged to."""
        session = self._reading.session
        if session is not None:
            session.move(landmark_at(session.study.by_id(series_id), key, slice_index, pixel_rc))

    def undo(self) -> None:
        """Take the latest step back and show what it was about."""
        session = self._reading.session
        self._show_edited(session.undo() if session else None)

    def redo(self) -> None:
        """Do again what was undone last and show what it was about."""
        session = self._reading.session
        self._show_edited(session.redo() if session else None)

    def reset(self) -> None:
        """Bring the predicted point of the chosen finding back."""
        session, key = self._working_on()
        if session is not None and key is not None:
            session.reset(key)

    def put_here(self) -> None:
        """Put the chosen finding's point on the slice that its pane shows, in place or in the middle."""
        session, key = self._working_on()
        if session is None or key is None:
            return
        landmark = session.state.landmarks.get(key)
        is_axial = key.condition.group is ConditionGroup.SUBARTICULAR
        pane = self._panes.axial if is_axial else self._panes.sagittal
        if pane.series is None:
            return
        if landmark is not None and landmark.series_id == pane.series.series_id:
            session.move(landmark_on_slice(pane.series, landmark, pane.slice_index))
        else:
            session.move(landmark_at(pane.series, key, pane.slice_index, pane.centre_rc))

    def _working_on(self) -> tuple[Session | None, FindingKey | None]:
        return self._reading.session, self._chosen()

    def _show_edited(self, key: FindingKey | None) -> None:
        if key is not None:
            self._choose(key)

    def _on_refused(self) -> None:
        session = self._reading.session
        self._panes.draw(session.state if session else None)
        self._reading.said.emit(
            "Points are not added or deleted: choose a finding, then 'Put point here'.", False
        )
