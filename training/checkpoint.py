"""Checkpoints that are whole or absent: temporary file, fsync, rename."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lightning.fabric import Fabric

_NAME = "checkpoint.ckpt"


def save_checkpoint(fabric: Fabric, run: Path, state: dict[str, Any], step: int) -> None:
    """Write ``state`` and the number of finished steps; a kill leaves the old file or the new."""
    temporary = run / f"{_NAME}.part"
    fabric.save(temporary, {**state, "step": step})
    if fabric.is_global_zero:
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(run / _NAME)
    fabric.barrier()


def load_checkpoint(fabric: Fabric, run: Path, state: dict[str, Any]) -> int:
    """Fill ``state`` from the checkpoint in ``run``; return the finished steps, 0 where there is none."""
    path = run / _NAME
    if not path.exists():
        return 0
    rest = fabric.load(path, state)
    return int(rest["step"])
