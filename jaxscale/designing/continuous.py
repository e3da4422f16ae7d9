"""Runs of any size: params and tokens of a few runs, moved by gradient until the plan's expected regret is least."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxscale.costs.training import cost_under
from jaxscale.designing.asking import SPREAD, Target, known_runs, positive, wanted
from jaxscale.designing.criteria import DesignProblem
from jaxscale.designing.posterior import named_coefs, posterior
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.numerics.hosted import Tree, hosted
from jaxscale.results import Fit
from jaxscale.runs import Runs

DRAWS, STEPS, RATE, STARTS = 32, 600, 0.05, 4
"""Draws of the coefs; steps of Adam and its rate; designs to start from, of which the best is kept."""
NOT_SIZES = "continuous: law '{law}' takes {inputs}; runs of any size need params and tokens alone to be free"
BAD_RUNS = "runs = {runs!r} is no count of one or more"
TOO_MANY = "runs = {runs} of least = {least:.4g} FLOP each cost more than budget = {budget:.4g}"
LEAST = 1e-3
"""Share of the budget that the cheapest run costs, where nothing is said."""
BAD_RATIOS = "ratios = {ratios!r} are no lower and higher number of tokens per param, both positive"


class Continuous(NamedTuple):
    """Runs of any size.

    Attributes
    ----------
    params, tokens, flops
        (n,) of the runs, from the cheapest to the dearest.
    before, after
        The expected regret of the plan without them and with them, nats per token.

    Examples
    --------
    >>> sizes = js.designing.continuous(law="chinchilla", coefs="besiroglu2024", budget=1e20, target=1e24, runs=6)
    >>> sizes.params.shape
    (6,)
    """

    params: np.ndarray
    tokens: np.ndarray
    flops: np.ndarray
    before: float
    after: float


def continuous(
    source: Fit | Runs | None = None,
    *,
    budget: float,
    target: Target,
    runs: int = 8,
    ratios: tuple[float, float] = (1.0, 1000.0),
    least: float | None = None,
    noise: float | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    spread: float = SPREAD,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Continuous:
    """Return params and tokens of runs that together cost a budget, of least expected regret at the target.

    Parameters
    ----------
    source
        A Fit, or Runs with law=; None with law= and coefs=.
    budget
        What the runs cost together, in FLOP: all of it is spent.
    target
        Budgets of the plans, in FLOP.
    runs
        How many.
    ratios
        The lowest and the highest tokens per param of a run.
    least
        What the cheapest run costs at least, in FLOP; by default a thousandth of the budget.
    noise
        Standard deviation of ln loss; by default it is estimated from the runs.
    law, coefs
        In place of a Fit.
    spread
        Where coefs= are known from elsewhere, their standard deviation on the real line.
    fixed
        The law's inputs that a budget does not decide, name → number.
    seed
        Of the draws.

    Returns
    -------
    Continuous
        The runs from the cheapest to the dearest, and the expected regret without them and with them.

    Raises
    ------
    UsageError
        For numbers that are invalid, and a law whose inputs are not sizes.

    Notes
    -----
    Adam moves the shares of the budget and the tokens per param of all runs at once, from several designs at random.

    Examples
    --------
    >>> known = {"law": "chinchilla", "coefs": "besiroglu2024"}
    >>> sizes = js.designing.continuous(budget=1e20, target=1e24, runs=6, **known)
    >>> bool(np.isclose(sizes.flops.sum(), 1e20)) and sizes.after < sizes.before
    True
    """
    law, evidence, prior, space, starts = known_runs(source, law, coefs, spread)
    flops, region, beside = wanted(law, target, fixed)
    if region is not None or not set(law.inputs) <= {"params", "tokens", "flops", "tokens_per_param", *beside}:
        raise UsageError(NOT_SIZES.format(law=law.name, inputs=", ".join(law.inputs)))
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        raise UsageError(BAD_RUNS.format(runs=runs))
    ends = np.asarray(ratios)
    if ends.shape != (2,) or ends.dtype.kind not in "iuf" or not (0 < ends[0] < ends[1] < np.inf):
        raise UsageError(BAD_RATIOS.format(ratios=ratios))
    budget = positive("budget", budget)
    least = LEAST * budget if least is None else positive("least", least)
    if least * runs > budget:
        raise UsageError(TOO_MANY.format(runs=runs, least=least, budget=budget))
    noise = None if noise is None else positive("noise", noise)
    believed = posterior(law, evidence, prior, space=space, noise=noise, starts=starts, draws=DRAWS, seed=seed)
    question = DesignProblem(law, evidence, prior, believed, (), space, flops, None, beside)
    optima = question.optima(believed.draws)
    slope = optima.slope * np.sqrt(0.5 * np.maximum(optima.bend, 0.0) / optima.bend.shape[1])[..., None]
    known = np.linalg.inv(question.covariance(believed.draws))
    cost = cost_under(law)
    price = float(cost.per_param_token(**{name: beside[name] for name in cost.inputs}))
    random = np.random.default_rng([seed, 3])
    begun = random.standard_normal((STARTS, 2, int(runs))) * np.array([2.0, 1.0])[:, None]
    names = tuple(beside)
    numbers = (
        np.float64(believed.noise),
        np.float64(budget),
        np.float64(price),
        np.log(ends.astype(float)),
        np.float64(least),
    )
    others = np.array([beside[name] for name in names])
    args = (begun, believed.draws, known, slope, numbers, others)
    params, tokens, value = hosted(_descent(law, space, names), *args)
    best = int(np.argmin(np.where(np.isfinite(value), value, np.inf)))
    compute = price * params[best] * tokens[best]
    order = np.argsort(compute)
    before = float(np.mean(np.einsum("kmp,kpq,kmq->k", slope, np.linalg.inv(known), slope)))
    return Continuous(params[best][order], tokens[best][order], compute[order], before, float(value[best]))


@lru_cache(maxsize=64)
def _descent(law: Law, space: str, names: tuple[str, ...]) -> Callable[..., tuple[jax.Array, jax.Array, jax.Array]]:
    """Return (begun (s, 2, n), draws, information, targets, numbers, fixed) → params, tokens (s, n), value (s,)."""

    def sizes(free: jax.Array, numbers: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        _, budget, price, ends, least = numbers
        flops = least + (budget - least * free.shape[1]) * jax.nn.softmax(free[0])
        ratio = jnp.exp(ends[0] + (ends[1] - ends[0]) * jax.nn.sigmoid(free[1]))
        params = jnp.sqrt(flops / (price * ratio))
        return params, params * ratio

    def value(free: jax.Array, rest: tuple[Tree, ...]) -> jax.Array:
        draws, known, targets, numbers, others = rest
        params, tokens = sizes(free, numbers)
        given = {"params": params, "tokens": tokens, "flops": numbers[2] * params * tokens}
        given |= {"tokens_per_param": tokens / params}
        given |= {name: jnp.broadcast_to(other, params.shape) for name, other in zip(names, others, strict=True)}

        def model(theta: jax.Array) -> jax.Array:
            coefs = named_coefs(law, theta)
            loss = jax.vmap(lambda *run: law.loss(*run, **coefs))(*(given[name] for name in law.inputs))
            return jnp.log(loss) if space == "log" else loss

        def left(theta: jax.Array, information: jax.Array, target: jax.Array) -> jax.Array:
            rows = jax.jacfwd(model)(theta) / numbers[0]
            return jnp.sum(target.T * jnp.linalg.solve(information + rows.T @ rows, target.T))

        return jnp.mean(jax.vmap(left)(draws, known, targets))

    def one(begun: jax.Array, *rest: Tree) -> tuple[jax.Array, jax.Array, jax.Array]:
        adam = optax.adam(optax.cosine_decay_schedule(RATE, STEPS))

        def advance(state: tuple[jax.Array, optax.OptState], _: None) -> tuple[tuple[jax.Array, optax.OptState], None]:
            free, memory = state
            slope = jax.grad(lambda at: jnp.log(value(at, rest)))(free)
            moved, memory = adam.update(slope, memory, free)
            return (optax.apply_updates(free, moved), memory), None

        (free, _), _ = jax.lax.scan(advance, (begun, adam.init(begun)), None, length=STEPS)
        params, tokens = sizes(free, rest[3])
        return params, tokens, value(free, rest)

    return jax.vmap(one, (0, None, None, None, None, None))
