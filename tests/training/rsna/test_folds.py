from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.spine import FindingKey, Level, Severity
from napari_lumbar.training.rsna import RsnaTables, read_tables, stratified_folds

if TYPE_CHECKING:
    from tests.training.rsna.conftest import Cohort

STUDIES, NARROW = 60, 12


@pytest.fixture
def tables(empty_cohort: Cohort, tmp_path: Path) -> RsnaTables:
    def severity(number: int, key: FindingKey) -> str:
        narrow = number < NARROW and key.level is Level.L4_L5
        return (Severity.SEVERE if narrow else Severity.NORMAL_MILD).label

    for number in range(STUDIES):
        empty_cohort.add_study(f"{number:03d}", partial(severity, number))
    return read_tables(empty_cohort.write(tmp_path))


def test_every_study_lies_in_one_fold_and_the_rare_are_shared_out(tables: RsnaTables) -> None:
    folds = stratified_folds(tables, 4, seed=3)
    assert sorted(folds) == [f"{number:03d}" for number in range(STUDIES)]
    narrow = np.bincount([folds[f"{number:03d}"] for number in range(NARROW)], minlength=4)
    assert narrow.tolist() == [NARROW // 4] * 4
    assert np.ptp(np.bincount(list(folds.values()))) <= 2


def test_folds_follow_from_the_seed(tables: RsnaTables) -> None:
    assert stratified_folds(tables, 4, seed=3) == stratified_folds(tables, 4, seed=3)
    assert stratified_folds(tables, 4, seed=3) != stratified_folds(tables, 4, seed=4)


@pytest.mark.parametrize("folds", [1, STUDIES + 1])
def test_impossible_numbers_of_folds_are_refused(tables: RsnaTables, folds: int) -> None:
    with pytest.raises(LumbarError, match=f"{folds} folds of {STUDIES} studies: need at least two"):
        stratified_folds(tables, folds, seed=0)
