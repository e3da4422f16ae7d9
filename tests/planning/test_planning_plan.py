"""Plans: closed forms, Sardana's examples, repeated tokens by dense search, multipliers, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from plans import SARDANA, drawn, loss

import jaxscale as js
from jaxscale.costs.memory import STATE_BYTES, serving_bytes, training_bytes
from jaxscale.laws.repeated import decayed
from jaxscale.planning import at_least, at_most
from jaxscale.planning.question import EPOCHS, question_of


def closed(flops, coefs):
    """Return N and D of the least loss on 6 N D (Hoffmann et al. 2022, eq. 4)."""
    a = coefs["beta"] / (coefs["alpha"] + coefs["beta"])
    ratio = coefs["alpha"] * coefs["A"] / (coefs["beta"] * coefs["B"])
    params = ratio ** (1 / (coefs["alpha"] + coefs["beta"])) * (flops / 6) ** a
    return params, flops / 6 / params


def test_without_limits_it_is_the_closed_form():
    random = np.random.default_rng(1)
    for _ in range(100):
        coefs, flops = drawn(random), 10 ** random.uniform(18, 26)
        best = js.plan(law="chinchilla", coefs=coefs, flops=flops)
        np.testing.assert_allclose([np.log(best.params), np.log(best.tokens)], np.log(closed(flops, coefs)), atol=1e-9)
        assert best.status is js.PlanStatus.OPTIMAL
        assert best.binding == ("6nd at most",)


@pytest.mark.parametrize(
    ("params", "served", "smaller", "longer", "saved"),
    [(7e9, 1e11, 6.00e9, 1.176, None), (13e9, 2e12, 6.97e9, None, 0.174), (30e9, 5e12, 16.41e9, None, 0.163)],
)
def test_sardanas_examples(params, served, smaller, longer, saved):
    """Reference I1: quality of a Chinchilla-optimal model, served; the first-order condition to 1e-9."""
    a = SARDANA["beta"] / (SARDANA["alpha"] + SARDANA["beta"])
    ratio = SARDANA["alpha"] * SARDANA["A"] / (SARDANA["beta"] * SARDANA["B"])
    flops = 6 * (params / ratio ** (1 / (SARDANA["alpha"] + SARDANA["beta"]))) ** (1 / a)
    before = closed(flops, SARDANA)
    best = js.plan(law="chinchilla", coefs=SARDANA, loss=loss(*before, SARDANA), inference_tokens=served)
    assert best.params == pytest.approx(smaller, rel=2e-3)
    assert longer is None or best.tokens / before[1] == pytest.approx(longer, abs=1e-3)
    assert saved is None or 1 - best.cost / (flops + 2 * params * served) == pytest.approx(saved, abs=1e-3)
    left = SARDANA["alpha"] * SARDANA["A"] * best.params ** -SARDANA["alpha"]
    right = SARDANA["beta"] * SARDANA["B"] * best.tokens ** -SARDANA["beta"]
    assert left / right == pytest.approx(1 + served / (3 * best.tokens), abs=1e-9)


def test_repeated_tokens_agree_with_a_dense_search():
    """Muennighoff et al. 2023 along the budget, its kink included: on a grid that is refined thrice."""
    random = np.random.default_rng(2)
    for _ in range(100):
        coefs, flops, unique = drawn(random), 10 ** random.uniform(19, 25), 10 ** random.uniform(8, 13)
        best = js.plan(law="chinchilla", coefs=coefs, flops=flops, unique_tokens=unique)

        def along(log_params, coefs=coefs, flops=flops, unique=unique):
            tokens = flops / 6 / np.exp(log_params)
            return loss(np.exp(log_params), decayed(tokens, unique, EPOCHS), coefs)

        low, high = 0.0, np.log(flops / 6)
        for _ in range(4):
            grid = np.linspace(low, high, 2001)
            at = int(np.argmin(along(grid)))
            low, high = grid[max(at - 2, 0)], grid[min(at + 2, 2000)]
        assert best.loss <= along(grid).min() * (1 + 1e-11)
        assert best.loss == pytest.approx(along(grid).min(), rel=1e-9)
        assert np.log(best.params) == pytest.approx(grid[at], abs=1e-5)


def test_multipliers_are_what_one_more_unit_is_worth():
    """Against plans with 1e-4 more and less of each, in the unit of its cap."""
    served = {"inference_tokens": 1e12}
    limits = [at_most("lifetime", 1e23, **served), at_most("tokens", 5e11), at_least("tokens_per_param", 2.0)]
    best = js.plan(law="chinchilla", coefs=SARDANA, limits=limits)
    assert best.binding == ("lifetime at most", "tokens at most")
    for at, worth in enumerate(best.multipliers.values()):
        ends = []
        for factor in (1 + 1e-4, 1 - 1e-4):
            moved = [js.planning.Limit(one.cost, one.cap * (factor if at == place else 1), one.is_least, one.inputs)
                     for place, one in enumerate(limits)]  # fmt: skip
            ends.append(js.plan(law="chinchilla", coefs=SARDANA, limits=moved).loss)
        by_differences = (ends[1] - ends[0]) / (2e-4 * limits[at].cap)
        assert worth == pytest.approx(by_differences, rel=1e-5, abs=1e-10 / limits[at].cap)


def test_an_amount_whose_least_is_its_most_has_one_multiplier_that_is_decided():
    """Sizes and ratios that are held, where no plan has room: the loss there, and what moving both caps is worth."""
    random = np.random.default_rng(3)
    for _ in range(30):
        flops, ratio = 10 ** random.uniform(18, 26), np.exp(random.uniform(-1.5, 1.5))
        params = closed(flops, SARDANA)[0] * ratio
        ends = (1 - 1e-4, 1 + 1e-4)
        held = [loss(params * by, flops / 6 / (params * by), SARDANA) for by in ends]
        for rounded in (1.0, 1.0 + 3e-10):
            limits = [at_most("params", params), at_least("params", params * rounded)]
            best = js.plan(law="chinchilla", coefs=SARDANA, flops=flops, limits=limits)
            assert best.status is js.PlanStatus.OPTIMAL
            assert best.params == pytest.approx(params, rel=1e-9)
            assert best.residual < 1e-9
            worth = best.multipliers["params at most"] + best.multipliers["params at least"]
            assert worth == pytest.approx((held[0] - held[1]) / (2e-4 * params), rel=1e-5)
        limits = [at_least("tokens_per_param", ratio), at_most("tokens_per_param", ratio)]
        best = js.plan(law="chinchilla", coefs=SARDANA, flops=flops, limits=limits)
        assert best.loss == pytest.approx(loss((flops / 6 / ratio) ** 0.5, (flops / 6 * ratio) ** 0.5, SARDANA))
        assert best.residual < 1e-9


def test_a_law_that_falls_on_to_one_token_has_the_plan_inside():
    """Farseer promises less loss still at one token, where nothing can be trained; as of the frontier, refined."""
    law = js.LAWS.resolve("farseer")
    coefs, flops = law.constants("farseer2025"), np.array([1e18, 1e20, 1e22])
    best = js.plan(law=law, coefs=coefs, flops=flops)
    params = best.params[:, None] * np.exp(np.linspace(-0.5, 0.5, 2001))
    with jax.enable_x64(True):
        along = np.asarray(law.loss(jnp.array(params), jnp.array(flops[:, None] / 6 / params), **coefs))
        at_one = np.asarray(law.loss(jnp.array(flops / 6), jnp.ones(3), **coefs))
    np.testing.assert_array_equal(along.argmin(axis=1), 1000)
    np.testing.assert_allclose(best.loss, along.min(axis=1), rtol=1e-12)
    assert (at_one < best.loss).all()


def test_the_cost_to_be_least_need_not_be_the_one_of_serving():
    """The least FLOP of training for a loss, whatever is served: the split of the budget that reaches it."""
    before = closed(1e23, SARDANA)
    asked = {"law": "chinchilla", "coefs": SARDANA, "loss": loss(*before, SARDANA), "inference_tokens": 1e12}
    best = js.plan(least="6nd", **asked)
    np.testing.assert_allclose([best.params, best.tokens, best.cost], [*before, 1e23], rtol=1e-8)
    assert js.plan(**asked).params < best.params


def test_a_users_cost_need_not_be_a_sum_of_monomials():
    """One that is not convex in logarithms: tokens that cost less and less; against a search along it."""

    def cheaper(params, tokens):
        return params * jnp.log1p(tokens / 1e9) ** 0.5 * 1e6

    limit = at_most(js.costs.Cost("cheaper", cheaper, "USD", "a test"), 1e16)
    best = js.plan(law="chinchilla", coefs=SARDANA, limits=[limit, at_most("tokens", 1e13)])
    tokens = np.geomspace(1e6, 1e13, 200001)
    params = 1e16 / 1e6 / np.log1p(tokens / 1e9) ** 0.5
    assert best.status is js.PlanStatus.OPTIMAL
    assert best.loss <= loss(params, tokens, SARDANA).min() + 1e-9


def test_a_seven_billion_model_trains_on_no_single_80_gigabyte_device_and_is_served_on_one():
    """7e9 params take 16 bytes each in training with Adam, 112 GB; and 14 GB of weights at two bytes when served."""
    assert training_bytes(7e9, 1e12, bytes_per_param=STATE_BYTES, tokens_per_device=0, devices=1) == 112e9
    weights = serving_bytes(7e9, 1e12, bytes_per_param=2, context=0, sequences=0, cache_share=1)
    assert weights == 14e9
    # 32 layers of width 4,096 keep 2 x 2 bytes of each for a token: 0.52 MB; the usual shape is within a tenth of it
    cache = serving_bytes(7e9, 1e12, bytes_per_param=2, context=1, sequences=1, cache_share=1) - weights
    assert cache == pytest.approx(4 * 32 * 4096, rel=0.1)
    limit = at_most("training-memory", 80e9, bytes_per_param=STATE_BYTES, tokens_per_device=0, devices=1)
    best = js.plan(law="chinchilla", coefs=SARDANA, flops=1e24, limits=[limit])
    assert best.params == pytest.approx(5e9)
    served = at_most("serving-memory", 80e9, bytes_per_param=2, context=0, sequences=0, cache_share=1)
    assert js.plan(law="chinchilla", coefs=SARDANA, flops=1e24, limits=[served]).params == pytest.approx(40e9)


def test_what_cannot_be_is_said_with_the_limits_that_conflict():
    few = at_most("tokens", 1e9)
    limits = [at_most("params", 1e9), few, at_least("tokens_per_param", 1e3), at_least("params", 1e7)]
    best = js.plan(law="chinchilla", coefs=SARDANA, limits=limits)
    assert best.status is js.PlanStatus.INFEASIBLE
    assert set(best.conflict) == {"tokens at most", "tokens_per_param at least", "params at least"}
    assert np.isnan(best.params)
    assert best.binding == ()
    open_end = js.plan(law="chinchilla", coefs=SARDANA, limits=[at_most("params", 7e9)])
    assert open_end.status is js.PlanStatus.UNLIMITED


def test_limits_of_one_cost_are_numbered_as_they_were_given():
    rates = (
        at_most("hours", 1e6, flops_per_hour=1e18),
        at_most("params", 1e9),
        at_most("hours", 2e6, flops_per_hour=1e17),
    )
    names = question_of(js.LAWS.resolve("chinchilla"), flops=1e24, limits=rates).names
    assert names[:4] == ("6nd at most", "hours at most (1)", "params at most", "hours at most (2)")


@pytest.mark.parametrize("by", [0.9, 1 - 1e-10, 1.0, 1 + 1e-13])
def test_a_loss_that_the_law_only_approaches_is_named(by):
    """Its floor E, what is below it, and what is above by rounding alone."""
    best = js.plan(law="chinchilla", coefs=SARDANA, loss=SARDANA["E"] * by)
    assert best.status is js.PlanStatus.INFEASIBLE
    assert best.conflict == ("loss at most",)


def test_a_plan_of_an_ensemble_has_one_of_each_replicate():
    fit = js.fit(js.datasets.load("pilot"))
    ensemble = js.bootstrap(fit, replicates=20)
    limits = [at_most("params", 3e6)]
    every = js.plan(ensemble, flops=1e15, limits=limits)
    assert every.params.shape == every.loss.shape == (20,)
    for replicate in (0, 19):
        coefs = {name: float(values[replicate]) for name, values in ensemble.coefs.items()}
        alone = js.plan(law="chinchilla", coefs=coefs, flops=1e15, limits=limits)
        assert every.loss[replicate] == pytest.approx(alone.loss, rel=1e-12)
    assert every.point.loss == pytest.approx(js.plan(fit, flops=1e15, limits=limits).loss, rel=1e-12)


def test_plans_of_several_budgets_are_those_of_each():
    budgets, limits = [1e20, 1e22, 1e24], [at_most("tokens", 1e12)]
    every = js.plan(law="chinchilla", coefs=SARDANA, flops=budgets, limits=limits)
    for at, budget in enumerate(budgets):
        alone = js.plan(law="chinchilla", coefs=SARDANA, flops=budget, limits=limits)
        assert every.params[at] == pytest.approx(alone.params, rel=1e-12)
        assert every.multipliers["6nd at most"][at] == pytest.approx(alone.multipliers["6nd at most"], rel=1e-9)
    assert [str(one) for one in every.status] == ["optimal"] * 3


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"flops": []}, "give one budget or a list"),
        ({"flops": [1e20, "much"]}, "much.*: a budget is a positive"),
        ({"flops": 0.0}, "flops = 0.0: a budget is a positive, finite number of FLOP"),
        ({"flops": float("nan")}, "flops = nan: a budget"),
        ({"flops": -1e20}, "flops = -1e"),
        ({"flops": True}, "flops = True: a budget"),
        ({}, "there is nothing to decide"),
        ({"flops": 1e20, "loss": -2.0}, "loss = -2.0 is no positive"),
        ({"flops": 1e20, "inference_tokens": -1.0}, "inference_tokens = -1.0 is no finite"),
        ({"flops": 1e20, "unique_tokens": 0}, "unique_tokens = 0 is no positive"),
        ({"flops": 1e20, "least": "hours"}, "only where loss="),
        ({"loss": 2.0, "least": "dollars"}, "dollars' takes inference_tokens"),
        ({"limits": [at_most("dollars", 1e6)]}, "dollars needs inference_tokens, training_price, serving_price"),
    ],
)
def test_nonsense_is_refused_by_name(asked, told):
    with pytest.raises(js.UsageError, match=told):
        js.plan(law="chinchilla", coefs=SARDANA, **asked)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: at_most("param", 1e9), "Did you mean 'params'"),
        (lambda: at_most("params", float("inf")), "inf is no positive"),
        (lambda: at_most("hours", 1e6, flops_per_hour=-1), "flops_per_hour = -1"),
        (lambda: at_most("params", 1e9, price=1), "takes params and tokens alone, and no"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(make, told):
    with pytest.raises(js.UsageError, match=told):
        make()


@pytest.mark.parametrize("asked", [{"flops": 1e22}, {"loss": 2.2}])
def test_one_more_unique_token_is_worth_what_a_plan_with_more_of_them_gains(asked):
    """In nats, and in FLOP where these are minimised: against plans with 0.01 % more and fewer."""
    unique, step = 2e10, 2e6
    at, more, fewer = (
        js.plan(law="chinchilla", coefs=SARDANA, unique_tokens=unique + change, **asked) for change in (0, step, -step)
    )
    least = "loss" if "flops" in asked else "cost"
    gained = (getattr(fewer, least) - getattr(more, least)) / (2 * step)
    assert at.multipliers["unique tokens"] == pytest.approx(gained, rel=1e-5)
    assert gained > 0


def test_a_loss_that_much_compute_is_needed_for_is_reached():
    """Where 1 % less loss costs as much as twice the compute, the multiplier is large: the plan is one all the same."""
    random = np.random.default_rng(4)
    for _ in range(50):
        coefs = drawn(random)
        flops = 10 ** random.uniform(22, 26)
        target = loss(*closed(flops, coefs), coefs)
        best = js.plan(law="chinchilla", coefs=coefs, loss=target)
        assert best.status is js.PlanStatus.OPTIMAL
        assert best.cost == pytest.approx(flops, rel=1e-6)
