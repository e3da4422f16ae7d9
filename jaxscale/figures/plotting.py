"""One door to every figure: of a study, and of any other result that has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from jaxscale.errors import UsageError
from jaxscale.figures.coefs import COEFS
from jaxscale.figures.curves import CURVES
from jaxscale.figures.density import DENSITY, density_alone, panels_of_density
from jaxscale.figures.design import draw_design, panels_of_design
from jaxscale.figures.exponents import EXPONENTS, draw_exponents, panels_of_exponents
from jaxscale.figures.frontier import FRONTIER, compose_alone, panels_of_frontier
from jaxscale.figures.groups import GROUPS
from jaxscale.figures.isoflop import ISOFLOP
from jaxscale.figures.isoloss import ISOLOSS
from jaxscale.figures.pages import WIDTHS, Page, Width
from jaxscale.figures.phases import draw_check, panels_of_check
from jaxscale.figures.plan import draw_decision, draw_plan, panels_of_decision, panels_of_plan
from jaxscale.figures.predicted import PREDICTED
from jaxscale.figures.recipes import draw_recipes, panels_of_recipes
from jaxscale.figures.residuals import RESIDUALS
from jaxscale.figures.saving import prepared
from jaxscale.figures.spec import Figure, Panels
from jaxscale.figures.specifications import draw_specifications, panels_of_specifications
from jaxscale.registry import Registry, check_known
from jaxscale.results import (
    Check,
    Comparison,
    Decision,
    Design,
    Diagnosis,
    Ensemble,
    Fit,
    Frontier,
    Plan,
    RecipeComparison,
    SpecificationCurve,
    Studies,
    Study,
)
from jaxscale.results.result import Result

FIGURES: Registry[Figure] = Registry(
    "figure",
    (
        FRONTIER,
        ISOLOSS,
        RESIDUALS,
        COEFS,
        PREDICTED,
        ISOFLOP,
        CURVES,
        GROUPS,
        EXPONENTS,
        DENSITY,
    ),
)

NO_FIGURE = "{kind} has no figure; these have one: {known}"
NOT_AXES = "ax = {ax!r} is no axes of matplotlib; take one of a figure, as in figure, ax = matplotlib.pyplot.subplots()"
PANEL_OF_A_PAGE = "panel = {panel!r} is one panel of a figure, which is drawn into axes: give them, as ax="


@dataclass(frozen=True)
class Drawing:
    """A figure of one result: what makes its page at a width, and what makes its panels."""

    page: Callable[[Width], Page]
    panels: Callable[[], Panels]


def plot(
    result: Result,
    figure: str | None = None,
    *,
    ax: Axes | None = None,
    panel: str | None = None,
    width: Width = "page",
) -> Page | Axes:
    """Return a figure of a result: a page of its own, or one panel of it in axes of yours.

    Parameters
    ----------
    result
        A Study, Fit, Ensemble or Frontier; or a Check, Plan, Decision, Design, Diagnosis, RecipeComparison,
        SpecificationCurve, Comparison or Studies.
    figure
        Of a study, a fit or an ensemble `frontier`, `isoloss`, `residuals`, `coefs`, `predicted`, `isoflop`, `curves`,
        `groups`, `exponents` or `density`; of a frontier `frontier` or `density`; of a specification curve `params`,
        `loss` or `exponents`; others have one figure. None for the first that the result allows.
    ax
        Axes of matplotlib to draw into. Nothing else of their figure is touched, and there is no caption.
    panel
        With `ax`, which panel of the figure, as `loss` of a frontier, or `alpha` of the coefs; None for the first.
    width
        Of the page in print: `column`, 3.25 inches, or `page`, 6.75. Text has 8 points at either; panels that have no
        room beside one another stand in a column.

    Returns
    -------
    Figure or Axes
        Without `ax` a figure of matplotlib, made without pyplot, which a notebook shows and `savefig` writes; with it,
        these axes.

    Raises
    ------
    UsageError
        For a result without a figure, an unknown name or width, what is no axes, and a figure that needs what the
        result does not have.

    Examples
    --------
    >>> page = js.plot(fit, "residuals")
    >>> page.savefig("residuals.png")
    >>> js.plot(ensemble, "coefs", ax=page.axes[0], panel="alpha") is page.axes[0]
    True
    """
    check_known("width", width, WIDTHS)
    drawing = _drawing(result, figure)
    if ax is None:
        if panel is not None:
            raise UsageError(PANEL_OF_A_PAGE.format(panel=panel))
        return drawing.page(width)
    if not isinstance(ax, Axes):
        raise UsageError(NOT_AXES.format(ax=ax))
    panels = drawing.panels()
    if panel is not None:
        check_known("panel", panel, panels)
    panels[panel or next(iter(panels))](ax)
    return ax


def _drawing(result: Result, figure: str | None) -> Drawing:
    """Return the drawing of a result by the name of a figure; raise UsageError where there is none."""
    if isinstance(result, Diagnosis):
        return _drawing(result.fit, figure or RESIDUALS.name)
    if isinstance(result, (Study, Fit, Ensemble)):
        return _of_study(result, figure)
    if isinstance(result, SpecificationCurve):
        answer = _one_of(figure, ("params", "loss", EXPONENTS.name))
        if answer == EXPONENTS.name:
            return _forest(result)
        return Drawing(
            lambda width: draw_specifications(result, "loss" if answer == "loss" else "params", width=width),
            lambda: panels_of_specifications(result, "loss" if answer == "loss" else "params"),
        )
    if isinstance(result, Frontier):
        if _one_of(figure, (FRONTIER.name, DENSITY.name)) == DENSITY.name:
            return Drawing(lambda width: density_alone(result, width=width), lambda: panels_of_density(result))
        return Drawing(lambda width: compose_alone(result, width=width), lambda: panels_of_frontier(result))
    if isinstance(result, (Comparison, Studies)):
        _one_of(figure, (EXPONENTS.name,))
        return _forest(result)
    found = _own(result)
    if found is None:
        kinds = (Study, Fit, Ensemble, Frontier, Check, Plan, Decision, Design, Diagnosis, RecipeComparison)
        known = ", ".join(kind.__name__ for kind in (*kinds, SpecificationCurve, Comparison, Studies))
        raise UsageError(NO_FIGURE.format(kind=type(result).__name__, known=known))
    _one_of(figure, (type(result).__name__.lower(),))
    return found


def _forest(result: Comparison | Studies | SpecificationCurve) -> Drawing:
    return Drawing(lambda width: draw_exponents(result, width=width), lambda: panels_of_exponents(result))


def _own(result: Result) -> Drawing | None:
    """Return the one figure of a result that has one."""
    if isinstance(result, Check):
        return Drawing(lambda width: draw_check(result, width=width), lambda: panels_of_check(result))
    if isinstance(result, Plan):
        return Drawing(lambda width: draw_plan(result, width=width), lambda: panels_of_plan(result))
    if isinstance(result, Decision):
        return Drawing(lambda width: draw_decision(result, width=width), lambda: panels_of_decision(result))
    if isinstance(result, Design):
        return Drawing(lambda width: draw_design(result, width=width), lambda: panels_of_design(result))
    if isinstance(result, RecipeComparison):
        return Drawing(lambda width: draw_recipes(result, width=width), lambda: panels_of_recipes(result))
    return None


def _of_study(result: Study | Fit | Ensemble, figure: str | None) -> Drawing:
    if isinstance(result, Ensemble):
        study, usual = Study(result.fit, result), COEFS.name
    elif isinstance(result, Fit):
        study, usual = Study(result), RESIDUALS.name
    else:
        study, usual = result, RESIDUALS.name if result.frontier is None else FRONTIER.name
    chosen = FIGURES.resolve(figure or usual)
    drawn = prepared(study, chosen)
    return Drawing(lambda width: chosen.make(drawn, width), lambda: chosen.panels(drawn))


def _one_of(name: str | None, known: Sequence[str]) -> str:
    if name is not None:
        check_known("figure", name, known)
    return name or known[0]
