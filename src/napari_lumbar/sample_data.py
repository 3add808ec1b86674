"""Sample data for napari: a phantom study, made when asked for; no patient is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layer_data import LayerData

SAMPLE_SEED = 7


def phantom_layers() -> list[LayerData]:
    """Return the image layers of a phantom lumbar MR study, the same each time."""
    from .layer_data import role_layers
    from .phantom import make_phantom

    return role_layers(make_phantom(SAMPLE_SEED).study)
