"""Column names of the RSNA 2024 lumbar spine tables, in the order in which RSNA's files have them."""

from __future__ import annotations

from typing import Final

from .spine import Condition, ConditionGroup, FindingKey, Level, Side

_CONDITIONS: Final = (
    Condition.SPINAL_CANAL_STENOSIS,
    *(Condition.of(ConditionGroup.FORAMINAL, side) for side in Side),
    *(Condition.of(ConditionGroup.SUBARTICULAR, side) for side in Side),
)

#: The 25 findings of ``train.csv``, for example ``spinal_canal_stenosis_l1_l2``.
GRADE_COLUMNS: Final = tuple(FindingKey(c, level).column for c in _CONDITIONS for level in Level)
#: ``train.csv``: one row per study.
TRAIN_COLUMNS: Final = ("study_id", *GRADE_COLUMNS)
#: ``train_label_coordinates.csv``: one row per landmark; x is the column and y the row, in pixels.
COORDINATE_COLUMNS: Final = (
    "study_id",
    "series_id",
    "instance_number",
    "condition",
    "level",
    "x",
    "y",
)
#: ``train_series_descriptions.csv``: one row per series.
SERIES_COLUMNS: Final = ("study_id", "series_id", "series_description")
#: The submission format: one row per study and finding.
SUBMISSION_COLUMNS: Final = ("row_id", "normal_mild", "moderate", "severe")
