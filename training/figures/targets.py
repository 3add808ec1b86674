"""What each figure is meant to reach. They stand in one place, and were set before measuring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: By the name of a figure, or by its last part where all groups share a target.
TARGETS: Final[Mapping[str, str]] = {
    "spider/along_spine_median": "<= 1.2",
    "spider/along_spine_p95": "<= 4",
    "spider/named_right": ">= 0.965",  # 28 of 29
    "spider/l5_s1_invented_studies": "<= 0.02",
    "spider/l5_s1_invented_slices": "<= 0.02",
    "spider/canal_width_rank_correlation": ">= 0.4",
    "midsagittal/agreeing": ">= 0.95",
    "rsna/canal/mm_median": "<= 4",
    "rsna/canal/mm_max": "<= 8",
    "rsna/canal/weighted_log_loss": "<= 1.0986",  # equal probabilities
    "rsna/foraminal/mm_median": "<= 4",
    "rsna/foraminal/mm_max": "<= 8",
    "rsna/foraminal/weighted_log_loss": "<= 1.0986",
    "rsna/subarticular/mm_median": "<= 4",
    "rsna/subarticular/slices_off_max": "<= 1",
    "phantoms/canal/macro_auroc": ">= 0.96",
    "phantoms/foraminal/macro_auroc": ">= 0.92",
    "phantoms/subarticular/macro_auroc": ">= 0.92",
    "phantoms/all/set_coverage": "0.88 to 0.92",
    "phantoms/canal/slice_exact": ">= 0.71",
    "phantoms/foraminal/slice_exact": ">= 0.71",
    "phantoms/canal/slice_within_one": ">= 0.98",
    "phantoms/foraminal/slice_within_one": ">= 0.98",
    "evidence/ratio": ">= 1",
    "evidence/hot_changes_more": ">= 0.5",
    "log_loss_share": "<= 0.5",
    "calibration_error": "<= 0.05",
    "confident_near": ">= 0.9",
    "attention_within_one": ">= 0.85",
    "wrong_level": "<= 0",
    "wrong_side": "<= 0",
}


def target_of(name: str) -> str:
    """The target of a figure by its whole name, else by the last part; empty where there is none."""
    return TARGETS.get(name, TARGETS.get(name.rsplit("/", 1)[-1], ""))
