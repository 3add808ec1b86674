from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from napari_lumbar.dicom.dixon import Dixon
from napari_lumbar.dicom.roles import SeriesFacts, choose_roles, needs_pixels
from napari_lumbar.dicom.stacks import Plane
from napari_lumbar.dicom.weighting import Basis, Weighting
from napari_lumbar.domain.study import SeriesRole

T1, T2, AXIAL = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2, SeriesRole.AXIAL_T2
SAGITTAL = SeriesFacts("sag", Plane.SAGITTAL, Weighting.UNKNOWN, 17, 4.4, 0.6)
TRANSVERSE = SeriesFacts("ax", Plane.AXIAL, Weighting.UNKNOWN, 34, 4.4, 0.5)


def sagittal(uid: str, weighting: Weighting = Weighting.UNKNOWN, **changes: Any) -> SeriesFacts:
    return replace(SAGITTAL, series_id=uid, weighting=weighting, **changes)


def roles(*series: SeriesFacts) -> dict[str, SeriesRole | None]:
    return {uid: choice.role for uid, choice in choose_roles(series).items()}


def test_each_plane_and_weighting_has_its_role() -> None:
    found = roles(sagittal("a", Weighting.T1), sagittal("b", Weighting.T2), TRANSVERSE)
    assert found == {"a": T1, "b": T2, "ax": AXIAL}


@pytest.mark.parametrize(
    ("better", "worse", "role", "reason"),
    [
        pytest.param(
            sagittal("b", Weighting.T2),
            sagittal("a", Weighting.STIR),
            T2,
            "another series is T2",
            id="t2-stir",
        ),
        pytest.param(
            sagittal("b", Weighting.T1),
            sagittal("a", Weighting.T1_CONTRAST),
            T1,
            "another series is T1",
            id="t1-gd",
        ),
        pytest.param(
            sagittal("b", Weighting.T2, pixel_mm=0.7),
            sagittal("a", Weighting.T2, derived=True),
            T2,
            "this one derived",
            id="original-derived",
        ),
        pytest.param(
            sagittal("b", Weighting.T1, pixel_mm=0.7, acquired="1"),
            sagittal("a", Weighting.T1, fat_suppressed=True, acquired="2"),
            T1,
            "fat is suppressed in this one",
            id="plain-fat-suppressed",
        ),
        pytest.param(
            sagittal("b", Weighting.T2, pixel_mm=0.7),
            sagittal("a", Weighting.T2, named_localiser=True),
            T2,
            "the name of this one is a localiser's",
            id="plain-named-localiser",
        ),
        pytest.param(
            sagittal("b", Weighting.STIR, pixel_mm=0.9, n_slices=6, derived=True),
            sagittal("a", Weighting.T2, pixel_mm=0.5, elsewhere=True, basis=Basis.TIMES_AND_NAME),
            T2,
            "another series shows the lumbar spine",
            id="lumbar-elsewhere",
        ),
        pytest.param(
            sagittal("b", Weighting.T2, dixon=Dixon.IN_PHASE),
            sagittal("a", Weighting.T2, dixon=Dixon.WATER),
            T2,
            "this one is the water image of a Dixon sequence and another was preferred",
            id="in-phase-water",
        ),
        pytest.param(
            sagittal("b", Weighting.T2, dixon=Dixon.WATER),
            sagittal("a", Weighting.STIR),
            T2,
            "another series is T2",
            id="water-stir",
        ),
        pytest.param(
            sagittal("b", Weighting.T2, dixon=Dixon.WATER),
            sagittal("a", Weighting.T2, dixon=Dixon.FAT),
            T2,
            "the fat image of a Dixon sequence, which shows",
            id="water-fat",
        ),
        pytest.param(
            sagittal("b", Weighting.T1, pixel_mm=0.4),
            sagittal("a", Weighting.T1),
            T1,
            "pixels of 0.40 mm against 17 slices",
            id="finer",
        ),
        pytest.param(
            sagittal("b", Weighting.T1, pixel_mm=0.8),
            sagittal("a", Weighting.T1, n_slices=5),
            T1,
            "against 5 slices",
            id="reaches-the-foramina",
        ),
    ],
)
def test_one_sagittal_series_plays_a_role_and_the_other_says_why_not(
    better: SeriesFacts, worse: SeriesFacts, role: SeriesRole, reason: str
) -> None:
    choices = choose_roles([worse, better])
    assert (choices["b"].role, choices["a"].role) == (role, None)
    assert reason in choices["a"].reason
    assert choices["b"].rank < choices["a"].rank


@pytest.mark.parametrize(
    ("upper", "lower", "axial", "used"),
    [
        pytest.param({"acquired": "2"}, {"acquired": "1"}, None, "lower", id="not-by-time"),
        pytest.param({"pixel_mm": 0.5}, {}, None, "lower", id="not-by-pixels"),
        pytest.param({}, {}, (180.0, 260.0), "upper", id="where-the-axial-slices-are"),
        pytest.param({}, {"span_mm": (-300.0, 300.0)}, (180.0, 260.0), "lower", id="the-lower-of-both"),
        pytest.param({"span_mm": (-60.0, 180.0)}, {"pixel_mm": 0.8}, None, "upper", id="one-station"),
        pytest.param({}, {"weighting": Weighting.STIR}, None, "upper", id="one-is-better"),
    ],
)
def test_of_equally_good_stations_the_one_with_the_axial_slices_or_the_lowest_is_used(
    upper: dict[str, Any], lower: dict[str, Any], axial: tuple[float, float] | None, used: str
) -> None:
    high, low = (
        replace(sagittal(name, Weighting.T2, span_mm=span), **changes)
        for name, span, changes in (("upper", (130.0, 430.0), upper), ("lower", (-150.0, 150.0), lower))
    )
    slices = [replace(TRANSVERSE, weighting=Weighting.T2, span_mm=axial)] if axial else []
    found = {uid for uid, role in roles(high, low, *slices).items() if role is T2}
    assert found == {used}


def test_a_series_of_another_station_says_so() -> None:
    high = sagittal("high", Weighting.T2, span_mm=(130.0, 430.0), acquired="20240101103000")
    choice = choose_roles([high, sagittal("low", Weighting.T2, span_mm=(-150.0, 150.0))])["high"]
    assert choice.role is None
    assert "another series lies 280 mm lower and was preferred" in choice.reason


def test_a_series_of_another_region_has_its_role_where_it_is_the_only_one() -> None:
    assert roles(sagittal("a", Weighting.T2, elsewhere=True)) == {"a": T2}


def test_every_axial_t2_has_the_role_the_fuller_first() -> None:
    short = replace(TRANSVERSE, series_id="short", n_slices=12)
    choices = choose_roles([short, TRANSVERSE])
    assert {c.role for c in choices.values()} == {AXIAL}
    assert choices["ax"].rank < choices["short"].rank


def test_an_axial_t1_has_no_role() -> None:
    choice = choose_roles([replace(TRANSVERSE, weighting=Weighting.T1_CONTRAST, basis=Basis.NAME)])["ax"]
    assert (choice.role, choice.reason) == (None, "axial, but T1 after contrast agent by its name")


def test_an_axial_series_that_cannot_be_t2_has_no_role_and_one_that_may_be_is_an_assumption() -> None:
    sure = replace(TRANSVERSE, series_id="t2", weighting=Weighting.T2, basis=Basis.TIMES)
    lava = replace(TRANSVERSE, series_id="lava", against_t2="made after contrast agent")
    choices = choose_roles([sure, TRANSVERSE, lava])
    assert {uid: (choice.role, choice.assumed) for uid, choice in choices.items()} == {
        "t2": (AXIAL, False),
        "ax": (AXIAL, True),
        "lava": (None, False),
    }
    assert choices["lava"].reason == "axial, but made after contrast agent"


def test_pixels_make_a_t1_but_no_t2_of_what_cannot_be_t2() -> None:
    short: dict[str, Any] = {"against_t2": "an echo time of 9 ms is too short for T2"}
    dark, bright = sagittal("a", t2_evidence=-6.0, **short), sagittal("b", t2_evidence=6.0, **short)
    choices = choose_roles([dark, bright])
    assert (choices["a"].role, choices["b"].role) == (T1, None)
    assert "bright fluid in the canal, but an echo time of 9 ms" in choices["b"].reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"plane": None}, "several planes"),
        ({"plane": Plane.CORONAL}, "coronal"),
        ({"dixon": Dixon.FAT}, "fat image of a Dixon"),
        ({"dixon": Dixon.OPPOSED}, "opposed-phase image of a Dixon"),
        ({"localiser": True}, "named a localiser"),
        ({"named_localiser": True, "n_slices": 5}, "named a localiser"),
        ({"named_localiser": True, "step_mm": 8.0}, "named a localiser"),
        ({"pixel_mm": 1.4, "step_mm": 7.0}, r"pixels of 1\.40 mm"),
        ({"pixel_mm": 1.4, "n_slices": 3}, r"pixels of 1\.40 mm"),
        ({"n_slices": 2}, "only 2 sagittal slices"),
        ({"step_mm": 20.0}, "20 mm apart"),
        ({"weighting": Weighting.OTHER}, "neither T1 nor T2"),
    ],
)
def test_planning_images_have_no_role(change: dict[str, Any], reason: str) -> None:
    facts = replace(SAGITTAL, weighting=Weighting.T2)
    choice = choose_roles([replace(facts, **change)])["sag"]
    assert choice.role is None
    assert re.search(reason, choice.reason)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        pytest.param((-3.0, 4.0), (T1, T2), id="clear"),
        pytest.param((0.3, 3.0), (T1, T2), id="compared-with-each-other"),
        pytest.param((-3.0, -0.2), (T1, T2), id="compared-downwards"),
        pytest.param((4.5, 6.0), (None, T2), id="two-t2-stay-two-t2"),
        pytest.param((-6.0, -4.5), (T1, None), id="two-t1-stay-two-t1"),
    ],
)
def test_pixels_decide_where_headers_are_silent(
    evidence: tuple[float, float], expected: tuple[SeriesRole | None, SeriesRole | None]
) -> None:
    first = sagittal("a", t2_evidence=evidence[0], pixel_mm=0.5 if expected[0] else 0.6)
    second = sagittal("b", t2_evidence=evidence[1], pixel_mm=0.5 if expected[1] else 0.6)
    found = roles(first, second)
    assert (found["a"], found["b"]) == expected


def test_a_fine_series_has_its_role_whatever_it_is_named() -> None:
    """A person typed "AX T2 LOC L4/5": as many and as fine slices serve no planning."""
    named = [sagittal("a", Weighting.T2, named_localiser=True), replace(TRANSVERSE, named_localiser=True)]
    assert roles(*named) == {"a": T2, "ax": AXIAL}


def test_pixels_are_looked_at_only_where_a_sagittal_header_is_silent() -> None:
    known = sagittal("a", Weighting.T1)
    silent = sagittal("b")
    scout = sagittal("c", localiser=True)
    assert needs_pixels([known, scout, TRANSVERSE]) == ()
    assert needs_pixels([known, silent, scout, TRANSVERSE]) == (known, silent)
