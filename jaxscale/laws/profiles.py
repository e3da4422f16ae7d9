"""Start points of a law that is known by its text only: on a grid of what is not linear, solved for what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale import precision
from jaxscale.laws.grids import thinned_product
from jaxscale.laws.projection import LEAST, solve_scales

MOST = 64
"""Largest grid; of a larger product of start values every k-th point is taken."""


@dataclass(frozen=True)
class Profile:
    """Start points (Law.starts) by variable projection; equal to another of the same fields.

    linear: coefs in which the loss is jointly affine.   grids: of every coef its name, support and start values.
    Source: Golub & Pereyra 1973.
    """

    loss: Callable[..., jax.Array]
    linear: tuple[str, ...]
    grids: tuple[tuple[str, str, tuple[float, ...]], ...]

    def __call__(self, columns: Mapping[str, np.ndarray], target: np.ndarray) -> Sequence[Mapping[str, float]]:
        """Return a start per grid point: relative least squares in the linear coefs, the others given."""
        curved = {name: values for name, _, values in self.grids if name not in self.linear}
        grid = thinned_product(tuple(curved.values()), MOST)
        points = np.array(grid, dtype=np.float64).reshape(len(grid), len(curved))  # one empty point where all is linear
        parts = self._parts(columns, tuple(curved), points)
        supports = {name: support for name, support, _ in self.grids}
        is_positive = np.array([supports[name] != "real" for name in self.linear], dtype=bool)
        basis, rest = np.moveaxis(parts[:, 1:] / target, 1, 2), 1.0 - parts[:, 0] / target
        is_finite = np.isfinite(rest).all(axis=1)
        _, scales = solve_scales(basis, np.where(is_finite[:, None], rest, 0.0), is_positive, LEAST)
        found = np.concatenate([points, scales], axis=1)[is_finite & np.isfinite(scales).all(axis=1)]
        starts = [dict(zip((*curved, *self.linear), map(float, row), strict=True)) for row in found]
        return [{name: _inside(start[name], supports[name]) for name in supports} for start in starts]

    def _parts(self, columns: Mapping[str, np.ndarray], curved: Sequence[str], points: np.ndarray) -> np.ndarray:
        """Return (points, 1 + linear, rows): what the loss is without the linear coefs, and what each adds at one."""
        units = np.eye(1 + len(self.linear))[:, 1:]

        def one(point: jax.Array, unit: jax.Array, run: tuple[jax.Array, ...]) -> jax.Array:
            values = {name: point[index] for index, name in enumerate(curved)}
            return self.loss(*run, **values, **{name: unit[index] for index, name in enumerate(self.linear)})

        over_rows = jax.vmap(one, (None, None, 0))
        every = jax.vmap(jax.vmap(over_rows, (None, 0, None)), (0, None, None))
        with precision.float64():
            runs = tuple(jnp.asarray(column, dtype=jnp.float64) for column in columns.values())
            found = np.array(every(jnp.asarray(points), jnp.asarray(units), runs), dtype=np.float64)
        found[:, 1:] -= found[:, :1]
        return found


def _inside(value: float, support: str) -> float:
    return min(value, 1.0 - LEAST) if support == "unit" else value
