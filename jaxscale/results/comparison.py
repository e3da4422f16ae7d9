"""Several laws on one table, each fitted to the runs of little compute and judged on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.costs.training import decided
from jaxscale.errors import UsageError
from jaxscale.intervals import Band
from jaxscale.intervals.band import check_level
from jaxscale.results.backtest import LawScore
from jaxscale.results.calibration import Calibration, WidthParts, calibrated, reach_of
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.mixtures import Predictive, quantile_of
from jaxscale.results.result import Result
from jaxscale.results.spread import spread_of
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

BY_DISTANCE = (0.0, 1.0, 0.0)
"""Factors of the scale within one table: see `Calibration`."""
NO_COMMON_LAW = "the calibration has weights of the laws {laws}, and none of them is in this comparison"
INPUT_MISSING = "predict needs {missing} too: an input of '{law}', which has a weight of {weight:.3g}"


@dataclass(frozen=True)
class Comparison(Result):
    """Laws on one table, the one that extrapolates best first.

    Attributes
    ----------
    runs
        The table.
    along, size
        What it was cut by, and the numbers (n,): `flops`, or the name of the laws' only input.
    cuts
        (c,) the cut-offs, in the unit of `size`.
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
    along: str
    size: np.ndarray
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

        before, after = (
            ("weight", "root_mean_square", "mean_error"),
            ("log_score", "compute_error", "regret", "aic", "aicc"),
        )
        rows = {
            one.law.name: {
                **{name: getattr(one, name) for name in before},
                "coverage": one.coverage[0],
                "coverage_error": one.coverage[1],
                **{name: getattr(one, name) for name in after},
            }
            for one in self.scores
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("law")

    @cached_property
    def calibration(self) -> Calibration:
        """What the back-tests say of how far off the combined median is, each run held out a group of its own.

        A run that lies above several cut-offs is held out several times, and these count as one.
        """
        parts = [self.back_tested(place) for place in range(len(self.cuts))]
        rows = np.concatenate([one.rows for one in self.best.backtests])
        reach = WidthParts.joined([one for one, _, _ in parts])
        error = np.concatenate([error for _, _, error in parts])
        groups = [rows == row for row in np.unique(rows)]
        return calibrated(
            [reach.of(group) for group in groups],
            [error[group] for group in groups],
            tuple(one.law.name for one in self.scores),
            self.weights,
            factors=BY_DISTANCE,
        )

    def back_tested(
        self, place: int, weights: Mapping[str, float] | None = None
    ) -> tuple[WidthParts, np.ndarray, np.ndarray]:
        """Return what the fits to the runs below a cut-off said of those above.

        Parameters
        ----------
        place
            Of the cut-off in `cuts`.
        weights
            Law → weight; the stacking weights without any.

        Returns
        -------
        tuple
            The reach, the combined median (m,) of ln loss, and its error (m,).
        """
        kept = self._weighed(weights)
        tests = [one.backtests[place] for one, _ in kept]
        share = np.array([weight for _, weight in kept])
        fall = np.sum([weight * one.fall for one, weight in zip(tests, share, strict=True)], axis=0)
        reach, centre = reach_of([one.predictive for one in tests], share, tests[0].distance, fall)
        return reach, centre, centre - np.log(tests[0].loss)

    def held_out(self, place: int, *, level: float = 0.95, calibration: Calibration | None = None) -> Band:
        """Return the combined band of the runs above a cut-off, by the fits to those below it.

        Parameters
        ----------
        place
            Of the cut-off in `cuts`.
        level
            Above 0 and below 1.
        calibration
            Of other comparisons; without one, the plain predictive, whose weights are of the very runs above.

        Returns
        -------
        Band
            (m,), in the order of `best.backtests[place].rows`.
        """
        check_level(level)
        weights = None if calibration is None else dict(zip(calibration.laws, calibration.weights, strict=True))
        kept = self._weighed(weights)
        parts, share = [one.backtests[place].predictive for one, _ in kept], np.array([weight for _, weight in kept])
        reach, centre, _ = self.back_tested(place, weights)
        if calibration is None:
            ends = [quantile_of(parts, share, one) for one in (0.5 * (1 - level), 0.5 * (1 + level))]
        else:
            half = calibration.half_width(reach, level)
            ends = [centre - half, centre + half]
        method = "combined" if calibration is None else "calibrated"
        return self._band([np.exp(one) for one in (ends[0], centre, ends[1])], level, method, kept)

    def predict(
        self,
        *,
        level: float = 0.95,
        is_widened: bool = True,
        calibration: Calibration | None = None,
        **columns: ArrayLike,
    ) -> Band:
        """Return the combined band of the loss of a new run, over the draws of all laws by their weights.

        Parameters
        ----------
        level
            Share of new runs that the band should hold, above 0 and below 1.
        is_widened
            Whether it is widened to what the runs held out demand of a run that lies as far beyond all runs in compute,
            and as if by a factor of two at least (`calibration`); it is never narrower than without.
        calibration
            A rule from other comparisons, which then decides limits and weights of the laws in place of this one's.
        **columns
            Params and tokens, or other inputs of the laws, numbers or arrays of one shape; compute is 6 N D
            unless it is given.

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
        given = {**decided(columns), **columns}
        arrays = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in given.values()))
        flat = {name: array.ravel() for name, array in zip(given, arrays, strict=True)}
        kept = self._weighed(
            None if calibration is None else dict(zip(calibration.laws, calibration.weights, strict=True))
        )
        parts, share = [self._predictive(one, flat) for one, _ in kept], np.array([weight for _, weight in kept])
        low, high = (quantile_of(parts, share, one) for one in (0.5 * (1 - level), 0.5 * (1 + level)))
        with np.errstate(divide="ignore"):
            distance = np.log(flat[self.along] / np.nanmax(self.size))
        fall = np.sum([weight * self._fall(one, flat) for one, weight in kept], axis=0)
        reach, centre = reach_of(parts, share, distance, fall)
        method = "combined"
        if calibration is not None:
            half, method = calibration.half_width(reach, level), "calibrated"
            low, high = centre - half, centre + half
        elif is_widened:
            half, method = self.calibration.half_width(reach, level), "combined and widened"
            low, high = np.minimum(low, centre - half), np.maximum(high, centre + half)
        ends = [np.exp(one).reshape(arrays[0].shape) for one in (low, centre, high)]
        return self._band(ends, level, method, kept)

    def _weighed(self, weights: Mapping[str, float] | None) -> list[tuple[LawScore, float]]:
        """Return the laws of some weight with their weights, of sum one; those of other comparisons may lack some."""
        given = {one.law.name: one.weight for one in self.scores} if weights is None else weights
        kept = [(one, given[one.law.name]) for one in self.scores if given.get(one.law.name, 0.0) > 0]
        total = sum(weight for _, weight in kept)
        if not total:
            raise UsageError(NO_COMMON_LAW.format(laws=", ".join(given)))
        return [(one, weight / total) for one, weight in kept]

    def _predictive(self, score: LawScore, columns: Mapping[str, np.ndarray]) -> Predictive:
        """Return what a law fitted to all runs predicts of new ones."""
        from jaxscale.laws import predict_sets

        law, ensemble = score.law, score.ensemble
        missing = [name for name in law.inputs if name not in columns]
        if missing or self.along not in columns:
            lacking = ", ".join(missing or (["params and tokens"] if self.along == "flops" else [self.along]))
            raise UsageError(INPUT_MISSING.format(missing=lacking, law=law.name, weight=score.weight))
        sets = np.stack([ensemble.coefs[name][ensemble.usable] for name in law.names], axis=1)
        spread, dof = self._spreads[law.name]
        return Predictive(np.log(predict_sets(law, sets, columns)), spread, dof)

    def _fall(self, score: LawScore, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return by how much ln loss falls from the last run (m,), for a law of one input; 0 for another."""
        from jaxscale.laws import predict_with

        law = score.law
        if len(law.inputs) > 1:
            return np.zeros(len(columns[self.along]))
        last = {law.inputs[0]: np.append(columns[law.inputs[0]], np.nanmax(self.size))}
        logs = np.log(predict_with(law, score.fit.coefs, last))
        return np.asarray(np.abs(logs[:-1] - logs[-1]))

    @cached_property
    def _spreads(self) -> dict[str, tuple[float, float]]:
        return {one.law.name: spread_of(one.fit) for one in self.scores}

    def _band(self, ends: Sequence[np.ndarray], level: float, method: str, kept: list[tuple[LawScore, float]]) -> Band:
        used = sum(int(one.ensemble.usable.sum()) for one, _ in kept)
        lower, centre, upper = ends
        return Band(lower, centre, upper, level, method, used, sum(len(one.ensemble) for one, _ in kept))
