"""What the study browser says of a study, its series and its files: pure, and without identifiers.

UIDs lead to a patient in any archive, so a pseudonym stands for them; numbers of RSNA's folders do not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..dicom import StudyListing
from ..dicom.stacks import Plane, common_plane
from ..domain.findings import Analysis
from ..domain.pseudonym import pseudonym
from ..domain.study import FileAccounting, FileOutcome, MRSeries, SeriesRole, Study
from ..session import Session, SessionState, Work

_NO_DATE = "not stated"


@dataclass(frozen=True)
class SeriesRow:
    """One series for the table.

    Parameters
    ----------
    extent
        Plane, slices and stacks.
    role
        What it is used for now.
    is_by_hand
        Whether that differs from the automatic role.
    why
        The role in force, the automatic one, and its reason.
    alternative
        What else it could play, and how well; empty where nothing is known.
    possible
        The roles that its plane allows.
    """

    series_id: str
    name: str
    extent: str
    weighting: str
    role: SeriesRole | None
    is_by_hand: bool
    why: str
    alternative: str
    possible: frozenset[SeriesRole]

    @property
    def details(self) -> str:
        """Everything at once, in a sentence after the other."""
        return " ".join(
            filter(None, (f"{self.name}: {self.extent}, {self.weighting}.", self.why, self.alternative))
        )


def study_name(study: Study) -> str:
    """Return what a study is called on the screen: the number of RSNA's folder, or a pseudonym of its UID."""
    is_uid = study.study_id == study.study_uid and not study.study_id.isdecimal()
    return f"Study {pseudonym(study.study_uid) if is_uid else study.study_id}"


def series_name(series: MRSeries) -> str:
    """Return the series' description, or what stands for its id."""
    return series.description or f"Series {series.shown_id}"


def series_rows(study: Study, automatic: Study) -> tuple[SeriesRow, ...]:
    """Every series, used or not, in the order of the automatic choice, so that no row ever jumps.

    Parameters
    ----------
    study, automatic
        The study with its roles as they are, and as they were chosen by themselves.
    """
    return tuple(_row(study.by_id(series.series_id), series) for series in automatic.series)


def warning_lines(study: Study, state: SessionState | None) -> tuple[str, ...]:
    """Every warning of reading, analysing and correcting a study, with the names of series for their UIDs."""
    of_analysis = state.warnings if state else ()
    by_length = sorted(study.series, key=lambda series: -len(series.series_id))
    return tuple(dict.fromkeys(_named(text, by_length) for text in (*study.warnings, *of_analysis)))


def warnings_text(n_warnings: int, state: SessionState | None) -> str:
    """How many warnings there are, and whether names of levels are among what they doubt: ``⚠ 2 levels?``."""
    _, are_doubted = names_rest_on(state)
    return f"⚠ {n_warnings}{' levels?' if are_doubted else ''}"


def names_rest_on(state: SessionState | None) -> tuple[str, bool]:
    """What the levels' names rest on, and whether that is doubted; a reader who moved them has decided."""
    if state is None:
        return "", False
    numbering = state.landmarks.numbering
    return numbering.sentence, state.analysis.is_numbering_doubted and not numbering.moved_by_hand


@dataclass(frozen=True)
class Edit:
    """What the status row said of an edit; it holds while ``work`` is what the session has.

    Parameters
    ----------
    is_risk
        Whether something speaks against what was done.
    """

    words: str = ""
    is_risk: bool = False
    work: Work | None = None


def accounting_sentence(accounting: FileAccounting) -> str:
    """Say that nothing was lost: found = used + excluded."""
    found = len(accounting.records)
    used, excluded = (accounting.count(outcome) for outcome in FileOutcome)
    return f"{counted(found, 'file')} found = {used} used + {excluded} excluded"


def opened_sentence(study: Study, is_recalled: bool) -> str:
    """Say that a study is on the screen, and what to do next."""
    used = sum(series.role is not None for series in study.series)
    warnings = f" {counted(len(study.warnings), 'warning')}: see ⚠." if study.warnings else ""
    read = f"{len(study.series)} series read, {used} used.{warnings}"
    if not used:
        return f"{read} No series looks like one that is graded: give the right ones their roles."
    if is_recalled:
        return f"{read} Roles are as you left them; check them, then analyse."
    return f"{read} Check the roles, then analyse."


def left_words(why: str, left: Session | None) -> tuple[str, bool]:
    """Why a session was left and what became of its work, and whether that is an error."""
    if left is not None and left.is_at_risk:
        return f"{why} Corrections are not on disk: {left.not_saved}", True
    return f"{why} Corrections are kept on disk.", False


def with_risk(words: str, left: Session | None) -> tuple[str, bool]:
    """A sentence, with a word on work that was left for it and is not on disk; whether that is an error."""
    return left_words(words, left) if left is not None and left.is_at_risk else (words, False)


def graded_sentence(analysis: Analysis) -> str:
    """Say how much of a study was graded, how long it took, and what speaks against it."""
    n_findings, n_warnings = len(analysis.findings), len(set(analysis.warnings))
    graded = f"{len(analysis.graded)} of {n_findings} findings graded in {analysis.timings_s['total']:.0f} s."
    names = "The numbering of the levels is unsure." if analysis.is_numbering_doubted else ""
    warnings = f"{counted(n_warnings, 'warning')}: see ⚠." if n_warnings else ""
    return " ".join(filter(None, (graded, names, warnings)))


def listing_cells(listing: StudyListing) -> tuple[str, str, str, str, str]:
    """Pseudonym, series, files, planes and date of a study to choose from."""
    return (
        f"Study {pseudonym(listing.study_uid)}",
        str(listing.n_series),
        str(listing.n_files),
        planes_text(listing.planes),
        _date(listing.date),
    )


def planes_text(planes: tuple[Plane | None, ...]) -> str:
    """Say how many series lie in each plane: ``2 sagittal, 1 axial``."""
    counts = Counter(plane_text(plane) for plane in planes)
    return ", ".join(f"{count} {plane}" for plane, count in counts.most_common())


def plane_text(plane: Plane | None) -> str:
    """The plane as a person calls it."""
    return plane.name.lower() if plane else "several planes"


def counted(count: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def role_text(role: SeriesRole | None) -> str:
    """The role, or that there is none."""
    return role.value if role else "Not used"


def _row(series: MRSeries, automatic: MRSeries) -> SeriesRow:
    is_by_hand = series.role is not automatic.role
    reason = f" ({automatic.role_reason})" if automatic.role_reason else ""
    why = f"{'By hand. ' * is_by_hand}Automatic: {role_text(automatic.role)}{reason}."
    return SeriesRow(
        series_id=series.series_id,
        name=series_name(series),
        extent=_extent(series),
        weighting="weighting not stated" if series.weighting in ("", "unknown") else series.weighting,
        role=series.role,
        is_by_hand=is_by_hand,
        why=why,
        alternative=_alternative(automatic),
        possible=frozenset(role for role in SeriesRole if series.may_play(role)),
    )


def _extent(series: MRSeries) -> str:
    plane = plane_text(common_plane([s.geometry for s in series.slices]))
    stacks = f" in {len(series.stacks)} stacks" if len(series.stacks) > 1 else ""
    return f"{plane} · {counted(len(series.slices), 'slice')}{stacks}"


def _alternative(automatic: MRSeries) -> str:
    candidate = automatic.candidate_role
    if candidate is None or not automatic.role_score:
        return ""
    verb = "Fits" if candidate is automatic.role else "Could also be"
    return f"{verb} {candidate.value} with a score of {automatic.role_score:.2f}."


def _named(text: str, series_by_length: list[MRSeries]) -> str:
    for series in series_by_length:
        text = text.replace(f"series {series.series_id}:", f"{series_name(series)}:")
        text = text.replace(f"series {series.series_uid}:", f"series {pseudonym(series.series_uid)}:")
    return text


def _date(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if digits else _NO_DATE
