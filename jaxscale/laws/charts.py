"""Coordinates in which a law is fitted: its coefs by their supports, or others in which it is nearer to quadratic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import jax
import numpy as np

from jaxscale.numerics.supports import Support


class Coordinates(Protocol):
    """From the coefs (…, p) of a law to theta (…, p), a point on the real line for each, and back; not checked."""

    def to_theta(self, coefs: np.ndarray) -> np.ndarray:
        """Return theta; not finite for a coef at an edge of its support."""
        ...

    def to_coefs(self, theta: np.ndarray) -> np.ndarray:
        """Return the coefs."""
        ...

    def of_coefs(self, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance (…, p, p) of the coefs at theta, from that of theta, to first order."""
        ...

    def of_theta(self, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance (…, p, p) of theta, from that of the coefs: the inverse of `of_coefs`."""
        ...

    def direction(self, theta: np.ndarray, at: int) -> np.ndarray:
        """Return the direction (p,) in theta (p,) along which the coef at a place changes fastest; of any length."""
        ...


@dataclass(frozen=True)
class Plain:
    """Every coef by itself, by the map of its support."""

    supports: tuple[Support, ...]

    def to_theta(self, coefs: np.ndarray) -> np.ndarray:
        """Return theta; not finite for a coef at an edge of its support."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack([one.to_real(coefs[..., at]) for at, one in enumerate(self.supports)], axis=-1)

    def to_coefs(self, theta: np.ndarray) -> np.ndarray:
        """Return the coefs."""
        with np.errstate(over="ignore"):  # far out a coef is the end of its support
            return np.stack([one.to_coef(theta[..., at]) for at, one in enumerate(self.supports)], axis=-1)

    def of_coefs(self, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of the coefs at theta; infinite for one beyond float64."""
        slopes = self._slopes(theta)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(covariance * slopes[..., :, None] * slopes[..., None, :])

    def of_theta(self, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of theta."""
        slopes = self._slopes(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(covariance / (slopes[..., :, None] * slopes[..., None, :]))

    def direction(self, theta: np.ndarray, at: int) -> np.ndarray:
        """Return the unit vector of the coef at a place."""
        return np.eye(len(theta))[at]

    def _slopes(self, theta: np.ndarray) -> np.ndarray:
        """Return d coef / d theta (…, p)."""
        with np.errstate(over="ignore"):
            slopes = [one.slope(one.to_coef(theta[..., at])) for at, one in enumerate(self.supports)]
        return np.stack(np.broadcast_arrays(*slopes), axis=-1)


@dataclass(frozen=True)
class Chart:
    """Other coordinates than the coefs themselves, p for p of them, all real and without an edge.

    A law whose coefs are far from quadratic is crept along by any descent, and its replicates fail. In coordinates in
    which it is smooth where coefs are infinite, too, the same minimum takes a few steps.

    loss: `loss(*inputs, *theta)`, the law's loss by p scalars, a pure JAX function twice differentiable.   theta,
    coefs: the maps (…, p) → (…, p), each the inverse of the other.   slopes: from theta (…, p) to d coefs / d theta
    (…, p, p). These three in NumPy.   holding: from the names of fixed coefs to the chart in which each of them is a
    coordinate; None for the coefs' own.   meeting: from coefs (p,) and a fixed one by place to coefs that have it and
    are else as alike as can be, as start points are taken.
    """

    loss: Callable[..., jax.Array]
    theta: Callable[[np.ndarray], np.ndarray]
    coefs: Callable[[np.ndarray], np.ndarray]
    slopes: Callable[[np.ndarray], np.ndarray]
    holding: Callable[[frozenset[str]], Chart | None]
    meeting: Callable[[np.ndarray, Mapping[int, float]], np.ndarray]

    def to_theta(self, coefs: np.ndarray) -> np.ndarray:
        """Return theta."""
        return self.theta(coefs)

    def to_coefs(self, theta: np.ndarray) -> np.ndarray:
        """Return the coefs."""
        return self.coefs(theta)

    def of_coefs(self, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of the coefs at theta."""
        slopes = self.slopes(theta)
        return np.asarray(slopes @ covariance @ np.swapaxes(slopes, -1, -2))

    def of_theta(self, theta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of theta."""
        back = np.linalg.inv(self.slopes(theta))
        return np.asarray(back @ covariance @ np.swapaxes(back, -1, -2))

    def direction(self, theta: np.ndarray, at: int) -> np.ndarray:
        """Return the gradient of the coef at a place."""
        return np.asarray(self.slopes(theta)[at])
