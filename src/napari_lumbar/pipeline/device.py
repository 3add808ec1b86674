"""Which device does the work."""

from __future__ import annotations

import torch

from ..domain.errors import LumbarError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(wanted: str) -> torch.device:
    """``auto`` takes CUDA where there is one.

    Raises
    ------
    LumbarError
        If the name is unknown, or CUDA was asked for and is not there.
    """
    if wanted not in DEVICES:
        raise LumbarError(f"device {wanted!r} is none of {list(DEVICES)}")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise LumbarError(
            "device 'cuda' was asked for, but PyTorch finds no CUDA device; use 'auto' or 'cpu'"
        )
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)
