"""What each fold's networks say of the studies that they never saw, and the calibration that follows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..models.bundle import BundleManifest, write_manifest, write_network
from ..models.grade_calibration import GradeCalibration, GradeCalibrationConfig
from ..pipeline.judge import CALIBRATION_NAMES
from .calibrate import conformal_threshold, fit_vector_scaling
from .figures.phantom_figures import graded_rows, rows_of_group
from .figures.records import Rows

#: Fewer findings than this, or a severity that never occurs, calibrate nothing.
_FEWEST = 30


def calibrate_bundle(bundle: Path, manifest: BundleManifest, rows: Sequence[Rows]) -> None:
    """Fit temperature, bias and prediction sets to the rows of studies that no fold saw, for the bundle."""
    together = np.concatenate(list(rows))
    entries = dict(manifest.networks)
    for group, name in CALIBRATION_NAMES.items():
        fitted = fit_rows(graded_rows(rows_of_group(together, group)))
        if fitted is not None:
            entries[name] = write_network(bundle, name, "grade_calibration", fitted.config, fitted)
    write_manifest(bundle, manifest.model_copy(update={"networks": entries}))


def fit_rows(rows: Rows) -> GradeCalibration | None:
    """The calibration of graded rows of one group; None where they are too few or lack a severity."""
    truth = rows["truth"].astype(np.int64)
    if len(rows) < _FEWEST or len(np.unique(truth)) < 3:
        return None
    log_probs = np.log(np.clip(rows["probs"].astype(np.float64), 1e-9, 1))
    inverse_temperature, bias = fit_vector_scaling(log_probs, np.zeros_like(log_probs), truth)
    fitted = GradeCalibration(GradeCalibrationConfig(features=0, components=0))
    fitted.inverse_temperature.fill_(inverse_temperature)
    fitted.bias.copy_(torch.from_numpy(bias).expand_as(fitted.bias))
    levels = torch.from_numpy(rows["level"].astype(np.int64))
    probs = fitted(torch.from_numpy(log_probs).float(), levels).numpy()
    fitted.least_probability.fill_(conformal_threshold(probs[np.arange(len(probs)), truth]))
    return fitted
