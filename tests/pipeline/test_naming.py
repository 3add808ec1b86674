from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lumbar.pipeline.naming import DiscEvidence, name_discs

SHAPE, PIXEL_MM, NAMES = (110, 80), 3.0, 6


def blob(centre: tuple[float, float], sigma: float = 1.5) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    return np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * sigma**2))


def evidence(
    centres: list[tuple[float, float]], named: dict[int, list[tuple[int, float]]], heights: dict[int, float]
) -> DiscEvidence:
    """``named[name]`` lists (disc, mass); ``heights`` weakens a disc's "any disc" peak."""
    any_disc = np.max([heights.get(i, 0.9) * blob(c) for i, c in enumerate(centres)], axis=0)
    maps = np.zeros((NAMES, *SHAPE), np.float32)
    for name, shares in named.items():
        for disc, mass in shares:
            maps[name] += mass * blob(centres[disc]) / blob(centres[disc]).sum()
    absent = 1 - maps.sum((1, 2))
    return DiscEvidence(any_disc.astype(np.float32), maps, absent.astype(np.float32), PIXEL_MM)


def column(first: float, count: int, step_px: float = 12.0) -> list[tuple[float, float]]:
    return [(first + step_px * i, 40.0 + 2 * np.sin(i)) for i in range(count)]


def test_clear_evidence_is_named_where_it_lies() -> None:
    centres = column(20, 6)
    chain = name_discs(evidence(centres, {n: [(n, 0.9)] for n in range(6)}, {}))
    np.testing.assert_allclose(chain.centres_rc, centres, atol=0.3)
    assert (chain.confidence > 0.8).all()
    assert chain.margin > 3


def test_two_levels_cannot_claim_one_disc() -> None:
    """L3/L4's own answer points at the disc of L4/L5; the order of the others puts it right."""
    centres = column(20, 6)
    named = {n: [(n, 0.9)] for n in range(6)}
    named[3] = [(4, 0.55), (3, 0.35)]
    chain = name_discs(evidence(centres, named, {}))
    np.testing.assert_allclose(chain.centres_rc[3], centres[3], atol=0.3)


def test_a_disc_above_the_field_of_view_is_absent_and_not_forced() -> None:
    centres = column(8, 4)
    chain = name_discs(evidence(centres, {n: [(n - 2, 0.9)] for n in range(2, 6)}, {}))
    assert np.isnan(chain.centres_rc[:2]).all()
    np.testing.assert_allclose(chain.centres_rc[2:], centres, atol=0.3)


def test_an_unnamed_disc_below_does_not_push_the_names_down() -> None:
    centres = column(15, 7)
    chain = name_discs(evidence(centres, {n: [(n, 0.9)] for n in range(6)}, {6: 0.5}))
    np.testing.assert_allclose(chain.centres_rc, centres[:6], atol=0.3)


def test_a_clear_disc_left_over_below_speaks_against_names_one_too_high() -> None:
    """Seen on a real scan: every name but the last leant one disc upwards, which left the true L5/S1 over."""
    centres = column(10, 7)
    named = {n: [(n, 0.55), (n + 1, 0.3)] for n in range(5)}
    named[5] = [(5, 0.07), (6, 0.88)]
    chain = name_discs(evidence(centres, named, {}))
    np.testing.assert_allclose(chain.centres_rc, centres[1:], atol=0.3)


def test_a_disc_without_a_peak_is_found_between_its_neighbours_with_less_confidence() -> None:
    centres = column(20, 6)
    named = {n: [(n, 0.9)] for n in range(6)}
    named[2] = [(2, 0.4)]
    chain = name_discs(evidence(centres, named, {2: 0.05}))
    np.testing.assert_allclose(chain.centres_rc[2], centres[2], atol=1.5)
    assert chain.confidence[2] < 0.3


def test_no_discs_at_all_name_nothing() -> None:
    empty = DiscEvidence(
        np.zeros(SHAPE, np.float32),
        np.zeros((NAMES, *SHAPE), np.float32),
        np.ones(NAMES, np.float32),
        PIXEL_MM,
    )
    assert np.isnan(name_discs(empty).centres_rc).all()


def test_equal_evidence_one_level_off_leaves_no_margin() -> None:
    centres = column(20, 6)
    named = {n: [(n, 0.45)] + ([(n + 1, 0.45)] if n < 5 else []) for n in range(6)}
    assert name_discs(evidence(centres, named, {})).margin == pytest.approx(0, abs=0.3)


@settings(max_examples=30, deadline=None)
@given(first=st.floats(5, 30), step=st.floats(9.5, 14), count=st.integers(2, 6), skip=st.integers(0, 4))
def test_names_always_follow_each_other_down_the_spine(
    first: float, step: float, count: int, skip: int
) -> None:
    centres = [c for c in column(first, count, step) if c[0] < SHAPE[0] - 3]
    named = {n: [(n - skip, 0.8)] for n in range(6) if 0 <= n - skip < len(centres)}
    rows = name_discs(evidence(centres, named, {})).centres_rc[:, 0]
    found = rows[~np.isnan(rows)]
    assert (np.diff(found) > 0).all()


def test_a_disc_inside_the_sacrum_bears_no_name() -> None:
    """S1/S2 is a strong peak, and the names' own answers hesitate by one level; the sacrum decides."""
    centres = column(15, 8)
    named = {n: [(n + 1, 0.42), (n + 2, 0.4)] for n in range(6)}
    unsure = evidence(centres, named, {})
    np.testing.assert_allclose(name_discs(unsure).centres_rc[5], centres[7], atol=0.3)
    sacrum = np.zeros(SHAPE, np.float32)
    sacrum[round(centres[6][0]) + 2 :] = 0.95
    chain = name_discs(replace(unsure, sacrum=sacrum))
    np.testing.assert_allclose(chain.centres_rc, centres[1:7], atol=0.3)


def test_no_disc_is_l5_s1_where_the_field_ends_before_the_sacrum() -> None:
    """The names' own answers are one disc too low, as they are on real scans that end above L5/S1."""
    centres = column(12, 7)
    named = {n: [(n + 1, 0.7)] for n in range(6)}
    wrong = evidence(centres, named, {})
    np.testing.assert_allclose(name_discs(wrong).centres_rc[5], centres[6], atol=0.3)
    chain = name_discs(replace(wrong, sacrum=np.zeros(SHAPE, np.float32)))
    assert np.isnan(chain.centres_rc[5]).all()


@pytest.mark.parametrize(("mass", "named"), [(0.7, False), (0.9, True)])
def test_close_above_the_lower_border_l5_s1_needs_a_clear_answer(mass: float, named: bool) -> None:
    """Seen on real scans cut through L5: the part of it in view was taken for the sacrum."""
    centres = column(102.0 - 3 * 12, 4)
    chain = name_discs(evidence(centres, {2: [(0, 0.5)], 3: [(1, 0.5)], 4: [(2, 0.5)], 5: [(3, mass)]}, {}))
    assert np.isfinite(chain.centres_rc[5, 0]) == named


def test_with_the_sacrum_in_view_l5_s1_is_the_disc_on_it() -> None:
    centres = column(20, 6)
    clear = evidence(centres, {n: [(n, 0.9)] for n in range(6)}, {})
    sacrum = np.zeros(SHAPE, np.float32)
    sacrum[round(centres[5][0]) + 3 :] = 0.7
    chain = name_discs(replace(clear, sacrum=sacrum))
    np.testing.assert_allclose(chain.centres_rc, centres, atol=0.3)


def test_a_clear_disc_between_two_named_ones_cannot_be_left_out() -> None:
    """Seen on a real scan with discs close together: the upper names leant one disc upwards."""
    centres = column(8, 8, step_px=9.5)
    named = {5: [(7, 0.9)], 4: [(6, 0.9)], 3: [(5, 0.9)]}
    named |= {n: [(n + 1, 0.8), (n + 2, 0.08)] for n in range(3)}
    chain = name_discs(evidence(centres, named, {}))
    np.testing.assert_allclose(chain.centres_rc, centres[2:], atol=0.3)
