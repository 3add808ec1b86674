"""The whole way: study -> landmarks -> findings, and the short way after a correction."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch

from .. import __version__
from ..domain.errors import ProposalError
from ..domain.findings import Analysis, Finding, Provenance, SeriesUse
from ..domain.landmarks import Landmark, Landmarks, LandmarkSource, NotGradable
from ..domain.spine import ALL_FINDINGS, FindingKey
from ..domain.study import OWN_ROLES, Study
from .ladder import Ladder, ignore_step
from .mirrored import are_sides_mirrored, mirrored, named_back
from .plausibility import find_doubts, withhold, without_numberless
from .progress import CancelToken, Progress, ProgressCallback, ignore_progress
from .protocols import RecessLocalizer, System
from .recesses import FARTHEST_PLANE_MM


def analyze(
    study: Study,
    system: System,
    report: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Analysis:
    """Localise and grade all 25 findings of a study; what is implausible is doubted, and gets no grade.

    Raises
    ------
    Cancelled
        If ``cancel`` was set meanwhile.
    """
    cancel = cancel or CancelToken()
    steps: list[str] = []
    ladder = Ladder(system, steps.append)
    started = time.perf_counter()
    landmarks = without_numberless(ladder.locate(study, _part(report, 0.0, 0.5), cancel))
    located = time.perf_counter()
    findings = _grade(ladder, study, landmarks, ALL_FINDINGS, _part(report, 0.5, 1.0), cancel)
    doubts = find_doubts(study, landmarks)
    graded = time.perf_counter()
    report(Progress("done", 1.0))
    return Analysis(
        study_id=study.study_id,
        landmarks=landmarks,
        findings=withhold(findings, doubts),
        series=series_used(study),
        accounting=study.accounting,
        provenance=replace(provenance(system), device=ladder.device, device_steps=tuple(steps)),
        timings_s={"locate": located - started, "grade": graded - located, "total": graded - started},
        warnings=(*study.warnings, *landmarks.notes, *(doubt.text for doubt in doubts), *steps),
        doubts=doubts,
        dependence=system.grader.dependence,
    )


def regrade(
    study: Study,
    system: System,
    landmarks: Landmarks,
    keys: Collection[FindingKey],
    cancel: CancelToken | None = None,
    tell: Callable[[str], None] = ignore_step,
) -> Mapping[FindingKey, Finding]:
    """Grade only ``keys`` again, from corrected landmarks; localisation stays as it was.

    ``tell`` is called with a sentence for each step that a failing device forced.
    """
    cancel = cancel or CancelToken()
    return grade_corrected(Ladder(system, tell), study, landmarks, keys, ignore_progress, cancel)


def grade_corrected(
    ladder: Ladder,
    study: Study,
    landmarks: Landmarks,
    keys: Collection[FindingKey],
    report: ProgressCallback,
    cancel: CancelToken,
) -> Mapping[FindingKey, Finding]:
    """Grade from landmarks that a person may have put anywhere.

    A finding whose point was put on a series of another kind than it is graded on gets no grade: networks
    would answer, and surely.
    """
    elsewhere = _elsewhere(study, landmarks, keys)
    wanted = [key for key in keys if key not in elsewhere]
    return {**_grade(ladder, study, landmarks, wanted, report, cancel), **elsewhere}


def _grade(
    ladder: Ladder,
    study: Study,
    landmarks: Landmarks,
    keys: Collection[FindingKey],
    report: ProgressCallback,
    cancel: CancelToken,
) -> Mapping[FindingKey, Finding]:
    """Ask by the side that points lie on in the images: what they are called changes nothing there."""
    if not are_sides_mirrored(landmarks):
        return ladder.grade(study, landmarks, keys, report, cancel)
    opposite = [key.opposite for key in keys]
    return named_back(ladder.grade(study, mirrored(landmarks), opposite, report, cancel), landmarks)


def _elsewhere(study: Study, landmarks: Landmarks, keys: Collection[FindingKey]) -> dict[FindingKey, Finding]:
    """Findings whose point lies on a series that they are not graded on, with that as the reason."""
    roles = {series.series_id: series.role for series in study.series}
    found = {}
    for key in keys:
        landmark, own = landmarks.get(key), OWN_ROLES[key.condition.group]
        if landmark is not None and (role := roles.get(landmark.series_id)) is not own:
            lies_on = role.value if role else "a series without a role"
            reason = f"its point lies on {lies_on}, and it is graded on {own.value}: put the point there"
            why = NotGradable("other_series", reason)
            found[key] = Finding(key, None, landmark, not_gradable=why)
    return found


def propose_recesses(
    study: Study, system: System, canal: Landmark, cancel: CancelToken | None = None
) -> tuple[Landmark, ...]:
    """Return the side points of a level on the axial slice nearest to its canal point, as propagated.

    Raises
    ------
    ProposalError
        If the system's localiser finds no recesses, or no axial slice is near enough.
    Cancelled
        If ``cancel`` was set meanwhile.
    """
    level = canal.key.level.value
    if not isinstance(system.localizer, RecessLocalizer):
        raise ProposalError(f"{system.bundle_name} finds no side points; move those of {level} by hand")
    found = system.localizer.locate_recesses(study, canal, cancel or CancelToken())
    if not found:
        raise ProposalError(
            f"no axial slice passes within {FARTHEST_PLANE_MM:g} mm of the canal point of {level}; "
            "move its side points by hand"
        )
    return tuple(replace(landmark, source=LandmarkSource.PROPAGATED) for landmark in found.values())


def series_used(study: Study) -> tuple[SeriesUse, ...]:
    """Each series of the study with its role and the reason."""
    return tuple(
        SeriesUse(s.series_id, s.description, s.role, s.role_reason, len(s.slices), len(s.stacks))
        for s in study.series
    )


def provenance(system: System) -> Provenance:
    """Name the weights, the device and the versions that make a result."""
    versions = {
        "napari-lumbar": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pydicom": version("pydicom"),
    }
    return Provenance(
        bundle_name=system.bundle_name,
        bundle_sha256=system.bundle_sha256,
        device=system.device,
        versions=versions,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _part(report: ProgressCallback, start: float, stop: float) -> ProgressCallback:
    return lambda p: report(Progress(p.stage, start + (stop - start) * p.fraction))
