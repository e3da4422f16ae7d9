"""Where a coefficient may live, and its image on the real line, where all optimisation happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.registry import Registry


@dataclass(frozen=True)
class Support:
    """An open interval with a smooth map from the real line onto it.

    `from_real` is written in JAX, elementwise; `to_coef`, the same map, `to_real`, its inverse, and `slope` in NumPy,
    for the host: `slope` is d coef / d theta as a function of the coef; it carries standard errors over.
    """

    name: str
    from_real: Callable[[jax.Array], jax.Array]
    to_coef: Callable[[np.ndarray], np.ndarray]
    to_real: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    low: float
    high: float

    def contains(self, coef: float) -> bool:
        """Return whether coef lies strictly inside; NaN does not."""
        return bool(self.low < coef < self.high)


REAL = Support("real", lambda theta: theta, lambda theta: theta, lambda coef: coef, np.ones_like, -np.inf, np.inf)
POSITIVE = Support("positive", jnp.exp, np.exp, np.log, lambda coef: coef, 0.0, np.inf)
UNIT = Support(
    "unit",
    jax.nn.sigmoid,
    lambda theta: 1.0 / (1.0 + np.exp(-theta)),
    lambda coef: np.log(coef) - np.log1p(-coef),
    lambda coef: coef * (1.0 - coef),
    0.0,
    1.0,
)

SUPPORTS = Registry("support", (REAL, POSITIVE, UNIT))

OUTSIDE = "{name} = {value!r} is outside its support '{support}' ({low}, {high})"


def to_theta(names: tuple[str, ...], supports: tuple[Support, ...], values: np.ndarray) -> np.ndarray:
    """Return coefs (..., p) on the real line; raise UsageError where one lies outside its support."""
    theta = np.empty(values.shape, dtype=np.float64)
    for index, (name, support) in enumerate(zip(names, supports, strict=True)):
        column = np.asarray(values[..., index], dtype=np.float64)
        inside = (column > support.low) & (column < support.high)
        if not inside.all():
            bad = float(column[~inside].flat[0])
            bounds = {"low": support.low, "high": support.high}
            raise UsageError(OUTSIDE.format(name=name, value=bad, support=support.name, **bounds))
        theta[..., index] = support.to_real(column)
    return theta
