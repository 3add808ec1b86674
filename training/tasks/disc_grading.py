"""All five severities of a disc in one pass: what a ``MultiviewTransformer`` learns, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...models.multiview_transformer import (
    CONDITIONS,
    N_SEVERITIES,
    MultiviewConfig,
    MultiviewOutput,
    Sight,
)
from ..engine import Batch, stack_items
from ..metrics import severity_figures
from ..rsna.studies import LabelledStudy
from .discs import (
    UNGRADED,
    Disc,
    DiscAugmentation,
    Item,
    Place,
    augmented,
    graded_discs,
    is_seen,
    own_places,
    plain,
)

#: Published shares of the severities' and the level's losses.
GRADE_SHARE, LEVEL_SHARE = 0.8, 0.2
#: Share of what slices say alone, where they are asked; not published.
_SLICE_SHARE = 0.5
#: Discs that are measured at a time.
_CHUNK = 16


def class_weights(discs: Sequence[Disc]) -> Tensor:
    """Of each condition, inversely proportional to how many findings have each severity, shape (5, 3).

    A severity that never occurs weighs as much as if it had occurred once.
    """
    labels = np.stack([disc.labels for disc in discs])
    counts = np.stack([(labels == severity).sum(0) for severity in range(N_SEVERITIES)], axis=1)
    weights = counts.sum(1, keepdims=True) / (N_SEVERITIES * np.maximum(counts, 1))
    return torch.from_numpy(weights.astype(np.float32))


def disc_loss(output: MultiviewOutput, labels: Tensor, levels: Tensor, weights: Tensor) -> dict[str, Tensor]:
    """0.8 of the mean of five weighted cross-entropies, 0.2 of the level's.

    Parameters
    ----------
    labels, levels
        (B, 5) severities or ``UNGRADED``, and (B,) ranks.
    weights
        (5, 3).
    """
    weights = weights.to(labels.device)
    known = [i for i in range(len(CONDITIONS)) if bool((labels[:, i] != UNGRADED).any())]
    each = [
        functional.cross_entropy(output.logits[:, i].float(), labels[:, i], weights[i], ignore_index=UNGRADED)
        for i in known
    ]
    grade = torch.stack(each).mean() if each else output.logits.sum() * 0
    level = functional.cross_entropy(output.level_logits.float(), levels)
    return {"loss": GRADE_SHARE * grade + LEVEL_SHARE * level, "grade": grade, "level": level}


def slice_loss(
    slice_logits: Tensor, visible: Tensor, labels: Tensor, weights: Tensor, places: Sequence[Place | None]
) -> Tensor:
    """Mean weighted cross-entropy of what the slices of the landmarks say alone of their own condition.

    Parameters
    ----------
    slice_logits, visible
        (B, M, S, 5, 3) and (B, M, S).
    places
        Series and slice of each condition's landmark, ``own_places``.
    """
    each = []
    for i, place in enumerate(places):
        if place is None:
            continue
        seen = visible[:, *place] & (labels[:, i] != UNGRADED)
        if bool(seen.any()):
            logits = slice_logits[:, *place, i][seen].float()
            each.append(functional.cross_entropy(logits, labels[:, i][seen], weights[i].to(labels.device)))
    return torch.stack(each).mean() if each else slice_logits.sum() * 0


@dataclass(frozen=True)
class DiscBatches:
    """How many discs are shown at a time.

    Parameters
    ----------
    size
        Discs in a batch.
    annotated_steps, annotated_size
        The first so many batches hold so many discs, and of each nothing but the slices of its landmarks: a
        quarter of the work, and every slice shows what it is labelled with. Straight from whole volumes the
        attention has to find the slices before the encoder knows what to look for.
    """

    size: int
    annotated_steps: int = 0
    annotated_size: int = 0


class DiscTask:
    """Volumes of random discs, moved as the localiser would miss them, some series unseen.

    Parameters
    ----------
    config
        Of the network: which series it may see, and the size of a volume.

    Raises
    ------
    ValueError
        If no disc is graded that the network could see.
    """

    def __init__(
        self,
        studies: Sequence[LabelledStudy],
        config: MultiviewConfig,
        augmentation: DiscAugmentation,
        batches: DiscBatches,
        seed: int,
    ) -> None:
        self._discs = [disc for disc in graded_discs(studies) if is_seen(disc, config)]
        if not self._discs:
            raise ValueError(
                f"none of {len(studies)} studies has a graded disc that {config.roles} show; "
                "look at the points and the series descriptions"
            )
        self._weights = class_weights(self._discs)
        self._config, self._augmentation = config, augmentation
        self._batches, self._seed = batches, seed

    def batch(self, step: int) -> Batch:
        """Volumes (B, M, S, H, W), visible (B, M, S), levels (B,), labels (B, 5)."""
        rng = np.random.default_rng((self._seed, step))
        opening = step < self._batches.annotated_steps
        size = self._batches.annotated_size if opening else self._batches.size
        chosen = (self._discs[i] for i in rng.integers(len(self._discs), size=size))
        return stack_items([augmented(rng, d, self._config, self._augmentation, opening) for d in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The published loss, and that of the slices where they are asked alone."""
        output = network(Sight(batch["volumes"], batch["visible"], batch["levels"]))
        losses = disc_loss(output, batch["labels"], batch["levels"], self._weights)
        if output.slice_logits is None:
            return losses
        slices = slice_loss(
            output.slice_logits, batch["visible"], batch["labels"], self._weights, own_places(self._config)
        )
        return {**losses, "loss": losses["loss"] + _SLICE_SHARE * slices, "slices": slices}


def disc_figures(
    studies: Sequence[LabelledStudy], config: MultiviewConfig
) -> Callable[[nn.Module], Mapping[str, float]]:
    """How well a network grades the discs of studies: mean figures of the five conditions.

    Volumes are cut once and kept in half precision. A condition of which one severity alone occurs has no
    AUROC and is left out of its mean; if that is so of all, the AUROC is 0.5.
    """
    discs = [disc for disc in graded_discs(studies) if is_seen(disc, config)]
    items = [_halved(plain(disc, config)) for disc in discs]
    labels = np.stack([disc.labels for disc in discs]) if discs else np.zeros((0, len(CONDITIONS)), np.int64)

    def measure(network: nn.Module) -> Mapping[str, float]:
        probs = [_probabilities(network, items[i : i + _CHUNK]) for i in range(0, len(items), _CHUNK)]
        return mean_figures(np.concatenate(probs), labels) if probs else {"macro_auroc": 0.5}

    return measure


def mean_figures(probs: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> dict[str, float]:
    """Mean of each figure over the conditions with a label: probabilities (n, 5, 3), labels (n, 5)."""
    known = [(probs[:, i], labels[:, i], labels[:, i] != UNGRADED) for i in range(len(CONDITIONS))]
    each = [severity_figures(p[there], true[there]) for p, true, there in known if there.any()]
    figures = {}
    for name in each[0] if each else ():
        values = [one[name] for one in each if not np.isnan(one[name])]
        figures[name] = float(np.mean(values)) if values else 0.5
    return figures


def _halved(item: Item) -> Item:
    return {**item, "volumes": item["volumes"].astype(np.float16)}


def _probabilities(network: nn.Module, items: Sequence[Item]) -> npt.NDArray[np.float64]:
    """Of some discs, shape (n, 5, 3)."""
    device = next(network.parameters()).device
    batch = {name: value.to(device) for name, value in stack_items(items).items()}
    output = network(Sight(batch["volumes"].float(), batch["visible"], batch["levels"]))
    return output.logits.float().softmax(-1).cpu().numpy().astype(np.float64)
