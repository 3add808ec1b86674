"""From an ensemble's answers to probabilities that mean something, and what they do not rule out.

Temperature and bias per severity: vector scaling (Guo et al., ICML 2017, arXiv:1706.04599). The bias differs
by level: networks are trained on severities in equal numbers, while L1/L2 is seldom narrow.
Prediction sets: split conformal with the least ambiguous sets (Sadinle et al., JASA 2019), never empty and
without gaps.
Strangeness: Mahalanobis distance in the networks' features (Lee et al., NeurIPS 2018, arXiv:1807.03888).
The numbers are fitted by training and kept as buffers, so that a bundle carries them like weights. Own code.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..domain.spine import Level

#: A severity with so much of the probability is never ruled out. Where more than nine of ten answers are
#: right, the answers alone would do as sets, and one of 0.49 beside another of 0.42 would seem sure.
NEVER_RULED_OUT = 1 / 3


@dataclass(frozen=True)
class GradeCalibrationConfig:
    """Sizes of a ``GradeCalibration``.

    Parameters
    ----------
    features
        Length of the features the strangeness is measured in; 0 if it is not measured.
    components
        Directions of greatest variance that are looked at.
    """

    features: int
    components: int = 24


class GradeCalibration(nn.Module):
    """Calibration of one condition group; fresh ones change nothing and rule nothing out."""

    inverse_temperature: Tensor
    bias: Tensor
    least_probability: Tensor
    centre: Tensor
    whitening: Tensor
    usual_distance: Tensor

    def __init__(self, config: GradeCalibrationConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("inverse_temperature", torch.ones(()))
        self.register_buffer("bias", torch.zeros(len(Level), 3))
        self.register_buffer("least_probability", torch.zeros(()))
        self.register_buffer("centre", torch.zeros(config.features))
        self.register_buffer("whitening", torch.zeros(config.components, config.features))
        self.register_buffer("usual_distance", torch.ones(()))

    def forward(self, log_probs: Tensor, levels: Tensor) -> Tensor:
        """Calibrate mean log probabilities, shape (B, 3), of levels by rank, shape (B,) -> (B, 3)."""
        return (log_probs * self.inverse_temperature + self.bias[levels]).softmax(-1)

    def prediction_set(self, probs: Tensor) -> Tensor:
        """Which severities are not ruled out, shape (B, 3) -> bool (B, 3)."""
        least = self.least_probability.clamp(max=NEVER_RULED_OUT)
        kept = (probs >= least) | (probs >= probs.amax(-1, keepdim=True))
        # Normal and severe without moderate between them would make no sense.
        kept[:, 1] |= kept[:, 0] & kept[:, 2]
        return kept

    @property
    def measures_strangeness(self) -> bool:
        """Whether it was fitted to features."""
        return self.config.features > 0

    def distance(self, features: Tensor) -> Tensor:
        """Whitened distance from the training images' centre, shape (B, D) -> (B,)."""
        return ((features - self.centre) @ self.whitening.T).norm(dim=-1)

    def strangeness(self, features: Tensor) -> Tensor:
        """Distance in units of what 99 of 100 training images stay below, shape (B, D) -> (B,)."""
        return self.distance(features) / self.usual_distance
