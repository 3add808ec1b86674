"""What is fitted after training: probabilities, prediction sets, strangeness, confidences of landmarks.

Fitted on synthetic studies that no network was trained on, with the whole pipeline: the graders see crops
where the localiser puts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from ..domain.landmarks import Landmarks
from ..domain.spine import ALL_FINDINGS, ConditionGroup, FindingKey, Level
from ..models.bundle import load_bundle
from ..models.grade_calibration import GradeCalibration, GradeCalibrationConfig
from ..phantom import FrontFat, PhantomConfig, PhantomStudy, make_phantom, severity_frequencies
from ..pipeline.confidence import NEAR_MM, LandmarkConfidence
from ..pipeline.grade import MultistageGrader
from ..pipeline.localise import MultistageLocalizer
from ..pipeline.progress import CancelToken, ignore_progress
from ..preprocess.bags import prepared_series
from .metrics import redrawn
from .processes import map_in_processes

#: Probability with which a prediction set holds the true severity, and share of usual strangeness.
COVERAGE, USUAL_SHARE = 0.9, 0.99
#: How sure that is, given which phantoms they were fitted to.
_SURE = 0.95
#: A direction with less variance than this share of the greatest is noise.
_LEAST_VARIANCE = 1e-3
#: Nobody is surer of a landmark than this.
_SUREST = 0.99

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupRecords:
    """What the pipeline said about the findings of one group, and the truth.

    Parameters
    ----------
    log_probs, features, severities, levels
        Per graded finding, shapes (n, 3), (n, D), (n,), (n,); levels by rank.
    seeds
        The phantom that the finding is of, shape (n,).
    confidences, errors_mm
        Per landmark: raw confidence, and distance from the truth, shape (m,).
    """

    log_probs: Floats
    features: Floats
    severities: npt.NDArray[np.int64]
    levels: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.int64]
    confidences: Floats
    errors_mm: Floats


Records = dict[ConditionGroup, GroupRecords]


def collect(
    bundle: Path, seeds: Sequence[int], jobs: int, front_fat: FrontFat, say: Callable[[str], None] = print
) -> Records:
    """Run an uncalibrated bundle on phantoms of the natural mix of severities."""
    parts: list[Records] = []
    shares = [seeds[i::jobs] for i in range(jobs)]
    for part in map_in_processes(partial(_collect, bundle, front_fat), shares, jobs):
        parts += part
        say(f"calibration: {len(parts)} of {len(seeds)} phantoms looked at")
    return joined(parts)


def joined(parts: Sequence[Records]) -> Records:
    """The records of many studies in one; a group in which nothing was found is left out."""
    found = {group: [p[group] for p in parts if len(p[group].severities)] for group in ConditionGroup}
    return {group: _joined(records) for group, records in found.items() if records}


def with_grades_of(records: Records, others: Records, group: ConditionGroup) -> Records:
    """The records with what ``others`` have of one group's grades; landmarks stay those of ``records``."""
    if group not in records or group not in others:
        return records
    landmarks = records[group]
    of_others = replace(others[group], confidences=landmarks.confidences, errors_mm=landmarks.errors_mm)
    return {**records, group: of_others}


def _collect(bundle: Path, front_fat: FrontFat, seeds: Sequence[int]) -> list[Records]:
    loaded, device = load_bundle(bundle), torch.device("cpu")
    localizer, grader = MultistageLocalizer(loaded, device), MultistageGrader(loaded, device)
    phantoms = zip(seeds, varied_phantoms(seeds, front_fat), strict=True)
    return [_study_records(localizer, grader, phantom, seed) for seed, phantom in phantoms]


def varied_phantoms(seeds: Sequence[int], front_fat: FrontFat) -> Iterator[PhantomStudy]:
    """Half with the looks of real scanners, half with wildly varied ones."""
    for seed in seeds:
        yield make_phantom(seed, PhantomConfig(randomize_appearance=is_varied(seed), front_fat=front_fat))


def is_varied(seed: int) -> bool:
    """Whether ``varied_phantoms`` varies the looks of this one wildly: every other one."""
    return seed % 2 == 0


def _study_records(
    localizer: MultistageLocalizer, grader: MultistageGrader, phantom: PhantomStudy, seed: int
) -> Records:
    found = localizer.locate(phantom.study, ignore_progress, CancelToken())
    series = {s.series_id: prepared_series(s) for s in phantom.study.series if s.role is not None}
    records = {}
    for group in ConditionGroup:
        keys = [k for k in found.points if k.condition.group is group and k in phantom.landmarks.points]
        seen = grader.look(group, keys, found, series) if keys else None
        landmarks = [found.points[key] for key in keys]
        records[group] = GroupRecords(
            np.array([seen.log_probs(k).mean((0, 1)).numpy() for k in keys] if seen else []).reshape(-1, 3),
            np.array([seen.features(k).mean(0).numpy() for k in keys] if seen else []),
            np.array([int(phantom.severities[k]) for k in keys], np.int64),
            np.array([k.level.rank for k in keys], np.int64),
            np.full(len(keys), seed),
            np.array([landmark.confidence or 0.0 for landmark in landmarks]),
            np.array(
                [_error_mm(phantom.landmarks, landmark.key, landmark.point_lps_mm) for landmark in landmarks]
            ),
        )
    return records


def _error_mm(truth: Landmarks, key: FindingKey, point_lps_mm: tuple[float, float, float]) -> float:
    return float(np.linalg.norm(np.subtract(truth.points[key].point_lps_mm, point_lps_mm)))


def _joined(parts: Sequence[GroupRecords]) -> GroupRecords:
    names = ("log_probs", "features", "severities", "levels", "seeds", "confidences", "errors_mm")
    return GroupRecords(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def level_log_prior(group: ConditionGroup) -> Floats:
    """Log of how often each severity is met at each level in the RSNA 2024 tables, shape (levels, 3)."""
    frequencies = severity_frequencies()
    sides = [
        [frequencies[key] for key in ALL_FINDINGS if key.level is level and key.condition.group is group]
        for level in Level
    ]
    return np.log(np.mean(sides, axis=1))


def fit_grades(records: GroupRecords, log_prior: Floats, components: int = 24) -> GradeCalibration:
    """Fit the calibration of one group; the networks' answers know nothing of ``log_prior``, (levels, 3).

    Prediction sets are to hold for scanners that no training phantom looks like, where answers are less sure,
    so their threshold is that of the wildly varied looks alone.

    Raises
    ------
    ValueError
        If no finding is of a phantom with such looks.
    """
    n_features = records.features.shape[1]
    config = GradeCalibrationConfig(n_features, min(components, n_features, len(records.features)))
    fitted = GradeCalibration(config)
    inverse_temperature, bias = fit_vector_scaling(
        records.log_probs, log_prior[records.levels], records.severities
    )
    fitted.inverse_temperature.fill_(inverse_temperature)
    fitted.bias.copy_(torch.from_numpy(log_prior + bias))
    probs = fitted(torch.from_numpy(records.log_probs).float(), torch.from_numpy(records.levels)).numpy()
    unlike = np.array([is_varied(seed) for seed in records.seeds])
    of_truth = probs[np.arange(len(probs)), records.severities]
    fitted.least_probability.fill_(safe_threshold(of_truth[unlike], records.seeds[unlike]))
    centre, whitening = fit_whitening(records.features, config.components)
    fitted.centre.copy_(torch.from_numpy(centre))
    fitted.whitening.copy_(torch.from_numpy(whitening))
    distances = fitted.distance(torch.from_numpy(records.features).float()).numpy()
    fitted.usual_distance.fill_(float(np.quantile(distances, USUAL_SHARE)))
    return fitted


def fit_vector_scaling(
    log_probs: Floats, log_prior: Floats, severities: npt.NDArray[np.int64]
) -> tuple[float, Floats]:
    """Inverse temperature of ``log_probs`` and bias, shape (3,), that minimise the log loss.

    ``log_prior`` is added as it is; both have shape (n, 3).
    """

    def loss(values: Floats) -> float:
        scaled = log_probs * np.exp(values[0]) + log_prior + np.array([0.0, values[1], values[2]])
        top = scaled.max(1, keepdims=True)
        normal = top[:, 0] + np.log(np.exp(scaled - top).sum(1))
        return float((normal - scaled[np.arange(len(severities)), severities]).mean())

    best = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-4}).x
    return float(np.exp(best[0])), np.array([0.0, best[1], best[2]])


def safe_threshold(of_truth: Floats, seeds: npt.NDArray[np.int64], coverage: float = COVERAGE) -> float:
    """Threshold whose sets hold the truth with probability ``coverage``, for ``_SURE`` of all calibrations.

    Findings of a study hang together, so a few dozen studies may by chance be easier than those to come:
    whole studies are drawn again, and the low end of the thresholds is taken (for single findings: Vovk,
    "Conditional validity of inductive conformal predictors", ACML 2012).

    Parameters
    ----------
    of_truth, seeds
        Probability that the true severity got, and the study it is of, both of shape (n,).

    Raises
    ------
    ValueError
        If there are none.
    """
    studies = [of_truth[seeds == seed] for seed in np.unique(seeds)]
    if not studies:
        raise ValueError("a threshold needs findings of phantoms with wildly varied looks; there are none")
    thresholds = redrawn(studies, lambda drawn: conformal_threshold(np.concatenate(drawn), coverage))
    return float(np.quantile(thresholds, 1 - _SURE))


def conformal_threshold(of_truth: Floats, coverage: float = COVERAGE) -> float:
    """Least probability of a severity that is not ruled out (split conformal, finite-sample rank)."""
    true = np.sort(of_truth)
    rank = int(np.floor(round((len(true) + 1) * (1 - coverage), 6)))  # 100 * (1 - 0.9) is below 10
    return float(true[rank - 1]) if rank >= 1 else 0.0


def fit_whitening(features: Floats, components: int) -> tuple[Floats, Floats]:
    """Centre, shape (D,), and the scaled directions of greatest variance, shape (components, D)."""
    centre = features.mean(0)
    values, vectors = np.linalg.eigh(np.cov(features - centre, rowvar=False))
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    scale = np.sqrt(np.maximum(values, _LEAST_VARIANCE * values[0]))
    return centre, (vectors / scale).T.copy()


def fit_confidence(records: Records) -> LandmarkConfidence:
    """Raw confidence to the probability of lying within ``NEAR_MM``, increasing, per group."""
    knots = {}
    for group, found in records.items():
        near = (found.errors_mm <= NEAR_MM).astype(float)
        fit = IsotonicRegression(y_min=0.0, y_max=_SUREST, out_of_bounds="clip").fit(found.confidences, near)
        knots[group] = (fit.X_thresholds_.tolist(), fit.y_thresholds_.tolist())
    return LandmarkConfidence(knots)
