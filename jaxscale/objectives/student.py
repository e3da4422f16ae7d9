"""Student's t: the objective that is minus its log likelihood, with a scale that is estimated, and that estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.numerics.rho import Rho
from jaxscale.objectives.spec import Objective, Space, check_delta

DOF = 4.0
"""Degrees of freedom where none are given, as Lange, Little & Taylor 1989 take them: few enough for residuals far off
to lose their weight, enough for a variance to exist nearby."""


@dataclass(frozen=True)
class StudentRho:
    """scale² (dof + 1)/2 ln(1 + r² / (dof scale²)); equal ones are one program."""

    dof: float

    def __call__(self, residual: jax.Array, scale: jax.Array) -> Rho:
        """Return rho and its derivatives, elementwise: r² (1 + 1/dof)/2 near zero, and no longer convex far out."""
        size = residual / (scale * math.sqrt(self.dof))
        square = size * size
        steep = (1.0 + 1.0 / self.dof) / (1.0 + square)
        return Rho(
            value=0.5 * (self.dof + 1.0) * scale * scale * jnp.log1p(square),
            psi=residual * steep,
            curvature=steep * (1.0 - square) / (1.0 + square),
            weight=steep,
        )


def student_t(dof: float = DOF, *, scale: float | None = None, space: Space = "log") -> Objective:
    """Return the sum of s² (dof + 1)/2 ln(1 + r² / (dof s²)), s² times minus the log likelihood of Student's t.

    Without a scale, `js.fit` takes that s at which the likelihood is greatest, together with the coefs.

    Parameters
    ----------
    dof
        Degrees of freedom: the fewer, the less weight a residual far off has; for many it is least squares.
    scale
        s in the units of r, in log space a relative error; None to estimate it.
    space
        Where residuals are taken: `log`, ln prediction - ln loss, or `linear`, prediction - loss.

    Returns
    -------
    Objective
        With the name `student-t`.

    Raises
    ------
    UsageError
        For a dof or a scale that is not positive and finite, or another space.

    Notes
    -----
    rho is not convex: a residual beyond s sqrt(dof) pulls the less the farther it lies off, and there may be several
    minima. Replicates of a bootstrap keep the scale of the point fit: for symmetric errors the estimates of scale and
    coefs are independent to first order, so that intervals of coefs lose nothing.

    References
    ----------
    Lange, Little & Taylor 1989, Journal of the American Statistical Association 84, 881.

    Examples
    --------
    >>> js.student_t().dof, js.student_t().delta
    (4.0, None)
    >>> js.fit(runs, "pure-power-params", objective=js.student_t()).objective.scale
    0.01...
    """
    degrees = check_delta(dof, "dof")
    s = math.inf if scale is None else check_delta(scale, "scale")
    return Objective("student-t", space, StudentRho(degrees), s, dof=degrees, is_estimated=scale is None)


def likeliest_scale(residuals: np.ndarray, weight: np.ndarray, dof: float, least: float) -> float:
    """Return the scale at which residuals (n,) with weights (n,) are likeliest; `least` where that is less.

    It is the one root of the sum of w (1 - (dof + 1) r² / (dof s² + r²)), which rises with s.
    """
    from scipy.optimize import brentq  # a second, which only this objective takes

    counts = weight > 0
    square, share = residuals[counts] ** 2, weight[counts] / np.sum(weight[counts])

    def slope(log_scale: float) -> float:
        pull = (dof + 1.0) * square / (dof * math.exp(2.0 * log_scale) + square)
        return 1.0 - float(share @ pull)

    low, high = math.log(least), 0.5 * math.log(max(float(np.max(square)), least**2)) + 0.5 * math.log(dof + 1.0) + 1.0
    if not slope(low) < 0.0:
        return least
    return math.exp(brentq(slope, low, high, xtol=1e-14, rtol=1e-14))


def minus_log_likelihood(residuals: np.ndarray, weight: np.ndarray, dof: float, scale: float) -> float:
    """Return the sum of w ((dof + 1)/2 ln(1 + r² / (dof s²)) + ln s), which leaves out what depends on dof alone."""
    counts = weight > 0
    terms = 0.5 * (dof + 1.0) * np.log1p(residuals[counts] ** 2 / (dof * scale**2)) + math.log(scale)
    return float(weight[counts] @ terms)
