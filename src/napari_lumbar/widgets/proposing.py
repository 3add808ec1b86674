"""Offers to propose side points again after a canal point moved, and does so off the GUI thread."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal

from ..domain.landmarks import Landmark
from ..domain.spine import FindingKey
from ..pipeline.run import propose_recesses
from ..session import Session, SessionState
from ..session.commands import under_name_in_force
from ..session.offers import ProposalOffer, offer_after_move
from .reading import Reading
from .worker import Outcome


class Proposing(QObject):
    """Holds the offer that stands; it falls with the canal point it was made for.

    Signals
    -------
    changed
        (offer or None, whether it is being worked on).
    proposed
        (series_id, slice index) of the points that were put.
    """

    changed = Signal(object, bool)
    proposed = Signal(str, int)

    def __init__(self, reading: Reading, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reading = reading
        self._offer: ProposalOffer | None = None
        self._is_working = False
        reading.state_changed.connect(self._on_state)
        reading.session_left.connect(self.leave)

    def consider(self, before: SessionState, key: FindingKey) -> None:
        """Make an offer if the latest move, of ``key``, calls for one."""
        session = self._reading.session
        offer = offer_after_move(before, session.state, key) if session else None
        if offer is not None:
            self._set(offer, False)

    def accept(self) -> None:
        """Let the networks look at the axial slice, and take over what they find."""
        session, offer = self._reading.session, self._offer
        if session is None or offer is None or self._is_working:
            return
        self._set(offer, True)
        asked = session.state
        self._reading.ask_networks(
            lambda system, cancel: propose_recesses(session.study, system, offer.canal, cancel),
            lambda outcome: self._on_answer(session, offer, asked, outcome),
        )

    def leave(self) -> None:
        """Leave the side points where they are."""
        self._set(None, False)

    def _on_answer(
        self,
        session: Session,
        offer: ProposalOffer,
        asked: SessionState,
        outcome: Outcome[tuple[Landmark, ...]],
    ) -> None:
        """Put the points, but none that a person moved or marked absent since the networks were asked."""
        if session is not self._reading.session or offer is not self._offer:
            return
        self._set(None, False)
        if outcome.value is None:
            self._reading.said.emit(f"No side points were proposed: {outcome.error}.", True)
            return
        level = offer.canal.key.level.value
        untouched = [point for point in outcome.value if _is_untouched(point, asked, session.state)]
        if not untouched:
            self._reading.said.emit(
                f"The side points of {level} stay as they were corrected meanwhile.", False
            )
            return
        session.propagate(untouched)
        first = untouched[0]
        self.proposed.emit(first.series_id, first.slice_index)
        where = f"axial slice {first.slice_index + 1}"
        self._reading.say_edited(
            f"The side points of {level} were put on {where}: check them; Ctrl+Z takes them back."
        )

    def _on_state(self, state: SessionState | None) -> None:
        if self._offer is not None and not self._offer.stands_in(state):
            self._set(None, False)

    def _set(self, offer: ProposalOffer | None, is_working: bool) -> None:
        self._offer, self._is_working = offer, is_working
        self.changed.emit(offer, is_working)


def _is_untouched(proposed: Landmark, asked: SessionState, now: SessionState) -> bool:
    """Whether a person said nothing of the point since the networks were asked, whatever it is called."""
    then, latest = (state.correction(under_name_in_force(state, proposed).key) for state in (asked, now))
    return then == latest
