"""What may leave a session: an analysis in which nothing is older than the landmarks beside it."""

from __future__ import annotations

from dataclasses import replace

from ..domain.findings import Analysis, Finding, GradeSource
from ..domain.landmarks import NotGradable
from ..domain.spine import FindingKey
from .state import SessionState
from .withheld import doubts_in_force

#: Code of a finding whose landmark changed and which was not graded since.
STALE = "stale"


def current_analysis(state: SessionState, reader: str = "") -> Analysis:
    """Merge the corrections of ``reader`` into the analysis, for export.

    A finding that was not graded again after its landmarks changed has no grade in the result, but the
    reason code ``stale``: an old grade beside a new landmark would be a wrong one.
    """
    findings = {key: _current_finding(state, key) for key in state.analysis.findings}
    return replace(
        state.analysis,
        landmarks=state.landmarks,
        findings=findings,
        warnings=state.warnings,
        doubts=doubts_in_force(state.analysis, state.corrections, findings),
        reader=reader,
    )


def _current_finding(state: SessionState, key: FindingKey) -> Finding:
    if key not in state.stale:
        return state.finding(key)
    reason = "a landmark it is graded from was changed and it has not been graded again since"
    why = NotGradable(STALE, reason)
    return Finding(key, None, state.landmarks.get(key), not_gradable=why, source=GradeSource.CORRECTED)
