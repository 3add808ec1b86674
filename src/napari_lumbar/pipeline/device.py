"""Which device does the work."""

from __future__ import annotations

import torch

from ..domain.errors import LumbarError

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve_device(wanted: str) -> torch.device:
    """``auto`` takes CUDA where there is one, else the CPU; Apple's MPS has to be asked for by name.

    Raises
    ------
    LumbarError
        If the name is unknown, or the device that was asked for is not there.
    """
    if wanted not in DEVICES:
        raise LumbarError(f"device {wanted!r} is none of {list(DEVICES)}")
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    is_there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not is_there[wanted]:
        name = wanted.upper()
        raise LumbarError(
            f"device {wanted!r} was asked for, but PyTorch finds no {name} device; use 'auto' or 'cpu'"
        )
    return torch.device(wanted)
