"""Recipes side by side: known multipliers, one joint fit or fits apart, draws together or apart, tests by hand."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

import jaxscale as js
from jaxscale.comparing.equal_loss import compute_at
from jaxscale.errors import RunsError, UsageError

FLOPS = np.geomspace(1e18, 1e21, 30)
UNIT = 1e18


def floored(flops, *, E, A, c):
    return E + A * (flops / UNIT) ** -c


LAW = js.Law(
    name="floored",
    loss=floored,
    inputs=("flops",),
    coefs=(js.Coef("E", "positive", (1, 2)), js.Coef("A", "positive", (1, 3)), js.Coef("c", "positive", (0.1, 0.3))),
)
OLD = {"E": 1.8, "A": 2.0, "c": 0.15}
NEW = {**OLD, "A": 2.0 * 2.0**0.15}
"""What the old recipe reaches, at twice the compute."""


def table_of(coefs, noise, flops=FLOPS, seed=1):
    losses = [
        floored(x, **own) * np.exp(noise * np.random.default_rng(seed + at).standard_normal(len(x)))
        for at, (own, x) in enumerate(zip(coefs, flops if isinstance(flops, tuple) else (flops,) * 2, strict=True))
    ]
    both = flops if isinstance(flops, tuple) else (flops,) * 2
    group = np.repeat(["new", "old"], [len(one) for one in both])
    mixed = np.random.default_rng(5).permutation(len(group))
    return js.Runs.from_arrays(
        flops=np.concatenate(both)[mixed], loss=np.concatenate(losses)[mixed], group=group[mixed]
    )


def compared(runs, **options):
    given = {"base": "old", "objective": "squared", "replicates": 64, "budgets": [1e20, 1e22], "level": 0.9}
    return js.compare_recipes(runs, LAW, **{**given, **options})


@pytest.mark.parametrize("floor", ["free", "shared", 1.8])
def test_a_recipe_that_needs_twice_the_compute_is_found_to(floor):
    found = compared(table_of((NEW, OLD), 0.0), floor=floor)
    pair = found.pairs[0]
    np.testing.assert_allclose(pair.multiplier, 2.0, rtol=1e-6)
    np.testing.assert_allclose(pair.multiplier_band.upper, 2.0, rtol=1e-5)
    apart = [floored(x, **NEW) - floored(x, **OLD) for x in (1e20, 1e22)]
    np.testing.assert_allclose(pair.difference, apart, rtol=1e-7)
    np.testing.assert_array_equal(pair.share_better, 0.0)
    assert abs(pair.contrast("c").difference) < 1e-7


@pytest.fixture(scope="module")
def noisy():
    return table_of((NEW, OLD), 0.003)


@pytest.fixture(scope="module")
def apart(noisy):
    return compared(noisy, replicates=200)


@pytest.fixture(scope="module")
def joint(noisy):
    return compared(noisy, replicates=200, floor="shared")


@pytest.mark.slow
def test_free_floors_are_the_joint_fit_in_which_every_coef_is_each_recipes_own(noisy, apart):
    union = js.fit(noisy, LAW, objective="squared", per_group=LAW.names)
    for name, ensemble in apart.ensembles.items():
        own = js.fitting.group_of(union, name)
        np.testing.assert_allclose(list(ensemble.fit.coefs.values()), list(own.coefs.values()), rtol=1e-9)
    assert sum(one.fit.value for one in apart.ensembles.values()) == pytest.approx(union.value, rel=1e-9)


def test_a_shared_floor_is_one_in_the_fit_and_in_every_replicate(noisy, joint):
    whole = js.fit(noisy, LAW, objective="squared", per_group=("A", "c"))
    new, old = (joint.ensembles[name] for name in ("new", "old"))
    np.testing.assert_array_equal(new.coefs["E"], old.coefs["E"])
    assert new.fit.coefs["E"] == pytest.approx(whole.coefs["E"], rel=1e-9)
    assert [one.name for one in joint.pairs[0].contrasts] == ["A", "c"]


def test_a_held_floor_is_the_given_one(noisy):
    found = compared(noisy, floor=1.75)
    assert all((one.coefs["E"] == 1.75).all() for one in found.ensembles.values())


def counts_of(found, name):
    """How often each design point was drawn for a recipe, by its place in compute."""
    ensemble, fit = found.ensembles[name], found.ensembles[name].fit
    return ensemble.weights(np.arange(20))[:, np.argsort(fit.runs["flops"])]


@pytest.mark.parametrize("which", ["apart", "joint"])
def test_one_design_is_drawn_for_both_recipes_at_once(which, request):
    found = request.getfixturevalue(which)
    assert found.is_paired
    assert "the same 30 design points" in found.pairing
    np.testing.assert_array_equal(counts_of(found, "new"), counts_of(found, "old"))
    assert len(np.unique(counts_of(found, "new"), axis=0)) == 20


@pytest.mark.parametrize("floor", ["free", "shared"])
def test_designs_that_differ_are_drawn_apart_and_it_says_why(floor):
    moved = FLOPS.copy()
    moved[[3, 7]] *= 1.01
    for other, why in ((moved, "2 of the 30 design points"), (FLOPS[:28], "new has 30 runs and old has 28")):
        found = compared(table_of((NEW, OLD), 0.003, (FLOPS, other)), floor=floor)
        assert not found.is_paired
        assert why in found.pairing
        new, old = counts_of(found, "new"), counts_of(found, "old")
        assert (new.sum(axis=1) == 30).all()
        assert (old.sum(axis=1) == len(other)).all()
        assert not np.array_equal(new[:, :28], old[:, :28])
        assert abs(np.corrcoef(new[:, :28].ravel(), old[:, :28].ravel())[0, 1]) < 0.2  # 560 counts: 4.7 errors


def test_the_same_law_for_both_is_within_the_limits():
    found = compared(table_of((OLD, OLD), 0.003), replicates=200)
    pair = found.pairs[0]
    assert (pair.multiplier_band.lower < 1.0).all()
    assert (pair.multiplier_band.upper > 1.0).all()
    assert (pair.share_better > 0.02).all()
    assert (pair.share_better < 0.98).all()
    assert pair.contrast("c").p_bootstrap > 0.02


def test_the_numbers_are_those_of_the_replicates(apart):
    """Loss, multiplier and exponent by NumPy and brentq from the coefs of one replicate."""
    pair, (new, old) = apart.pairs[0], (apart.ensembles[name] for name in ("new", "old"))
    apart_by = []
    for r in range(200):
        coefs = [{name: one.coefs[name][r] for name in LAW.names} for one in (new, old)]
        apart_by.append(floored(1e20, **coefs[0]) - floored(1e20, **coefs[1]))
    low, high = np.quantile(apart_by, [0.05, 0.95])
    np.testing.assert_allclose([pair.difference_band.lower[0], pair.difference_band.upper[0]], [low, high], rtol=1e-9)
    assert pair.share_better[0] == np.mean(np.array(apart_by) < 0)
    wanted = floored(1e20, **old.fit.coefs)
    need = brentq(lambda x: floored(np.exp(x), **new.fit.coefs) - wanted, np.log(1e19), np.log(1e21), xtol=1e-13)
    assert pair.multiplier[0] == pytest.approx(np.exp(need) / 1e20, rel=1e-7)
    differ = new.coefs["c"] - old.coefs["c"]
    sides = min(np.sum(differ <= 0), np.sum(differ >= 0))
    assert pair.contrast("c").p_bootstrap == pytest.approx(min(1.0, 2 * (1 + sides) / 201))


def test_walds_test_is_the_difference_over_the_errors_of_both_fits(apart, joint):
    new, old = (apart.ensembles[name].fit for name in ("new", "old"))
    std = np.hypot(new.std["c"], old.std["c"])
    found = apart.pairs[0].contrast("c")
    assert found.std == pytest.approx(std, rel=1e-6)
    assert found.p_wald == pytest.approx(2 * stats.t.sf(abs(new.coefs["c"] - old.coefs["c"]) / std, 54), rel=1e-5)
    whole = js.fit(joint.runs, LAW, objective="squared", per_group=("A", "c"))
    one, other = (whole.law.names.index(f"c[{name}]") for name in ("new", "old"))
    both = whole.covariance[np.ix_([one, other], [one, other])]
    std = np.sqrt(both[0, 0] + both[1, 1] - 2 * both[0, 1])
    assert joint.pairs[0].contrast("c").std == pytest.approx(std, rel=1e-6)


def test_exponents_that_differ_are_told_apart():
    found = compared(table_of(({**OLD, "c": 0.2}, OLD), 0.003), floor="shared", replicates=200).pairs[0].contrast("c")
    assert found.band.lower > 0.0
    assert found.band.lower < 0.05 < found.band.upper
    assert found.p_bootstrap < 0.02
    assert found.p_wald < 1e-3


def test_a_loss_that_a_recipe_never_reaches_needs_infinite_compute():
    found = compared(table_of(({**OLD, "E": 2.6}, OLD), 0.0), budgets=[1e21])
    assert floored(1e21, **OLD) < 2.6
    assert found.pairs[0].multiplier[0] == np.inf
    assert found.pairs[0].multiplier_band.upper[0] == np.inf


def test_compute_for_a_loss_is_the_inverse_of_a_curve():
    flops = np.geomspace(1e15, 1e25, 162)
    curve = floored(flops, **OLD)
    wanted = floored(np.array([2e17, 3e20, 7e23]), **OLD)
    found = compute_at(flops, np.stack([curve, np.full(162, np.nan)]), np.stack([wanted, wanted]))
    np.testing.assert_allclose(found[0], np.log([2e17, 3e20, 7e23]), rtol=1e-8)
    assert np.isnan(found[1]).all()
    ends = compute_at(flops, curve[None], np.array([[curve[0] * 1.1, 1.7]]))
    np.testing.assert_array_equal(ends, [[-np.inf, np.inf]])


def test_what_cannot_be_compared_is_refused(noisy):
    alone = js.Runs.from_arrays(flops=FLOPS, loss=floored(FLOPS, **OLD))
    one = js.Runs.from_arrays(flops=FLOPS, loss=floored(FLOPS, **OLD), group=np.repeat("old", 30))
    refused = [
        (RunsError, "recipes are the groups of a table", lambda: compared(alone)),
        (RunsError, "all runs are of the recipe old", lambda: compared(one)),
        (UsageError, r"unknown recipe 'odl'\. Did you mean 'old'", lambda: compared(noisy, base="odl")),
        (UsageError, "free, shared, or the number", lambda: compared(noisy, floor="tied")),
        (UsageError, "has no coef E", lambda: js.compare_recipes(noisy, "kaplan-flops", floor="shared")),
    ]
    for error, words, ask in refused:
        with pytest.raises(error, match=words):
            ask()


def test_a_recipe_whose_fit_fails_is_named(noisy):
    """At one budget no law of compute is determined; of two runs there is no fit at all."""
    rng = np.random.default_rng(3)
    once = np.full(30, 1e20)
    with pytest.raises(RunsError, match=r"fit of law 'floored' to new is '.*', not a minimum: new cannot be compared"):
        compared(js.Runs.from_arrays(
            flops=np.concatenate([once, FLOPS]), group=np.repeat(["new", "old"], 30),
            loss=np.concatenate([2.0 + 0.01 * rng.standard_normal(30), floored(FLOPS, **OLD)]),
        ))  # fmt: skip
    few = (noisy.group == "old") | (np.cumsum(noisy.group == "new") <= 2)
    with pytest.raises(RunsError, match=r"new: .*2 "):
        compared(noisy.take(np.flatnonzero(few), "new has few runs"))


@pytest.mark.slow
def test_the_multipliers_limits_cover_it_as_often_as_they_say():
    """Of 40 studies at 90 %: 29 or fewer once in 600 by the binomial; the percentile limits of few runs are narrow."""
    inside = []
    for seed in range(40):
        found = compared(table_of((NEW, OLD), 0.003, seed=2000 + 2 * seed), floor="shared")
        band = found.pairs[0].multiplier_band
        inside.append((band.lower < 2.0) & (band.upper > 2.0))
    assert (np.sum(inside, axis=0) > 29).all()
