"""``report.html``: one page to look at, complete in itself: no scripts, nothing fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import RESEARCH_USE_ONLY
from ..domain.findings import Analysis, Finding
from ..domain.landmarks import LandmarkSource, NotGradable
from ..domain.spine import ALL_FINDINGS, Condition, FindingKey, Level
from ..domain.study import FileAccounting, FileOutcome, FileRecord, Study
from .severity_style import CONDITION_HEADINGS, SEVERITY_STYLES, SeverityStyle
from .views import axial_views, sagittal_views

#: Paths shown per reason; ``analysis.json`` lists them all.
MAX_PATHS = 20

NO_ANSWER = NotGradable("no-answer", "the grader gave no answer for this finding")


@dataclass(frozen=True)
class Cell:
    """One finding as the page shows it: a severity with its percentages, or the reason why there is none."""

    text: str
    style: SeverityStyle | None
    percents: tuple[int, ...]
    confidence: int
    reason: str
    source: str
    place: str


@dataclass(frozen=True)
class ExcludedFiles:
    """Files left out for one reason."""

    code: str
    reason: str
    count: int
    paths: tuple[str, ...]


def report_html(study: Study, analysis: Analysis) -> str:
    """Return the page. Every text of the study is escaped; pictures are held inside the page."""
    environment = Environment(
        loader=PackageLoader("napari_lumbar", "export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = {level.value: [_cell(analysis, FindingKey(c, level)) for c in Condition] for level in Level}
    return environment.get_template("report.html").render(
        notice=RESEARCH_USE_ONLY,
        analysis=analysis,
        provenance=analysis.provenance,
        headings=list(CONDITION_HEADINGS.values()),
        rows=rows,
        styles=list(SEVERITY_STYLES.values()),
        n_graded=len(analysis.graded),
        n_findings=len(ALL_FINDINGS),
        sources=_sources(analysis),
        made=f"{analysis.provenance.created_utc[:16].replace('T', ' ')} UTC",
        sagittal=sagittal_views(study, analysis),
        axial=axial_views(study, analysis),
        used=analysis.accounting.count(FileOutcome.USED),
        excluded=tuple(_grouped(analysis.accounting)),
    )


def _cell(analysis: Analysis, key: FindingKey) -> Cell:
    finding = analysis.findings.get(key)
    if finding is None or finding.probs is None:
        return _empty_cell(finding, key)
    probs = finding.probs
    return Cell(
        text=key.text,
        style=SEVERITY_STYLES[probs.severity],
        percents=tuple(round(100 * p) for p in probs.as_tuple),
        confidence=round(100 * probs.confidence),
        reason="",
        source=_source(finding),
        place=_place(finding),
    )


def _empty_cell(finding: Finding | None, key: FindingKey) -> Cell:
    why = (finding.not_gradable if finding else None) or NO_ANSWER
    source, place = (_source(finding), _place(finding)) if finding else ("", "")
    return Cell(key.text, None, (), 0, why.reason, source, place)


def _source(finding: Finding) -> str:
    return finding.landmark.source.value if finding.landmark else ""


def _place(finding: Finding) -> str:
    if finding.landmark is None:
        return ""
    return ", ".join(f"{value:.1f}" for value in finding.landmark.point_lps_mm)


def _sources(analysis: Analysis) -> dict[str, int]:
    counts = Counter(point.source for point in analysis.landmarks)
    return {source.value: counts[source] for source in LandmarkSource if counts[source]}


def _grouped(accounting: FileAccounting) -> Iterator[ExcludedFiles]:
    def by_reason(record: FileRecord) -> tuple[str, str]:
        return record.code, record.reason

    for (code, reason), records in groupby(sorted(accounting.excluded, key=by_reason), key=by_reason):
        paths = tuple(record.path for record in records)
        yield ExcludedFiles(code, reason, len(paths), paths[:MAX_PATHS])
