"""One study from its folder to its report: what ``analyze`` and ``demo`` share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from .. import RESEARCH_USE_ONLY
from .exit_codes import ExitCode
from .progress import stage_progress
from .series_choice import with_chosen
from .table import print_grades

if TYPE_CHECKING:
    from ..domain.findings import Analysis
    from ..domain.study import SeriesRole
    from ..pipeline.progress import ProgressCallback

#: The share of a bar that reading takes.
_READING = 0.2


@dataclass(frozen=True)
class Request:
    """What to analyse, with which weights, and where to.

    Parameters
    ----------
    study_uid
        Chooses one study of several.
    session
        A reader's work to be applied.
    series
        Series that a person has chosen for a role, the best first.
    identified
        Whether results may hold names of files and descriptions of series.
    """

    folder: Path
    out: Path
    bundle: Path | None
    device: str
    study_uid: str | None = None
    session: Path | None = None
    series: Mapping[SeriesRole, Sequence[str]] = field(default_factory=dict)
    identified: bool = False


def analyze_folder(request: Request) -> ExitCode:
    """Analyse a study, write its results and print the grades.

    Raises
    ------
    StudyError, BundleError, ExportError, SessionError
        If the study, the weights, the output folder or the session cannot be used; ``out`` is tried first.
    """
    console = Console(highlight=False)
    with stage_progress(console) as report:
        analysis = _analyzed(request, report)
    print_grades(console, analysis)
    console.print(f"Report: {request.out / 'report.html'}", markup=False, soft_wrap=True)
    console.print(RESEARCH_USE_ONLY, markup=False)
    return ExitCode.OK if analysis.graded else ExitCode.NOTHING_GRADED


def _analyzed(request: Request, report: ProgressCallback) -> Analysis:
    from ..dicom import read_study
    from ..export import prepare_folder, write_results
    from ..pipeline import load_system
    from ..pipeline.progress import Progress
    from ..pipeline.run import analyze
    from ..session import read_session
    from ..session.regrading import replay

    prepare_folder(request.out)
    saved = read_session(request.session) if request.session else None
    report(Progress("loading the weights", 0.0))
    system = load_system(request.bundle, request.device)
    if saved is not None:
        saved.check_bundle(system.bundle_sha256)
    started = time.perf_counter()
    study = read_study(
        request.folder,
        request.study_uid,
        lambda fraction: report(Progress("reading the study", _READING * fraction)),
    )
    study = with_chosen(study, request.series)
    read_s = time.perf_counter() - started
    if saved is not None:
        study = saved.with_roles(study)
        saved.check_places(study)
    analysis = analyze(
        study, system, lambda p: report(Progress(p.stage, _READING + (1 - _READING) * p.fraction))
    )
    if saved is not None:
        report(Progress(f"applying the session of {saved.reader_text}", 1.0))
        analysis = replay(study, system, analysis, saved)
    analysis = replace(analysis, timings_s={"read": read_s, **analysis.timings_s})
    report(Progress("writing the results", 1.0))
    write_results(study, analysis, request.out, request.identified)
    return analysis
