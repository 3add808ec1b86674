"""``report.html``: one page to look at, complete in itself: no scripts, nothing fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import RESEARCH_USE_ONLY
from ..domain.findings import Analysis, Certainty
from ..domain.landmarks import LandmarkSource
from ..domain.spine import ALL_FINDINGS, Condition, FindingKey, Level
from ..domain.study import FileAccounting, FileOutcome, FileRecord, Study
from .report_cells import report_cell
from .severity_style import CONDITION_HEADINGS, SEVERITY_STYLES
from .views import axial_views, sagittal_views

#: Paths shown per reason; ``analysis.json`` lists them all.
MAX_PATHS = 20


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
    rows = {level.value: [report_cell(analysis, FindingKey(c, level)) for c in Condition] for level in Level}
    return environment.get_template("report.html").render(
        notice=RESEARCH_USE_ONLY,
        analysis=analysis,
        provenance=analysis.provenance,
        headings=list(CONDITION_HEADINGS.values()),
        rows=rows,
        styles=list(SEVERITY_STYLES.values()),
        n_graded=sum(f.probs is not None for f in analysis.graded),
        n_by_hand=sum(f.override is not None for f in analysis.graded),
        n_findings=len(ALL_FINDINGS),
        n_unlike=sum(f.certainty.is_outside_training for f in analysis.graded),
        has_certainty=any(f.certainty != Certainty() for f in analysis.graded),
        sources=_sources(analysis),
        made=f"{analysis.provenance.created_utc[:16].replace('T', ' ')} UTC",
        sagittal=sagittal_views(study, analysis),
        axial=axial_views(study, analysis),
        used=analysis.accounting.count(FileOutcome.USED),
        excluded=tuple(_grouped(analysis.accounting)),
    )


def _sources(analysis: Analysis) -> dict[str, int]:
    counts = Counter(point.source for point in analysis.landmarks)
    return {source.value: counts[source] for source in LandmarkSource if counts[source]}


def _grouped(accounting: FileAccounting) -> Iterator[ExcludedFiles]:
    def by_reason(record: FileRecord) -> tuple[str, str]:
        return record.code, record.reason

    for (code, reason), records in groupby(sorted(accounting.excluded, key=by_reason), key=by_reason):
        paths = tuple(record.path for record in records)
        yield ExcludedFiles(code, reason, len(paths), paths[:MAX_PATHS])
