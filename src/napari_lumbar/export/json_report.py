"""``analysis.json``: the whole result with where it comes from, for programs."""

from __future__ import annotations

import json
from typing import Any

from .. import RESEARCH_USE_ONLY
from ..domain.doubts import Doubt
from ..domain.findings import (
    Analysis,
    Certainty,
    CropEvidence,
    Finding,
    GradeSource,
    Override,
    SeriesUse,
    SeverityProbs,
)
from ..domain.landmarks import ABSENT, RENAMED, Landmark, NotGradable, Numbering
from ..domain.spine import ALL_FINDINGS, FindingKey
from ..domain.study import FileAccounting, FileOutcome, Study

#: Raised by one whenever a reader of an older file would misread a newer one. 2: a severity may be a person's
#: (``override``) and then has no ``probs``; each finding and missing landmark says its ``source``.
SCHEMA_VERSION = 2

#: Whose doing it is that a landmark is missing; of any other code, the localiser's.
_MISSING_SOURCE = {ABSENT: GradeSource.ABSENT, RENAMED: GradeSource.CORRECTED}

Json = dict[str, Any]


def analysis_json(study: Study, analysis: Analysis) -> str:
    """Return the document as text; coordinates are LPS mm and zero-based (row, column).

    Raises
    ------
    ValueError
        If a number is not finite: NaN is never a result.
    """
    return (
        json.dumps(analysis_document(study, analysis), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    )


def analysis_document(study: Study, analysis: Analysis) -> Json:
    """Return the document as plain dictionaries, lists, strings and numbers."""
    provenance = analysis.provenance
    points = (analysis.landmarks.get(key) for key in ALL_FINDINGS)
    missing = analysis.landmarks.missing
    return {
        "schema": {"name": "napari-lumbar analysis", "version": SCHEMA_VERSION},
        "notice": RESEARCH_USE_ONLY,
        "study": {"study_id": analysis.study_id, "study_uid": study.study_uid},
        "provenance": {
            "bundle": {"name": provenance.bundle_name, "sha256": provenance.bundle_sha256},
            "device": provenance.device,
            "device_steps": list(provenance.device_steps),
            "versions": dict(provenance.versions),
            "created_utc": provenance.created_utc,
        },
        "numbering": _numbering(analysis.landmarks.numbering),
        "reader": analysis.reader or None,
        "files": _files(analysis.accounting),
        "series": [_series(use) for use in analysis.series],
        "landmarks": [_landmark(study, point) for point in points if point is not None],
        "missing_landmarks": [_missing(k, missing[k]) for k in ALL_FINDINGS if k in missing],
        "findings": [_finding(study, analysis.findings[k]) for k in ALL_FINDINGS if k in analysis.findings],
        "timings_s": {stage: round(seconds, 4) for stage, seconds in analysis.timings_s.items()},
        "warnings": list(analysis.warnings),
        "doubts": [_doubt(doubt) for doubt in analysis.doubts],
    }


def _numbering(numbering: Numbering) -> Json:
    """Null where nobody looked or estimated; both counts are of levels, caudal positive."""
    return {
        "sentence": numbering.sentence,
        "sacrum_seen": numbering.sacrum_seen,
        "confidence": None if numbering.confidence is None else float(numbering.confidence),
        "contrasts_differ_by": numbering.contrasts_differ_by,
        "moved_by_hand": numbering.moved_by_hand,
    }


def _doubt(doubt: Doubt) -> Json:
    return {
        "code": doubt.kind.code,
        "sentence": doubt.sentence,
        "remedy": doubt.kind.remedy,
        "withheld": [_key(key) for key in ALL_FINDINGS if key in doubt.withheld],
    }


def _files(accounting: FileAccounting) -> Json:
    return {
        "found": len(accounting.records),
        "used": accounting.count(FileOutcome.USED),
        "excluded": [{"path": r.path, "code": r.code, "reason": r.reason} for r in accounting.excluded],
    }


def _series(use: SeriesUse) -> Json:
    return {
        "series_id": use.series_id,
        "description": use.description,
        "role": use.role.value if use.role else None,
        "reason": use.reason,
        "n_slices": use.n_slices,
        "n_stacks": use.n_stacks,
    }


def _key(key: FindingKey) -> Json:
    return {"condition": key.condition.value, "level": key.level.value}


def _reason(why: NotGradable) -> Json:
    return {"code": why.code, "reason": why.reason}


def _missing(key: FindingKey, why: NotGradable) -> Json:
    source = _MISSING_SOURCE.get(why.code, GradeSource.PREDICTED)
    return {**_key(key), **_reason(why), "source": source.value}


def _slice(study: Study, series_id: str, slice_index: int) -> Json:
    image = study.by_id(series_id).slices[slice_index]
    return {
        "series_id": series_id,
        "slice_index": slice_index,
        "instance_number": image.instance_number,
        "sop_instance_uid": image.sop_instance_uid,
    }


def _landmark(study: Study, landmark: Landmark) -> Json:
    return {
        **_key(landmark.key),
        **_slice(study, landmark.series_id, landmark.slice_index),
        "pixel_rc": [float(v) for v in landmark.pixel_rc],
        "point_lps_mm": [float(v) for v in landmark.point_lps_mm],
        "source": landmark.source.value,
        "confidence": None if landmark.confidence is None else float(landmark.confidence),
    }


def _finding(study: Study, finding: Finding) -> Json:
    return {
        **_key(finding.key),
        "severity": None if finding.severity is None else finding.severity.label,
        "source": finding.source.value,
        "probs": None if finding.probs is None else _probs(finding.probs),
        "by_plane": [{"role": a.role.value, "probs": _probs(a.probs)} for a in finding.by_plane],
        "override": None if finding.override is None else _override(finding.override),
        "certainty": _certainty(finding.certainty),
        "not_gradable": None if finding.not_gradable is None else _reason(finding.not_gradable),
        "landmark_source": None if finding.landmark is None else finding.landmark.source.value,
        "evidence": [_evidence(study, crop) for crop in finding.evidence],
    }


def _probs(probs: SeverityProbs) -> Json:
    names = ("normal_mild", "moderate", "severe")
    return dict(zip(names, map(float, probs.as_tuple), strict=True))


def _override(override: Override) -> Json:
    """The severity stands in the finding; ``instead_of`` is null where the networks gave no grade."""
    instead_of = None if override.instead_of is None else _probs(override.instead_of)
    return {"reason": override.reason, "instead_of": instead_of}


def _certainty(certainty: Certainty) -> Json:
    """Null where the weights say nothing; the spread is in grades, a strangeness above 1 is outside."""
    left, outside = certainty.prediction_set, certainty.is_outside_training
    return {
        "prediction_set": None if left is None else [severity.label for severity in left],
        "spread": None if certainty.spread is None else float(certainty.spread),
        "strangeness": None if certainty.strangeness is None else float(certainty.strangeness),
        "is_outside_training": None if certainty.strangeness is None else outside,
    }


def _evidence(study: Study, crop: CropEvidence) -> Json:
    return {
        "role": crop.role.value,
        **_slice(study, crop.series_id, crop.slice_index),
        "box_rc": [float(v) for v in crop.box_rc],
        "weight": float(crop.weight),
    }
