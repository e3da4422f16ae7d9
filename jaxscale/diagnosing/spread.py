"""Whether the errors of a fit are of one size and normal: the tests of `results.errors` on what a fit holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.diagnosing.units import Units, sizes_of, units_of
from jaxscale.laws import predict_sets
from jaxscale.objectives.spec import precision_of
from jaxscale.results import Fit
from jaxscale.results.diagnosis import ResidualTest
from jaxscale.results.errors import spread_tests, tail_tests

OVER = ("params", "tokens", "flops")
"""Sizes on which that of the errors may depend."""
STEP = 1e-4
"""Of a central difference, in relation to the coef."""


def error_tests_of(fit: Fit) -> tuple[ResidualTest, ...]:
    """Return `error_tests` of a fit from what it holds, by differences of the law.

    None where it is no minimum, and of one made by hand that lacks a column of its law.
    """
    names = [name for name in fit.free if name not in (*fit.held, *fit.unidentified)]
    point, is_whole = fit.law.vector(fit.coefs), set(fit.law.inputs) <= set(fit.runs.columns)
    if not fit.is_usable or not names or not np.isfinite(point).all() or not is_whole:
        return ()
    units = units_of(fit)
    jacobian = _jacobian(fit, names, point)
    root = np.sqrt(fit.runs.weight * precision_of(fit.runs, fit.objective.space))[units.place]
    residual, jacobian = -root * fit.residuals[units.place], root[:, None] * jacobian[units.place]
    if not np.isfinite(jacobian).all():
        return ()
    return error_tests(units, residual, jacobian, sizes_of(units), is_normal=fit.objective.name == "squared")


def error_tests(
    units: Units, residual: np.ndarray, jacobian: np.ndarray, logs: Mapping[str, np.ndarray], *, is_normal: bool
) -> tuple[ResidualTest, ...]:
    """Return the tests of the sizes of errors, and of their tails where these are of one size and the fit is_normal."""
    by_group = units.kind == "group"
    sizes = {name: one for name, one in logs.items() if name in OVER}
    found = spread_tests(residual, jacobian, sizes, units.codes if by_group else None)
    if not is_normal or by_group or any(one.is_found for one in found):
        return found
    return (*found, *tail_tests(residual, jacobian))


def _jacobian(fit: Fit, names: list[str], point: np.ndarray) -> np.ndarray:
    """Return d target / d coef (n, k) by central differences."""
    places = [fit.law.names.index(name) for name in names]
    steps = np.zeros((len(places), len(point)))
    steps[np.arange(len(places)), places] = STEP * np.where(point[places] != 0.0, np.abs(point[places]), 1.0)
    columns = {name: fit.runs.columns[name] for name in fit.law.inputs}
    found = predict_sets(fit.law, np.concatenate([point[None], point + steps, point - steps]), columns)
    slope = (found[1 : len(steps) + 1] - found[len(steps) + 1 :]) / (2.0 * steps.sum(axis=1)[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((slope / found[0] if fit.objective.space == "log" else slope).T)
