"""Folds of whole studies, alike in how often each finding is narrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from ...domain.errors import LumbarError
from ...domain.spine import Condition, ConditionGroup, Severity
from .tables import RsnaTables


def stratified_folds(tables: RsnaTables, folds: int, seed: int) -> Mapping[str, int]:
    """The fold of each study; the same tables, number and seed always give the same folds.

    Every stage uses these folds, so that no grader learns from points of a localiser that knew the study.
    Iterative stratification after Sechidis et al., ECML PKDD 2011. What is kept alike is how often each of
    the 25 findings has each severity, or no grade.

    Raises
    ------
    LumbarError
        If there are fewer studies than folds, or fewer than two folds.
    """
    studies = sorted(set(tables.grades["study_id"]))
    if not 2 <= folds <= len(studies):
        raise LumbarError(
            f"{folds} folds of {len(studies)} studies: need at least two, and one study for each"
        )
    wide = tables.grades.pivot_table(
        index="study_id", columns=["condition", "level"], values="severity", aggfunc="max"
    ).reindex(studies)
    labels = np.concatenate([(wide == severity).to_numpy(int) for severity in range(3)], axis=1)
    splitter = MultilabelStratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    split = splitter.split(np.zeros(len(studies)), labels)
    return {studies[place]: fold for fold, (_, held_out) in enumerate(split) for place in held_out}


def severities_lacking(tables: RsnaTables, folds: Mapping[str, int]) -> Iterator[str]:
    """Sentences about severities that a fold cannot teach or cannot be measured on, for want of a grade."""
    grades = tables.grades.assign(fold=tables.grades["study_id"].map(folds)).dropna(subset=["fold"])
    groups = grades["condition"].map({condition.value: condition.group for condition in Condition})
    for group in ConditionGroup:
        of_group = grades[groups == group]
        for fold in range(max(folds.values()) + 1):
            held_out = of_group["fold"] == fold
            for part, rows in (("to learn from", of_group[~held_out]), ("held out", of_group[held_out])):
                lacking = [s.label for s in Severity if s not in set(rows["severity"])]
                if lacking:
                    yield f"fold {fold} has no {group.value} grade {part} that is {' or '.join(lacking)}"
