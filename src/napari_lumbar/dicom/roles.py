"""Give series their roles, with a sentence why. Pure: decides on facts, opens nothing.

Neither Modality nor SeriesDescription is needed: planes come from geometry, weightings from the times and
names where there are any, and else the sagittal images are compared with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..domain.study import SeriesRole
from .dixon import Dixon
from .stacks import Plane
from .stations import Span, middle_mm, station_places
from .weighting import Basis, Weighting

#: A single series' log odds are wrong up to about this; within it, series are told apart by comparison.
UNSURE_LOG_ODDS = 4.0
#: Sagittal series of few slices this far apart are planning images.
LOCALISER_STEP_MM = 9.0
_FEWEST_SAGITTAL = 3
#: A sagittal series of fewer slices does not reach both foramina; finer pixels do not make up for that.
_FEW_SAGITTAL = 9
#: Few or distant slices of larger pixels than this are planning images.
_COARSE_MM, _WIDE_STEP_MM = 1.25, 6.0

#: What is left of the score of a series of another region: less than anything leaves of a lumbar one.
_ELSEWHERE_SHARE = 0.05
#: What is left of a series' score if it is derived, of a second-choice contrast, or of few slices. A doubtful
#: plain series still beats a sure second choice, and any original a derived one.
_DERIVED_SHARE, _SECOND_CHOICE_SHARE, _FEW_SHARE = 0.3, 0.6, 0.8
#: Of fine series whose name may be a localiser's, and of T1 and T2 without fat, which is bright on plain ones
#: and most often suppressed after contrast agent.
_NAMED_LOCALISER_SHARE, _FAT_SUPPRESSED_SHARE = 0.6, 0.75
#: Water images lack the fat that plain ones show bright; that is still less than STIR lacks.
_WATER_SHARE = 0.75


@dataclass(frozen=True)
class SeriesFacts:
    """What the choice of a role rests on.

    Parameters
    ----------
    plane
        Common plane of all slices, or None where they lie in several.
    t2_evidence
        Log odds of T2 against T1 by the pixels, or None where nobody looked.
    step_mm, pixel_mm
        Median distance between slices and mean in-plane spacing, in mm.
    basis
        What the weighting rests on.
    against_t2
        What speaks against T2 where the weighting is unknown, as part of a sentence, or ''.
    localiser, named_localiser
        Whether ImageType, and whether a name, says that it serves planning.
    fat_suppressed
        Whether fat was saturated.
    elsewhere
        Whether the header names another region than the lumbar spine.
    dixon
        Which image of a Dixon sequence it is.
    span_mm
        Lowest and highest place along the patient's axis in mm: of axial slices' middles, else of images.
    acquired
        When, as sortable digits: of series that are alike, the later one is a repeat of the other.
    """

    series_id: str
    plane: Plane | None
    weighting: Weighting
    n_slices: int
    step_mm: float
    pixel_mm: float
    localiser: bool = False
    named_localiser: bool = False
    fat_suppressed: bool = False
    derived: bool = False
    t2_evidence: float | None = None
    basis: Basis = Basis.NOTHING
    acquired: str = ""
    against_t2: str = ""
    elsewhere: bool = False
    dixon: Dixon = Dixon.NONE
    span_mm: Span = (0.0, 0.0)


@dataclass(frozen=True)
class RoleChoice:
    """A role or None, and one sentence why.

    Parameters
    ----------
    rank
        Orders the series of a study, the best first.
    candidate, score
        The role it could play and how well, 0 to 1, whether or not another series was preferred.
    assumed
        Whether nothing but its plane speaks for its role.
    """

    role: SeriesRole | None
    reason: str
    rank: int
    candidate: SeriesRole | None
    score: float
    assumed: bool = False


def needs_pixels(series: Iterable[SeriesFacts]) -> tuple[SeriesFacts, ...]:
    """The sagittal series whose images must be compared, because headers leave one of them open."""
    sagittal = tuple(s for s in series if s.plane is Plane.SAGITTAL and unfit_reason(s) is None)
    return sagittal if any(s.weighting is Weighting.UNKNOWN for s in sagittal) else ()


def choose_roles(series: Sequence[SeriesFacts]) -> Mapping[str, RoleChoice]:
    """Return the role of each series by its ``series_id``.

    One series plays each sagittal role; every axial T2 series has that role, the best first.
    """
    border = _border(series)
    proposals = {s.series_id: _proposal(s, border) for s in series}
    stations = _stations(series, {uid: role for uid, (role, _) in proposals.items()})
    ordered = sorted(series, key=lambda s: _order(s, proposals[s.series_id][0], stations.get(s.series_id, 0)))
    choices: dict[str, RoleChoice] = {}
    holders: dict[SeriesRole, SeriesFacts] = {}
    for rank, facts in enumerate(ordered):
        role, reason = proposals[facts.series_id]
        better = holders.setdefault(role, facts) if role else facts
        if role is not None and role is not SeriesRole.AXIAL_T2 and better is not facts:
            apart = stations[better.series_id] != stations[facts.series_id]
            other = _other_station if apart and _score(better) == _score(facts) else _advantage
            role, reason = None, f"{reason}, but {other(better, facts)}"
        candidate = proposals[facts.series_id][0]
        score = _score(facts) if candidate else 0.0
        assumed = role is SeriesRole.AXIAL_T2 and facts.weighting is Weighting.UNKNOWN
        choices[facts.series_id] = RoleChoice(role, reason, rank, candidate, score, assumed)
    return choices


def unfit_reason(facts: SeriesFacts) -> str | None:
    """Why a series can have no role whatever its contrast, or None."""
    if facts.plane is None:
        return "slices of several planes: a localiser"
    if facts.plane is Plane.CORONAL:
        return "coronal; no role uses that plane"
    if facts.dixon in (Dixon.FAT, Dixon.OPPOSED):
        return f"{facts.dixon.value}, which shows tissue as neither plain T1 nor plain T2 does"
    if facts.localiser or (facts.named_localiser and not _is_fine(facts)):
        return "named a localiser in its header"
    if facts.pixel_mm > _COARSE_MM and (facts.step_mm > _WIDE_STEP_MM or facts.n_slices <= _FEWEST_SAGITTAL):
        return f"few slices with pixels of {facts.pixel_mm:.2f} mm: a localiser"
    if facts.plane is Plane.SAGITTAL and facts.n_slices < _FEWEST_SAGITTAL:
        return f"only {facts.n_slices} sagittal slices; at least {_FEWEST_SAGITTAL} are needed"
    if facts.plane is Plane.SAGITTAL and facts.step_mm > LOCALISER_STEP_MM:
        return f"sagittal slices {facts.step_mm:.0f} mm apart: a localiser"
    return None


def _is_fine(facts: SeriesFacts) -> bool:
    """Whether slices are as many and as fine as no planning image needs."""
    return facts.n_slices >= _FEW_SAGITTAL and facts.step_mm <= _WIDE_STEP_MM and facts.pixel_mm <= _COARSE_MM


def _proposal(facts: SeriesFacts, border: float) -> tuple[SeriesRole | None, str]:
    unfit = unfit_reason(facts)
    if unfit is not None:
        return None, unfit
    if facts.plane is Plane.AXIAL:
        return _axial(facts)
    if facts.weighting is Weighting.UNKNOWN:
        return _by_pixels(facts, border)
    if facts.weighting.is_t1:
        return SeriesRole.SAGITTAL_T1, f"sagittal, {facts.weighting.value} {facts.basis.value}"
    if facts.weighting.is_t2:
        return SeriesRole.SAGITTAL_T2, f"sagittal, {facts.weighting.value} {facts.basis.value}"
    return None, f"sagittal, but neither T1 nor T2 {facts.basis.value}"


def _axial(facts: SeriesFacts) -> tuple[SeriesRole | None, str]:
    weighting = facts.weighting
    if weighting is Weighting.UNKNOWN and facts.against_t2:
        return None, f"axial, but {facts.against_t2}"
    if weighting is Weighting.UNKNOWN:
        return SeriesRole.AXIAL_T2, "axial, taken as T2 because its header does not tell the contrast"
    if weighting.is_t2:
        return SeriesRole.AXIAL_T2, f"axial, {weighting.value} {facts.basis.value}"
    return None, f"axial, but {weighting.value} {facts.basis.value}"


def _by_pixels(facts: SeriesFacts, border: float) -> tuple[SeriesRole | None, str]:
    if facts.t2_evidence is None:
        return (
            None,
            "sagittal; its header does not tell the contrast, its pixels must be compared with others",
        )
    if facts.t2_evidence > border and facts.against_t2:
        return None, f"sagittal with bright fluid in the canal, but {facts.against_t2}"
    if facts.t2_evidence > border:
        return (
            SeriesRole.SAGITTAL_T2,
            "sagittal, T2 because the canal's fluid is bright; its header does not say",
        )
    return SeriesRole.SAGITTAL_T1, "sagittal, T1 because the canal's fluid is dark; its header does not say"


def _border(series: Sequence[SeriesFacts]) -> float:
    """Between the most T1-like and the most T2-like series, but never far from even odds."""
    evidence = [s.t2_evidence for s in series if s.t2_evidence is not None]
    if len(evidence) < 2:
        return 0.0
    middle = (max(evidence) + min(evidence)) / 2
    return float(np.clip(middle, -UNSURE_LOG_ODDS, UNSURE_LOG_ODDS))


def _stations(series: Sequence[SeriesFacts], roles: Mapping[str, SeriesRole | None]) -> dict[str, int]:
    """The station of each sagittal series in the order of preference, among those that are tied with it."""
    axial = [s.span_mm for s in series if roles[s.series_id] is SeriesRole.AXIAL_T2 and not s.elsewhere]
    tied: dict[tuple[SeriesRole, float], dict[str, Span]] = {}
    for facts in series:
        role = roles[facts.series_id]
        if role is not None and role is not SeriesRole.AXIAL_T2:
            tied.setdefault((role, _score(facts)), {})[facts.series_id] = facts.span_mm
    return {uid: place for spans in tied.values() for uid, place in station_places(spans, axial).items()}


def _order(facts: SeriesFacts, role: SeriesRole | None, station: int) -> tuple[object, ...]:
    place = list(SeriesRole).index(role) if role else len(SeriesRole)
    return (
        place,
        -_score(facts),
        station,
        -facts.n_slices if role is SeriesRole.AXIAL_T2 else round(facts.pixel_mm, 2),
        -facts.n_slices,
        -int(facts.acquired or 0),
        facts.series_id,
    )


def _score(facts: SeriesFacts) -> float:
    """How well a series plays its role: how surely it is of that contrast, less what speaks against it."""
    score = facts.basis.certainty
    if facts.elsewhere:
        score *= _ELSEWHERE_SHARE
    if facts.derived:
        score *= _DERIVED_SHARE
    if facts.weighting in (Weighting.STIR, Weighting.T1_CONTRAST):
        score *= _SECOND_CHOICE_SHARE
    elif facts.fat_suppressed:
        score *= _FAT_SUPPRESSED_SHARE
    if facts.named_localiser:
        score *= _NAMED_LOCALISER_SHARE
    if facts.dixon is Dixon.WATER:
        score *= _WATER_SHARE
    if facts.plane is Plane.SAGITTAL and facts.n_slices < _FEW_SAGITTAL:
        score *= _FEW_SHARE
    return round(score, 3)


def _other_station(better: SeriesFacts, facts: SeriesFacts) -> str:
    higher_mm = middle_mm(facts.span_mm) - middle_mm(better.span_mm)
    way = "lower" if higher_mm > 0 else "higher"
    return (
        f"another series lies {abs(higher_mm):.0f} mm {way} and was preferred: the one that shows most of "
        "the axial slices, or else the lowest, is taken for the lumbar spine"
    )


def _advantage(better: SeriesFacts, facts: SeriesFacts) -> str:
    """Why another series was preferred: the first of these that holds."""
    alike = (better.n_slices, round(better.pixel_mm, 2)) == (facts.n_slices, round(facts.pixel_mm, 2))
    sizes = [f"{s.n_slices} slices with pixels of {s.pixel_mm:.2f} mm" for s in (better, facts)]
    reasons = (
        (
            facts.elsewhere and not better.elsewhere,
            "another series shows the lumbar spine, and the header of this one names another region",
        ),
        (facts.derived and not better.derived, "another series is original and this one derived"),
        (
            Dixon.NONE is not facts.dixon is not better.dixon,
            f"this one is {facts.dixon.value} and another was preferred",
        ),
        (
            facts.named_localiser and not better.named_localiser,
            "the name of this one is a localiser's, and another was preferred",
        ),
        (
            better.weighting is not facts.weighting,
            f"another series is {better.weighting.value} and was preferred",
        ),
        (
            facts.fat_suppressed and not better.fat_suppressed,
            "fat is suppressed in this one, and another was preferred",
        ),
        (
            better.basis is not facts.basis,
            f"another series was preferred: {better.weighting.value} {better.basis.value}",
        ),
        (alike, "another series is alike, and later or listed first"),
    )
    unlike = f"another series was preferred: {sizes[0]} against {sizes[1]}"
    return next((words for holds, words in reasons if holds), unlike)
