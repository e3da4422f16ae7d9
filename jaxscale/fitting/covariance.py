"""Standard errors from one fit: the classical covariance of least squares, and a sandwich for other rho functions."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import jax
import numpy as np

from jaxscale.fitting.optimum import Views, hessian_of
from jaxscale.laws import Law
from jaxscale.numerics.hosted import rho_of
from jaxscale.objectives import Objective

HALL_SHEATHER = 1.96 ** (2 / 3) * (1.5 / (2 * np.pi)) ** (1 / 3)
"""Their bandwidth for a median in shares of the rows, times the cube root of how many there are, for 95 %."""
FAR = 1e6
"""A residual, in bandwidths, that lies beyond every threshold."""
NORMAL_MEDIAN = NormalDist().inv_cdf(0.75)
"""Median size of a standard normal error."""
NODES = np.linspace(-8.0, 8.0, 2001)
"""Standard normal errors over which rho is averaged."""


def covariance_at(
    objective: Objective,
    pairs: Sequence[tuple[int, int]],
    views: Views,
    weight: np.ndarray,
    scale: float,
    free: np.ndarray,
    times: np.ndarray | None = None,
) -> np.ndarray | None:
    """Return the covariance (p, p) of theta at a minimum, zero for coefs that are not free; None where there is none.

    pairs: of the problem.   views: of the rows at the minimum, with rho at `scale`.   weight: (n,) of the rows.   free:
    (p,) bool.   times: (n,) how often each row is there, as in a resampled table; None for once.   There is none for an
    objective that is a limit, for no more rows than coefs, and where a matrix has no inverse.
    """
    rows = np.flatnonzero(weight > 0 if times is None else weight * times > 0)
    often = np.ones(len(rows)) if times is None else times[rows]
    weight, whole = weight[rows], np.zeros((len(free), len(free)))
    if objective.limit or np.sum(often) <= free.sum():
        return None
    residual, curvature = views.residual, np.asarray(views.rho.curvature)[rows]
    views = jax.tree.map(lambda part: np.asarray(part)[rows], views)
    width = bandwidth(_expanded(np.asarray(views.residual), often))
    if objective.name != "squared" and objective.dof is None and scale < width and np.isfinite(scale):
        # only the density is counted more widely: the slopes must stay those whose sum is zero here, or the
        # answer would depend on the units of the columns
        wide = rho_of(objective.rho, np.asarray(residual), width).curvature  # of all rows: of one shape
        curvature = psi_ratio(objective, scale, width) * np.asarray(wide)[rows]
    bread = hessian_of(views, pairs, weight * often, curvature)[np.ix_(free, free)]
    found = _covariance_of(objective, bread, views, free, weight, often, scale)
    if found is None:
        return None
    whole[np.ix_(free, free)] = found
    return whole


def errors_of(law: Law, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the standard errors (…, p) of the coefs at theta (…, p), of a covariance of theta (…, p, p)."""
    with np.errstate(invalid="ignore"):
        errors: np.ndarray = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1)) * np.abs(slopes_of(law, theta))
    return errors


def slopes_of(law: Law, theta: np.ndarray) -> np.ndarray:
    """Return d coef / d theta (…, p) at theta (…, p)."""
    with np.errstate(over="ignore"):
        slopes = [support.slope(support.to_coef(theta[..., at])) for at, support in enumerate(law.supports)]
    return np.stack(np.broadcast_arrays(*slopes), axis=-1)


def _covariance_of(
    objective: Objective,
    hessian: np.ndarray,
    views: Views,
    free: np.ndarray,
    weight: np.ndarray,
    often: np.ndarray,
    scale: float,
) -> np.ndarray | None:
    """Return the covariance (p, p) of free coefs, with n - p degrees of freedom; None where a matrix has no inverse.

    Classical for `squared`, s² (JᵀJ)⁻¹. Else the sandwich H⁻¹ (Σ ψψᵀ) H⁻¹ n/(n-p), mixed with the covariance under
    normal errors of one size in the ratio n - p to p: a small threshold makes p of the n residuals vanish, so
    that of few runs the sandwich knows next to nothing, and its errors scatter over a factor of fifty.
    hessian: H, with the threshold of rho at the bandwidth where its own is narrower.   often: (n,) how often each row
    is there.   scale: of rho.   Source: Seber & Wild 1989, §2.1.2, for the classical one; Huber 1967 for the sandwich.
    """
    jacobian, residuals = np.asarray(views.jacobian)[:, free], np.asarray(views.residual)
    count, size = float(np.sum(often)), jacobian.shape[1]
    try:
        _, upper = np.linalg.qr(np.sqrt(weight * often)[:, None] * jacobian)
        inverse = np.linalg.inv(upper)
        if objective.name == "squared":
            variance = float(np.sum(weight * often * residuals**2)) / (count - size)
            with np.errstate(over="ignore", invalid="ignore"):  # a variance beyond float64 is infinite
                return np.asarray(variance * inverse @ inverse.T)
        bread = np.linalg.inv(hessian)
        psi = (weight * np.asarray(views.rho.psi))[:, None] * jacobian
        sandwich = bread @ ((often[:, None] * psi).T @ psi) @ bread * (count / (count - size))
    except np.linalg.LinAlgError:
        return None
    largest = np.sort(_expanded(np.abs(np.sqrt(weight) * residuals), often))[size:]
    pooled = _variance(objective, scale, float(np.median(largest)) / NORMAL_MEDIAN) * inverse @ inverse.T
    return np.asarray(((count - size) * sandwich + size * pooled) / count)


def _expanded(values: np.ndarray, often: np.ndarray) -> np.ndarray:
    """Return values (n,) as often as each row is there; once each where that is no whole number."""
    is_whole = np.array_equal(often, np.rint(often))
    return np.repeat(values, often.astype(int)) if is_whole else values


def _variance(objective: Objective, scale: float, error: float) -> float:
    """Return E ψ² / (E ψ')² for normal errors of that standard deviation: π/2 of its square for a median.

    Source: Huber 1964; E ψ' by Stein's identity, since ψ' may be a spike.
    """
    density = np.exp(-0.5 * NODES**2)
    density /= density.sum()
    psi = np.asarray(rho_of(objective.rho, error * NODES, scale).psi)
    steepness = float(density @ (NODES * psi)) / error if error > 0 else 0.0
    return float(density @ psi**2) / steepness**2 if steepness > 0 else 0.0


def bandwidth(residuals: np.ndarray) -> float:
    """Return how wide around zero residuals (n,) are to be counted, to learn how many lie just there.

    A rho function with a smaller threshold knows the density of residuals at zero from a handful of rows: of thirty
    with 1 % noise, three lie within 1e-3, and a standard error from those is several times too small.   Source: Hall &
    Sheather 1988; Koenker 2005, §3.4.2.
    """
    share = min(HALL_SHEATHER * len(residuals) ** (-1 / 3), 0.45)
    low, high = np.quantile(residuals, (0.25, 0.75))
    spread = min(float(np.std(residuals)), float(high - low) / 1.34)
    return 2.0 * spread * NormalDist().inv_cdf(0.5 + share)


def psi_ratio(objective: Objective, scale: float, width: float) -> float:
    """Return psi of a large residual under the objective's own threshold over that under a wider one."""
    own, wide = (float(rho_of(objective.rho, FAR * width, one).psi) for one in (scale, width))
    return own / wide
