"""What is drawn over the images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """Which drawings a person wants to see, and how strong the attention is, 0..1."""

    attention: bool = True
    attention_opacity: float = 1.0
    boxes: bool = True
    lines: bool = True
    names: bool = True
