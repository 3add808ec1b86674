"""What a person does to the chosen finding and to the names: from buttons and keys to session commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..domain.errors import EditRefused
from ..domain.landmarks import Landmark
from ..domain.spine import ConditionGroup, FindingKey, Severity
from ..session import Session, SessionState, landmark_at, landmark_on_slice
from ..session.commands import LevelStep
from ..session.forecast import shift_words, swap_words
from ..session.steps import Step
from .panes import LinkedPanes
from .proposing import Proposing
from .reading import Reading


class Editing:
    """Turns what a person asks for into commands on the session under way.

    Parameters
    ----------
    reading
        Holds the session.
    panes
        Where points are dragged and which slices are shown.
    proposing
        Told of moved points, from which others may follow.
    chosen
        Returns the chosen finding, or None.
    choose
        Chooses a finding, after an undo for example.
    """

    def __init__(
        self,
        reading: Reading,
        panes: LinkedPanes,
        proposing: Proposing,
        chosen: Callable[[], FindingKey | None],
        choose: Callable[[FindingKey], None],
    ) -> None:
        self._reading = reading
        self._panes = panes
        self._proposing = proposing
        self._chosen = chosen
        self._choose = choose
        panes.landmark_moved.connect(self.move)
        panes.edit_refused.connect(self._on_refused)

    def move(self, key: FindingKey, series_id: str, slice_index: int, pixel_rc: tuple[float, float]) -> None:
        """Put a point where it was dragged to."""
        session = self._reading.session
        if session is not None:
            self._put(session, landmark_at(session.study.by_id(series_id), key, slice_index, pixel_rc))

    def undo(self) -> None:
        """Take the latest step back and show what it was about."""
        session = self._reading.session
        if session is not None:
            self._step_back(session, session.state.work.done, session.undo, "Taken back")

    def redo(self) -> None:
        """Do again what was undone last and show what it was about."""
        session = self._reading.session
        if session is not None:
            self._step_back(session, session.state.work.undone, session.redo, "Done again")

    def reset(self) -> None:
        """Bring the predicted point of the chosen finding back."""
        self._on_chosen(Session.reset)

    def mark_absent(self) -> None:
        """Say that the chosen finding is not there to be graded."""
        self._on_chosen(Session.mark_absent)

    def override(self, severity: Severity, reason: str = "") -> None:
        """Grade the chosen finding by hand."""
        self._on_chosen(lambda session, key: session.override(key, severity, reason))

    def clear_override(self) -> None:
        """Let the networks' grade of the chosen finding stand again."""
        self._on_chosen(Session.clear_override)

    def put_here(self) -> None:
        """Put the chosen finding's point on the slice that its pane shows, in place or in the middle."""
        session, key = self._reading.session, self._chosen()
        if session is None or key is None:
            return
        landmark = session.state.landmarks.get(key)
        is_axial = key.condition.group is ConditionGroup.SUBARTICULAR
        pane = self._panes.axial if is_axial else self._panes.sagittal
        if pane.series is None:
            return
        if landmark is not None and landmark.series_id == pane.series.series_id:
            self._put(session, landmark_on_slice(pane.series, landmark, pane.slice_index))
        else:
            self._put(session, landmark_at(pane.series, key, pane.slice_index, pane.centre_rc))

    def shift_levels(self, by: LevelStep) -> None:
        """Move all level names by one, and say what became of them."""
        session = self._reading.session
        if session is None:
            return
        try:
            words = shift_words(session.state, by)
        except EditRefused as refused:
            self._say_refused(refused)
            return
        self._following_disc(session, lambda: session.shift_levels(by))
        way = "down" if by > 0 else "up"
        self._reading.say_edited(f"Level names moved {way} by 1: {words}. Ctrl+Z takes it back.")

    def swap_sides(self, may_swap: Callable[[str], bool]) -> None:
        """Swap left and right if the person, told what that means, agrees."""
        session = self._reading.session
        if session is None or not may_swap(swap_words(session.state)):
            return
        if session is not self._reading.session:  # the question stood open while another study came
            self._reading.said.emit("Nothing was swapped: what was asked about is not shown any more.", True)
            return
        self._following_disc(session, lambda: session.swap_sides(confirmed=True))
        self._reading.say_edited("Left and right were swapped for every finding. Ctrl+Z takes it back.")

    def _put(self, session: Session, landmark: Landmark) -> None:
        before = session.state
        session.move(landmark)
        self._say_done(session, before)
        self._proposing.consider(before, landmark.key)

    def _on_chosen(self, command: Callable[[Session, FindingKey], None]) -> None:
        session, key = self._reading.session, self._chosen()
        if session is None or key is None:
            return
        before = session.state
        try:
            command(session, key)
        except EditRefused as refused:
            self._say_refused(refused)
        else:
            self._say_done(session, before)

    def _say_done(self, session: Session, before: SessionState) -> None:
        """Say what was done, and what speaks against it; nothing where it changed nothing."""
        if session.state.work is not before.work:
            against = [note for note in session.state.notes if note not in before.notes]
            self._reading.say_edited(
                " ".join([f"{session.state.work.done[-1].text}.", *against]), bool(against)
            )

    def _step_back(
        self, session: Session, steps: Sequence[Step], command: Callable[[], FindingKey | None], done: str
    ) -> None:
        """Undo or redo the last of ``steps``, show what it was about, and say so."""
        if steps:
            self._following_disc(session, lambda: self._show_edited(command()))
            self._reading.say_edited(f"{done}: {steps[-1].text}.")

    def _following_disc(self, session: Session, change: Callable[[], None]) -> None:
        """Make a change; if it renames what is looked at, go on looking at the same place."""
        key, before = self._chosen(), session.state.corrections.naming
        change()
        after = session.state.corrections.naming
        renamed = after.key(before.spot(key)) if key and after != before else None
        if renamed is not None:
            self._choose(renamed)

    def _show_edited(self, key: FindingKey | None) -> None:
        if key is not None:
            self._choose(key)

    def _say_refused(self, refused: EditRefused) -> None:
        words = str(refused)
        self._reading.said.emit(f"{words[:1].upper()}{words[1:]}.", False)

    def _on_refused(self) -> None:
        session = self._reading.session
        self._panes.draw(session.state if session else None)
        self._reading.said.emit("Points are not added or deleted: choose a finding, then 'Put here'.", False)
