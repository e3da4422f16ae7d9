"""Several laws on one table, each fitted to the runs of little compute and judged on the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.costs.training import decided
from jaxscale.errors import UsageError
from jaxscale.intervals import Band
from jaxscale.intervals.band import check_level
from jaxscale.results.backtest import LawScore, spread_of
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.mixtures import Predictive, quantile_of
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

SHORTEST = float(np.log(2.0))
"""Least distance ln(C/C_cut) that a widening is measured in: a run just above a cut-off is an extrapolation too."""
INPUT_MISSING = "predict needs {missing} too: an input of '{law}', which has a weight of {weight:.3g}"


@dataclass(frozen=True)
class Comparison:
    """Laws on one table, the one that extrapolates best first.

    Attributes
    ----------
    runs, flops
        The table, and the compute (n,) by which it was cut.
    cuts
        (c,) the cut-offs, FLOP.
    scores
        One per law, by increasing root mean square error of the runs held out.
    failed
        Name of a law that could not be compared → why.
    left_out
        Cut-off → why no law was compared at it.
    level, replicates, seed
        Of limits, and of the resampling, the same at each cut-off as for all runs.

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> found
    <Comparison of 1 law on 2 cut-offs: pure-power-params 0.0..., seed 0>
    >>> found.weights
    (1.0,)
    """

    runs: Runs
    flops: np.ndarray
    cuts: np.ndarray
    scores: tuple[LawScore, ...]
    failed: Mapping[str, str]
    left_out: Mapping[float, str]
    level: float
    replicates: int
    seed: int

    def __repr__(self) -> str:
        laws = ", ".join(f"{one.law.name} {one.root_mean_square:.3g}" for one in self.scores)
        count = f"{len(self.scores)} law{'s' * (len(self.scores) != 1)}"
        return f"<Comparison of {count} on {len(self.cuts)} cut-offs: {laws}, seed {self.seed}>"

    @property
    def best(self) -> LawScore:
        """The law of the least root mean square error."""
        return self.scores[0]

    @property
    def weights(self) -> tuple[float, ...]:
        """The stacking weights, for `js.decide(comparison.ensembles, weights=comparison.weights, …)`."""
        return tuple(one.weight for one in self.scores)

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """The replicates of each law on all runs."""
        return tuple(one.ensemble for one in self.scores)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per law: weight, scores on the runs held out, and Akaike's criterion on all."""
        import pandas as pd

        rows = {
            one.law.name: {
                "weight": one.weight,
                "root_mean_square": one.root_mean_square,
                "mean_error": one.mean_error,
                "coverage": one.coverage[0],
                "coverage_error": one.coverage[1],
                "log_score": one.log_score,
                "compute_error": one.compute_error,
                "regret": one.regret,
                "aic": one.aic,
                "aicc": one.aicc,
            }
            for one in self.scores
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("law")

    def widening(self, level: float = 0.95) -> float:
        """Return by how much, in ln loss per unit of ln(C/C_cut), limits are widened to hold their share in back-tests.

        The combined limits of every run held out, at its cut-off and by the stacking weights, are held against what was
        measured; by how much it lies outside, over the distance extrapolated, is the score of which the conformal
        quantile is taken.   Source: Romano et al. 2019, arXiv 1905.03222, with a scale for the score.

        Parameters
        ----------
        level
            Share of the runs that limits should hold, above 0 and below 1.

        Returns
        -------
        float
            Never below 0; infinite where fewer runs were held out than the level needs.
        """
        check_level(level)
        beyond = np.sort(self._beyond(level))
        place = int(np.ceil((len(beyond) + 1) * level)) - 1
        return float("inf") if place >= len(beyond) else max(0.0, float(beyond[place]))

    def predict(self, *, level: float = 0.95, is_widened: bool = True, **columns: ArrayLike) -> Band:
        """Return the combined band of the loss of a new run, over the draws of all laws by their weights.

        Parameters
        ----------
        level
            Share of new runs that the band should hold, above 0 and below 1.
        is_widened
            Whether it is widened by what the back-tests show, in proportion to how far beyond all runs in compute a new
            one lies, and as if by a factor of two at least.
        **columns
            Params and tokens, or other inputs of the laws, numbers or arrays of one shape; compute is 6 N D.

        Returns
        -------
        Band
            Of the shape of the columns; its centre is the median.

        Raises
        ------
        UsageError
            For an input that is lacking, and a level outside (0, 1).

        Examples
        --------
        >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
        >>> wide = found.predict(params=1e10, tokens=1e10, level=0.8)
        >>> plain = found.predict(params=1e10, tokens=1e10, level=0.8, is_widened=False)
        >>> bool(wide.lower <= plain.lower < plain.upper <= wide.upper)
        True
        """
        check_level(level)
        given = {**columns, **decided(columns)}
        arrays = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in given.values()))
        flat = {name: array.ravel() for name, array in zip(given, arrays, strict=True)}
        parts = [self._predictive(one, flat) for one in self.scores if one.weight > 0]
        weights = np.array([one.weight for one in self.scores if one.weight > 0])
        ends = [quantile_of(parts, weights, share) for share in (0.5 * (1 - level), 0.5, 0.5 * (1 + level))]
        if is_widened:
            reach = self.widening(level) * np.maximum(np.log(flat["flops"] / np.nanmax(self.flops)), SHORTEST)
            ends = [ends[0] - reach, ends[1], ends[2] + reach]
        lower, centre, upper = (np.exp(one).reshape(arrays[0].shape) for one in ends)
        used = sum(int(one.ensemble.usable.sum()) for one in self.scores if one.weight > 0)
        total = sum(len(one.ensemble) for one in self.scores if one.weight > 0)
        return Band(lower, centre, upper, level, "combined and widened" if is_widened else "combined", used, total)

    def _predictive(self, score: LawScore, columns: Mapping[str, np.ndarray]) -> Predictive:
        """Return what a law fitted to all runs predicts of new ones."""
        from jaxscale.laws import predict_sets

        law, ensemble = score.law, score.ensemble
        missing = [name for name in law.inputs if name not in columns]
        if missing or "flops" not in columns:
            lacking = ", ".join(missing or ["params and tokens"])
            raise UsageError(INPUT_MISSING.format(missing=lacking, law=law.name, weight=score.weight))
        sets = np.stack([ensemble.coefs[name][ensemble.usable] for name in law.names], axis=1)
        spread, dof = self._spreads[law.name]
        return Predictive(np.log(predict_sets(law, sets, columns)), spread, dof)

    @cached_property
    def _spreads(self) -> dict[str, tuple[float, float]]:
        return {one.law.name: spread_of(one.fit) for one in self.scores}

    def _beyond(self, level: float) -> np.ndarray:
        """Return how far each run held out lies outside the combined limits, over the distance extrapolated."""
        found = []
        for tests in zip(*(one.backtests for one in self.scores), strict=True):
            low, high = (
                quantile_of([one.predictive for one in tests], np.array(self.weights), share)
                for share in (0.5 * (1.0 - level), 0.5 * (1.0 + level))
            )
            target = np.log(tests[0].loss)
            found.append(np.maximum(low - target, target - high) / np.maximum(tests[0].distance, SHORTEST))
        return np.concatenate(found)
