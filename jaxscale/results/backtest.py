"""What one law predicts of runs with more compute than those that it was fitted to, and how far off that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.results.ensemble import Ensemble
from jaxscale.results.fit import Fit
from jaxscale.results.mixtures import Predictive

if TYPE_CHECKING:
    from jaxscale.laws import Law


@dataclass(frozen=True)
class Backtest:
    """One law fitted to the runs up to a cut-off in compute, and what it predicts of those above.

    Attributes
    ----------
    cut
        The cut-off, in FLOP where compute is known.
    fit
        The law on the runs up to it; others have no part in it, and in its table copies of weight zero stand for them.
    rows
        (m,) places of the runs above in the whole table, counted from 0.
    size, loss
        (m,) of these: compute, or the laws' only input, whichever the table is cut by.
    prediction
        (m,) their loss by the fit.
    predictive
        Of the ln loss of these runs: the means of the usable replicates, with Student's errors of the fit's spread.
    low, high
        (m,) limits of a new run's loss, at the comparison's level.
    log_density
        (m,) ln of the density that the predictive gives to what was measured, per unit of ln loss.
    compute
        (m,) error in equivalent compute: ln of how many times the run's compute a run would need, by the law's
        frontier, to gain the loss that prediction and measurement differ by; NaN without a frontier, and for a law with
        an input that no budget decides and that was not given (`at`).
    params
        The size that the fit recommends at the largest measured compute; NaN without a frontier.
    fall
        (m,) by how much ln loss falls from the last run below the cut-off to each, by the fit of a law of one input; 0
        for another.
    regret
        What that size loses there beside the best one, in nats, by the comparison's first law fitted to all runs; NaN
        where either has no frontier.
    """

    cut: float
    fit: Fit
    rows: np.ndarray
    size: np.ndarray
    loss: np.ndarray
    prediction: np.ndarray
    predictive: Predictive
    low: np.ndarray
    high: np.ndarray
    log_density: np.ndarray
    compute: np.ndarray
    params: float
    fall: np.ndarray
    regret: float = float("nan")

    @property
    def errors(self) -> np.ndarray:
        """(m,) ln(prediction) - ln(loss)."""
        return np.asarray(np.log(self.prediction) - np.log(self.loss))

    @property
    def distance(self) -> np.ndarray:
        """(m,) ln of how many times the cut-off each run has in compute, or in what the table is cut by."""
        return np.asarray(np.log(self.size / self.cut))

    @property
    def is_inside(self) -> np.ndarray:
        """(m,) bool: whether the loss lies within its limits."""
        return np.asarray((self.low <= self.loss) & (self.loss <= self.high))


@dataclass(frozen=True)
class LawScore:
    """What one law did on the runs that were held out; a run counts once for every cut-off that it lies above.

    Attributes
    ----------
    fit, ensemble
        The law on all runs.
    backtests
        One per cut-off.
    weight
        The law's share in the mixture that is likeliest on the runs held out (stacking).
    aic, aicc
        Akaike's criterion of the fit to all runs, and corrected for few of them: by normal errors of ln loss, whatever
        the objective, and no judgement of what extrapolates.
    """

    fit: Fit
    ensemble: Ensemble
    backtests: tuple[Backtest, ...]
    weight: float
    aic: float
    aicc: float

    @property
    def law(self) -> Law:
        """The law."""
        return self.fit.law

    @property
    def root_mean_square(self) -> float:
        """Of ln(prediction) - ln(loss)."""
        return float(np.sqrt(np.mean(self._every("errors") ** 2)))

    @property
    def mean_error(self) -> float:
        """Mean of ln(prediction) - ln(loss): above zero, losses came out lower than predicted."""
        return float(np.mean(self._every("errors")))

    @property
    def coverage(self) -> tuple[float, float]:
        """Share of the runs inside their limits, and its binomial standard error, as of independent runs.

        The error is that of one run more on either side, so that it is not zero where all of them are on one.
        """
        inside = self._every("is_inside")
        total = len(inside) + 2
        near = (float(np.sum(inside)) + 1.0) / total
        return float(np.mean(inside)), float(np.sqrt(near * (1.0 - near) / total))

    @property
    def log_score(self) -> float:
        """Mean log density of ln loss."""
        return float(np.mean(self._every("log_density")))

    @property
    def compute_error(self) -> float:
        """Root mean square of the error in equivalent compute, in ln; NaN where that is not known of every run."""
        return float(np.sqrt(np.mean(self._every("compute") ** 2)))

    @property
    def regret(self) -> float:
        """Mean regret over the cut-offs, in nats; NaN where it is not known at every one."""
        return float(np.mean([one.regret for one in self.backtests]))

    def _every(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(one, name) for one in self.backtests])
