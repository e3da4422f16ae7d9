"""Statuses seen from a fit: what is not identified is never called converged, and what is at an edge says so.

All tables have 240 rows, so that they share the programs of one law and one objective.
"""

import importlib

import numpy as np
import pytest

import jaxscale as js
from jaxscale.status import Status

COEFS = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
RANDOM = np.random.default_rng(0)
PARAMS, TOKENS = 10 ** RANDOM.uniform(7, 10, 240), 10 ** RANDOM.uniform(9, 11.5, 240)


def table(params, tokens, noise):
    return js.simulate("chinchilla", COEFS, columns={"params": params, "tokens": tokens}, noise=noise, seed=1)


DESIGNS = {
    "one size": (np.full(240, 1e9), TOKENS),
    "one length": (PARAMS, np.full(240, 2e10)),
    "two sizes": (np.where(PARAMS > 3e8, 1e9, 1e8), TOKENS),
    "two lengths": (PARAMS, np.where(TOKENS > 2e10, 1e11, 1e10)),
}


@pytest.mark.parametrize("noise", [0.01, 0.0])
@pytest.mark.parametrize("design", DESIGNS)
def test_coefs_that_the_design_does_not_identify_are_singular(design, noise):
    """Two sizes give E + A / N^alpha at two points: three coefs, two numbers."""
    fit = js.fit(table(*DESIGNS[design], noise))
    assert not fit.is_usable
    assert fit.status is Status.SINGULAR


@pytest.mark.parametrize("noise", [0.01, 0.0])
def test_separate_exponents_on_a_ray_of_tokens_per_param_are_singular(noise):
    """On D = 20 N both terms are powers of N: the second one has only noise to fit, or equals the first."""
    assert js.fit(table(PARAMS, 20 * PARAMS, noise)).status is Status.SINGULAR


@pytest.mark.slow
def test_tied_scales_on_a_ray_are_singular():
    """On D = 20 N the tied law is E + (A + B / 20^alpha) / N^alpha: A and B are exchangeable exactly."""
    fit = js.fit(table(PARAMS, 20 * PARAMS, 0.01), "chinchilla-tied")
    assert fit.status is Status.SINGULAR


def test_a_fit_that_is_not_identified_still_lies_at_the_lowest_value():
    """The same runs and the law of one power, which is what the tied law is on a ray: the same minimum."""
    runs = table(PARAMS, 20 * PARAMS, 0.01)
    tied, one = js.fit(runs, "chinchilla-tied"), js.fit(runs, "power-params")
    assert one.status is Status.CONVERGED
    assert tied.value == pytest.approx(one.value, rel=1e-9)


def unused(x, *, level, nothing):
    return level * x


def test_a_coef_that_the_law_does_not_use_is_not_at_a_bound():
    law = js.Law("unused", unused, ("x",), (js.Coef("level", "real"), js.Coef("nothing", "real")))
    runs = js.Runs.from_arrays(x=np.linspace(1, 2, 30), loss=np.linspace(1, 2.1, 30))
    assert js.fit(runs, law, objective=js.squared(space="linear")).status is Status.SINGULAR


TOO_LARGE = {"A": 1.7e308, "B": 1.7e308, "alpha": 1e-9, "beta": 1e-9}


def test_a_start_that_overflows_is_non_finite_and_the_fit_says_it_in_words():
    fit = js.fit(table(PARAMS, TOKENS, 0.01), starts={**COEFS, **TOO_LARGE})
    assert fit.status is Status.NON_FINITE
    assert "not finite at the start" in fit.findings[-1].message
    assert all(error is None for error in fit.std.values())


def test_one_good_start_among_bad_ones_is_enough():
    fit = js.fit(table(PARAMS, TOKENS, 0.01), starts=[{**COEFS, **TOO_LARGE}, COEFS])
    assert fit.status is Status.CONVERGED
    assert (fit.certificate.starts, fit.certificate.agreeing_starts) == (2, 1)


def floorless(seed):
    columns = {"params": PARAMS, "tokens": TOKENS}
    clean = js.simulate("chinchilla", {**COEFS, "E": 1e-12, "alpha": 0.05, "A": 5.0}, columns=columns)
    noise = np.random.default_rng(seed).standard_normal(240)
    # bent upwards at the large end, so that the best floor is below zero and the fit must end at E = 0
    bend = -0.02 * (np.log(PARAMS) - np.log(PARAMS).mean()) ** 2
    return js.Runs.from_arrays(params=PARAMS, tokens=TOKENS, loss=clean.loss * np.exp(bend + 0.005 * noise))


def test_a_floor_of_zero_is_at_bound_and_names_the_coef():
    fit = js.fit(floorless(0))
    assert fit.status is Status.AT_BOUND
    assert fit.coefs["E"] < 1e-6
    found = {finding.code: finding.message for finding in fit.findings}
    assert found["at-bound"].startswith("E ")


def test_a_fit_at_a_bound_can_be_refitted_and_every_replicate_is_counted():
    ensemble = js.bootstrap(js.fit(floorless(0)), replicates=200)
    assert ensemble.usable.sum() + sum(ensemble.failed.values()) == 200
    assert np.sum(ensemble.status == Status.AT_BOUND) > 100
    assert "replicates-at-bound" in [finding.code for finding in ensemble.findings]


@pytest.mark.parametrize("seed", range(8))
def test_no_start_ends_below_the_minimum_that_is_reported(seed, monkeypatch):
    """Twelve noisy runs, twenty copies each: several basins, and starts that never end. A lower value is not hidden."""
    module = importlib.import_module("jaxscale.fitting.fit")
    solve, ended = module.solve_lanes, []

    def listen(*arguments, **options):
        ended.append(solve(*arguments, **options))
        return ended[-1]

    monkeypatch.setattr(module, "solve_lanes", listen)
    random = np.random.default_rng(seed)
    columns = {"params": 10 ** random.uniform(7, 9, 12), "tokens": 10 ** random.uniform(9, 11, 12)}
    few = js.simulate("chinchilla", COEFS, columns=columns, noise=0.08, seed=seed)
    fit = js.fit(js.Runs.from_arrays(loss=np.tile(few.loss, 20), **{k: np.tile(v, 20) for k, v in columns.items()}))
    lowest = min(np.min(outcome.value[np.isfinite(outcome.value)]) for outcome in ended)
    assert fit.value <= lowest * (1 + 1e-8) or not fit.is_usable
