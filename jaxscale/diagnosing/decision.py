"""What the decision rests on: how well its quantities are determined, what other minima recommend, the floor."""

from __future__ import annotations

import math

import numpy as np

from jaxscale.diagnosing.influence import Measure
from jaxscale.diagnosing.local import LocalModel
from jaxscale.fitting.nullspace import in_words
from jaxscale.fitting.units import Units
from jaxscale.intervals.student import quantile
from jaxscale.results import Fit
from jaxscale.results.diagnosis import Alternative, Identified

FLOOR = "E"
"""The coef to which the loss falls, by the name that most laws give it; of other laws no floor is told."""
LEVEL = 0.95
NEAR, NEAR_LOSS = math.log(3.0), math.log(1.1)
"""How far limits may lie from a quantity that is identified, on its logarithm: of sizes, and of the loss."""
PLAUSIBLE = 0.99
"""Level of the likelihood ratio beyond which another minimum is none that the runs leave open."""


def group_width_of(units: Units, model: LocalModel, measure: Measure) -> dict[str, float]:
    """Return name → standard error by whole groups over that by rows; empty where units are rows.

    Both are sandwich estimates around the same minimum, of each coef and of ln params at the target.   Source: Liang &
    Zeger 1986, with G / (G - 1) for the number of groups.
    """
    if units.kind == "row":
        return {}
    count = len(units)
    sums = np.zeros((count, model.pull.shape[1]))
    np.add.at(sums, units.codes, model.pull)
    unit = np.sqrt(np.maximum(np.diagonal(model.bend.sum(axis=0)), np.finfo(float).tiny))
    bread = np.linalg.pinv(model.bend.sum(axis=0) / (unit[:, None] * unit), hermitian=True)
    rows, groups = ((part / unit) @ bread for part in (model.pull, sums))
    gradient = measure.gradient * unit**-1.0
    names = np.array(model.fit.law.names)[model.free].tolist()
    found = {name: (rows[:, at], groups[:, at]) for at, name in enumerate(names)}
    if np.isfinite(gradient).all():
        found["params"] = (rows @ gradient, groups @ gradient)
    factor = math.sqrt(count / max(count - 1, 1))
    return {
        name: factor * float(np.linalg.norm(by_group) / np.linalg.norm(by_row))
        for name, (by_row, by_group) in found.items()
        if np.linalg.norm(by_row) > 0.0
    }


def quantities_of(
    units: Units, model: LocalModel, measure: Measure, answers: np.ndarray, width: float
) -> tuple[Identified, ...]:
    """Return what is known of each quantity of the answer; none without one.

    answers: ln params, ln tokens and the loss (3,).   width: of standard errors by groups over those by rows.
    """
    if not np.isfinite(answers).all():
        return ()
    first, second, loss = measure.gradients
    named = {
        "params": (answers[0], first),
        "tokens": (answers[1], second),
        "tokens_per_param": (answers[1] - answers[0], second - first),
        "loss": (math.log(answers[2]) if answers[2] > 0 else math.nan, loss),
    }
    dof = len(units) - len(first) if units.kind == "group" else model.fit.dof
    reach = quantile(LEVEL, max(float(dof), 1.0))
    found = []
    for name, (log_value, gradient) in named.items():
        std = _error(gradient, model) * width
        half = reach * std
        is_near = bool(half < (NEAR_LOSS if name == "loss" else NEAR))
        with np.errstate(over="ignore"):
            low, value, high = (float(np.exp(log_value + step)) for step in (-half, 0.0, half))
        found.append(Identified(name, value, std, low, high, is_near))
    return tuple(found)


def weakest_of(model: LocalModel) -> tuple[str, float] | tuple[None, None]:
    """Return the direction in which theta is known worst, in words, and its standard error; None without covariance."""
    if model.covariance is None or not model.covariance.size:
        return None, None
    values, vectors = np.linalg.eigh(model.covariance)
    coefs = [one for one, is_free in zip(model.fit.law.coefs, model.free, strict=True) if is_free]
    return in_words(vectors[:, -1], coefs), float(np.sqrt(max(values[-1], 0.0)))


def alternatives_of(fit: Fit, measure: Measure) -> tuple[Alternative, ...]:
    """Return the other minima that starts reached and what each would recommend at the target."""
    found = []
    for one in fit.certificate.other_minima:
        vector = fit.law.vector(one.coefs)
        answers = measure.target.answers(np.zeros((1, len(vector))), vector)[:, 0]
        excess = one.value / fit.value - 1.0 if fit.value > 0.0 else math.inf
        rows = int(np.sum(fit.runs.weight > 0))
        ratio = rows * math.log1p(excess) if fit.objective.name == "squared" else 2.0 * rows * excess
        params, ratio_at = float(np.exp(answers[0])), float(np.exp(answers[1] - answers[0]))
        is_plausible = ratio < quantile(PLAUSIBLE, math.inf) ** 2
        found.append(
            Alternative(excess, one.starts, dict(one.coefs), params, ratio_at, float(answers[2]), is_plausible)
        )
    return tuple(found)


def floor_of(fit: Fit, model: LocalModel, gradient: np.ndarray, loss: float) -> tuple[float | None, float | None]:
    """Return E over the predicted loss, and what a standard error of E does to ln params while the others follow.

    Along the regression of theta on that of E, Cov(theta, E) / √Var(E), which is how far the valley is uncertain.
    """
    if FLOOR not in fit.free or not np.isfinite(loss):
        return None, None
    names = np.array(fit.law.names)[model.free].tolist()
    share = fit.coefs[FLOOR] / loss
    if FLOOR not in names or model.covariance is None:
        return share, None
    place = names.index(FLOOR)
    pull = float(gradient @ model.covariance[:, place] / np.sqrt(model.covariance[place, place]))
    return share, pull if np.isfinite(pull) else None


def _error(gradient: np.ndarray, model: LocalModel) -> float:
    """Return the standard error of what has this gradient; NaN where the fit has no covariance."""
    if model.covariance is None or model.covariance.shape != (len(gradient),) * 2:
        return math.nan
    return float(np.sqrt(gradient @ model.covariance @ gradient))
