"""Approach 1: the envelope of curves whose optimum is known, and what it says of its own biases."""

import numpy as np
import pytest
from surfaces import PRINTED, curves_on, optimum_of, profiles_on

import jaxscale as js
from jaxscale.approaches import envelope
from jaxscale.approaches.envelope import envelope_trends
from jaxscale.errors import RunsError


def codes_of(found):
    return {one.code for one in found.findings}


def test_the_envelope_of_noise_free_curves_is_the_frontier_to_the_step_between_sizes():
    found = envelope(curves_on(PRINTED, sizes=60))
    step = np.log(1e3) / 59  # sizes from 1e7 to 1e10: the lowest is the nearest, or its neighbour
    assert np.abs(np.log(found.params / optimum_of(PRINTED, found.flops))).max() < step
    a = PRINTED["beta"] / (PRINTED["alpha"] + PRINTED["beta"])
    assert found.trend.params.exponent == pytest.approx(a, abs=0.01)
    assert found.trend.tokens.exponent == pytest.approx(1 - a, abs=0.01)
    np.testing.assert_allclose(6 * found.params * found.tokens, found.flops, rtol=1e-9)
    np.testing.assert_allclose(found.thirds, a, atol=0.03)
    assert abs(found.curvature) < 0.01


def test_only_lowest_sizes_between_others_count():
    runs = curves_on(PRINTED)
    found = envelope(runs)
    assert found.params.min() > runs["params"].min()
    assert found.params.max() < runs["params"].max()
    assert "envelope-edges" in codes_of(found)


def test_a_curve_that_is_not_at_its_end_is_said_to_mismatch_its_schedule():
    assert "schedule-mismatch" in codes_of(envelope(curves_on(PRINTED)))


def test_the_minimum_of_noise_is_named_and_lower_than_the_truth():
    noisy = envelope(curves_on(PRINTED, noise=0.01, seed=3))
    truth = js.predict("chinchilla", PRINTED, params=noisy.params, tokens=noisy.tokens)
    assert np.mean(noisy.loss / truth) < 1.0
    assert "minimum-of-noise" in codes_of(noisy)


def test_a_replicate_with_every_run_is_the_table_and_one_without_a_run_lacks_its_curve():
    runs = curves_on(PRINTED)
    weight = np.ones((2, len(runs)))
    weight[1, runs["group"] == "run 9"] = 0
    ensemble = envelope_trends(runs, weight)
    alone = envelope(runs.where("group != 'run 9'"))
    assert ensemble.params.exponent[0] == pytest.approx(float(envelope(runs).trend.params.exponent), rel=1e-12)
    assert ensemble.params.exponent[1] == pytest.approx(float(alone.trend.params.exponent), rel=1e-9)


def test_a_table_without_curves_is_refused():
    with pytest.raises(RunsError, match="no training curves: name the column"):
        envelope(profiles_on(PRINTED, 2))


def test_a_curve_of_several_sizes_is_refused():
    runs = curves_on(PRINTED, sizes=4, points=5)
    with pytest.raises(RunsError, match="run 'a' has 4 sizes"):
        envelope(js.Runs.from_arrays(
            loss=runs.loss, params=runs["params"], tokens=runs["tokens"], group=["a"] * len(runs)))  # fmt: skip
