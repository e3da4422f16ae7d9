"""How far the answer moves without each unit, and without the worst few together: one Newton step, and refits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from jaxscale.diagnosing.local import LocalModel, local_model
from jaxscale.diagnosing.target import Target, coefs_at, gradients_of
from jaxscale.engine.compiling import Clock
from jaxscale.fitting.fit import fit as fit_to
from jaxscale.fitting.units import Units
from jaxscale.refitting.bootstrap import resample
from jaxscale.results import Fit
from jaxscale.results.diagnosis import Influence, Removal

MOST_REFITS = 2000
"""Units up to which a fit is made without each."""
LEAST_ROWS = 2
"""Rows for each coef that are left when the worst are removed."""


@dataclass(frozen=True)
class Measure:
    """By how many standard errors theta lies from the fit's: in the answer, or in all coefs.

    origin: (P,).   answer: ln params at the target; NaN where the law has none.   gradients: of ln params, ln tokens
    and ln loss there (3, p).
    """

    target: Target
    model: LocalModel
    known: np.ndarray
    origin: np.ndarray
    answer: float
    gradients: np.ndarray

    @property
    def gradient(self) -> np.ndarray:
        """(p,) of ln params."""
        return np.asarray(self.gradients[0])

    def error(self, model: LocalModel) -> float:
        """Return the standard error of the answer in a fit; NaN where there is none."""
        if model.covariance is None or model.covariance.shape != (len(self.gradient),) * 2:
            return float("nan")
        return float(np.sqrt(self.gradient @ model.covariance @ self.gradient))

    def distances(self, theta: np.ndarray, answers: np.ndarray, model: LocalModel | None = None) -> np.ndarray:
        """Return the distance (k,) of theta (k, P) with ln params answers (k,), in standard errors of a fit."""
        model = self.model if model is None else model
        if np.isfinite(self.answer):
            return np.asarray(np.abs(answers - self.answer) / self.error(model))
        if model.covariance is None or model.covariance.shape[0] != self.model.free.sum():
            return np.full(len(theta), np.nan)
        shift = (theta - self.origin)[:, self.model.free]
        length = np.einsum("ki,ij,kj->k", shift, np.linalg.pinv(model.covariance), shift)
        return np.sqrt(length / shift.shape[1])


def measure_of(target: Target, model: LocalModel) -> Measure:
    """Return how distances from a fit are measured."""
    known = _known(model.fit, model.free)
    answer = float(target.answers(model.theta[None], known)[0, 0])
    return Measure(target, model, known, model.theta, answer, gradients_of(target, model.theta, known, model.free))


def influence_of(units: Units, measure: Measure, refitted: np.ndarray) -> Influence:
    """Return what each unit does; refitted: of `refitted_without_each`."""
    model, target = measure.model, measure.target
    law, count = units.fit.law, len(units)
    step = model.without(units.codes, count)
    theta = _theta(model, refitted)
    by_step, by_refit = target.answers(step, measure.known), target.answers(theta, measure.known)
    after = np.where(np.isfinite(refitted).all(axis=1), by_refit[0], by_step[0])
    moved = np.where(np.isfinite(theta).all(axis=1)[:, None], theta, step)
    studentised = model.studentised()
    largest = [_largest(studentised[units.codes == at]) for at in range(count)]
    coefs = coefs_at(law, step, measure.known)
    has_answer = np.isfinite(measure.answer)
    nothing = np.empty(0)
    return Influence(
        names=units.names,
        rows=units.rows,
        studentised=np.array(largest),
        leverage=np.bincount(units.codes, model.leverage, count),
        share=np.bincount(units.codes, model.share, count),
        coefs=dict(zip(law.names, coefs.T, strict=True)),
        refitted=dict(zip(law.names, refitted.T, strict=True)),
        params=np.exp(by_refit[0]) if has_answer else nothing,
        tokens_per_param=np.exp(by_refit[1] - by_refit[0]) if has_answer else nothing,
        loss=by_refit[2] if has_answer else nothing,
        one_step=np.exp(by_step[0]) if has_answer else nothing,
        distance=measure.distances(moved, after),
    )


def refitted_without_each(units: Units, fit: Fit, count: int, *, device: str) -> np.ndarray:
    """Return coefs (count, P) of the fits without each unit that counts; NaN where one is no minimum, or none made.

    Raises as `bootstrap` does.
    """
    nothing = np.full((count, len(fit.law.names)), np.nan)
    if count > MOST_REFITS:
        return nothing
    made = resample(fit, scheme="jackknife" if units.kind == "row" else "jackknife-cluster", device=device)
    return np.where(made.usable[:, None], np.stack([made.coefs[name] for name in fit.law.names], axis=1), nothing)


def _theta(model: LocalModel, coefs: np.ndarray) -> np.ndarray:
    """Return theta (k, P) of coefs (k, P); at an edge the fit's own stands."""
    theta = model.fit.law.coordinates.to_theta(coefs)
    return np.where(np.isfinite(theta) | np.isnan(coefs), theta, model.theta)


def removals_of(
    units: Units, measure: Measure, influence: Influence, worst: int, clock: Clock, *, device: str
) -> tuple[Removal, ...]:
    """Return the fits without the worst 1, 2, … units, each time the one more that moves the answer farthest.

    The first is the most influential by its refit; each further one by the fits without it and the others,
    so that units that hide one another are found, too.
    """
    chosen: list[int] = []
    found: list[Removal] = []
    order, model = influence.distance, measure.model
    for _ in range(worst):
        order = np.where(np.isin(np.arange(len(units)), chosen), np.nan, order)
        if not np.isfinite(order).any():
            break
        chosen.append(int(np.nanargmax(order)))
        left = ~np.isin(units.codes, chosen)
        if left.sum() < LEAST_ROWS * model.free.sum():
            break
        refit = _without(units, left, device=device)
        if not refit.is_usable:
            break
        model = local_model(refit, clock)
        theta = model.theta[None]
        answers = target_answers(measure, refit, model)
        found.append(_removal(units, measure, chosen, refit, answers, measure.distances(theta, answers[:1], model)))
        if len(chosen) < worst:
            codes = np.unique(units.codes[left], return_inverse=True)
            step = model.without(codes[1], len(codes[0]))
            after = _theta(model, refitted_without_each(units, refit, len(codes[0]), device=device))
            step = np.where(np.isfinite(after).all(axis=1)[:, None], after, step)
            order = np.full(len(units), np.nan)
            order[codes[0]] = measure.distances(step, measure.target.answers(step, _known(refit, model.free))[0])
    return tuple(found)


def target_answers(measure: Measure, fit: Fit, model: LocalModel) -> np.ndarray:
    """Return ln params, ln tokens and the loss (3,) of a fit at the target."""
    return np.asarray(measure.target.answers(model.theta[None], _known(fit, model.free))[:, 0])


def _removal(
    units: Units, measure: Measure, chosen: list[int], refit: Fit, answers: np.ndarray, distance: np.ndarray
) -> Removal:
    return Removal(
        names=tuple(units.names[at] for at in chosen),
        rows=tuple(row for at in chosen for row in units.rows[at]),
        coefs=dict(refit.coefs),
        params=float(np.exp(answers[0])),
        tokens_per_param=float(np.exp(answers[1] - answers[0])),
        loss=float(answers[2]),
        distance=float(distance[0]),
        chance=chance_of_worst(len(chosen), len(units)),
    )


def chance_of_worst(worst: int, count: int) -> float:
    """Return by how many standard errors the worst of so many units move an estimate under normal errors.

    Each moves a mean by its error over n; the sum of the largest of n errors is that of their expected order
    statistics, by Blom's positions, with n - k left to divide by.
    """
    scores = [NormalDist().inv_cdf(1.0 - (at + 1 - 0.375) / (count + 0.25)) for at in range(worst)]
    return float(sum(scores) * np.sqrt(count) / max(count - worst, 1))


def _without(units: Units, left: np.ndarray, *, device: str) -> Fit:
    """Return the fit with the weights of all rows zero that are not left (m,): of the same shapes, and programs."""
    fit = units.fit
    weight = np.array(fit.runs.weight)
    weight[np.flatnonzero(units.place)[~left]] = 0.0
    fixed = {name: fit.coefs[name] for name in fit.fixed}
    runs = replace(fit.runs, weight=weight)
    return fit_to(runs, fit.law, objective=fit.objective, solver=fit.solver, fix=fixed, device=device)


def _known(fit: Fit, free: np.ndarray) -> np.ndarray:
    """Return (P,) the coefs that do not move, as they are reported; NaN for those that do."""
    return np.where(free, np.nan, fit.law.vector(fit.coefs))


def _largest(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known[np.argmax(np.abs(known))]) if known.size else float("nan")
