"""Runs that had no part in a comparison, and the bands that it has of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.intervals import Band
from jaxscale.results.result import Result
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

COMBINED = "combined"
"""Name of the band of all laws by their weights, widened."""


@dataclass(frozen=True)
class HeldOut(Result):
    """Runs beyond those of a comparison, held against the band of all laws together and of each alone.

    Attributes
    ----------
    runs
        The table.
    size
        (m,) of its runs, what the comparison is cut by.
    bands
        `combined`, which is widened by the back-tests, and law → the band of a new run by that law alone; each (m,).
    level
        Of all bands.
    """

    runs: Runs
    size: np.ndarray
    bands: Mapping[str, Band]
    level: float

    def is_inside(self, name: str) -> np.ndarray:
        """Return which losses (m,) lie within a band.

        Parameters
        ----------
        name
            One of `bands`.

        Returns
        -------
        ndarray
            (m,) bool.
        """
        band = self.bands[name]
        return np.asarray((band.lower <= self.runs.loss) & (self.runs.loss <= band.upper))

    def width(self, name: str) -> float:
        """Return the median of ln(upper/lower) of a band.

        Parameters
        ----------
        name
            One of `bands`.

        Returns
        -------
        float
            In ln loss; infinite where the combined band has no end.
        """
        band = self.bands[name]
        return float(np.median(np.log(band.upper) - np.log(band.lower)))

    def __repr__(self) -> str:
        return f"<HeldOut: {len(self.runs)} runs, bands {', '.join(self.bands)}>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run: its size, its loss, and the ends of every band."""
        import pandas as pd

        ends = {f"{name} {end}": getattr(band, end) for name, band in self.bands.items() for end in ("lower", "upper")}
        made = {"size": self.size, "loss": self.runs.loss, **ends}
        return pd.DataFrame(made, index=pd.Index(self.runs.row, name="row"))
