"""Grades that an analysis withheld stay withheld until a person corrected what was doubted."""

from __future__ import annotations

from ..domain.doubts import Doubt, DoubtKind
from ..domain.findings import Analysis, Finding
from ..domain.landmarks import NotGradable
from .corrections import Corrections
from .names import Spot


def withholding(analysis: Analysis, corrections: Corrections, finding: Finding) -> Finding:
    """Return ``finding``, without its grade where the analysis withheld that of its place and still would.

    A doubt is about a place, whatever that is called since; it goes with the place that a person chooses.
    """
    spot = corrections.naming.spot(finding.key)
    standing = [doubt for doubt in analysis.doubts if _stands(doubt, spot, analysis, corrections)]
    if not standing or finding.probs is None:
        return finding
    why = NotGradable(standing[0].kind.code, standing[0].text)
    return Finding(finding.key, None, finding.landmark, not_gradable=why, source=finding.source)


def _stands(doubt: Doubt, spot: Spot, analysis: Analysis, corrections: Corrections) -> bool:
    predicted_key = spot.predicted_key
    if predicted_key is None or predicted_key not in doubt.withheld:
        return False
    place, predicted = corrections.at(spot).place, analysis.landmarks.get(predicted_key)
    if doubt.kind is DoubtKind.POOR_IMAGES:
        return place is None or predicted is None or place.series_id == predicted.series_id
    if doubt.kind is DoubtKind.SIDE_CONTRADICTED and corrections.naming.sides_swapped:
        return False
    return place is None
