"""Figures from results, matplotlib only: one figure per file, each drawn on a page of its own without pyplot."""

from jaxscale.figures.design import draw_design
from jaxscale.figures.exponents import draw_exponents
from jaxscale.figures.phases import draw_check
from jaxscale.figures.plan import draw_plan
from jaxscale.figures.plotting import FIGURES, plot
from jaxscale.figures.recipes import draw_recipes
from jaxscale.figures.saving import draw_all, draw_each, save_figure, svg_of, with_curve
from jaxscale.figures.spec import Figure
from jaxscale.figures.specifications import draw_specifications

__all__ = [
    "FIGURES", "Figure", "draw_all", "draw_check", "draw_design", "draw_each", "draw_exponents", "draw_plan",
    "draw_recipes", "draw_specifications", "plot", "save_figure", "svg_of", "with_curve",
]  # fmt: skip
