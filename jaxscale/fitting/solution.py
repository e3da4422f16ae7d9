"""The solution of a fit as a differentiable function of its data: an implicit derivative, not an unrolled one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.engine.programs import problem_of
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.solvers.lanes import fresh_lanes
from jaxscale.solvers.loop import Tolerances, minimise
from jaxscale.solvers.newton import Newton
from jaxscale.solvers.problem import Data

STEPS = 100
NO_SCALE = "a solution estimates no scale: give one, as js.student_t(scale=fit.objective.scale)"


def solution(
    law: Law | str,
    objective: Objective | str,
    theta0: ArrayLike,
    columns: tuple[ArrayLike, ...],
    targets: ArrayLike,
    weights: ArrayLike,
) -> jax.Array:
    """Return theta at the minimum that a descent from theta0 reaches, differentiable in targets and weights.

    It is pure: for use under the caller's jit, vmap and grad, in the caller's precision; wrap the call in
    `jax.enable_x64(True)` for float64.

    Parameters
    ----------
    law, objective
        A law and an objective, or their names.
    theta0
        (p,), the coefs on the real line where the descent begins; see `Law.theta`.
    columns
        One array (n, …) per input of the law.
    targets
        (n,) ln loss or loss, as the objective's space has it.
    weights
        (n,).

    Returns
    -------
    Array
        theta (p,), of which `Law.coordinates` makes coefs.

    Notes
    -----
    Where the gradient g(theta, data) is zero, d theta = -H⁻¹ (∂g/∂data) d data. Not checked: that theta0 leads to a
    minimum; use `jaxscale.fit` for a certified one.

    References
    ----------
    The implicit function theorem; Blondel et al. 2022, arXiv 2105.15183.

    Examples
    --------
    >>> import jax
    >>> law = js.LAWS.resolve("pure-power-params")
    >>> with jax.enable_x64(True):
    ...     data = (runs["params"],), np.log(runs.loss), runs.weight
    ...     theta = js.fitting.solution(law, "huber", law.theta(fit.coefs), *data)
    >>> np.allclose(theta, law.theta(fit.coefs), rtol=1e-6)
    True
    """
    law, objective = LAWS.resolve(law), OBJECTIVES.resolve(objective)
    if objective.is_estimated and not np.isfinite(objective.scale):
        raise UsageError(NO_SCALE)
    problem = problem_of(law, objective.space, objective.rho)
    inputs = tuple(jnp.asarray(column) for column in columns)
    target, weight, start = jnp.asarray(targets), jnp.asarray(weights), jnp.asarray(theta0)
    scale = jnp.asarray(min(objective.scale, 1e30), start.dtype)
    size = start.shape[0]

    def total(theta: jax.Array) -> jax.Array:
        def objective_of(row: tuple[tuple[jax.Array, ...], jax.Array], mass: jax.Array) -> jax.Array:
            return mass * problem.rho(problem.residual(tuple(theta), row), scale).value

        return jnp.sum(jax.vmap(objective_of)((inputs, target), weight))

    def descend(_: object, guess: jax.Array) -> jax.Array:
        lanes = minimise(
            problem,
            Newton(),
            Data(jax.lax.stop_gradient((inputs, target)), jax.lax.stop_gradient(weight)[None]),
            fresh_lanes(Newton(), guess[None], scale[None]),
            jnp.ones((size,), start.dtype),
            jnp.asarray(law.bounded),
            Tolerances(scale, jnp.zeros((), start.dtype), jnp.zeros((), start.dtype)),
            jnp.asarray(jnp.finfo(start.dtype).eps, start.dtype),
            jnp.asarray(STEPS, jnp.int32),
        )
        return lanes.theta[0]

    def tangent(linear: object, right: jax.Array) -> jax.Array:
        return jnp.linalg.solve(jax.jacobian(linear)(right), right)  # type: ignore[arg-type]

    return jax.lax.custom_root(jax.grad(total), start, descend, tangent)
