"""The figures of a bundle: what was measured, on how many, how sure it is, and what was aimed at."""

from .schema import FIGURES_FILE, Figure, FigureMaker, load_figures, save_figures

__all__ = ["FIGURES_FILE", "Figure", "FigureMaker", "load_figures", "save_figures"]
