"""Plans: closed forms, Sardana's examples, repeated tokens by dense search, many limits at once, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.costs import COSTS
from jaxscale.costs.machines import machine_of
from jaxscale.costs.memory import STATE_BYTES, serving_bytes, training_bytes
from jaxscale.fitting import solution
from jaxscale.laws.repeated import decayed
from jaxscale.planning import PlanNumbers, Spending, at_least, at_most, planned
from jaxscale.planning.plan import EPOCHS
from jaxscale.planning.spending import WITHIN, missed

LAW = js.LAWS.resolve("chinchilla")
SARDANA = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}


def loss(params, tokens, coefs):
    return coefs["E"] + coefs["A"] * params ** -coefs["alpha"] + coefs["B"] * tokens ** -coefs["beta"]


def closed(flops, coefs):
    """Return N and D of the least loss on 6 N D (Hoffmann et al. 2022, eq. 4)."""
    a = coefs["beta"] / (coefs["alpha"] + coefs["beta"])
    ratio = coefs["alpha"] * coefs["A"] / (coefs["beta"] * coefs["B"])
    params = ratio ** (1 / (coefs["alpha"] + coefs["beta"])) * (flops / 6) ** a
    return params, flops / 6 / params


def drawn(random):
    return {
        "E": random.uniform(0.5, 2.5),
        "A": 10 ** random.uniform(1.5, 3.5),
        "B": 10 ** random.uniform(1.5, 3.5),
        "alpha": random.uniform(0.2, 0.6),
        "beta": random.uniform(0.2, 0.6),
    }


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


KINDS = (
    ("lifetime", False, ("inference_tokens",)),
    ("tokens", False, ()),
    ("serving-memory", False, ("bytes_per_param", "context", "sequences", "cache_share")),
    ("tokens_per_param", True, ()),
    ("dollars", False, ("inference_tokens", "training_price", "serving_price")),
)
MANY = 1000


@pytest.fixture(scope="module")
def many():
    """A thousand combinations of five limits, of which a cap may be so high that it never binds."""
    random = np.random.default_rng(3)
    spending = Spending(LAW, tuple((COSTS.resolve(name), is_least) for name, is_least, _ in KINDS))
    sets = [drawn(random) for _ in range(MANY)]
    one = np.ones(MANY)
    spare = [10 ** np.where(random.random(MANY) < 0.5, 0.0, 6.0) for _ in KINDS]
    caps = (
        10 ** random.uniform(20, 26, MANY) * spare[0],
        10 ** random.uniform(10, 13.5, MANY) * spare[1],
        10 ** random.uniform(10, 12.5, MANY) * spare[2],
        10 ** random.uniform(0, 3.5, MANY) / spare[3],
        10 ** random.uniform(3, 8.5, MANY),
    )
    inputs = (
        {"inference_tokens": 10 ** random.uniform(9, 14, MANY)},
        {},
        {"bytes_per_param": 2 * one, "context": 8192 * one, "sequences": 16 * one, "cache_share": 0.25 * one},
        {},
        {
            "inference_tokens": 10 ** random.uniform(9, 13, MANY),
            "training_price": 1e-18 * one,
            "serving_price": 4e-18 * one,
        },
    )
    coefs = tuple(np.array([each[name] for each in sets]) for name in LAW.names)
    given = PlanNumbers(coefs, (), caps, (*inputs, {}), one, (one, one))

    def both(p):
        return planned(spending, p), missed(spending, p)

    with precision.float64():
        found, lacking = jax.tree.map(np.asarray, jax.jit(jax.vmap(both))(given))
    return spending, given, found, lacking


def test_many_limits_at_once_are_kept_and_certified(many):
    _, _, found, lacking = many
    is_none = lacking.excess > WITHIN
    assert 0.0 <= is_none.mean() < 0.5
    met = found.certificate.is_met
    np.testing.assert_array_equal(met, ~is_none)
    assert found.certificate.residual[met].max() <= 1e-8
    assert found.certificate.slack[met].min() >= -1e-9
    assert (lacking.conflicts[is_none].sum(axis=1) >= 2).all()
    assert (found.multipliers[met][:, :5] > 0).any(axis=0).all()  # each of them binds somewhere


def test_no_point_of_a_grid_within_the_limits_is_better(many):
    spending, given, found, lacking = many
    u, v = (one.ravel() for one in np.meshgrid(np.linspace(10, 40, 200), np.linspace(10, 40, 200)))
    params, tokens = np.exp(u), np.exp(v)
    for at in range(MANY):
        inside = np.ones(len(u), bool)
        for (cost, is_least), cap, inputs in zip(spending.limits, given.caps, given.inputs, strict=False):
            amount = cost.amount(params, tokens, **{name: value[at] for name, value in inputs.items()})
            inside &= (amount >= cap[at]) if is_least else (amount <= cap[at])
        coefs = {name: value[at] for name, value in zip(LAW.names, given.coefs, strict=True)}
        least = loss(params, tokens, coefs)[inside].min(initial=np.inf)
        if lacking.excess[at] > WITHIN:
            assert not inside.any()
        else:
            assert found.loss[at] <= least + 1e-9


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


def test_derivatives_of_the_plan_at_active_limits_are_those_of_differences():
    """Of the loss, of ln N and of a multiplier, in budget, cap, price and coefs; forward and reverse, jit and vmap."""
    spending = Spending(LAW, ((COSTS.resolve("dollars"), False), (COSTS.resolve("tokens"), False)))

    def answer(budget, cap, price, alpha):
        prices = {"inference_tokens": 1e12, "training_price": price, "serving_price": 2e-18}
        coefs = tuple(jnp.asarray({**SARDANA, "alpha": alpha}[name]) for name in LAW.names)
        one = jnp.asarray(1.0)
        found = planned(spending, PlanNumbers(coefs, (), (budget, cap), (prices, {}, {}), one, (one, one)))
        return jnp.stack([found.loss, found.x[0], found.multipliers[0]])

    point = np.array([1e5, 5e11, 1e-18, 0.34])
    with precision.float64():
        compiled = jax.jit(lambda p: answer(*p))

        def of(p):
            return np.asarray(compiled(p))

        forward, reverse = (
            np.asarray(jax.jit(jax.vmap(mode(lambda p: answer(*p))))(point[None]))[0]
            for mode in (jax.jacfwd, jax.jacrev)
        )
        assert (of(point)[2] > 0) & np.isfinite(of(point)).all()
        steps = 1e-6 * np.diag(point)
        ratio = np.stack([(of(point + step) - of(point - step)) / (2 * step.sum()) for step in steps], axis=1)
    np.testing.assert_allclose(forward * point, ratio * point, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(reverse * point, forward * point, rtol=1e-12, atol=1e-14)


def test_one_runs_loss_moves_the_plan_as_a_refit_says():
    """d ln N / d ln loss of one run, through the fit and the plan at an active limit: against refits."""
    random = np.random.default_rng(4)
    params, tokens = np.exp(random.uniform(17, 21, 24)), np.exp(random.uniform(21, 25, 24))
    target = np.log(loss(params, tokens, SARDANA)) + 0.01 * random.standard_normal(24)
    spending = Spending(LAW, ((COSTS.resolve("lifetime"), False), (COSTS.resolve("tokens"), False)))
    objective = js.squared()

    def size(target):
        theta = solution(LAW, objective, LAW.theta(SARDANA), (params, tokens), target, np.ones(24))
        coefs = tuple(support.from_real(one) for support, one in zip(LAW.supports, theta, strict=True))
        one = jnp.asarray(1.0)
        caps = (jnp.asarray(1e22), jnp.asarray(1e11))
        served = {"inference_tokens": jnp.asarray(1e12)}
        return planned(spending, PlanNumbers(coefs, (), caps, (served, {}, served), one, (one, one))).loss

    with precision.float64():
        slope, value = jax.jit(jax.grad(size)), jax.jit(size)
        found = np.asarray(slope(target))
        for row in (0, 7, 23):
            step = 1e-6 * (np.arange(24) == row)
            by_differences = float(value(target + step) - value(target - step)) / 2e-6
            assert found[row] == pytest.approx(by_differences, rel=1e-4, abs=1e-8)


def test_a_seven_billion_model_trains_on_no_single_80_gigabyte_device_and_is_served_on_one():
    """7e9 params take 16 bytes each in training with Adam, 112 GB; and 14 GB of weights at two bytes when served."""
    assert training_bytes(7e9, 1e12, bytes_per_param=STATE_BYTES, tokens_per_device=0, devices=1) == 112e9
    weights = serving_bytes(7e9, 1e12, bytes_per_param=2, context=0, sequences=0, cache_share=1)
    assert weights == 14e9
    # 32 layers of width 4,096 keep 2 x 2 bytes of each for a token: 0.52 MB; of the usual shape within a tenth of it
    cache = serving_bytes(7e9, 1e12, bytes_per_param=2, context=1, sequences=1, cache_share=1) - weights
    assert cache == pytest.approx(4 * 32 * 4096, rel=0.15)
    limit = at_most("training-memory", 80e9, bytes_per_param=STATE_BYTES, tokens_per_device=0, devices=1)
    best = js.plan(law="chinchilla", coefs=SARDANA, flops=1e24, limits=[limit])
    assert best.params == pytest.approx(5e9)
    assert machine_of("H100").peak * 3600 * 0.4 == pytest.approx(1.42e18, rel=0.01)


def test_what_cannot_be_is_said_with_the_limits_that_conflict():
    few = at_most("tokens", 1e9)
    limits = [at_most("params", 1e9), few, at_least("tokens_per_param", 1e3), at_least("params", 1e7)]
    best = js.plan(law="chinchilla", coefs=SARDANA, limits=limits)
    assert best.status is js.PlanStatus.INFEASIBLE
    assert set(best.conflict) == {"tokens at most", "tokens_per_param at least", "params at least"}
    assert np.isnan(best.params)
    open_end = js.plan(law="chinchilla", coefs=SARDANA, limits=[at_most("params", 7e9)])
    assert open_end.status is js.PlanStatus.UNLIMITED


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
        ({"flops": [1e20, "much"]}, "'much' is no positive"),
        ({"flops": 0.0}, "6nd: 0.0 is no positive, finite amount of FLOP"),
        ({"flops": float("nan")}, "nan is no positive"),
        ({"flops": -1e20}, "-1e"),
        ({"flops": True}, "True is no positive"),
        ({}, "there is nothing to decide"),
        ({"flops": 1e20, "loss": -2.0}, "loss = -2.0 is no positive"),
        ({"flops": 1e20, "inference_tokens": -1.0}, "inference_tokens = -1.0 is no finite"),
        ({"flops": 1e20, "unique_tokens": 0}, "tokens: 0 is no positive"),
        ({"flops": 1e20, "least": "hours"}, "only where loss="),
        ({"loss": 2.0, "least": "dollars"}, "dollars' takes inference_tokens"),
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
        (lambda: at_most("dollars", 1e6), "dollars needs inference_tokens, training_price, serving_price"),
        (lambda: at_most("hours", 1e6, flops_per_hour=-1), "flops_per_hour = -1"),
        (lambda: at_most("params", 1e9, price=1), "unknown input of the cost 'params'"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(make, told):
    with pytest.raises(js.UsageError, match=told):
        make()
