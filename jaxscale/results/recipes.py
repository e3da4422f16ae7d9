"""Recipes side by side: loss at each budget, compute for equal loss, exponents, over the same replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals import Band
from jaxscale.registry import unknown
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.frontier import Frontier
from jaxscale.results.result import Result
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Contrast:
    """What differs between two recipes: one number, the other's less the base's.

    Attributes
    ----------
    name
        A coef of the law, `params exponent` (beta / (alpha + beta)) or `loss exponent` (alpha beta / (alpha + beta)).
    base, other
        Its values.
    band
        Of the difference, over the replicates.
    p_bootstrap
        Twice the smaller share of replicates on one side of no difference, the point fit counted as one of them.
    std, p_wald
        The standard error of the difference by the covariances of the fits, and its two-sided test on Student's
        distribution; None where a fit has none.
    """

    name: str
    base: float
    other: float
    band: Band
    p_bootstrap: float
    std: float | None
    p_wald: float | None

    @property
    def difference(self) -> float:
        """The other's less the base's."""
        return self.other - self.base


@dataclass(frozen=True)
class RecipePair:
    """One recipe beside the base, at b budgets.

    Attributes
    ----------
    base, other
        Their names.
    difference, difference_band
        The other's least loss of a budget less the base's: (b,) of the point fits, and its band.
    share_better
        (b,) share of the replicates in which the other's loss is the lower one.
    multiplier, multiplier_band
        The compute that the other needs for the loss that the base reaches with the budget, over the budget: (b,),
        below 1 where the other is better; infinite where it needs more than 1,000 times as much, or never gets there,
        and 0 where it needs less than a thousandth.
    contrasts
        Differences of coefs and exponents.
    """

    base: str
    other: str
    difference: np.ndarray
    difference_band: Band
    share_better: np.ndarray
    multiplier: np.ndarray
    multiplier_band: Band
    contrasts: tuple[Contrast, ...]

    def contrast(self, name: str) -> Contrast:
        """Return a contrast by its name.

        Parameters
        ----------
        name
            Of a coef, `params exponent` or `loss exponent`.

        Returns
        -------
        Contrast
            The difference with its interval and tests.

        Raises
        ------
        UsageError
            For a name that is none of them.
        """
        known = {one.name: one for one in self.contrasts}
        if name not in known:
            raise UsageError(unknown("contrast", name, tuple(known)))
        return known[name]


@dataclass(frozen=True)
class RecipeComparison(Result):
    """Recipes on one table, each beside the base.

    Attributes
    ----------
    runs
        The table; its groups are the recipes.
    ensembles
        Recipe → its fit and replicates; replicate r of all of them is one draw.
    frontiers
        Recipe → its frontier at the budgets.
    floor
        `free`, `shared`, or the value at which it was held.
    base
        The recipe beside which the others stand.
    pairs
        One per other recipe.
    budgets
        (b,) FLOP.
    is_paired, pairing
        Whether a replicate draws one set of design points for all recipes, and that in words.
    left_out
        Runs without a finite loss or a weight, which have no part in it.
    level, replicates, seed
        Of the bands and of the resampling.

    Examples
    --------
    >>> names = np.repeat(["old", "new"], 15)
    >>> table = js.simulate("kaplan-flops", {"C_c": 1e20, "alpha_C": 0.05}, columns={"flops": np.geomspace(
    ...     1e17, 1e20, 30)}, noise=0.01, seed=1)
    >>> both = js.Runs.from_arrays(loss=table.loss, flops=table["flops"], group=names)
    >>> found = js.compare_recipes(both, "kaplan-flops", base="old", replicates=64, budgets=[1e20])
    >>> found.pairs[0].other, found.is_paired
    ('new', False)
    """

    runs: Runs
    ensembles: Mapping[str, Ensemble]
    frontiers: Mapping[str, Frontier]
    floor: str | float
    base: str
    pairs: tuple[RecipePair, ...]
    budgets: np.ndarray
    is_paired: bool
    pairing: str
    left_out: int
    level: float
    replicates: int
    seed: int

    def __repr__(self) -> str:
        told = "; ".join(
            f"{one.other} ×{one.multiplier[0]:.3g} compute at {self.budgets[0]:.3g} FLOP" for one in self.pairs
        )
        return f"<RecipeComparison beside {self.base}: {told}, floor {self.floor}, seed {self.seed}>"

    @property
    def has_floor(self) -> bool:
        """Whether the law has a coef E."""
        return "E" in self.ensembles[self.base].fit.coefs

    @property
    def is_trustworthy(self) -> bool:
        """Whether every fit is a minimum, and at least half of its replicates are usable."""
        return all(one.fit.is_usable and float(np.mean(one.usable)) >= 0.5 for one in self.ensembles.values())

    def to_frame(self) -> pd.DataFrame:
        """Return one row per other recipe and budget: loss difference, share_better and multiplier with their limits.

        Returns
        -------
        DataFrame
            Indexed by recipe and flops.
        """
        import pandas as pd

        rows = []
        for one in self.pairs:
            for at, flops in enumerate(self.budgets.tolist()):
                row: dict[str, object] = {"recipe": one.other, "flops": flops}
                for name, point, band in (
                    ("difference", one.difference, one.difference_band),
                    ("multiplier", one.multiplier, one.multiplier_band),
                ):
                    row |= {name: point[at], f"{name}_low": band.lower[at], f"{name}_high": band.upper[at]}
                rows.append(row | {"share_better": one.share_better[at]})
        return pd.DataFrame(rows).set_index(["recipe", "flops"])
