"""Multipliers against their definitions: differences of the objective, and least squares of the columns."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import draws
from jaxscale.fitting.multipliers import lane_values, multipliers_of, values_at_points
from jaxscale.refitting.setup import setup_of
from jaxscale.resampling import Draw, Scheme

STEP = 1e-6


def moved(key, table, fitted=None):
    return Draw(table.weight * 2.0, 0.01 * (1.0 + table.replicate) * table.weight)


@pytest.fixture(scope="module", params=["huber", "absolute", "moved targets"])
def job(request):
    """30 runs of a power law, the second of weight zero."""
    columns = {"params": np.geomspace(1e7, 1e10, 30)}
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
    weight = np.ones(30)
    weight[1] = 0.0
    objective = "absolute" if request.param == "absolute" else js.huber(0.01)
    fit = js.fit(replace(runs, weight=weight), "pure-power-params", objective=objective)
    with precision.float64():
        job = setup_of(fit, js.resampling.SCHEMES.resolve("pairs"), 3, None, Clock()).job
    if request.param == "moved targets":
        job = replace(job, scheme=Scheme("moved", moved, "a test"))
    return job


def asked(job, function, *arguments):
    """Return function(job, …) as the fit calls it."""
    with precision.float64():
        return function(job, *arguments, Clock())


class Lane:
    """One lane by NumPy, from ln L = ln A - alpha ln N with A and alpha as exponentials of theta."""

    def __init__(self, job, replicate, theta):
        draw = asked(job, draws, np.array([replicate]))
        self.weight = np.asarray(draw.weight)[0]
        self.target = job.batch.target + (0.0 if draw.shift is None else np.asarray(draw.shift)[0])
        self.names, self.theta = np.log(job.batch.columns[0]), theta
        least, self.relative = (float(one) for one in job.tolerances[:2])
        size = np.abs(self.residual(theta))
        self.scale = max(least, self.relative * np.sum(self.weight * size) / np.sum(self.weight))

    def residual(self, theta):
        return theta[0] - np.exp(theta[1]) * self.names - self.target

    def value(self, theta):
        size = np.abs(self.residual(theta))
        if self.relative:  # the hyperbola of least absolute deviations
            return np.sum(self.weight * (np.sqrt(size**2 + self.scale**2) - self.scale))
        huber = np.where(size <= self.scale, size**2 / 2, self.scale * (size - self.scale / 2))
        return np.sum(self.weight * huber)

    @property
    def metric_weight(self):
        """Return psi(r) / r times the weight of each row."""
        size = np.abs(self.residual(self.theta))
        if self.relative:
            return self.weight / np.sqrt(size**2 + self.scale**2)
        return self.weight * np.where(size <= self.scale, 1.0, self.scale / size)

    @property
    def jacobian(self):
        return np.stack([np.ones_like(self.names), -np.exp(self.theta[1]) * self.names], axis=1)


THETA = np.array([[np.log(31.0), np.log(0.121)], [np.log(29.0), np.log(0.119)]])
LANES = np.array([-1, 5])


@pytest.fixture(scope="module")
def lanes(job):
    return [Lane(job, int(replicate), theta) for replicate, theta in zip(LANES, THETA, strict=True)]


def test_values_are_those_of_the_definition(job, lanes):
    expected = [lane.value(lane.theta) for lane in lanes]
    np.testing.assert_allclose(asked(job, lane_values, LANES, THETA), expected, rtol=1e-9)


def test_every_replicate_at_every_point_is_each_alone(job):
    together = asked(job, values_at_points, LANES, THETA)
    alone = [asked(job, lane_values, LANES, np.stack([point, point])) for point in THETA]
    np.testing.assert_allclose(together, np.stack(alone, axis=1), rtol=1e-12)


def test_gradients_are_those_of_differences_and_effects_are_squared_lengths_in_the_metric(job, lanes):
    found = asked(job, multipliers_of, np.array([False, False]), LANES, THETA)
    for at, lane in enumerate(lanes):
        ends = [(lane.theta + STEP * unit, lane.theta - STEP * unit) for unit in np.eye(2)]
        slopes = [(lane.value(up) - lane.value(down)) / (2 * STEP) for up, down in ends]
        np.testing.assert_allclose(found.gradient[at], slopes, rtol=1e-5, atol=1e-8 * found.total[at].max())
        np.testing.assert_allclose(found.effect[at], lane.metric_weight @ lane.jacobian**2, rtol=1e-9)
        np.testing.assert_allclose(found.multiplier[at], found.gradient[at], rtol=1e-12)
        np.testing.assert_allclose(found.apart[at], 1.0, rtol=1e-12)


def test_a_multiplier_is_the_slope_along_what_the_minimised_coefs_cannot_do(job, lanes):
    """Beside A, alpha changes the predictions by what is left of ln N when its weighted mean is taken away."""
    found = asked(job, multipliers_of, np.array([True, False]), LANES, THETA)
    for at, lane in enumerate(lanes):
        first, second = lane.jacobian.T
        weight = lane.metric_weight
        left = second - first * np.sum(weight * first * second) / np.sum(weight * first**2)
        slope = np.sum(weight * lane.residual(lane.theta) * left)  # psi is its weight times r
        assert found.multiplier[at, 1] == pytest.approx(slope, rel=1e-9, abs=1e-12 * found.total[at, 1])
        assert found.apart[at, 0] < 1e-12
        share = np.sqrt(np.sum(weight * left**2) / np.sum(weight * second**2))
        assert found.apart[at, 1] == pytest.approx(share, rel=1e-9)
