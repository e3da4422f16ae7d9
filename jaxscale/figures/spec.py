"""The record of a figure: its name, the results that it needs, and the function that composes its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from matplotlib.figure import Figure as Page

from jaxscale.errors import UsageError
from jaxscale.figures.pages import house_style
from jaxscale.intervals import Interval
from jaxscale.results import Ensemble, Fit, Frontier, Study

Need: TypeAlias = Literal["ensemble", "frontier"]

NEEDS_ENSEMBLE = "figure '{name}' needs replicates, but the fit was not bootstrapped; run the fit with replicates first"
NEEDS_FRONTIER = "figure '{name}' needs a frontier; give the budgets at which it is to be computed"


class Compose(Protocol):
    """A function that draws a whole page."""

    def __call__(
        self, fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
    ) -> Page:
        """Return the page; what the figure needs is there."""
        ...


@dataclass(frozen=True)
class Figure:
    """A named figure: title says in one line what it shows.

    needs: the results it cannot do without.   welcomes: those that it draws where they are there.
    """

    name: str
    needs: tuple[Need, ...]
    title: str
    compose: Compose
    welcomes: tuple[Need, ...] = ()

    def make(self, study: Study | Fit) -> Page:
        """Return the figure of a study, or of a fit alone, in the house's style, on a canvas of its own.

        Raises UsageError where something it needs is missing, or where the law has no such picture; the message says
        why.
        """
        study = study if isinstance(study, Study) else Study(study)
        if "ensemble" in self.needs and study.ensemble is None:
            raise UsageError(NEEDS_ENSEMBLE.format(name=self.name))
        if "frontier" in self.needs and study.frontier is None:
            raise UsageError(NEEDS_FRONTIER.format(name=self.name))
        with house_style():
            return self.compose(study.fit, study.ensemble, study.frontier, level=study.level, method=study.interval)
