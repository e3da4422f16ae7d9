"""What a fit rests on: the influence of each run, and what the residuals have left to say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from jaxscale.finding import Finding
from jaxscale.results.fit import Fit
from jaxscale.results.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Influence:
    """What leaving out each of k units does: a unit is a row, or all rows of one group.

    Attributes
    ----------
    names
        (k,) what the table calls them; else their numbers.
    rows
        For each its rows, numbered as in `Runs.row`.
    studentised
        (k,) residual over its own standard error, without the row for `squared`; of a group the largest in size. NaN
        where a row fixes a coef alone.
    leverage
        (k,) of least squares; of a group the sum.
    share
        (k,) of the objective.
    coefs
        Name → (k,) the coef without the unit by one step of Gauss and Newton, NaN where the others do not determine it.
    refitted
        Name → (k,) the coef of a fit without the unit, NaN where it was not made, or is no minimum.
    params, tokens_per_param, loss
        (k,) at the target budget, of refitted; empty where the law has no frontier.
    one_step
        (k,) params at the target budget of `coefs`; empty likewise.
    distance
        (k,) by how many standard errors leaving it out moves the answer: ln params at the target, or where there is no
        frontier the coefs, as a root mean square. Of the refit where there is one.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    studentised: np.ndarray
    leverage: np.ndarray
    share: np.ndarray
    coefs: Mapping[str, np.ndarray]
    refitted: Mapping[str, np.ndarray]
    params: np.ndarray
    tokens_per_param: np.ndarray
    loss: np.ndarray
    one_step: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class Removal:
    """The fit without the worst units together.

    Attributes
    ----------
    names, rows
        Of the units, in the order in which they were chosen.
    coefs
        Name → number, refitted.
    params, tokens_per_param, loss
        At the target budget; NaN where the law has no frontier.
    distance
        As in `Influence`, in standard errors of this fit.
    chance
        What `distance` would be for the most influential of as many units with normal errors.
    """

    names: tuple[str, ...]
    rows: tuple[int, ...]
    coefs: Mapping[str, float]
    params: float
    tokens_per_param: float
    loss: float
    distance: float
    chance: float


@dataclass(frozen=True)
class ResidualTest:
    """Whether the residuals, or their size, still depend on something.

    Attributes
    ----------
    name
        A column, or a term such as "ln flops" or "(ln tokens_per_param)²".
    kind
        `column`, that the law does not take; `trend` in the sizes; `spread`, of the size of the residuals over these;
        or `tails`, of residuals that the objective takes as normal.
    slope, std
        Of the residual target less prediction, adjusted for the coefs; of `spread`, the relative change of the typical
        size for each e-fold; of `tails`, the excess kurtosis.
    t
        slope / std.
    threshold
        Size of t beyond which chance is no explanation, allowing for all tests of the kind.
    effect
        Relative change of the loss predicted at the target if the law had this term; NaN but for `trend`, and where
        the law has no frontier.
    """

    name: str
    kind: Literal["column", "trend", "spread", "tails"]
    slope: float
    std: float
    t: float
    threshold: float
    effect: float = math.nan

    @property
    def is_found(self) -> bool:
        """Whether t lies beyond the threshold."""
        return abs(self.t) > self.threshold


@dataclass(frozen=True)
class Identified:
    """What the runs say about one quantity of the answer, by the delta method.

    Attributes
    ----------
    name
        `params`, `tokens`, `tokens_per_param` or `loss`, at the target budget.
    value
        Of the fit.
    std
        Standard error of its logarithm, by whole groups where these were left out; NaN where the fit has none.
    low, high
        Limits at 95 %, by Student's quantile.
    is_identified
        Whether both limits lie near: within a factor of 3, of the loss within 10 %.
    """

    name: str
    value: float
    std: float
    low: float
    high: float
    is_identified: bool


@dataclass(frozen=True)
class Alternative:
    """Another minimum of the same objective, and what it would recommend.

    Attributes
    ----------
    excess
        Its objective over the fit's, less one.
    starts
        How many starts ended there.
    coefs
        Name → number.
    params, tokens_per_param, loss
        At the target budget; NaN where the law has no frontier.
    is_plausible
        Whether errors of the size of the residuals leave it open, by a likelihood ratio at 99 %.
    """

    excess: float
    starts: int
    coefs: Mapping[str, float]
    params: float
    tokens_per_param: float
    loss: float
    is_plausible: bool


@dataclass(frozen=True)
class Diagnosis(Result):
    """What a fit rests on, and what its residuals say, as data; made by `js.diagnose`.

    Attributes
    ----------
    fit
        The fit.
    flops
        The target budget, FLOP; None where no compute is known.
    unit
        What was left out at a time: `row` or `group`.
    params, tokens_per_param, loss
        The answer at the target, of all runs; NaN where the law has no frontier.
    influence
        Of each unit.
    removals
        The worst 1, 2, … units together.
    tests
        Of columns, trends, spread and tails.
    quantities
        What the answer at the target consists of, and how well the runs determine each; none without a frontier.
    weakest, weakest_std
        The direction in which the coefs are known worst, in words, and its standard error on the real line; None where
        the fit has no covariance.
    alternatives
        The other minima that starts reached, lowest first.
    run_correlation
        Intraclass correlation of the residuals of one group; None without groups.
    group_width
        Name → standard error by whole groups over that by single rows, of each coef that was fitted and of `params` at
        the target; empty without groups.
    times_measured
        The target over the largest measured compute; None where that is not known.
    floor_share
        E over the predicted loss at the target; None where the law has no coef E that was fitted.
    floor_pull
        Change of ln params at the target when E is one standard error higher and the other coefs follow; None likewise.
    findings
        What is worth knowing, those of the fit and of the frontier at the target included.

    Examples
    --------
    >>> found = js.diagnose(fit)
    >>> print(found.unit, len(found.to_frame()), [one.code for one in found.findings])
    row 30 ['simulated-data']
    """

    fit: Fit
    flops: float | None
    unit: Literal["row", "group"]
    params: float
    tokens_per_param: float
    loss: float
    influence: Influence
    removals: tuple[Removal, ...]
    tests: tuple[ResidualTest, ...]
    quantities: tuple[Identified, ...]
    weakest: str | None
    weakest_std: float | None
    alternatives: tuple[Alternative, ...]
    run_correlation: float | None
    group_width: Mapping[str, float]
    times_measured: float | None
    floor_share: float | None
    floor_pull: float | None
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        codes = ", ".join(one.code for one in self.findings) or "nothing stands out"
        return f"<Diagnosis {self.fit.law.name}: each {self.unit} of {len(self.fit.runs)} runs left out; {codes}>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per unit, the most influential first: residual, leverage, and all answers without it.

        Columns of coefs are those of the refit; `one_step_` stands before those of the one-step formula.
        """
        import pandas as pd

        own = self.influence
        columns: dict[str, object] = {
            "rows": list(own.rows), "studentised": own.studentised, "leverage": own.leverage, "share": own.share,
            "distance": own.distance, **own.refitted,
            **{f"one_step_{name}": column for name, column in own.coefs.items()},
        }  # fmt: skip
        if len(own.params):
            columns |= {"params": own.params, "tokens_per_param": own.tokens_per_param, "loss": own.loss}
            columns["one_step_params"] = own.one_step
        frame = pd.DataFrame(columns, index=pd.Index(list(own.names), name=self.unit))
        return frame.sort_values("distance", ascending=False, kind="stable", na_position="last")
