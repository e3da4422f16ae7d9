"""What a loss needs: an input of the law, or the least compute, for one fit or for an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.finding import Finding
from jaxscale.intervals import Band, Interval, Sample, band
from jaxscale.intervals.lines import line_through

if TYPE_CHECKING:
    from jaxscale.laws import Law

SHOWN = 3


@dataclass(frozen=True, repr=False)
class Solution:
    """What reaches each of several losses.

    Attributes
    ----------
    law, coefs
        The law, and the coefs of the point fit, name → value.
    loss
        (k,), of what the law gives.
    name
        What was solved for.
    inputs
        What was given, (k,) each.
    arrays
        What was solved for and the sizes that follow, by name, (k,) for one set of coefs and (R, k) for an ensemble:
        infinite where the loss is never reached, NaN where it always is and for replicates that are not usable.
    at_point
        The solution of the point fit, None for one set of coefs.
    findings
        What is worth knowing about it.

    Examples
    --------
    >>> needed = js.solve_for(ensemble, loss=[2.5, 3.0])
    >>> needed.name, needed.point.value.round(-6)
    ('params', array([9.40e+08, 2.11e+08]))
    """

    law: Law
    coefs: Mapping[str, float]
    loss: np.ndarray
    name: str
    inputs: Mapping[str, np.ndarray]
    arrays: Mapping[str, np.ndarray]
    at_point: Solution | None = None
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        at = self.point
        pairs = zip(at.loss.ravel().tolist(), at.value.ravel().tolist(), strict=True)
        losses = ", ".join(f"loss {loss:.5g} at {amount:.4g} {self.name}" for loss, amount in list(pairs)[:SHOWN])
        more = f" and {at.loss.size - SHOWN} more" if at.loss.size > SHOWN else ""
        ensemble = "" if self.at_point is None else f", {len(self.value):,} replicates"
        return f"<Solution {self.law.name}: {losses}{more}{ensemble}>"

    @property
    def value(self) -> np.ndarray:
        """What was solved for, (k,) or (R, k)."""
        return self.arrays[self.name]

    @property
    def point(self) -> Solution:
        """The solution of the point fit."""
        return self if self.at_point is None else self.at_point

    def interval(self, name: str, *, level: float = 0.95, method: Interval | str = "percentile") -> Band | None:
        """Return the band of an array, infinite where the loss is never reached.

        Parameters
        ----------
        name
            One of `arrays`.
        level, method
            As in `js.band`.

        Returns
        -------
        Band or None
            Of (k,); None without replicates.

        Raises
        ------
        UsageError
            As `js.band`.
        """
        if self.at_point is None:
            return None
        values, point = self.arrays[name], self.at_point.arrays[name]
        return band(Sample(values, point, line=line_through(values, point)), level=level, method=method)
