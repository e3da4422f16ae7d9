"""Inputs that are chosen with params and tokens: against SciPy, scans and conditions in closed form."""

from functools import partial

import jax
import numpy as np
import pytest
from plans import SARDANA, loss
from scipy.optimize import brentq, minimize

import jaxscale as js
from jaxscale import precision
from jaxscale.planning import at_least, at_most, planned
from jaxscale.planning.question import question_of

EXPERTS = {"law": "experts-sparsity", "coefs": "abnar2025"}
ABNAR = js.LAWS.resolve("experts-sparsity").constants("abnar2025")
MIXED = {
    **{"E": 1.5, "A": 400.0, "B": 400.0, "alpha": 0.34, "beta": 0.3},
    **{"C_1": 1.5, "C_2": 1.0, "C_3": 2.0, "gamma_1": 0.5, "gamma_2": 0.3, "gamma_3": 0.6},
}
SHARES = {f"share_{domain}": (0.0, 1.0) for domain in (1, 2, 3)}
KUMAR = {
    **{"E": 2.76, "A": 4299.0, "B": 18060.0, "alpha": 0.4965, "beta": 0.589},
    **{"gamma_w": 2.67, "gamma_a": 2.21, "gamma_kv": 0.96},
}
BITS = ("bits_weights", "bits_activations", "bits_cache")


@pytest.mark.slow
def test_a_chosen_share_of_idle_experts_is_the_best_of_a_scan():
    """Abnar et al. 2025, within a number of active params: plans at fixed shares are no better, and none is far off."""
    limits = [at_most("active_params", 4e9), at_most("params", 6e10)]
    best = js.plan(**EXPERTS, flops=1e22, limits=limits, choose={"idle_experts": (0.0, 0.98)})
    assert best.status is js.PlanStatus.OPTIMAL
    share = float(best.inputs["idle_experts"])
    at = [js.plan(**EXPERTS, flops=1e22, limits=limits, fixed={"idle_experts": share + step}).loss
          for step in (-0.1, -1e-3, 0.0, 1e-3)]  # fmt: skip
    assert at[2] == pytest.approx(float(best.loss), abs=1e-10)
    assert min(at) >= best.loss - 1e-12
    assert at[0] > best.loss + 1e-3
    assert best.spent["active_params at most"] == pytest.approx(float(best.params) * (1 - share), rel=1e-12)


def test_bits_are_chosen_as_by_scipy():
    """Kumar et al. 2024, whose price rises with the bits: the precisions of the least loss are inside."""
    law = js.LAWS.resolve("precision")
    best = js.plan(law=law, coefs=KUMAR, flops=1e22, choose=dict.fromkeys(BITS, (1.0, 16.0)))

    def along(x):
        bits = dict(zip(BITS, np.exp(x[1:]), strict=True))
        price = float(law.flops_per_param_token(**bits))
        params = np.exp(x[0])
        share = np.prod([1 - np.exp(-bits[f"bits_{one}"] / KUMAR[f"gamma_{sign}"])
                         for one, sign in (("weights", "w"), ("activations", "a"), ("cache", "kv"))])  # fmt: skip
        tokens = 1e22 / price / params
        return KUMAR["E"] + KUMAR["A"] * (params * share) ** -KUMAR["alpha"] + KUMAR["B"] * tokens ** -KUMAR["beta"]

    with precision.float64():
        found = minimize(along, [25.0, 1.4, 1.4, 1.0], method="Nelder-Mead",
                         options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000})  # fmt: skip
    assert best.loss == pytest.approx(found.fun, abs=1e-10)
    np.testing.assert_allclose([best.inputs[name] for name in BITS], np.exp(found.x[1:]), rtol=1e-4)
    assert not [name for name in best.binding if "bits" in name]


def mixture(tokens=None, cap=None):
    """Return the shares of the largest sum of C h^gamma with sum one, by its multiplier; the first one capped."""
    c, g = (np.array([MIXED[f"{letter}_{domain}"] for domain in (1, 2, 3)]) for letter in ("C", "gamma"))
    first = None if cap is None else cap / tokens

    def shares(log_price):
        found = (c * g / np.exp(log_price)) ** (1 / (1 - g))
        return found if first is None else np.append(min(found[0], first), found[1:])

    return shares(brentq(lambda at: shares(at).sum() - 1.0, -5.0, 5.0, xtol=1e-14))


def test_shares_of_a_mixture_meet_the_condition_of_its_optimum():
    """The marginal worth of every domain is the same; with one that has few tokens, of all others."""
    plan = partial(js.plan, law="mixing-scale", coefs=MIXED, flops=1e22, choose=SHARES)
    open_end = plan()
    np.testing.assert_allclose([open_end.inputs[name] for name in SHARES], mixture(), rtol=1e-6)
    capped = plan(limits=[at_most("tokens_of_1", 1e10)])
    assert capped.binding == ("6nd at most", "tokens_of_1 at most")
    assert capped.tokens * capped.inputs["share_1"] == pytest.approx(1e10, rel=1e-9)

    def along(log_params):
        tokens = 1e22 / 6 / np.exp(log_params)
        worth = sum(MIXED[f"C_{at}"] * one ** MIXED[f"gamma_{at}"]
                    for at, one in enumerate(mixture(tokens, 1e10), start=1))  # fmt: skip
        return loss(np.exp(log_params), tokens, MIXED) + 1 / worth

    sizes = np.log(capped.params) + np.linspace(-0.5, 0.5, 201)
    assert capped.loss == pytest.approx(min(map(along, sizes)), abs=1e-6)
    assert capped.loss <= min(map(along, sizes)) + 1e-10
    assert capped.loss > open_end.loss


def test_a_batch_is_chosen_between_steps_and_flops():
    """Kaplan et al. 2020: FLOP and hours both bind, and no batch nearby reaches a lower loss within them."""
    rate = 3600 * 4000 * 4e14
    limits = [at_most("batched", 1e24), at_most("wall-clock", 720.0, flops_per_hour=rate, seconds_per_step=1.0)]
    plan = partial(js.plan, law="chinchilla", coefs=SARDANA, limits=limits)
    best = plan(choose={"batch_tokens": (1e5, 1e9)})
    assert best.binding == ("batched at most", "wall-clock at most")
    batch = float(best.inputs["batch_tokens"])
    critical = 2.1e8 / float(best.loss) ** (1 / 0.21)
    assert 6 * best.params * best.tokens * (1 + batch / critical) == pytest.approx(1e24, rel=1e-8)
    steps = best.tokens / batch + best.tokens / critical
    assert 1e24 / rate + steps / 3600 == pytest.approx(720.0, rel=1e-8)

    def at(factor):
        held = [js.planning.Limit(one.cost, one.cap, one.is_least, {**one.inputs, "batch_tokens": batch * factor})
                for one in limits]  # fmt: skip
        return plan(limits=held).loss

    assert at(1.0) == pytest.approx(float(best.loss), abs=1e-10)
    assert min(at(0.95), at(1.05)) > best.loss


@pytest.mark.slow
def test_ends_are_worth_what_moving_them_gains():
    """Multipliers and the derivatives of the program, of the logarithm and of what a share leaves."""
    limits = [at_most("active_params", 4e9)]
    plan = partial(js.plan, **EXPERTS, flops=1e22, limits=limits)
    best = plan(choose={"idle_experts": (0.0, 0.5)})
    more, less = (float(plan(choose={"idle_experts": (0.0, 0.5 + step)}).loss) for step in (1e-4, -1e-4))
    assert best.multipliers["idle_experts at most"] == pytest.approx((less - more) / 2e-4, rel=1e-5)
    assert best.multipliers["idle_experts at least"] == 0
    question = question_of(
        js.LAWS.resolve("experts-sparsity"), flops=1e22, limits=limits, choose={"idle_experts": (0.0, 0.5)}
    )
    given = question.given._replace(coefs=tuple(np.float64(one) for one in ABNAR.values()))

    def lowest(end):
        return planned(question.spending, given._replace(ends=((given.ends[0][0], end),))).loss

    with precision.float64():
        assert -jax.grad(lowest)(0.5) == pytest.approx(float(best.multipliers["idle_experts at most"]), rel=1e-9)
        assert jax.jvp(lowest, (0.5,), (1.0,))[1] == pytest.approx(float(jax.grad(lowest)(0.5)), rel=1e-12)


@pytest.mark.slow
def test_one_choice_for_all_draws_is_that_of_a_search():
    """Mean loss over draws is least at the size and the share that SciPy finds."""
    random = np.random.default_rng(3)
    draws = {name: value * np.exp(0.02 * random.standard_normal(16)) for name, value in ABNAR.items()}
    limits = [at_most("active_params", 4e9), at_most("params", 2e10)]
    found = js.decide(
        law="experts-sparsity", coefs=draws, flops=1e22, limits=limits, choose={"idle_experts": (0.0, 0.98)}
    )
    law = js.LAWS.resolve("experts-sparsity")

    def mean(x):
        params, share = np.exp(x[0]), x[1]
        if not 0 <= share <= 0.98 or params > 2e10 or params * (1 - share) > 4e9:
            return 10.0
        tokens = 1e22 / float(law.flops_per_param_token(idle_experts=share)) / params
        terms = law.loss(params, tokens, share, **draws)
        return float(np.mean(terms))

    with precision.float64():
        at = mean((np.log(found.params), found.inputs["idle_experts"] - 1e-12))
        around = [mean((np.log(found.params) + dx, found.inputs["idle_experts"] + ds))
                  for dx in (-0.02, 0.0, 0.02) for ds in (-0.01, 0.0, 0.01)]  # fmt: skip
    assert float(np.mean(found.best.loss)) == pytest.approx(at, abs=1e-8)
    assert min(around) >= at - 1e-8
    assert found.best.expected()[0] <= found.regrets["plug-in"].expected()[0] + 1e-12


def test_the_nearest_model_that_can_be_built_is_the_best_of_the_list():
    """On 6 N D alone every size has the tokens that the budget leaves: losses in closed form."""
    shapes = {"3B": 3e9, "7B": 7e9, "8B": 8.03e9, "70B": 7e10, "1T": 1e12}
    one = {name: np.array([value]) for name, value in SARDANA.items()}
    found = js.decide(law="chinchilla", coefs=one, flops=1e22, shapes=shapes)
    losses = {name: loss(params, 1e22 / 6 / params, SARDANA) for name, params in shapes.items()}
    assert found.built == min(losses, key=losses.__getitem__)
    for name, risk in found.shapes.items():
        assert risk == pytest.approx(losses[name] - float(found.lowest[0]), abs=1e-12)
    assert list(found.shapes) == sorted(losses, key=losses.__getitem__)
    assert found.regrets["buildable"].tokens == pytest.approx(1e22 / 6 / shapes[found.built], rel=1e-9)
    few = js.decide(law="chinchilla", coefs=one, flops=1e22, shapes=shapes, limits=[at_most("params", 5e9)])
    assert few.built == "3B"
    assert np.isnan(few.shapes["1T"])


def test_what_conflicts_with_an_end_is_named():
    limits = [at_most("active_params", 1e9), at_least("params", 5e9)]
    best = js.plan(**EXPERTS, flops=1e22, limits=limits, choose={"idle_experts": (0.0, 0.5)})
    assert best.status is js.PlanStatus.INFEASIBLE
    assert {"active_params at most", "params at least"} <= set(best.conflict)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"choose": {"idle_expert": (0, 0.5)}}, "'idle_expert'; what may be chosen: idle_experts"),
        ({"choose": {"params": (1e9, 1e10)}}, "params and tokens are always chosen; limit 'params'"),
        ({"choose": {"idle_experts": 0.5}}, "idle_experts = 0.5 is not"),
        ({"choose": {"idle_experts": (0.5, 0.5)}}, "the second above the first"),
        ({"choose": {"idle_experts": (0, float("nan"))}}, "two finite numbers"),
        ({"choose": {"idle_experts": (0, 1.0)}}, "must be 0 or more and below 1"),
        ({"choose": {"idle_experts": (0, 0.5)}, "fixed": {"idle_experts": 0.1}}, "both fixed and to be chosen"),
        ({}, "needs idle_experts fixed"),
    ],
)
def test_a_choice_that_is_none_is_refused_by_name(asked, told):
    with pytest.raises(js.UsageError, match=told):
        js.plan(**EXPERTS, flops=1e22, **asked)


@pytest.mark.parametrize(
    ("choose", "told"),
    [
        ({"share_1": (0.0, 0.5)}, "choose all of them, or fix them all"),
        (dict.fromkeys(SHARES, (0.4, 0.9)), "1.2 together at least"),
    ],
)
def test_shares_that_make_no_whole_are_refused(choose, told):
    with pytest.raises(js.UsageError, match=told):
        js.plan(law="mixing-scale", coefs=MIXED, flops=1e22, choose=choose)


def test_a_limit_on_the_loss_of_each_draw_is_no_limit_for_all():
    one = {name: np.array([value]) for name, value in SARDANA.items()}
    with pytest.raises(js.UsageError, match="'batched at most' depends on the loss"):
        js.decide(law="chinchilla", coefs=one, flops=1e22, limits=[at_most("batched", 1e22, batch_tokens=1e6)])
