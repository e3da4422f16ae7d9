"""Approach 1: at every budget the run whose training curve is lowest, and the power laws through those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from jaxscale.approaches.lines import Trend, power_law
from jaxscale.approaches.profiles import run_flops
from jaxscale.errors import RunsError
from jaxscale.finding import Finding
from jaxscale.runs import Runs

SPREAD = 1e-6
"""Relative difference of params within which they are one size."""
BUDGETS = 300
"""Budgets, evenly spread in ln C, at which curves are compared; Hoffmann et al. take 1500."""
LAST = 0.85
"""Share of a run's own compute from which its learning-rate schedule counts as ended."""
DIFFERENT = 0.1
"""Difference between the exponents of the thirds from which a finding says that the line is bent."""

NO_GROUP = "{source}: no training curves: name the column that says which rows are one run (--group COLUMN)"
NO_MINIMA = "{source}: a line needs two sizes that lie between others and are lowest of at least 3 curves somewhere"
MIN_OF_NOISE = (
    "the lowest of {curves:.0f} noisy curves is biased low; what smoothing removed from them is {removed:.2g} % of loss"
)
SCHEDULE = (
    "at {share:.0f} % of the budgets the lowest curve is before the last 15 % of its run: its schedule was made for "
    "more compute, and a run that ends there would be lower"
)
BENT = "the exponent of N is {thirds} in the lower, middle and upper third of the budgets: one power law does not hold"
AT_EDGE = "{count} of {total} budgets left out: fewer than 3 sizes there, or the lowest is the smallest or largest"
SEVERAL_SIZES = "{source}: run '{run}' has {count} sizes from {least:.4g} to {most:.4g} params; a curve is of one size"


@dataclass(frozen=True)
class Envelope:
    """The lowest runs, and the lines through them.

    flops, params, tokens, loss: (b,) at the budgets where the lowest size lies between others.   trend: the lines.
    thirds: (3,) exponents of N in the lower, middle and upper third of the budgets, NaN where a third has no line.
    curvature: second derivative of ln N in ln C of a parabola through all.   curves: how many were compared.
    """

    flops: np.ndarray
    params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray
    trend: Trend
    thirds: np.ndarray
    curvature: float
    curves: int
    findings: tuple[Finding, ...]


def envelope(runs: Runs, *, budgets: int = BUDGETS) -> Envelope:
    """Return the minimum over training curves, and N* and D* as powers of C through it.

    Each group of the table is one run's curve, smoothed so that loss only falls and interpolated in ln C.   Raises
    RunsError for a table without groups, with a group of several sizes, or without minima.   Source: Hoffmann et al.
    2022, §3.1.   Known biases: the minimum of noisy curves is low, and a curve cut short is not a run that ends there.
    """
    if runs.group is None:
        raise RunsError(NO_GROUP.format(source=runs.origin.source))
    curves = curves_of(runs)
    field = Field.of(curves, budgets)
    best, is_found = field.lowest(np.ones((1, len(curves)), bool))
    best, is_found = best[0], is_found[0]
    if len(np.unique(best[is_found])) < 2:
        raise RunsError(NO_MINIMA.format(source=runs.origin.source))
    params, tokens = field.sizes[best], field.tokens[best, np.arange(budgets)]
    flops = np.exp(field.log_flops)
    kept = np.flatnonzero(is_found)
    trend = Trend.through(flops[kept], params[kept], tokens[kept])
    thirds = np.array([power_law(flops[part], params[part]).exponent for part in np.array_split(kept, 3)])
    is_late = field.log_flops[kept] >= np.array([curves[b].log_flops[-1] for b in best[kept]]) + np.log(LAST)
    loss = np.exp(field.log_loss[best[kept], kept])
    return Envelope(
        flops[kept], params[kept], tokens[kept], loss, trend, thirds, _curvature(flops[kept], params[kept]),
        len(curves), _findings(curves, field, kept, thirds, 1.0 - float(is_late.mean())),
    )  # fmt: skip


def envelope_trends(runs: Runs, weight: np.ndarray, *, budgets: int = BUDGETS) -> Trend:
    """Return the lines of R resampled tables: weight (R, n); a curve is there where its rows have weight.

    How often a run is drawn does not change a minimum.
    """
    curves = curves_of(runs)
    field = Field.of(curves, budgets)
    is_there = np.stack([weight[:, curve.rows].max(axis=1) > 0 for curve in curves], axis=1)
    best, is_found = field.lowest(is_there)
    params = np.where(is_found, field.sizes[best], np.nan)
    tokens = np.where(is_found, field.tokens[best, np.arange(budgets)], np.nan)
    return Trend.through(np.exp(field.log_flops), params, tokens)


@dataclass(frozen=True)
class Curve:
    """One run: params, and by rising compute ln flops, tokens and monotone ln loss (m,), with its rows (m,).

    removed: root mean square of what smoothing removed, in ln loss.
    """

    params: float
    log_flops: np.ndarray
    log_tokens: np.ndarray
    log_loss: np.ndarray
    rows: np.ndarray
    removed: float


def curves_of(runs: Runs) -> tuple[Curve, ...]:
    """Return one curve per group; raise RunsError for a group that mixes sizes."""
    if runs.group is None:
        return ()
    log_flops, names = np.log(run_flops(runs)), runs.group.astype(str)
    found = []
    for name in np.unique(names):
        rows = np.flatnonzero((names == name) & (runs.weight > 0))
        if not len(rows):
            continue
        rows = rows[np.argsort(log_flops[rows], kind="stable")]
        params = runs.columns["params"][rows]
        if params.max() > params.min() * (1 + SPREAD):
            told = {"count": len(np.unique(params)), "least": params.min(), "most": params.max()}
            raise RunsError(SEVERAL_SIZES.format(source=runs.origin.source, run=name, **told))
        raw = np.log(runs.loss[rows])
        smooth = isotonic_regression(raw, increasing=False).x  # the nearest sequence that never rises
        removed = float(np.sqrt(np.mean((raw - smooth) ** 2)))
        tokens = np.log(runs.columns["tokens"][rows])
        found.append(Curve(float(params[0]), log_flops[rows], tokens, smooth, rows, removed))
    return tuple(found)


@dataclass(frozen=True)
class Field:
    """All curves at all budgets: ln flops (b,), sizes (k,), ln loss (k, b) with inf outside a curve, tokens (k, b)."""

    log_flops: np.ndarray
    sizes: np.ndarray
    log_loss: np.ndarray
    tokens: np.ndarray

    @classmethod
    def of(cls, curves: Sequence[Curve], budgets: int) -> Field:
        """Return the curves interpolated in ln C between the least and the most compute of the table."""
        ends = [curve.log_flops[[0, -1]] for curve in curves]
        at = np.linspace(min(end[0] for end in ends), max(end[1] for end in ends), budgets)
        loss = [np.interp(at, c.log_flops, c.log_loss, left=np.inf, right=np.inf) for c in curves]
        tokens = [np.exp(np.interp(at, c.log_flops, c.log_tokens)) for c in curves]
        return cls(at, np.array([curve.params for curve in curves]), np.stack(loss), np.stack(tokens))

    def lowest(self, is_there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest curve (R, b) of those that are there (R, k), and whether its size lies between others."""
        best = np.empty((len(is_there), len(self.log_flops)), int)
        is_between = np.empty(best.shape, bool)
        for lane, present in enumerate(is_there):
            loss = np.where(present[:, None], self.log_loss, np.inf)
            has = np.isfinite(loss)
            best[lane] = loss.argmin(axis=0)
            least = np.where(has, self.sizes[:, None], np.inf).min(axis=0)
            most = np.where(has, self.sizes[:, None], -np.inf).max(axis=0)
            own = self.sizes[best[lane]]
            is_between[lane] = has.any(axis=0) & (own > least) & (own < most)
        return best, is_between


def _curvature(flops: np.ndarray, params: np.ndarray) -> float:
    x = np.log(flops)
    return float("nan") if len(x) < 4 else float(2 * np.polyfit(x - x.mean(), np.log(params), 2)[0])


def _findings(
    curves: Sequence[Curve], field: Field, kept: np.ndarray, thirds: np.ndarray, early: float
) -> tuple[Finding, ...]:
    together = float(np.isfinite(field.log_loss[:, kept]).sum(axis=0).mean())
    removed = 100 * float(np.mean([curve.removed for curve in curves]))
    found = [Finding("minimum-of-noise", MIN_OF_NOISE.format(curves=together, removed=removed))]
    if early > 0:
        found.append(Finding("schedule-mismatch", SCHEDULE.format(share=100 * early)))
    if np.nanmax(thirds, initial=-np.inf) - np.nanmin(thirds, initial=np.inf) > DIFFERENT:
        found.append(Finding("bent-envelope", BENT.format(thirds=", ".join(f"{third:.3f}" for third in thirds))))
    if len(kept) < len(field.log_flops):
        total = len(field.log_flops)
        found.append(Finding("envelope-edges", AT_EDGE.format(count=total - len(kept), total=total)))
    return tuple(found)
