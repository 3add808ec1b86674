"""Severity of a finding from all series, words about them, and what is asked: what a ``ThreeWay`` learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...domain.landmarks import Landmarks
from ...domain.spine import ConditionGroup, FindingKey, Severity
from ...domain.study import OWN_ROLES, MRSeries, SeriesRole
from ...models.three_way import N_SEVERITIES, FindingSight, ThreeWayConfig
from ...preprocess.bags import Bag, Jitter
from ...preprocess.finding_views import finding_views, mirrored_views
from ...preprocess.fusion_input import FusionInput, FusionShape, fusion_input
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..losses import weighted_cross_entropy
from ..metrics import graded_figures
from ..misses import typical_jitter
from ..rsna.studies import LabelledStudy

#: How often a series that does not carry the finding's own mark is left out.
_LEFT_OUT_SHARE = 0.2
_AFFINE_SHARE, _APPEARANCE_SHARE = 0.5, 0.5
#: Findings measured at a time.
_CHUNK = 16
#: Series that carry the marks of a condition group.

Item = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class GradedFinding:
    """A finding whose severity and place are known, in its study (usual view)."""

    key: FindingKey
    severity: Severity
    landmarks: Landmarks
    series: Mapping[str, MRSeries]

    def views(
        self, config: ThreeWayConfig, jitter: Mapping[SeriesRole, Jitter] | None = None
    ) -> dict[SeriesRole, Bag]:
        """Its views by role."""
        return finding_views(self.key, self.landmarks, self.series, config.window_mm, config.slices, jitter)

    def item(self, config: ThreeWayConfig, views: Mapping[SeriesRole, Bag]) -> Item:
        """What a network is shown of these views, and the severity (3,)."""
        seen = fusion_input(self.key, views, self.series, shape_of(config), config.words)
        return item_of(seen) | {"severity": np.eye(N_SEVERITIES, dtype=np.float32)[self.severity]}


def shape_of(config: ThreeWayConfig) -> FusionShape:
    """What the views of a network look like."""
    return FusionShape(tuple(SeriesRole(role) for role in config.roles), config.slices, config.size)


def item_of(seen: FusionInput) -> Item:
    """One finding's arrays by the names that ``sight_of`` reads."""
    return {
        "views": seen.views,
        "visible": seen.visible,
        "texts": seen.texts,
        "level": np.array(seen.level),
        "group": np.array(seen.group),
    }


def sight_of(batch: Batch) -> FindingSight:
    """A batch of items as the network takes it."""
    return FindingSight(
        batch["views"].float(), batch["visible"], batch["texts"], batch["level"], batch["group"]
    )


def graded_findings(studies: Sequence[LabelledStudy]) -> list[GradedFinding]:
    """Findings with grade and landmark; both must be there."""
    found = []
    for study in studies:
        series = {one.series_id: one for one in study.study.series if one.role is not None}
        for key, severity in study.severities.items():
            mark = study.landmarks.get(key)
            if mark is not None and mark.series_id in series:
                found.append(GradedFinding(key, severity, study.landmarks, series))
    return found


class FusionTask:
    """Findings of all conditions, moved as the localiser would miss them, now and then without a series.

    A canal is shown mirrored half of the time: it has no side, so its grade stays true.

    Raises
    ------
    ValueError
        If no finding has both a grade and a landmark.
    """

    def __init__(
        self, studies: Sequence[LabelledStudy], config: ThreeWayConfig, seed: int, batch_size: int
    ) -> None:
        self._findings = graded_findings(studies)
        if not self._findings:
            raise ValueError(f"no finding in {len(studies)} studies has a grade and a landmark")
        self._config, self._seed, self._batch_size = config, seed, batch_size

    def batch(self, step: int) -> Batch:
        """The arrays of ``FindingSight`` by name, and severities (B, 3)."""
        rng = np.random.default_rng((self._seed, step))
        return stack_items([self._item(rng) for _ in range(self._batch_size)])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy weighted as the challenge weighs severities."""
        return {"loss": weighted_cross_entropy(network(sight_of(batch)), batch["severity"])}

    def _item(self, rng: np.random.Generator) -> Item:
        one = self._findings[int(rng.integers(len(self._findings)))]
        group = one.key.condition.group
        views = one.views(self._config, {role: typical_jitter(rng) for role in SeriesRole})
        views = {
            role: view
            for role, view in views.items()
            if role is OWN_ROLES[group] or rng.random() >= _LEFT_OUT_SHARE
        }
        if group is ConditionGroup.CANAL and rng.random() < 0.5:
            views = mirrored_views(views)
        item = one.item(self._config, views)
        stacks = item["views"].astype(np.float32)
        return {**item, "views": np.stack([_augmented(rng, stack) for stack in stacks])}


def _augmented(rng: np.random.Generator, stack: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The slices of one view, shape (S, size, size), turned and recoloured together."""
    if not stack.any():
        return stack
    shape = (stack.shape[-2], stack.shape[-1])
    if rng.random() < _AFFINE_SHARE:
        affine = random_affine(rng, shape, shape, (3.0, 3.0), max_degrees=12, max_log_scale=0.1)
        stack = affine.warp(stack, shape, order=1).reshape(stack.shape)
    if rng.random() < _APPEARANCE_SHARE:
        stack = random_appearance(rng, stack, fold_share=0.0, strength=0.5)
    return stack


def fusion_figures(
    studies: Sequence[LabelledStudy], config: ThreeWayConfig
) -> Callable[[nn.Module], Mapping[str, float]]:
    """A measure for held-out studies: figures as ``canal_log_loss``, and log losses averaged over groups."""
    findings = graded_findings(studies)
    items = [one.item(config, one.views(config)) for one in findings]
    items = [{**item, "views": item["views"].astype(np.float16)} for item in items]
    labels = np.array([one.severity for one in findings], np.int64)
    groups = [one.key.condition.group for one in findings]

    def measure(network: nn.Module) -> Mapping[str, float]:
        chunks = [items[i : i + _CHUNK] for i in range(0, len(items), _CHUNK)]
        probs = np.concatenate([np.zeros((0, N_SEVERITIES)), *(_probabilities(network, c) for c in chunks)])
        figures: dict[str, float] = {}
        for group in ConditionGroup:
            of_group = np.array([one is group for one in groups], np.bool_)
            each = graded_figures(probs[of_group], labels[of_group])
            figures |= {f"{group.name.lower()}_{name}": value for name, value in each.items()}
        return figures | _means(figures)

    return measure


def _means(figures: Mapping[str, float]) -> dict[str, float]:
    """The mean over the groups of the figures that choose a network."""
    names = [group.name.lower() for group in ConditionGroup]
    return {
        figure: float(np.mean([figures[f"{name}_{figure}"] for name in names]))
        for figure in ("log_loss", "no_skill_log_loss")
    }


def _probabilities(network: nn.Module, items: Sequence[Item]) -> npt.NDArray[np.float64]:
    device = next(network.parameters()).device
    batch = {name: value.to(device) for name, value in stack_items(items).items()}
    with torch.no_grad():
        logits = network(sight_of(batch))
    return logits.float().softmax(-1).cpu().numpy().astype(np.float64)
