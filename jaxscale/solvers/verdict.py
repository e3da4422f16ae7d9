"""The verdict on a lane that ended: its status, from value, gradient and curvature there and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxscale.numerics import small_spd
from jaxscale.numerics.rho import Rho
from jaxscale.solvers.lanes import Lanes
from jaxscale.solvers.problem import Evaluation
from jaxscale.status import Status

CONFIRMED = 1e-9
"""Newton decrement, relative to the value, above which no lane is called converged."""
PIVOT = 1e-11
"""Pivot of the curvature, relative to the metric, below which a direction is not identified: the last pivot of an
exactly singular matrix is rounding over the square of the null vector's last component, 3e-13 in practice."""
METRIC_PIVOT = 1e-13
"""Pivot of the metric, relative to its diagonal, below which two coordinates change the predictions alike: the
curvature cannot say so, since the remaining gradient fills in for a missing direction."""
INSENSITIVE = 1e-12
"""Squared effect of a coordinate, relative to the value, below which it changes no prediction."""


def judge(
    rho: Callable[[jax.Array, jax.Array], Rho],
    lanes: Lanes,
    bounded: Bool[Array, " p"],
    total_weight: Float[Array, " B"],
    rounding: Float[Array, ""],
) -> Lanes:
    """Return the lanes, those that converged with a final status.

    A coordinate that no longer changes any prediction is at a bound, if coming back from there would raise the
    objective: a term that vanishes exponentially has a curvature of the sign of its coefficient. The other coordinates
    must form a strict minimum with a Newton decrement at rounding.   total_weight: (B,) of each lane.   rounding: as
    in `minimise`.
    """
    here = lanes.here
    blur = rounding_of(rho, here, lanes.theta, lanes.scale, total_weight, rounding)
    floor = total_weight * rho(blur, lanes.scale).value
    effect = jnp.diagonal(here.metric, axis1=1, axis2=2)
    is_inert = bounded & (effect <= INSENSITIVE * here.value[:, None])
    keep = ~is_inert
    both = keep[:, :, None] & keep[:, None, :]
    alone = jax.vmap(jnp.diag)(is_inert.astype(here.value.dtype))
    unit = jnp.where(is_inert | (effect <= 0), 1.0, effect)  # a curvature of nothing but rounding is no curvature
    gradient = jnp.where(keep, here.gradient, 0.0)
    step, pivot = small_spd.solve(jnp.where(both, here.curvature, 0.0) + alone, gradient, unit=unit)
    _, metric_pivot = small_spd.solve(jnp.where(both, here.metric, 0.0) + alone, gradient, unit=unit)
    decrement = 0.5 * jnp.sum(step * here.gradient * keep, axis=1)
    status = jnp.where(jnp.any(is_inert, axis=1), int(Status.AT_BOUND), int(Status.CONVERGED))
    status = jnp.where(decrement <= CONFIRMED * here.value + floor, status, int(Status.STALLED))
    is_wrong_way = is_inert & (jnp.diagonal(here.curvature, axis1=1, axis2=2) <= 0)
    is_strict = (pivot > PIVOT) & (metric_pivot > METRIC_PIVOT) & ~jnp.any(is_wrong_way, axis=1)
    status = jnp.where(is_strict, status, int(Status.SINGULAR))
    final = jnp.where(lanes.status == int(Status.CONVERGED), status, lanes.status)
    return lanes._replace(status=final.astype(jnp.int32))


def rounding_of(
    rho: Callable[[jax.Array, jax.Array], Rho],
    here: Evaluation,
    theta: Float[Array, "B p"],
    scale: Float[Array, " B"],
    total_weight: Float[Array, " B"],
    rounding: Float[Array, ""],
) -> Float[Array, " B"]:
    """Return the residual that rounding alone produces: of the targets, and of each coordinate by what a row sees of
    it.
    """
    unit = rho(jnp.zeros_like(scale), scale).curvature  # what a small residual weighs in the metric
    effect = jnp.diagonal(here.metric, axis1=1, axis2=2)
    seen = jnp.sqrt(effect / (unit * total_weight)[:, None])
    return rounding + jnp.finfo(seen.dtype).eps * jnp.sum(jnp.abs(theta) * seen, axis=1)
