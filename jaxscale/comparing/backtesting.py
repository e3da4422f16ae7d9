"""One law at one cut-off: fitted to the runs below, held against the runs above, and asked for the best size there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.allocation import frontier
from jaxscale.allocation.frontier import has_frontier
from jaxscale.allocation.inputs import run_columns
from jaxscale.allocation.slopes import loss_slopes
from jaxscale.comparing.cutting import below, only
from jaxscale.costs.training import fixed_inputs
from jaxscale.errors import RunsError
from jaxscale.fitting import fit
from jaxscale.laws import Law, predict_sets, predict_with
from jaxscale.objectives import Objective
from jaxscale.refitting.bootstrap import resample
from jaxscale.resampling import Scheme
from jaxscale.results import Backtest, Ensemble, Fit, Frontier
from jaxscale.results.mixtures import Predictive, quantile_of
from jaxscale.results.spread import spread_of
from jaxscale.runs import Runs

BUDGETS = 33
"""Of a frontier from a cut-off to the largest compute; one number for all, so that they share a program."""
LEAST_SHARE = 0.5
"""Share of the replicates that must be usable."""

NO_MINIMUM = "the fit to {rows} runs is no minimum: {status}"
FEW_USABLE = "of the fit to {rows} runs only {usable} of {total} replicates are usable"
NO_LOSS = "it predicts no positive, finite loss for {count} of the runs above"


@dataclass(frozen=True)
class Asked:
    """What is the same for all laws and cut-offs.

    along: what the table is cut by, compute (flops) or the laws' only input.   size: (n,) that of the runs.   is_known:
    (n,) runs that count and have a loss.   fixed: inputs that no budget decides.
    """

    runs: Runs
    along: str
    size: np.ndarray
    is_known: np.ndarray
    objective: Objective
    scheme: Scheme
    replicates: int
    seed: int
    level: float
    fixed: Mapping[str, float]
    device: str

    @property
    def most(self) -> float:
        """The largest size that was measured."""
        return float(self.size[self.is_known].max())


def fitted_to(law: Law, rows: np.ndarray, asked: Asked) -> Ensemble:
    """Return the replicates of a law on these rows (k,) alone; raise RunsError, with the reason, where it fails."""
    whole = len(rows) == len(asked.runs)
    table = asked.runs if whole else only(asked.runs, rows)
    found = fit(table, law, objective=asked.objective, device=asked.device)
    if not found.is_usable:
        raise RunsError(NO_MINIMUM.format(rows=len(rows), status=found.status))
    made = resample(found, scheme=asked.scheme, replicates=asked.replicates, seed=asked.seed, device=asked.device)
    usable = int(made.usable.sum())
    if usable < max(1.0, LEAST_SHARE * len(made)):
        raise RunsError(FEW_USABLE.format(rows=len(rows), usable=f"{usable:,}", total=f"{len(made):,}"))
    return made


def backtest(law: Law, cut: float, asked: Asked) -> Backtest:
    """Return what a law fitted to the runs up to a cut-off says of those above; raise JaxscaleError where it fails."""
    is_below = below(asked.size, cut)
    made = fitted_to(law, np.flatnonzero(asked.is_known & is_below), asked)
    rows = np.flatnonzero(asked.is_known & ~is_below)
    runs, one = asked.runs, made.fit
    sets = np.stack([made.coefs[name][made.usable] for name in law.names], axis=1)
    columns = {name: runs.columns[name] for name in law.inputs}
    every = predict_with(law, one.coefs, columns)  # of all runs, so that cut-offs share a program
    prediction = every[rows]
    means = predict_sets(law, sets, columns)[:, rows]
    is_loss = np.isfinite(means) & (means > 0)
    is_loss &= np.isfinite(prediction) & (prediction > 0)
    if not is_loss.all():
        raise RunsError(NO_LOSS.format(count=int(np.sum(~is_loss.all(axis=0)))))
    predictive = Predictive(np.log(means), *spread_of(one))
    ends = (0.5 * (1.0 - asked.level), 0.5 * (1.0 + asked.level))
    low, high = (np.exp(quantile_of([predictive], np.ones(1), share)) for share in ends)
    loss, size = runs.loss[rows], asked.size[rows]
    front = frontier_between(one, cut, asked)
    places = np.flatnonzero(asked.is_known & is_below)
    last = places[np.argmax(asked.size[places])]
    return Backtest(
        cut=cut,
        fit=one,
        rows=rows,
        size=size,
        fall=_fall(law, every[last], prediction),
        loss=loss,
        prediction=prediction,
        predictive=predictive,
        low=low,
        high=high,
        log_density=predictive.log_density(np.log(loss)),
        compute=_equivalent(front, size, prediction - loss),
        params=float("nan") if front is None else float(front.params[-1]),
    )


def _fall(law: Law, start: float, prediction: np.ndarray) -> np.ndarray:
    """Return by how much ln loss falls from the last run below a cut-off (m,); 0 for a law of several inputs."""
    if len(law.inputs) > 1:
        return np.zeros(len(prediction))
    return np.asarray(np.abs(np.log(prediction) - np.log(start)))


def frontier_between(one: Fit, cut: float, asked: Asked) -> Frontier | None:
    """Return the frontier of a fit from a cut-off to the largest compute.

    None for a law that has none, or of which an input that no budget decides is not given: such a law is judged all the
    same by what it predicts.
    """
    needed = fixed_inputs(one.law)
    if asked.along != "flops" or not has_frontier(one.law) or any(name not in asked.fixed for name in needed):
        return None
    return frontier(
        one, flops=np.geomspace(cut, asked.most, BUDGETS), fixed={name: asked.fixed[name] for name in needed}
    )


def with_regret(test: Backtest, reference: Frontier | None, truth: Fit, asked: Asked) -> Backtest:
    """Return a back-test with what its recommended size loses under another fit, whose frontier is the reference."""
    if reference is None or not np.isfinite(test.params) or not np.isfinite(reference.loss[-1]):
        return test
    sizes = {"params": np.array([test.params]), "flops": np.array([asked.most])}
    loss = predict_with(truth.law, truth.coefs, run_columns(truth.law, {**asked.fixed, **sizes}))
    return replace(test, regret=max(0.0, float(loss[0]) - float(reference.loss[-1])))


def _equivalent(front: Frontier | None, flops: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return by how much compute losses (m,) are off at budgets (m,), in ln C, along a frontier; NaN without one."""
    if front is None:
        return np.full(len(flops), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(error / loss_slopes(front.flops, front.loss, flops))
