"""The page: complete, safe, and laid out as the body stands on the screen."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from napari_lumbar import RESEARCH_USE_ONLY
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import Condition, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.export.html_report import report_html
from napari_lumbar.export.severity_style import CONDITION_HEADINGS, SEVERITY_STYLES
from napari_lumbar.export.views import axial_views, sagittal_views


class Tags(HTMLParser):
    """Collects every tag with its attributes, and the text of each cell of the 5 x 5 table."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self._matrix = self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self._matrix = dict(attrs).get("class") == "matrix"
        if tag in ("td", "th") and self._matrix:
            self._cell = True
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.cells[-1] = " ".join(f"{self.cells[-1]} {data}".split())


@pytest.fixture
def page(study: Study, analysis: Analysis) -> str:
    return report_html(study, analysis)


def contrast(first: str, second: str) -> float:
    """WCAG 2.1 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        channels = [v / 255 for v in bytes.fromhex(colour.removeprefix("#"))]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_the_matrix_is_the_body_on_the_screen(page: str) -> None:
    cells = Tags(page).cells
    assert cells[:6] == [
        "Level",
        "Right foramen",
        "Right subarticular",
        "Canal",
        "Left subarticular",
        "Left foramen",
    ]
    assert [cells[6 * row] for row in range(1, 6)] == ["L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"]
    assert cells[6 * 2 + 3] == "■ Moderate 65 % predicted"
    assert cells[6 * 4 + 3] == "● Normal/Mild 70 % corrected"
    assert cells[6 * 3 + 1] == "◆ Severe 80 % predicted"


def test_a_finding_without_a_grade_says_why(page: str) -> None:
    cells = Tags(page).cells
    assert cells[6 + 4] == "Not gradable no axial slice reaches it"
    assert cells[6 * 5 + 1] == "Not gradable the crop leaves the image <here>"


def test_a_grade_by_hand_says_so_and_why(study: Study, overridden: Analysis) -> None:
    page = report_html(study, overridden)
    cells = Tags(page).cells
    said = "graded by hand: motion <artefact> (networks: Moderate 65 %)"
    assert cells[6 * 2 + 3] == f"◆ Severe {said} predicted"
    assert cells[6 * 5 + 1] == "■ Moderate graded by hand predicted"
    assert cells[6 * 3 + 5] == "Not gradable marked absent by the reader"
    assert "<artefact>" not in page
    assert "21 of 25 findings graded by tiny" in " ".join(page.split())
    assert ", and 2 by hand." in page


def test_headings_follow_the_conditions() -> None:
    assert list(CONDITION_HEADINGS) == list(Condition)


def test_it_says_research_use_and_what_was_corrected(page: str) -> None:
    assert RESEARCH_USE_ONLY in page
    assert "23 of 25 findings graded by tiny" in " ".join(page.split())
    assert "Landmarks: 23 predicted, 1 corrected." in page


def test_the_page_is_complete_in_itself(page: str) -> None:
    tags = Tags(page).tags
    assert {"script", "link", "iframe", "object"}.isdisjoint(name for name, _ in tags)
    sources = [a["src"] or "" for _, a in tags if "src" in a]
    assert len(sources) == 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?:|@import|url\(", page)
    assert not any("href" in a or name.startswith("on") for _, a in tags for name in a)


def test_nothing_in_a_study_becomes_markup(study: Study, analysis: Analysis) -> None:
    evil = '"><script>alert(1)</script>'
    series = tuple(replace(use, description=evil, reason=evil) for use in analysis.series)
    page = report_html(study, replace(analysis, study_id=evil, series=series, warnings=(evil,)))
    assert "<script" not in page
    assert "<b>notes" not in page
    assert "&lt;b&gt;notes&lt;/b&gt;.txt" in page


def test_it_names_who_read_it_only_if_somebody_did(study: Study, analysis: Analysis, page: str) -> None:
    assert ">Reader<" not in page
    read = report_html(study, replace(analysis, reader="A<b>"))
    assert '<tr><th scope="row">Reader</th><td>A&lt;b&gt;</td></tr>' in read


def test_excluded_files_are_grouped_by_reason(page: str) -> None:
    text = " ".join(page.split())
    assert "49 found = 18 used + 31 excluded" in text
    assert "30 excluded: three planes at once" in text
    assert "and 10 more, all listed in analysis.json" in text


def test_pictures_show_the_slices_of_the_landmarks(study: Study, analysis: Analysis) -> None:
    sagittal, axial = sagittal_views(study, analysis), axial_views(study, analysis)
    assert [v.heading for v in sagittal] == ["Right foramen", "Canal", "Left foramen"]
    assert sagittal[1].caption == "Sagittal T2/STIR, slice 2 of 6 (image 105)"
    assert [v.heading for v in axial] == ["L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"]
    assert axial[1].caption == "Axial T2, slice 3 of 6 (image 104)"


def test_a_study_without_landmarks_still_has_a_report(study: Study, analysis: Analysis) -> None:
    page = report_html(study, replace(analysis, landmarks=Landmarks(), findings={}))
    assert "No landmark was found" in page
    assert page.count("Not gradable") == 25
    assert "the grader gave no answer for this finding" in page


@pytest.mark.parametrize("severity", list(Severity))
def test_a_chip_can_be_read(severity: Severity) -> None:
    style = SEVERITY_STYLES[severity]
    assert contrast(style.fill, style.ink) >= 4.5


def test_doubt_is_said_beside_the_grade_and_explained(study: Study, doubtful: Analysis) -> None:
    page = report_html(study, doubtful)
    cells = Tags(page).cells
    assert cells[6 * 2 + 3] == "■ Moderate? 65 % not ruled out: normal/mild, moderate predicted, unsure"
    assert cells[6 * 3 + 5] == ("◆ Severe 80 % ⚠ unlike the training images: treat with caution predicted")
    text = " ".join(page.split())
    assert "⚠ 1 of the 23 grades rest on images unlike the training images" in text
    assert "severe 25 %; not ruled out: normal/mild, moderate; spread ±0.31 grades; like the" in text
    assert "treat with caution; not ruled out: severe only; spread ±0.12 grades" in text
    assert "in nine of ten findings" in text
    numbers = '<td>normal/mild, moderate</td> <td class="number">0.31</td> <td class="number">0.50</td>'
    assert numbers in text


def test_weights_that_know_no_certainty_leave_the_page_quiet(page: str) -> None:
    for word in ("ruled out", "Spread", "training images", "⚠", "Moderate?"):
        assert word not in page


def test_every_row_of_numbers_is_as_long_as_its_heading(study: Study, doubtful: Analysis) -> None:
    for analysis in (doubtful, replace(doubtful, findings={})):
        table = report_html(study, analysis).split("<h2>All numbers</h2>")[1].split("</table>")[0]
        heading, *rows = table.split("<tr>")[1:]
        assert len(rows) == 25
        widths = {row.count("<td") + 2 * row.count('colspan="3"') for row in rows}
        assert widths == {heading.count("<th") - heading.count("<thead")}
