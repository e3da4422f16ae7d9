"""How often intervals hold the truth in studies simulated from a fit: each method with its Monte-Carlo error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.provenance import Provenance
from jaxscale.results.fit import Fit
from jaxscale.results.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Held:
    """How often one method's interval held one quantity.

    Attributes
    ----------
    scheme, interval
        The method: how tables were resampled, and how the ends were found.
    quantity
        A coef, or `loss`, `params` or `exponent`: that of the least loss, of its size and of that size in compute.
    flops
        The budget; None for a coef and for the exponent.
    truth
        What the studies were simulated with.
    share
        Of the studies with an interval, in how many it held the truth; NaN without any.
    below, above
        In which shares the truth lay below it and above it.
    studies
        With an interval.
    width
        The median width: upper over lower limit less 1 where both are positive, else their difference.
    refusal
        Why a study had none, of the first that had none; else None.
    """

    scheme: str
    interval: str
    quantity: str
    flops: float | None
    truth: float
    share: float
    below: float
    above: float
    studies: int
    width: float
    refusal: str | None = None

    @property
    def error(self) -> float:
        """The binomial standard error of the share; of 0 or 1, as if one study more had gone the other way."""
        if not self.studies:
            return float("nan")
        share = float(np.clip(self.share, 1.0 / (self.studies + 1.0), 1.0 - 1.0 / (self.studies + 1.0)))
        return float(np.sqrt(share * (1.0 - share) / self.studies))


@dataclass(frozen=True)
class Coverage(Result):
    """What intervals at one level held, in studies that were simulated from a fit on its own runs.

    Attributes
    ----------
    fit
        The truth: its coefs, its runs and its residuals.
    noise
        The scheme that the losses were simulated by.
    level
        What the intervals claim.
    studies, replicates
        How many studies were simulated, and how often each was resampled.
    seed
        What they follow from.
    held
        One entry for each method, quantity and budget.
    failed
        Why studies have no interval of any kind → how many: the status of a fit that is not usable, or a coef without a
        value at a bound.
    unusable
        Scheme → the share of the replicates that are not usable.
    flops
        The budgets (b,), FLOP.
    provenance
        Versions, backend and seconds.

    Examples
    --------
    >>> found = js.coverage(fit, studies=40, replicates=39, intervals=["percentile"], flops=[])
    >>> [one.quantity for one in found.held]
    ['A', 'alpha']
    """

    fit: Fit
    noise: str
    level: float
    studies: int
    replicates: int
    seed: int
    held: tuple[Held, ...]
    failed: Mapping[str, int]
    unusable: Mapping[str, float]
    flops: tuple[float, ...]
    provenance: Provenance

    def __repr__(self) -> str:
        methods = len({(one.scheme, one.interval) for one in self.held})
        return f"<Coverage {self.fit.law.name}: {methods} methods at {100 * self.level:g} %, {self.studies} studies>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per method, quantity and budget.

        Returns
        -------
        DataFrame
            Columns: scheme, interval, quantity, flops (NaN for none), truth, share, error, below, above, studies,
            width and refusal.
        """
        import pandas as pd

        names = ("scheme", "interval", "quantity", "flops", "truth", "share", "error", "below", "above", "studies")
        rows = [{name: getattr(one, name) for name in (*names, "width", "refusal")} for one in self.held]
        return pd.DataFrame(rows, columns=[*names, "width", "refusal"])
