"""Profiles that are followed: limits of every level from a few roots, against limits that are looked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import jaxscale as js
from jaxscale.errors import IntervalError, UsageError
from jaxscale.fitting import predicted_sample
from jaxscale.intervals import Sample
from jaxscale.intervals.profile import at_root
from jaxscale.intervals.student import quantile
from jaxscale.refitting import followed, profile
from jaxscale.refitting.following import HIGHEST, TOO_FAR, followed_on, profile_of_coefs, profiles_of_functions

LEVELS = (0.5, 0.8, 0.95, 0.99)
PARAMS = np.geomspace(1e7, 1e10, 30)


@dataclass
class Held:
    """What may be held, whose root is a function of the distance from the estimate on the line of the search."""

    root: Any
    value: float = 3.0
    low: float | None = None
    high: float | None = None
    is_log: bool = False
    reach = 1.0
    dof = 27
    name = "q"

    @property
    def begin(self):
        return self.placed(self.value)

    def edge(self, side):
        return self.high if side > 0 else self.low

    def shown(self, place):
        return float(np.exp(place)) if self.is_log else place

    def placed(self, value):
        return float(np.log(value)) if self.is_log else value

    def at(self, place):
        return abs(self.root(place - self.begin))


SHAPES = {
    "a line": lambda off: off,
    "steep outside": np.sinh,
    "skewed": lambda off: np.expm1(0.3 * off) / 0.3,
    "with kinks": lambda off: off + 0.03 * np.sin(7.0 * off),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("is_log", [False, True])
def test_limits_of_every_level_lie_within_a_thousandth_of_their_distance(shape, is_log):
    held = Held(shape, is_log=is_log)
    known = followed_on(held)
    for level in LEVELS:
        t = quantile(level, held.dof)
        exact = [held.shown(held.begin + brentq(lambda off, t=t, s=s: shape(off) - s * t, -20, 20)) for s in (-1, 1)]
        found = [float(at_root(known, side * t)) for side in (-1, 1)]
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3 * (exact[1] - exact[0]))


def test_a_profile_that_ends_has_the_end_of_the_support():
    """The root of a floor is linear in it: at a floor of nothing the others have had their say."""
    held = Held(lambda off: 1.5 * np.expm1(off), value=1.0, low=0.0, high=np.inf, is_log=True)
    known = followed_on(held)
    assert float(at_root(known, -1.6)) == float(at_root(known, -50.0)) == 0.0
    assert float(at_root(known, -1.2)) == pytest.approx(1.0 - 1.2 / 1.5, rel=1e-3)
    with pytest.raises(
        IntervalError, match=r"known up to the level 0\.999; js\.refitting\.profile has limits of higher"
    ):
        at_root(known, quantile(HIGHEST, held.dof) + 1.0)


def fails_beyond(distance):
    def root(off):
        if off > distance:
            raise IntervalError("the fit of the others failed")
        return off

    return root


REFUSED = {
    "hardly gets worse": np.tanh,
    "gets better again": lambda off: off + 1.2 * np.sin(2.0 * off),
    "the fit of the others failed": fails_beyond(1.5),
}


@pytest.mark.parametrize("words", REFUSED)
def test_where_it_cannot_be_followed_further_levels_are_refused_with_the_reason_and_nearer_ones_are_there(words):
    known = followed_on(Held(REFUSED[words]))
    assert np.isfinite(at_root(known, 0.6))
    with pytest.raises(IntervalError, match=words):
        at_root(known, 3.0)


def assert_alike(known, exact, level, dof, bound=None):
    """Limits of a profile that was followed are those that were looked for, to a thousandth of the width."""
    band = js.band(Sample(np.arange(9.0), dof=dof, profile=known, bound=bound), level=level, method="profile")
    np.testing.assert_allclose([band.lower, band.upper], exact, rtol=0, atol=1e-3 * (exact[1] - exact[0]))


@pytest.fixture(scope="module")
def curved():
    columns = {"params": PARAMS}
    runs = js.simulate("power-params", {"E": 1.7, "A": 400.0, "alpha": 0.33}, columns=columns, noise=0.01, seed=3)
    return js.fit(runs, "power-params", objective="squared")


@pytest.mark.parametrize("name", ["E", "A", "alpha"])
def test_of_a_coef_it_gives_the_limits_of_its_profile(curved, name):
    known = followed(curved, name)
    for level in (0.5, 0.95):
        assert_alike(known, profile(curved, name, level=level), level, curved.dof)


def test_under_hubers_rho_whose_minima_are_kinks_it_does_too(curved):
    fit = js.fit(curved.runs, "power-params")
    known = followed(fit, "alpha")
    for level in (0.8, 0.95):
        assert_alike(known, profile(fit, "alpha", level=level), level, fit.dof)


def test_a_floor_that_the_runs_hardly_know_ends_at_nothing():
    noise = np.exp(0.02 * np.random.default_rng(2).standard_normal(30))
    runs = js.Runs.from_arrays(params=PARAMS, loss=(0.8 + 40.0 * PARAMS**-0.15) * noise)
    fit = js.fit(runs, "power-params", objective="squared")
    known = followed(fit, "E")
    for level in (0.5, 0.95):
        exact = profile(fit, "E", level=level)
        assert_alike(known, exact, level, fit.dof)
    assert exact[0] == float(at_root(known, -quantile(0.95, fit.dof))) == 0.0


def test_a_coef_at_its_bound_has_one_limit():
    bend = -5e-3 * (np.log(PARAMS) - np.log(PARAMS).mean()) ** 2
    loss = 5 * PARAMS**-0.05 * np.exp(bend + 0.01 * np.random.default_rng(1).standard_normal(30))
    fit = js.fit(js.Runs.from_arrays(params=PARAMS, loss=loss), "power-params", objective="squared")
    known = followed(fit, "E")
    assert float(known.values[0]) == 0.0
    for level in (0.8, 0.95):
        assert_alike(known, profile(fit, "E", level=level), level, fit.dof, bound=0.0)
    flat = profiles_of_functions(fit, [lambda coefs: coefs["alpha"]])
    with pytest.raises(IntervalError, match="E lies at a bound, from which a path along the quantity cannot tell"):
        at_root(flat, 1.0)


def test_where_no_row_lies_within_the_threshold_a_minimum_is_one_all_the_same():
    """A line of which only the height is left: between two rows Huber's rho has no curvature, and no slope either."""
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns={"params": PARAMS}, noise=0.02, seed=1)
    fit = js.fit(runs, "pure-power-params")
    held = profile_of_coefs(fit, "auto")
    assert list(held.below) == [TOO_FAR.format(name=name, level=HIGHEST) for name in fit.coefs]
    assert list(held.above) == list(held.below)


def test_what_has_no_profile_is_refused_at_once(curved):
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns={"params": PARAMS}, noise=0.02, seed=1)
    robust = js.fit(runs, "pure-power-params", objective="absolute")
    with pytest.raises(UsageError, match="the objective 'absolute' has no curvature"):
        followed(robust, "A")
    with pytest.raises(UsageError, match=r"unknown coef 'alpah'\. Did you mean 'alpha'"):
        followed(curved, "alpah")
    with pytest.raises(IntervalError, match="the objective 'absolute' has no curvature"):
        at_root(profile_of_coefs(robust, "auto"), 1.0)


BUDGETS = (1e21, 1e24)


@pytest.fixture(scope="module")
def ensemble(separable_law_table):
    """Chinchilla's law under Huber's rho, with the profiles of its coefs."""
    return js.bootstrap(js.fit(separable_law_table), replicates=64, profile=True)


@pytest.fixture(scope="module")
def best(ensemble):
    return js.frontier(ensemble, flops=BUDGETS)


@pytest.mark.parametrize("quantity", ["params", "tokens", "tokens_per_param", "loss"])
def test_a_frontier_has_the_limits_of_the_profiles_of_its_optima(ensemble, best, quantity):
    for level in (0.5, 0.95):
        band = best.interval(quantity, level=level, method="profile")
        for at, flops in enumerate(BUDGETS):
            ours = js.allocation.at_optimum("chinchilla", quantity, flops=flops)
            exact = profile(ensemble.fit, ours, level=level, line="positive")
            found = band.lower[at], band.upper[at]
            np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3 * (exact[1] - exact[0]))


def test_coefs_have_the_limits_of_theirs(ensemble):
    for level in (0.5, 0.95):
        exact, band = profile(ensemble.fit, "E", level=level), ensemble.interval("E", level=level, method="profile")
        np.testing.assert_allclose([band.lower, band.upper], exact, rtol=0, atol=1e-3 * (exact[1] - exact[0]))


def test_its_exponents_are_those_of_the_coefs(ensemble, best):
    """a = beta / (alpha + beta) by Hoffmann's eq. 4, and b = 1 - a."""
    share = profile(ensemble.fit, lambda coefs: coefs["beta"] / (coefs["alpha"] + coefs["beta"]), line="unit")
    a, b = (best.exponent_interval(quantity, method="profile") for quantity in ("params", "tokens"))
    np.testing.assert_allclose([a.lower, a.upper], share, rtol=0, atol=1e-3 * (share[1] - share[0]))
    np.testing.assert_allclose(
        [b.lower, b.upper], 1.0 - np.array(share)[::-1], rtol=0, atol=1e-3 * (share[1] - share[0])
    )


def test_predictions_have_those_of_each_run(ensemble):
    sample = predicted_sample(ensemble, {"params": [1e9, 1e11], "tokens": 1e12})
    band = js.band(sample, level=0.9, method="profile")
    for at, params in enumerate((1e9, 1e11)):

        def loss(coefs, params=params):
            return coefs["E"] + coefs["A"] * params ** -coefs["alpha"] + coefs["B"] * 1e12 ** -coefs["beta"]

        exact = profile(ensemble.fit, loss, level=0.9, line="positive")
        found = band.lower[at], band.upper[at]
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3 * (exact[1] - exact[0]))


def test_all_comes_back_from_the_disk_and_any_level_may_be_asked(tmp_path, ensemble, best):
    study = js.Study(ensemble.fit, ensemble, best, interval=js.intervals.INTERVALS.resolve("profile"))
    again = js.load(js.save(tmp_path, study))
    for level in (0.7, 0.95):
        now, then = again.shown(level=level), study.shown(level=level)
        for name in ensemble.fit.law.names:
            here, there = now.coef_band(name), then.coef_band(name)
            assert (here.lower, here.upper, here.method) == (there.lower, there.upper, "profile")
        for quantity in ("params", "loss"):
            np.testing.assert_array_equal(now.frontier_band(quantity).lower, then.frontier_band(quantity).lower)
        here, there = (one.frontier.exponent_interval(level=level, method="profile") for one in (now, then))
        assert (here.lower, here.upper) == (there.lower, there.upper)
