"""Regret: what a plan loses beside the one that would be best, under every draw of the coefs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals.band import check_level
from jaxscale.registry import unknown
from jaxscale.results.result import Result

if TYPE_CHECKING:
    import pandas as pd

Measure: TypeAlias = Literal["nats", "flops", "dollars"]
MEASURES: tuple[Measure, ...] = ("nats", "flops", "dollars")
NO_PRICE = "regret in dollars needs dollars_per_flop="


@dataclass(frozen=True)
class Regret(Result):
    """What one plan costs under every draw beyond the draw's own best plan.

    Attributes
    ----------
    params, tokens
        Of the plan.
    inputs
        Name of each further input that was chosen → its value.
    loss
        (R,) under each draw, in the law's unit.
    nats
        (R,) loss beyond that of the draw's best plan.
    flops
        (R,) FLOP of the limits that the plan wastes: what it uses beyond the least that reaches its loss; NaN where
        none was found.
    dollars
        (R,) the same in money; None where no price was given.
    weight
        (R,) of the draws, of sum one.
    exceeded
        Names of limits that the plan does not keep to.
    """

    params: float
    tokens: float
    inputs: Mapping[str, float]
    loss: np.ndarray
    nats: np.ndarray
    flops: np.ndarray
    dollars: np.ndarray | None
    weight: np.ndarray
    exceeded: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Regret of {self.params:.4g} params, {self.tokens:.4g} tokens: {self.expected()[0]:.3g} nats expected>"

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per measure: the expected regret, its Monte-Carlo error, and quantiles over the draws.

        Parameters
        ----------
        level
            The share of the draws between the quantiles.

        Returns
        -------
        DataFrame
            Columns expected, error, low and high.

        Raises
        ------
        UsageError
            For a level outside (0, 1).
        """
        import pandas as pd

        rows = {one: (*self.expected(one), *self.interval(one, level=level)) for one in self.measures}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["expected", "error", "low", "high"])

    @property
    def measures(self) -> tuple[Measure, ...]:
        """In what there is regret: dollars only where there is a price."""
        return MEASURES if self.dollars is not None else MEASURES[:-1]

    @property
    def unknown(self) -> int:
        """Under how many draws the FLOP that are wasted are not known; their means rest on the others."""
        return int(np.sum(~np.isfinite(self.flops)))

    def draws(self, measure: Measure = "nats") -> np.ndarray:
        """Return the regret under each draw.

        Parameters
        ----------
        measure
            `nats`, `flops` or `dollars`.

        Returns
        -------
        ndarray
            (R,).

        Raises
        ------
        UsageError
            For another measure, and for dollars without a price.
        """
        if measure not in MEASURES:
            raise UsageError(unknown("measure", measure, MEASURES))
        if measure == "dollars" and self.dollars is None:
            raise UsageError(NO_PRICE)
        found: np.ndarray = getattr(self, measure)
        return found

    def expected(self, measure: Measure = "nats") -> tuple[float, float]:
        """Return the mean over the draws, and its Monte-Carlo standard error.

        Parameters
        ----------
        measure
            `nats`, `flops` or `dollars`; draws without a number do not count.

        Returns
        -------
        tuple
            Two numbers; NaN where no draw has one.
        """
        return mean_of(self.draws(measure), self.weight)

    def interval(self, measure: Measure = "nats", *, level: float = 0.95) -> tuple[float, float]:
        """Return between which two numbers the regret of a share `level` of the draws lies.

        Parameters
        ----------
        measure
            `nats`, `flops` or `dollars`.
        level
            The share, above 0 and below 1.

        Returns
        -------
        tuple
            Two numbers.
        """
        check_level(level)
        ends = quantiles_of(self.draws(measure), self.weight, ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
        return float(ends[0]), float(ends[1])

    def beats(self, other: Regret) -> tuple[float, float]:
        """Return the share of the draws in which the plan's loss is below another's, and its Monte-Carlo error.

        Parameters
        ----------
        other
            The other plan's, under the same draws.

        Returns
        -------
        tuple
            Two numbers.
        """
        return mean_of((self.loss < other.loss).astype(np.float64), self.weight)


@dataclass(frozen=True)
class RegretCurve:
    """Regret against size, with the most tokens that the limits leave: params and tokens (k,), nats (R, k)."""

    params: np.ndarray
    tokens: np.ndarray
    nats: np.ndarray


def mean_of(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return the mean of values (R,) under weights (R,), and its Monte-Carlo standard error; NaN ones do not count."""
    is_there = np.isfinite(values)
    if not is_there.any():
        return float("nan"), float("nan")
    values, weight = values[is_there], weight[is_there] / weight[is_there].sum()
    mean = float(np.clip(np.sum(weight * values), values.min(), values.max()))  # rounding must not lead beyond them
    return mean, float(np.sqrt(np.sum(weight**2 * (values - mean) ** 2)))


def quantiles_of(values: np.ndarray, weight: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Return quantiles of values (R,) under weights (R,); NaN ones do not count."""
    is_there = np.isfinite(values)
    if not is_there.any():
        return np.full(len(shares), np.nan)
    found: np.ndarray = np.quantile(values[is_there], shares, weights=weight[is_there], method="inverted_cdf")
    return found
