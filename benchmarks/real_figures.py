"""Figures of real studies: the statistics of RSNA's 2024 tables and of SPIDER."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.phantom_figures import LEVELS, PAIRS, ROLES, SEVERITIES, both

from napari_lumbar.domain.spine import ConditionGroup, Level

CORRELATIONS = (
    "scs_vs_left_sas",
    "scs_vs_left_nfn",
    "left_vs_right_nfn",
    "left_vs_right_sas",
    "left_nfn_vs_left_sas",
)
SHARES = ("p_left_eq_right_nfn", "p_left_eq_right_sas", "p_study_any_severe_scs", "p_study_all_normal_25")


@dataclass(frozen=True)
class Expected:
    """What real studies show.

    Parameters
    ----------
    value
        The figure.
    tolerance
        How far off is still near.
    share
        Whether it is a share of the studies, or of places of which each study has at least one.
    """

    value: float
    tolerance: float
    share: bool = False


def expected(folder: Path) -> dict[str, Expected]:
    """Read the statistics of real studies."""
    rsna: dict[str, Any] = json.loads((folder / "rsna_statistics.json").read_text("utf-8"))
    spider: dict[str, Any] = json.loads((folder / "spider_statistics.json").read_text("utf-8"))
    return {
        **_real_frequencies(_rows(folder / "rsna_class_frequencies.csv")),
        **_real_dependencies(rsna["dependencies"]),
        **_real_positions(_rows(folder / "rsna_point_positions.csv")),
        **_real_distances(_rows(folder / "rsna_adjacent_level_distances.csv"), rsna, spider),
        **_real_instances(rsna),
        **_real_axial(rsna),
        **_real_series(rsna, spider),
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _near(value: float) -> Expected:
    """A length, a correlation or a spread: a quarter of it is near."""
    return Expected(value, 0.25 * abs(value))


def _share(value: float) -> Expected:
    return Expected(value, 0.25 * value, share=True)


def _place_and_spread(name: str, mean: float, sd: float) -> dict[str, Expected]:
    """A place or an angle, whose zero means nothing: half a standard deviation is near."""
    return {f"{name} mean": Expected(mean, 0.5 * sd), f"{name} sd": _near(sd)}


def _length_and_spread(name: str, mean: float, sd: float) -> dict[str, Expected]:
    return {f"{name} mean": _near(mean), f"{name} sd": _near(sd)}


def _real_frequencies(rows: list[dict[str, str]]) -> dict[str, Expected]:
    result = {}
    for group in ConditionGroup:
        for level in Level:
            columns = [c.value.lower().replace(" ", "_") for c in both(group)]
            found = [r for r in rows if r["condition"] in columns and r["level"] == level.column]
            for name, column in zip(SEVERITIES, ("p_normal_mild", "p_moderate", "p_severe"), strict=True):
                share = float(np.mean([float(r[column]) for r in found]))
                result[f"frequency: {group.value} {level.value} {name}"] = _share(share)
    return result


def _real_dependencies(real: Mapping[str, Any]) -> dict[str, Expected]:
    result = {name: _near(real[name]) for name in CORRELATIONS}
    result |= {name: _share(real[name]) for name in SHARES}
    for (upper, lower), value in zip(PAIRS, real["scs_adjacent_levels"], strict=True):
        result[f"scs {upper} and {lower}"] = _near(value)
    for name, shares in zip(SEVERITIES, real["P_max_sas_given_scs"], strict=True):
        for other, share in zip(SEVERITIES, shares, strict=True):
            result[f"worst sas {other} given scs {name}"] = _share(share)
    return {f"dependency: {name}": value for name, value in result.items()}


def _real_positions(rows: list[dict[str, str]]) -> dict[str, Expected]:
    result: dict[str, Expected] = {}
    for row in rows:
        for axis in ("fx", "fy", "fz"):
            name = f"position: {row['condition']} {row['level']} {axis}"
            result |= _place_and_spread(name, float(row[f"{axis}_mean"]), float(row[f"{axis}_sd"]))
    return result


def _real_distances(
    rows: list[dict[str, str]], rsna: Mapping[str, Any], spider: Mapping[str, Any]
) -> dict[str, Expected]:
    result: dict[str, Expected] = {}
    for row in rows:
        name = f"distance: {row['condition']} {row['pair']}"
        length, angle = (
            (float(row[f"{k}_mean"]), float(row[f"{k}_sd"])) for k in ("dist_frac_h", "angle_deg")
        )
        result |= _length_and_spread(f"{name} fraction of height", *length)
        result |= _place_and_spread(f"{name} degrees", *angle)
    span = rsna["scs_span_L1L2_to_L5S1_frac_h"]
    result |= _length_and_spread("distance: canal L1/L2->L5/S1 fraction of height", span["mean"], span["std"])
    for disc, value in spider["t2_space_adjacent_disc_distance_mm_to_disc_below"].items():
        if disc in (*LEVELS, "T12/L1"):
            result |= _length_and_spread(f"distance: disc below {disc} mm", value["mean"], value["sd"])
    return result


def _real_instances(rsna: Mapping[str, Any]) -> dict[str, Expected]:
    apart = rsna["nfn_left_minus_right_instance"]
    result = {}
    for level in LEVELS:
        result[f"slices: foramina apart {level}"] = _near(apart["by_level_abs_mean"][level])
        result[f"slices: foramina apart {level}, share of series"] = _near(apart["by_level_frac"][level])
    result["slices: foramina apart sd"] = _near(apart["abs_sd"])
    result["slices: left foramen has the higher number"] = _share(apart["frac_left_greater"])
    for name, key in (
        ("middle of foramina from centre", "nfn_mid_minus_series_centre_slices"),
        ("canal from centre", "scs_instance_minus_centre"),
    ):
        result |= _place_and_spread(f"slices: {name}", rsna[key]["mean"], rsna[key]["std"])
    for name, key in (
        ("foramina on distinct slices per side", "nfn_distinct_instances_per_side"),
        ("canal on distinct slices", "scs_distinct_instances"),
    ):
        result |= {f"slices: {name} {k}": _share(rsna[key][str(k)]) for k in (1, 2, 3, 4)}
    spread = rsna["nfn_instance_spread_per_side"]
    return result | _length_and_spread("slices: spread of one side's foramina", spread["mean"], spread["std"])


def _real_axial(rsna: Mapping[str, Any]) -> dict[str, Expected]:
    apart, gap = rsna["sas_left_minus_right_x_frac_w"], rsna["axial_instance_gap_between_levels"]
    result = _length_and_spread("axial: recesses apart, fraction of width", apart["mean"], apart["std"])
    for level in LEVELS:
        width = rsna["sas_x_dist_by_level"][level]
        result[f"axial: recesses apart {level}, fraction of width"] = _near(width)
    result["axial: numbers grow downwards"] = _share(rsna["axial_instance_order_L1_to_S1"]["inc"])
    result["axial: both recesses on one slice"] = _share(rsna["sas_same_instance_rate"])
    result |= _length_and_spread("axial: slices between levels", gap["mean"], gap["std"])
    for level, value in rsna["axial_relative_slice_of_level_increasing_series"].items():
        result |= _place_and_spread(f"axial: relative slice of {level}", value["mean"], value["std"])
    return result


def _real_series(rsna: Mapping[str, Any], spider: Mapping[str, Any]) -> dict[str, Expected]:
    result: dict[str, Expected] = {}
    for name in ROLES.values():
        count = rsna["slices_per_series"][name]
        result |= _length_and_spread(f"series: slices of {name}", count["mean"], count["std"])
        result[f"series: {name} not square"] = _share(rsna["non_square_rate"][name])
    for name, key in (("Sagittal T1", "t1"), ("Sagittal T2/STIR", "t2")):
        result[f"series: thickness of {name} mm"] = _near(spider[key]["SliceThickness"]["median"])
        result[f"series: step of {name} mm"] = _near(spider[key]["SpacingBetweenSlices"]["median"])
    return result
