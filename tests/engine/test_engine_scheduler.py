"""Ensembles on their way through the device: nothing is lost, counted twice, or dependent on how lanes were grouped."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxscale as js
from jaxscale import precision
from jaxscale.engine import job as job_module
from jaxscale.engine import scheduler as engine
from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import SMALLEST_BUCKET, Flattening, bucket, chunks
from jaxscale.engine.job import Job
from jaxscale.engine.programs import problem_of
from jaxscale.engine.scheduler import solve_lanes
from jaxscale.fitting.preparing import batch_of
from jaxscale.laws import LAWS
from jaxscale.resampling import SCHEMES
from jaxscale.solvers import SOLVERS
from jaxscale.solvers.lanes import fresh_lanes
from jaxscale.solvers.loop import Tolerances
from jaxscale.status import RUNNING, Status

REPLICATES = 600
RUNS = js.simulate(
    "pure-power-params",
    {"A": 30.0, "alpha": 0.12},
    columns={"params": np.geomspace(1e7, 1e10, 30)},
    noise=0.02,
    seed=1,
)
LAW, OBJECTIVE = LAWS.resolve("pure-power-params"), js.huber()
START = np.tile(LAW.theta({"A": 30.0, "alpha": 0.12}), (REPLICATES, 1))


@pytest.fixture(scope="module")
def job():
    with precision.float64():
        return Job(
            problem=problem_of(LAW, OBJECTIVE.space, OBJECTIVE.rho),
            method=SOLVERS.resolve("newton"),
            scheme=SCHEMES.resolve("pairs"),
            batch=batch_of(RUNS, LAW, OBJECTIVE, 2),
            active=np.ones(2),
            bounded=LAW.bounded,
            tolerances=Tolerances(np.float64(OBJECTIVE.scale), np.float64(OBJECTIVE.limit), np.float64(0.0)),
            seed=3,
            max_steps=500,
        )


def solved(job, count=REPLICATES, on_done=lambda count: None):
    with precision.float64():
        return solve_lanes(job, np.arange(count), START[:count], np.zeros(count), Clock(), on_done)


def assert_identical(left, right):
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_lane_ends_once_and_is_counted_once(job):
    told = []
    outcome = solved(job, on_done=told.append)
    assert sum(told) == REPLICATES
    assert not np.any(outcome.status == RUNNING)
    assert np.all(np.isfinite(outcome.value))
    assert np.all(outcome.steps > 0)


def test_the_answer_is_identical_from_call_to_call_and_for_any_number_of_threads(job, monkeypatch):
    first = solved(job)
    for cores in (1, 2, 5):
        monkeypatch.setattr(engine.placement, "threads", lambda cores=cores: cores)
        assert_identical(first, solved(job))


def test_an_ensemble_that_is_no_multiple_of_the_width_ends_with_the_same_lanes(job):
    few, many = solved(job, count=101), solved(job)
    assert_identical(few, tuple(part[:101] for part in many))


@pytest.mark.parametrize("most", [1, 12, 16])
def test_no_lane_makes_more_steps_than_allowed_and_those_that_need_more_say_so(job, most):
    free, bounded = solved(job), solved(replace(job, max_steps=most))
    assert bounded.steps.max() <= most
    needs_more = free.steps > most
    assert needs_more.any()
    np.testing.assert_array_equal(bounded.status == Status.MAX_STEPS, needs_more)
    for name in ("theta", "value", "status", "steps"):
        np.testing.assert_array_equal(getattr(bounded, name)[~needs_more], getattr(free, name)[~needs_more])


def test_a_failing_chunk_raises_and_starts_nothing_more(job, monkeypatch):
    calls = []

    def broken(*args, **options):
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return run(*args, **options)

    run = job_module.run
    monkeypatch.setattr(job_module, "run", broken)
    with pytest.raises(KeyboardInterrupt):
        solved(replace(job, width=64))
    assert len(calls) <= 2 + engine.placement.threads()


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_lanes_come_back_from_their_matrix_unchanged(method):
    with precision.float64():
        lanes = fresh_lanes(SOLVERS.resolve(method), START[:7], np.arange(7.0))
        lanes = lanes._replace(status=np.arange(7, dtype=np.int32) - 1, is_final=np.arange(7) % 2 == 0)
        flattening = Flattening.of(lanes)
        for back in (
            flattening.unflatten(flattening.flatten(lanes)),
            flattening.unflatten(flattening.flatten(jax.tree.map(jnp.asarray, lanes))),
        ):
            for one, other in zip(jax.tree.leaves(lanes), jax.tree.leaves(back), strict=True):
                assert np.asarray(one).dtype == np.asarray(other).dtype
                np.testing.assert_array_equal(one, other)


@given(count=st.integers(1, 10**7))
def test_a_bucket_holds_its_rows_and_wastes_less_than_32_or_an_eighth_of_itself(count):
    size = bucket(count)
    assert size >= max(count, SMALLEST_BUCKET)
    assert bucket(size) == size
    assert size - count < max(size / 8, SMALLEST_BUCKET)


@settings(max_examples=50)
@given(total=st.integers(0, 500), width=st.integers(1, 200))
def test_chunks_cover_every_lane_once(total, width):
    covered = np.concatenate([np.arange(total)[part] for part in chunks(total, width)] or [np.arange(0)])
    np.testing.assert_array_equal(covered, np.arange(total))
