"""Headers mutated at random, with known truth: nothing is wrong without a word.

The whole set is ``benchmarks/mutated_headers.py``; a failure names the mutation and its seed there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.header_mutations import CONSISTENT, DETECTABLE, Mutation
from benchmarks.known_study import Draft, KnownStudy, known_study
from benchmarks.mutated_headers import Outcome, judged

SEEDS_EACH = 3


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> KnownStudy:
    return known_study(1, tmp_path_factory.mktemp("known") / "study")


def outcome_of(study: KnownStudy, mutation: Mutation, seed: int, folder: Path) -> tuple[Outcome, str]:
    draft = Draft(study)
    mutation(draft, np.random.default_rng(seed))
    return judged(draft, folder / "case")


def test_the_study_is_right_as_it_is(study: KnownStudy, tmp_path: Path) -> None:
    assert judged(Draft(study), tmp_path / "case") == (Outcome.RIGHT, "")


@pytest.mark.parametrize("name", DETECTABLE)
def test_a_mutated_study_is_right_or_flagged(study: KnownStudy, tmp_path: Path, name: str) -> None:
    for seed in range(SEEDS_EACH):
        outcome, detail = outcome_of(study, DETECTABLE[name], seed, tmp_path)
        assert outcome is not Outcome.SILENT, f"{name}, seed {seed}: {detail}"


@pytest.mark.parametrize("name", CONSISTENT)
def test_what_no_reader_of_headers_can_tell_is_seen_by_the_proof(
    study: KnownStudy, tmp_path: Path, name: str
) -> None:
    """Else a wrong place would pass as right."""
    outcome, _ = outcome_of(study, CONSISTENT[name], 0, tmp_path)
    assert outcome is not Outcome.RIGHT
