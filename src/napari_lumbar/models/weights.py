"""Weights on disk: safetensors in half precision, checked by SHA-256 before anything is parsed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from ..domain.errors import BundleError


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_weights(network: nn.Module, path: Path) -> str:
    """Write floating-point tensors as float16 and return the file's SHA-256."""
    tensors = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    path.write_bytes(safetensors.torch.save(tensors))
    return file_sha256(path)


def load_weights(network: nn.Module, path: Path, sha256: str) -> None:
    """Fill a network from a file.

    Raises
    ------
    BundleError
        If the file is absent, its SHA-256 differs, it is no safetensors file, a tensor is missing or
        extra, or a value is not finite.
    """
    if not path.is_file():
        raise BundleError(
            f"weights {path.name} are missing from the bundle; install or copy the whole folder"
        )
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise BundleError(
            f"weights {path.name} have SHA-256 {found[:12]}..., bundle.json says {sha256[:12]}...; "
            "the file was altered or cut short, get the bundle again"
        )
    try:
        tensors = safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise BundleError(
            f"weights {path.name} are no safetensors; other files, pickles among them, are never read"
        ) from error
    broken = [name for name, t in tensors.items() if t.is_floating_point() and not torch.isfinite(t).all()]
    if broken:
        raise BundleError(f"weights {path.name} hold values that are not finite in {broken[:3]}")
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise BundleError(f"weights {path.name} do not fit their architecture: {error}") from error
