"""The record of a figure: its name, the results that it needs, and the function that composes its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from matplotlib.axes import Axes

from jaxscale.errors import UsageError
from jaxscale.figures.pages import WIDTHS, Page, Width, house_style
from jaxscale.registry import check_known
from jaxscale.results import Fit, Study

Need: TypeAlias = Literal["ensemble", "frontier"]

NEEDS_ENSEMBLE = "figure '{name}' needs replicates, but the fit was not bootstrapped; run the fit with replicates first"
NEEDS_FRONTIER = "figure '{name}' needs a frontier; give the budgets at which it is to be computed"


Panels: TypeAlias = Mapping[str, Callable[[Axes], None]]
"""Name → a function that draws one panel of a page into axes; the first is the one that is drawn unless told."""


class Divide(Protocol):
    """A function that returns what can be drawn into axes of another page."""

    def __call__(self, study: Study) -> Panels:
        """Return the panels; what the figure needs is there."""
        ...


class Compose(Protocol):
    """A function that draws a whole page."""

    def __call__(self, study: Study, *, width: Width) -> Page:
        """Return the page; what the figure needs is there."""
        ...


@dataclass(frozen=True)
class Figure:
    """A named figure: title says in one line what it shows.

    parts: its panels, one by one.   needs: the results it cannot do without.   welcomes: those that it draws where they
    are there.   at_budgets: whether it shows the frontier at the budgets that were asked for, not as a curve.
    """

    name: str
    needs: tuple[Need, ...]
    title: str
    compose: Compose
    parts: Divide
    welcomes: tuple[Need, ...] = ()
    at_budgets: bool = False

    def make(self, study: Study | Fit, width: Width = "page") -> Page:
        """Return the figure of a study, or of a fit alone, in the house's style, on a canvas of its own.

        width: of a column or of a page in print.   Raises UsageError for another one, where something it needs is
        missing, or where the law or the table has no such picture; the message says why.
        """
        study = self._checked(study)
        check_known("width", width, WIDTHS)
        with house_style():
            return self.compose(study, width=width)

    def panels(self, study: Study | Fit) -> Panels:
        """Return the panels of the page, each of which draws into axes as they are; errors as of `make`."""
        return self.parts(self._checked(study))

    def _checked(self, study: Study | Fit) -> Study:
        study = study if isinstance(study, Study) else Study(study)
        if "ensemble" in self.needs and study.ensemble is None:
            raise UsageError(NEEDS_ENSEMBLE.format(name=self.name))
        if "frontier" in self.needs and study.frontier is None:
            raise UsageError(NEEDS_FRONTIER.format(name=self.name))
        return study
