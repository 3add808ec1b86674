"""Garbage is looked for among what comes and goes, not among the libraries."""

from __future__ import annotations

import gc


def spare_collections() -> None:
    """Let no collection of garbage look again at what is there now.

    napari collects whenever a layer goes, which takes half a second once the libraries of the networks are
    there, and a series whose role is taken away has seven layers.
    """
    gc.collect()
    gc.freeze()
