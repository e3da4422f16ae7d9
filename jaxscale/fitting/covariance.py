"""Standard errors from one fit: the classical covariance of least squares, and a sandwich for other rho functions."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import jax
import numpy as np

from jaxscale.engine.data import chunks
from jaxscale.fitting.optimum import Views, hessian_of
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
TOGETHER = 1 << 19
"""Rows, or nodes, times lanes whose covariances are computed together."""


def covariance_at(
    objective: Objective,
    pairs: Sequence[tuple[int, int]],
    views: Views,
    weight: np.ndarray,
    scale: float,
    free: np.ndarray,
) -> np.ndarray | None:
    """Return the covariance (p, p) of theta at a minimum, as `covariances_at` does for one lane; None for none.

    views: of the rows, each (n, …).   weight: (n,).
    """
    lane = jax.tree.map(lambda part: np.asarray(part)[None], views)
    found = covariances_at(objective, pairs, lane, weight, scale, free, np.ones((1, len(weight))))[0]
    return None if np.isnan(found).all() else found


def covariances_at(
    objective: Objective,
    pairs: Sequence[tuple[int, int]],
    views: Views,
    weight: np.ndarray,
    scale: float,
    free: np.ndarray,
    times: np.ndarray,
) -> np.ndarray:
    """Return the covariances (k, p, p) of theta of lanes at their minima, NaN where there is none.

    They are zero for coefs that are not free. There is none for an objective that is a limit, for no more rows than
    coefs, and where a matrix has no inverse.

    pairs: of the problem.   views: of the rows at the minima, each (k, n, …), with rho at `scale`.   weight: (n,) of
    the rows.   free: (p,) bool.   times: (k, n) how often each row is there, as in a resampled table.
    """
    found = np.full((len(times), len(free), len(free)), np.nan)
    often = np.where(weight > 0, times, 0.0)
    lanes = np.flatnonzero(np.sum(often, axis=1) > free.sum())
    if objective.limit or not len(lanes):
        return found
    for part in chunks(len(lanes), max(1, TOGETHER // max(len(weight), len(NODES)))):
        some = lanes[part]
        own = jax.tree.map(lambda leaf, some=some: np.asarray(leaf)[some], views)
        found[some] = _covariances(
            objective, pairs, own, np.where(often[some] > 0, weight, 0.0), scale, free, often[some]
        )
    return found


def _covariances(
    objective: Objective,
    pairs: Sequence[tuple[int, int]],
    views: Views,
    weight: np.ndarray,
    scale: float,
    free: np.ndarray,
    often: np.ndarray,
) -> np.ndarray:
    """Return the covariances (k, p, p) of lanes that have more rows than coefs; weight, often: (k, n).

    Classical for `squared`, s² (JᵀJ)⁻¹. Else the sandwich H⁻¹ (Σ ψψᵀ) H⁻¹ n/(n-p), mixed with the covariance under
    normal errors of one size in the ratio n - p to p: a small threshold makes p of the n residuals vanish, so
    that of few runs the sandwich knows next to nothing, and its errors scatter over a factor of fifty.
    H has the threshold of rho at the bandwidth where its own is narrower.   Source: Seber & Wild 1989, §2.1.2, for the
    classical one; Huber 1967 for the sandwich.
    """
    counts, whole = often > 0, np.zeros((len(often), len(free), len(free)))
    residual = np.where(counts, views.residual, 0.0)
    jacobian = np.where(counts[:, :, None], views.jacobian, 0.0)[:, :, free]
    count, size = np.sum(often, axis=1), jacobian.shape[2]
    upper = np.linalg.qr(np.sqrt(weight * often)[:, :, None] * jacobian)[1]
    inverse = inverses(upper)
    with np.errstate(all="ignore"):  # a variance beyond float64 is infinite
        square = inverse @ inverse.transpose(0, 2, 1)
        if objective.name == "squared":
            variance = np.sum(weight * often * residual**2, axis=1) / (count - size)
            found = variance[:, None, None] * square
        else:
            curvature = widened(objective, residual, np.asarray(views.rho.curvature), scale, often)
            bread = inverses(hessian_of(views, pairs, weight * often, curvature)[:, free][:, :, free])
            psi = np.where(counts, weight * np.asarray(views.rho.psi), 0.0)[:, :, None] * jacobian
            meat = (often[:, :, None] * psi).transpose(0, 2, 1) @ psi
            sandwich = bread @ meat @ bread * (count / (count - size))[:, None, None]
            largest = Ordered.of(np.abs(np.sqrt(weight) * residual), often)
            pooled = _variance(objective, scale, largest.median(size) / NORMAL_MEDIAN)[:, None, None] * square
            share = (size / count)[:, None, None]
            found = (1.0 - share) * sandwich + share * pooled
    whole[np.ix_(np.arange(len(whole)), free, free)] = found
    return whole


def inverses(matrices: np.ndarray) -> np.ndarray:
    """Return the inverses of matrices (k, p, p), NaN of one that has none."""
    try:
        return np.asarray(np.linalg.inv(matrices))
    except np.linalg.LinAlgError:  # of any of them
        if len(matrices) == 1:
            return np.full_like(matrices, np.nan)
        return np.concatenate([inverses(matrices[at : at + 1]) for at in range(len(matrices))])


def _variance(objective: Objective, scale: float, error: np.ndarray) -> np.ndarray:
    """Return E ψ² / (E ψ')² (k,) for normal errors of standard deviations (k,): π/2 of its square for a median.

    Source: Huber 1964; E ψ' by Stein's identity, since ψ' may be a spike.
    """
    density = np.exp(-0.5 * NODES**2)
    density /= density.sum()
    psi = np.asarray(rho_of(objective.rho, error[:, None] * NODES, scale).psi)
    steepness = np.where(error > 0, psi @ (density * NODES) / np.where(error > 0, error, 1.0), 0.0)
    is_steep = steepness > 0
    found: np.ndarray = np.where(is_steep, psi**2 @ density / np.where(is_steep, steepness, 1.0) ** 2, 0.0)
    return found


class Ordered(NamedTuple):
    """The values of lanes in order (k, n), with how many there are up to each of them (k, n), by how often each is.

    Each that is there is there once in a lane where that is no whole number.
    """

    values: np.ndarray
    upto: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, often: np.ndarray) -> Ordered:
        """Return values (k, n) in order; often: (k, n), none of a row that does not count."""
        is_whole = (often == np.rint(often)).all(axis=1, keepdims=True)
        often = np.where(is_whole, often, often > 0).astype(np.int64)
        values = np.where(often > 0, values, np.inf)
        order = np.argsort(values, axis=1, kind="stable")
        return cls(np.take_along_axis(values, order, 1), np.cumsum(np.take_along_axis(often, order, 1), axis=1))

    @property
    def total(self) -> np.ndarray:
        """(k,) how many there are."""
        return self.upto[:, -1]

    def std(self) -> np.ndarray:
        """Return the standard deviation (k,)."""
        often = np.diff(self.upto, axis=1, prepend=0)
        values = np.where(often > 0, self.values, 0.0)
        mean = np.sum(often * values, axis=1) / self.total
        return np.asarray(np.sqrt(np.sum(often * (values - mean[:, None]) ** 2, axis=1) / self.total))

    def quantile(self, share: float) -> np.ndarray:
        """Return the quantile (k,) between neighbours, as NumPy's."""
        return self._between(share * (self.total - 1.0))

    def median(self, dropped: int = 0) -> np.ndarray:
        """Return the median (k,) of what is left without the lowest few."""
        return self._between(dropped + 0.5 * (self.total - dropped - 1.0))

    def _between(self, place: np.ndarray) -> np.ndarray:
        below = np.floor(place)
        low, high = self._at(below), self._at(np.ceil(place))
        return low + (place - below) * (high - low)

    def _at(self, place: np.ndarray) -> np.ndarray:
        at = np.sum(self.upto <= place[:, None], axis=1)
        return np.take_along_axis(self.values, at[:, None], 1)[:, 0]


def widened(
    objective: Objective, residual: np.ndarray, curvature: np.ndarray, scale: float, often: np.ndarray
) -> np.ndarray:
    """Return rho'' (k, n) of residuals (k, n), with the threshold at their bandwidth where rho's scale is narrower.

    Only the density is counted more widely: the slopes must stay those whose sum is zero at the minimum, or the answer
    would depend on the units of the columns.   often: (k, n), how often each row is there.
    """
    if objective.name == "squared" or objective.dof is not None or not np.isfinite(scale):
        return curvature
    width = bandwidth(Ordered.of(residual, often))
    lanes = np.flatnonzero(scale < width)
    width, found = width[lanes, None], np.array(curvature)
    if len(lanes):
        own, wide = (rho_of(objective.rho, FAR * width, one).psi for one in (scale, width))
        found[lanes] = own / wide * rho_of(objective.rho, residual[lanes], width).curvature
    return found


def bandwidth(residuals: Ordered) -> np.ndarray:
    """Return how wide (k,) around zero residuals are to be counted, to learn how many lie just there.

    A rho function with a smaller threshold knows the density of residuals at zero from a handful of rows: of thirty
    with 1 % noise, three lie within 1e-3, and a standard error from those is several times too small.   Source: Hall &
    Sheather 1988; Koenker 2005, §3.4.2.
    """
    share = np.minimum(HALL_SHEATHER * residuals.total ** (-1 / 3), 0.45)
    spread = np.minimum(residuals.std(), (residuals.quantile(0.75) - residuals.quantile(0.25)) / 1.34)
    return np.asarray(2.0 * spread * [NormalDist().inv_cdf(0.5 + one) for one in share.tolist()])
