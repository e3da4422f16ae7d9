"""What every answer does in a notebook: it is drawn, summed up in text, and shown as a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from jaxscale.figures.spec import Axes, Page, Width

ROWS = 30
"""Rows of a table in a notebook at most; of a longer one the first and the last are shown."""


class Result(ABC):
    """A result that can be drawn, summed up, and laid out as a frame.

    Examples
    --------
    >>> isinstance(fit, js.results.Result)
    True
    >>> float(fit.plot(width="column").get_figwidth())
    3.25
    """

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a pandas DataFrame.

        Returns
        -------
        DataFrame
            One row per coef, replicate, budget, run or whatever the result consists of.
        """

    def plot(
        self,
        figure: str | None = None,
        *,
        ax: Axes | None = None,
        panel: str | None = None,
        width: Width = "page",
    ) -> Page | Axes:
        """Return a figure of the result, as `js.plot` does.

        Parameters
        ----------
        figure, ax, panel, width
            As in `js.plot`.

        Returns
        -------
        Figure or Axes
            The page of the figure, which a notebook shows by itself; with `ax`, these axes.

        Raises
        ------
        UsageError
            As `js.plot`.
        """
        figures = import_module("jaxscale.figures")  # a layer above this one
        return figures.plot(self, figure, ax=ax, panel=panel, width=width)

    def summary(self) -> str:
        """Return the result in plain text: the page that its command prints, or its first line and its table.

        Returns
        -------
        str
            Lines without escapes of a terminal.
        """
        return str(import_module("jaxscale.reports").summary_of(self))

    def _repr_html_(self) -> str:
        """Return the first line and the table, for a notebook; every text is escaped."""
        frame = self.to_frame()
        table = frame.to_html(max_rows=ROWS, border=0, escape=True, float_format="{:.6g}".format)
        return f"<div><p>{escape(repr(self))}</p>{table}</div>"


class Sampled(Result):
    """An answer with draws: replicates of coefs, of optima, or of both.

    Examples
    --------
    >>> isinstance(ensemble, js.results.Sampled), isinstance(js.check(runs), js.results.Sampled)
    (True, False)
    """

    def to_xarray(self) -> xarray.DataTree:
        """Return the draws as a tree of data sets in the shape of ArviZ.

        Returns
        -------
        DataTree
            Groups `posterior` (coefs, dims chain and draw), `sample_stats` (objective, status, steps), `frontier`
            (params, tokens, loss, tokens_per_param, dims chain, draw and budget), `observed_data` (loss, dim run) and
            `constant_data` (columns and weight of the runs), those that there are. The one chain holds the usable
            replicates; coordinate `draw` is their number. NaN where a coef, or an optimum, has no value.

        Raises
        ------
        UsageError
            For a result without replicates, and for a jackknife, whose fits are no draws.
        MissingDependencyError
            Without xarray.
        """
        tree: xarray.DataTree = import_module("jaxscale.results.trees").tree_of(self)  # whose classes are of this one
        return tree
