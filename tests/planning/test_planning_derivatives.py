"""Derivatives of plans at active limits: against differences, forward and reverse, and through the fit to the runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from plans import LAW, SARDANA, loss

import jaxscale as js
from jaxscale import precision
from jaxscale.costs import COSTS
from jaxscale.fitting import solution
from jaxscale.planning import PlanNumbers, Spending, at_most, planned
from jaxscale.planning.question import question_of


def test_derivatives_of_the_plan_at_active_limits_are_those_of_differences():
    """Of the loss, of ln N and of a multiplier, in budget, cap, price and coefs; forward and reverse, jit and vmap."""
    spending = Spending(LAW, ((COSTS.resolve("dollars"), False), (COSTS.resolve("tokens"), False)))

    def answer(budget, cap, price, alpha):
        prices = {"inference_tokens": 1e12, "training_price": price, "serving_price": 2e-18}
        coefs = tuple(jnp.asarray({**SARDANA, "alpha": alpha}[name]) for name in LAW.names)
        one = jnp.asarray(1.0)
        found = planned(spending, PlanNumbers(coefs, (), (budget, cap), (prices, {}, {}), one, (one, one)))
        return jnp.stack([found.loss, found.x[0], found.multipliers[0]])

    def modes(point):
        return (np.asarray(one(point[None]))[0] for one in compiled[1:])

    with precision.float64():
        compiled = [
            jax.jit(lambda p: answer(*p)),
            *(jax.jit(jax.vmap(mode(lambda p: answer(*p)))) for mode in (jax.jacfwd, jax.jacrev)),
        ]

        def of(p):
            return np.asarray(compiled[0](p))

        params = np.exp(of(np.array([1e5, 1e16, 1e-18, 0.34]))[1])
        best = (1e5 / params - 2.0 * 1e12 * 2e-18) / 6e-18  # tokens, where no cap binds
        # far below them, and so near that the cap is worth next to nothing, and a plan is known to fewer digits
        for cap, digits in ((5e11, 1e-6), (best * (1.0 - 1e-4), 1e-5)):
            point = np.array([1e5, cap, 1e-18, 0.34])
            forward, reverse = modes(point)
            assert (of(point)[2] > 0) & np.isfinite(of(point)).all()
            steps = 1e-6 * np.diag(point)
            ratio = np.stack([(of(point + step) - of(point - step)) / (2 * step.sum()) for step in steps], axis=1)
            np.testing.assert_allclose(forward * point, ratio * point, rtol=digits, atol=1e-2 * digits)
            np.testing.assert_allclose(reverse * point, forward * point, rtol=1e-12, atol=1e-14)


def test_one_runs_loss_moves_the_plan_as_a_refit_says():
    """Of the loss, of ln N and of a multiplier, through the fit and the plan at one and at two active limits."""
    random = np.random.default_rng(4)
    params, tokens = np.exp(random.uniform(17, 21, 24)), np.exp(random.uniform(21, 25, 24))
    target = np.log(loss(params, tokens, SARDANA)) + 0.01 * random.standard_normal(24)
    spending = Spending(LAW, ((COSTS.resolve("lifetime"), False), (COSTS.resolve("tokens"), False)))
    objective = js.squared()

    def answer(target, cap):
        theta = solution(LAW, objective, LAW.theta(SARDANA), (params, tokens), target, np.ones(24))
        coefs = tuple(support.from_real(one) for support, one in zip(LAW.supports, theta, strict=True))
        one = jnp.asarray(1.0)
        caps = (jnp.asarray(1e22), cap)
        served = {"inference_tokens": jnp.asarray(1e12)}
        found = planned(spending, PlanNumbers(coefs, (), caps, (served, {}, {}), one, (one, one)))
        return jnp.stack([found.loss, found.x[0], found.multipliers[0]])

    with precision.float64():
        slope, value = jax.jit(jax.jacrev(answer)), jax.jit(answer)
        for cap, is_active in ((1e14, False), (1e11, True)):
            found = np.asarray(slope(target, cap))
            assert is_active == (np.abs(found[1]).max() < 1e-9)  # two limits decide N and D, whatever the runs say
            for row in (0, 7, 23):
                step = 1e-6 * (np.arange(24) == row)
                ends = [np.asarray(value(target + side * step, cap)) for side in (1, -1)]
                np.testing.assert_allclose(found[:, row], (ends[0] - ends[1]) / 2e-6, rtol=1e-4, atol=1e-7)


FLOPS, CAP = 1e21, 1e10
RIVALS = {
    "cvxpylayers 1.2.0": (-5.02055582e-23, -1.21708399e-11),  # its jit, vmap and jvp raise errors
    "slsqp-jax 0.21.1": (0.0, 0.0),  # in optimistix.minimise; the optimum itself is right to 1e-9
}
"""Derivatives of the least loss in the budget and in the cap on tokens, both active, of Sardana's coefs; JAX 0.10.2."""


@pytest.mark.slow
def test_derivatives_at_two_active_limits_are_the_closed_ones_which_rivals_give_in_part():
    """N = C/6/cap and D = cap: forward, reverse, under jit and under vmap, to ten digits."""
    question = question_of(LAW, flops=FLOPS, limits=[at_most("tokens", CAP)])

    def plan(flops, cap):
        coefs = tuple(SARDANA[name] for name in LAW.names)
        return planned(question.spending, question.given._replace(coefs=coefs, caps=(flops, cap)))

    def closed(flops, cap):
        return loss(flops / 6 / cap, cap, SARDANA)

    with precision.float64():
        own = jax.jit(jax.grad(lambda *at: plan(*at).loss, (0, 1)))(FLOPS, CAP)
        exact = jax.grad(closed, (0, 1))(FLOPS, CAP)
        sizes = jax.jacfwd(lambda at: plan(*jnp.exp(at)).x)(jnp.log(jnp.array([FLOPS, CAP])))
        many = jax.vmap(lambda flops: plan(flops, CAP).loss)(jnp.array([FLOPS, 2 * FLOPS]))
    np.testing.assert_allclose(own, exact, rtol=1e-10)
    np.testing.assert_allclose(sizes, [[1.0, -1.0], [0.0, 1.0]], atol=1e-10)
    np.testing.assert_allclose(many, [closed(FLOPS, CAP), closed(2 * FLOPS, CAP)], rtol=1e-10)
    np.testing.assert_allclose(RIVALS["cvxpylayers 1.2.0"], exact, rtol=1e-7)
