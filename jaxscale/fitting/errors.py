"""Whether the errors of a fit are of one size and normal: the tests of `results.errors` on its rows, as findings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.finding import Finding
from jaxscale.fitting.error_messages import advice_on, findings_of_spread
from jaxscale.fitting.units import Units, sizes_of, units_of
from jaxscale.objectives.spec import precision_of
from jaxscale.results import Fit
from jaxscale.results.diagnosis import ResidualTest
from jaxscale.results.errors import spread_tests, tail_tests

OVER = ("params", "tokens", "flops")
"""Sizes on which that of the errors may depend."""


def findings_of_residuals(fit: Fit, jacobian: np.ndarray) -> list[Finding]:
    """Return what the residuals say of the errors: that they are not of one size, or not normal.

    jacobian: (n, p) of the target in the coefs or in theta.   Nothing where the fit is no minimum.
    """
    is_free = [name in fit.free and name not in (*fit.held, *fit.unidentified) for name in fit.law.names]
    if not fit.is_usable or not any(is_free):
        return []
    units = units_of(fit)
    place, precision = units.place, precision_of(fit.runs, fit.objective.space)
    root = np.sqrt(fit.runs.weight[place] * precision[place])
    residual, jacobian = -root * fit.residuals[place], root[:, None] * jacobian[place][:, is_free]
    if not np.isfinite(jacobian).all():
        return []
    is_normal = fit.objective.name == "squared"
    tests = error_tests(units, residual, jacobian, sizes_of(units), is_normal=is_normal, is_shown=False)
    return findings_of_spread(tests, advice_on(fit.runs, units.kind))


def error_tests(
    units: Units,
    residual: np.ndarray,
    jacobian: np.ndarray,
    logs: Mapping[str, np.ndarray],
    *,
    is_normal: bool,
    is_shown: bool = True,
) -> tuple[ResidualTest, ...]:
    """Return the tests of the sizes of errors, and of their tails where these are of one size and the fit is_normal.

    residual: (m,), and jacobian: (m, p), both times the root of the weight.   logs: of sizes (m,), by name.   is_shown:
    whether tests that find nothing are wanted, too.
    """
    by_group = units.kind == "group"
    sizes = {name: one for name, one in logs.items() if name in OVER}
    found = spread_tests(residual, jacobian, sizes, units.codes if by_group else None, is_shown=is_shown)
    if not is_normal or by_group or any(one.is_found for one in found):
        return found
    return (*found, *tail_tests(residual, jacobian, is_shown=is_shown))
