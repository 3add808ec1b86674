"""One file per published system; adding it to ``RECIPES`` adds it to the commands and to the tests."""

from __future__ import annotations

from collections.abc import Mapping

from . import mscan, multistage_mil, multiview_transformer, sequence_efficientnet, three_way
from .recipe import FoldData, Preset, Recipe, Stage

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        multistage_mil.RECIPE,
        sequence_efficientnet.RECIPE,
        three_way.RECIPE,
        mscan.RECIPE,
        multiview_transformer.RECIPE,
    )
}

__all__ = ["RECIPES", "FoldData", "Preset", "Recipe", "Stage"]
