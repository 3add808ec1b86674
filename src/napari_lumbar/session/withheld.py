"""Grades that an analysis withheld stay withheld until a person corrected what was doubted."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.doubts import Doubt, DoubtKind
from ..domain.findings import Analysis, Finding
from ..domain.landmarks import NotGradable
from ..domain.spine import FindingKey
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
    why = NotGradable(standing[0].kind.code, corrections.naming.marked(standing[0].text))
    return Finding(finding.key, None, finding.landmark, not_gradable=why, source=finding.source)


def doubts_in_force(
    analysis: Analysis, corrections: Corrections, findings: Mapping[FindingKey, Finding]
) -> tuple[Doubt, ...]:
    """Return the doubts with what they withhold now, under the names in force.

    Parameters
    ----------
    findings
        The findings in force: what a person graded, or put elsewhere, is withheld no longer.
    """
    naming, doubts = corrections.naming, []
    for doubt in analysis.doubts:
        names = {naming.key(Spot(key.condition, key.level.rank)) for key in doubt.withheld}
        withheld = frozenset(key for key, one in findings.items() if key in names and one.not_gradable)
        doubts.append(Doubt(doubt.kind, naming.marked(doubt.sentence), withheld))
    return tuple(doubts)


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
