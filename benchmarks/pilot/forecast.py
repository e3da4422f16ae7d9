"""What the fitted runs say of larger ones before these are made: losses and best sizes, with intervals by two methods.

`resampled`: the law refitted to resampled tables, each prediction times the miss of a run drawn from the fit. Runs that
differ in their seed alone are drawn together. `linearised`: the law by least squares, its coefs normal with the
covariance of the linearised fit, and misses of Student's distribution. Neither knows that the law may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

import jaxscale as js
from benchmarks.pilot.network import Shape
from benchmarks.pilot.plan import sizes
from benchmarks.pilot.training import Settings
from jaxscale.engine.programs import coefs_of
from jaxscale.fitting import predict_ensemble
from jaxscale.precision import float64

LAW, LEVEL, REPLICATES, SEED = "chinchilla", 0.90, 4000, 0
METHODS = ("resampled", "linearised")
GRID = 401
"""Sizes between the smallest and the largest of a budget at which its loss is compared."""


@dataclass(frozen=True)
class Limits:
    """A prediction and its interval by each method."""

    value: float
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Forecast:
    """What is predicted of each run, by name, and of the best size of each budget, and the fit it rests on."""

    fit: js.Fit
    losses: Mapping[str, Limits]
    best: Mapping[float, Limits]


def runs_of(rows: Sequence[Mapping[str, str]]) -> js.Runs:
    """Return the rows of a ledger as runs; those of one budget and size are a group."""
    numbers = {name: np.array([float(row[name]) for row in rows]) for name in ("params", "tokens", "flops", "budget")}
    group = np.array([f"{row['budget']} {row['params']}" for row in rows], dtype=object)
    return js.Runs.from_arrays(loss=np.array([float(row["loss"]) for row in rows]), group=group, **numbers)


def forecast(
    runs: js.Runs, asked: Mapping[str, Settings], budgets: Sequence[float], *, replicates: int = REPLICATES
) -> Forecast:
    """Return what runs say of others, by name, and of the best size of budgets.

    Raises ValueError where the fit is no minimum.
    """
    fit, least = js.fit(runs, LAW), js.fit(runs, LAW, objective=js.squared())
    if not (fit.is_usable and least.is_usable):
        raise ValueError(f"the fits ended '{fit.status}' and '{least.status}': nothing is predicted from them")
    ensemble = js.bootstrap(fit, scheme="cluster", replicates=replicates, seed=SEED)
    places = {
        "params": np.array([float(one.shape.params) for one in asked.values()]),
        "tokens": np.array([float(one.tokens) for one in asked.values()]),
    }
    drawn = np.exp(_residuals(fit, (replicates, len(asked))))
    limits = {
        "resampled": _percentiles(predict_ensemble(ensemble, places)[ensemble.usable] * drawn[ensemble.usable]),
        "linearised": _linearised(least, places),
    }
    values = js.predict(fit, **places)
    losses = {
        name: Limits(
            float(values[at]), {method: (float(low[at]), float(high[at])) for method, (low, high) in limits.items()}
        )
        for at, name in enumerate(asked)
    }
    return Forecast(fit, losses, {budget: _best(budget, fit, ensemble, least) for budget in budgets})


def _best(budget: float, fit: js.Fit, ensemble: js.Ensemble, least: js.Fit) -> Limits:
    """Return the best params of a budget in FLOP as they are counted, of which 6 N D is a part that falls with size."""
    line = line_of(budget)
    value = _lowest(line, js.predict(fit, **line))
    resampled = _percentiles(_lowest(line, predict_ensemble(ensemble, line)[ensemble.usable])[:, None])
    theta, covariance = _covariance(least)
    slope, step = np.empty(len(theta)), 1e-4
    for at, unit in enumerate(np.eye(len(theta))):
        ends = [np.log(_lowest(line, _predicted(least.law, theta + sign * step * unit, line))) for sign in (1, -1)]
        slope[at] = (ends[0] - ends[1]) / (2 * step)
    middle = np.log(_lowest(line, js.predict(least, **line)))
    reach = _student(least) * np.sqrt(slope @ covariance @ slope)
    linearised = (float(np.exp(middle - reach)), float(np.exp(middle + reach)))
    return Limits(
        float(value), {"resampled": (float(resampled[0][0]), float(resampled[1][0])), "linearised": linearised}
    )


def line_of(budget: float) -> dict[str, np.ndarray]:
    """Return params and tokens (GRID,) that spend a budget, FLOP per token interpolated between its shapes."""
    shapes: tuple[Shape, ...] = sizes(budget)
    logs = np.log([one.params for one in shapes])
    at = np.linspace(logs[0], logs[-1], GRID)
    cost = np.interp(at, logs, np.log([one.flops_per_token for one in shapes]))
    return {"params": np.exp(at), "tokens": budget / np.exp(cost)}


def _lowest(line: Mapping[str, np.ndarray], losses: np.ndarray) -> np.ndarray:
    """Return the params at which losses (…, GRID) are lowest, by a parabola through the three lowest points."""
    logs = np.log(line["params"])
    at = np.clip(np.argmin(losses, axis=-1), 1, GRID - 2)
    left, middle, right = (np.take_along_axis(losses, (at + side)[..., None], -1)[..., 0] for side in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 0, 0.5 * (left - right) / np.where(bend > 0, bend, 1.0), 0.0)
    return np.exp(logs[at] + np.clip(shift, -1, 1) * (logs[1] - logs[0]))


def _residuals(fit: js.Fit, shape: tuple[int, ...]) -> np.ndarray:
    """Return ln (loss / prediction) drawn from the fit's runs, as large as it is before coefs are fitted to them."""
    spread = np.sqrt(len(fit.runs) / (len(fit.runs) - len(fit.free)))
    return np.random.default_rng(SEED).choice(-fit.residuals * spread, shape)


def _percentiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both limits (k,) of values (R, k)."""
    low, high = np.quantile(values, [0.5 * (1 - LEVEL), 0.5 * (1 + LEVEL)], axis=0)
    return low, high


def _linearised(fit: js.Fit, places: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    theta, covariance = _covariance(fit)
    slope = slopes_of(fit.law, theta, places)
    reach = _student(fit) * np.sqrt(_variance(fit) + np.einsum("ij,jk,ik->i", slope, covariance, slope))
    middle = np.log(js.predict(fit, **places))
    return np.exp(middle - reach), np.exp(middle + reach)


def _covariance(fit: js.Fit) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefs on the real line (p,) and their covariance (p, p): that of linearised least squares."""
    theta = fit.law.theta(fit.coefs)
    slope = slopes_of(fit.law, theta, fit.runs.columns)
    return theta, _variance(fit) * np.linalg.inv(slope.T @ slope)


def slopes_of(law: js.Law, theta: np.ndarray, places: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the derivatives (n, p) of ln loss in the coefs on the real line, theta (p,), at places (n,)."""

    def logs(at: jax.Array) -> jax.Array:
        inputs = [jnp.asarray(places[name]) for name in law.inputs]
        return jnp.log(law.loss(*inputs, **coefs_of(law, tuple(at))))

    with float64():
        return np.asarray(jax.jacfwd(logs)(jnp.asarray(theta)))


def _predicted(law: js.Law, theta: np.ndarray, places: Mapping[str, np.ndarray]) -> np.ndarray:
    coefs = {
        name: float(one.to_coef(np.asarray(at))) for name, one, at in zip(law.names, law.supports, theta, strict=True)
    }
    return js.predict(law, coefs, **places)


def _variance(fit: js.Fit) -> float:
    return float(np.sum(fit.residuals**2) / (len(fit.runs) - len(fit.free)))


def _student(fit: js.Fit) -> float:
    return float(stats.t.ppf(0.5 * (1 + LEVEL), len(fit.runs) - len(fit.free)))
