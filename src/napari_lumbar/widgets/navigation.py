"""Where the reader looks: the chosen finding, its level, its place in both panes."""

from __future__ import annotations

from collections.abc import Callable

from ..domain.spine import Condition, FindingKey, Level
from ..domain.study import OWN_ROLES, SAGITTAL_ROLES, SeriesRole
from .cells import Cell
from .finding_panel import FindingPanel
from .findings_matrix import FindingsMatrix
from .pane import Pane
from .panes import LinkedPanes
from .reading import Reading
from .view_bar import ViewBar
from .walk import next_finding

_FIRST_FINDING = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)


class Navigation:
    """Keeps the matrix, the panes and the finding panel at the same finding."""

    def __init__(
        self,
        reading: Reading,
        panes: LinkedPanes,
        matrix: FindingsMatrix,
        finding_panel: FindingPanel,
        view_bar: ViewBar,
    ) -> None:
        self._reading = reading
        self._panes = panes
        self._matrix = matrix
        self._finding_panel = finding_panel
        self._view_bar = view_bar
        matrix.chosen.connect(self.follow)
        finding_panel.jumped.connect(self.jump)
        finding_panel.strip.pointed.connect(panes.highlight)
        view_bar.sagittal_chosen.connect(self.show_sagittal)
        panes.landmark_picked.connect(self.choose)

    @property
    def chosen(self) -> FindingKey | None:
        """The chosen finding, or None."""
        return self._matrix.current_key

    def choose(self, key: FindingKey, but: Pane | None = None) -> None:
        """Choose a finding and go to its landmark, except in a pane where a person is working."""
        self._matrix.blockSignals(True)
        self._matrix.choose(key)
        self._matrix.blockSignals(False)
        self.follow(key, but)

    def choose_first(self) -> None:
        """Begin with the canal in the middle of the spine, or stay where the person was."""
        self.choose(self.chosen or _FIRST_FINDING)

    def step_level(self, step: int) -> None:
        """Go to the same finding ``step`` levels further down."""
        row = self._matrix.currentRow() + step
        if 0 <= row < self._matrix.rowCount():
            self._matrix.setCurrentCell(row, max(0, self._matrix.currentColumn()))

    def step_to(self, wanted: Callable[[Cell], bool], step: int) -> None:
        """Go to the next finding whose cell is wanted, or back to the one before (``step`` -1)."""
        key = next_finding(self._matrix.cells, self.chosen, wanted, step)
        if key is not None:
            self._matrix.choose(key)

    def follow(self, key: FindingKey, but: Pane | None = None) -> None:
        """Show the landmark of ``key`` in both panes, and what is known about the finding."""
        session = self._reading.session
        role = OWN_ROLES[key.condition.group]
        if role in SAGITTAL_ROLES:
            self._view_bar.choose_sagittal(role)
        landmark = session.state.landmarks.get(key) if session else None
        if session is not None and landmark is not None:
            self._panes.go_to(landmark, but, session.state.current_evidence(key))
        self.draw_chosen()

    def jump(self, series_id: str, slice_index: int) -> None:
        """Show a slice, and its series first where another sagittal one is shown."""
        study = self._reading.study
        role = study.by_id(series_id).role if study else None
        if role is not None and role in SAGITTAL_ROLES:
            self._view_bar.choose_sagittal(role)
        self._panes.go_to_slice(series_id, slice_index)

    def show_sagittal(self, role: SeriesRole) -> None:
        """Show another sagittal series in the main canvas."""
        study = self._reading.study
        if study is not None:
            self._panes.show_sagittal(study.first(role))
            self.draw_chosen()

    def draw_words(self) -> None:
        """Show what is known about the chosen finding in words."""
        self._finding_panel.draw(self._reading.session, self.chosen, self._reading.is_regrading)

    def draw_chosen(self) -> None:
        """Show what is known about the chosen finding, in words and in the panes."""
        session, key = self._reading.session, self.chosen
        self.draw_words()
        self._panes.mark(key)
        self._panes.draw_ghosts(session.state if session else None, key)
        self._panes.draw_evidence(session.state.current_evidence(key) if session and key else ())
