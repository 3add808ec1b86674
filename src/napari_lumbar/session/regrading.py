"""Grade what is outdated again, and do a saved session's work to a fresh analysis: no window needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter

from ..domain.findings import Analysis, Finding
from ..domain.spine import FindingKey
from ..domain.study import Study
from ..pipeline.ladder import ignore_step
from ..pipeline.progress import CancelToken
from ..pipeline.protocols import System
from ..pipeline.run import regrade
from .current import current_analysis
from .saved import SavedSession
from .state import RegradeRequest, SessionState


def answer(
    study: Study,
    system: System,
    request: RegradeRequest,
    cancel: CancelToken | None = None,
    tell: Callable[[str], None] = ignore_step,
) -> Mapping[FindingKey, Finding]:
    """Return what the networks say to ``request``; raise ``Cancelled`` if ``cancel`` was set meanwhile.

    ``tell`` is called with a sentence for each step that a failing device forced.
    """
    if not request.keys:
        return {}
    return regrade(study, system, request.landmarks, request.keys, cancel, tell)


def replay(study: Study, system: System, analysis: Analysis, saved: SavedSession) -> Analysis:
    """Return the analysis as the session left it: its work applied to the predictions, and graded again.

    Parameters
    ----------
    study, analysis
        The study with the roles of the session (``SavedSession.with_roles``), and its fresh analysis.

    Raises
    ------
    SessionError
        If another bundle's predictions were corrected, or names at other discs, or on images that the study
        does not have.
    """
    saved.check_bundle(analysis.provenance.bundle_sha256)
    saved.check_places(study)
    saved.check_names(analysis.landmarks)
    state = SessionState(study.study_uid, analysis, saved.work)
    started = perf_counter()
    request = state.request()
    state = state.accepting(request, answer(study, system, request))
    timings = {**analysis.timings_s, "regrade": perf_counter() - started}
    return replace(current_analysis(state, saved.reader), timings_s=timings)
