"""The Pallas kernel against the plain pass: interpreted on a CPU, and lowered for chips that are not here."""

import warnings
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxscale import objectives, precision
from jaxscale.engine.programs import problem_of
from jaxscale.kernels import rows as kernel
from jaxscale.laws import LAWS
from jaxscale.solvers.problem import Data, Problem, derivatives, evaluate
from jaxscale.solvers.surrogate import descend, quadratic, surrogates_of

EPS = float(np.finfo(np.float32).eps)
HUBER = objectives.huber()
QUICK = {"xla_backend_optimization_level": 0}
"""An interpreted kernel is many small operations, which LLVM takes four times as long to optimise."""
SMALL = kernel.RowsKernel("interpreter", lines=1, rows=16)
FIELDS = ("value", "gradient", "curvature", "metric", "spread")


def scalar_law(theta, row):
    x, y = row
    return jnp.exp(theta[0]) * x - y


def nested_rows(theta, row):
    return theta[0] * jnp.sum(row["schedule"]) + jnp.exp(theta[1]) * row["x"] - row["y"]


def law_case(name, random, lanes, rows):
    law = LAWS.resolve(name)
    truth = law.theta(dict(zip(law.names, law.published[0].values, strict=True)))
    columns = (10 ** random.uniform(7, 10, rows), 10 ** random.uniform(9, 11.5, rows))
    coefs = {name: support.to_coef(t) for name, support, t in zip(law.names, law.supports, truth, strict=True)}
    with precision.float64():
        target = np.log(np.asarray(law.loss(*map(jnp.asarray, columns), **coefs)))
    # residuals of 5 %, far from the kink of the score: float32 must not decide on which side of it a row lies
    target += 0.05 * random.choice([-1.0, 1.0], rows)
    theta = truth + 1e-3 * random.standard_normal((lanes, len(truth)))
    return problem_of(law, HUBER.space, HUBER.rho), (columns, target), theta, np.full(lanes, 0.01)


def own_case(problem, random, lanes, rows):
    x, y = random.uniform(1, 2, (2, rows))
    table = {"schedule": random.uniform(1, 2, (rows, 2, 3)), "x": x, "y": y + 9}
    theta = 0.1 * random.standard_normal((lanes, problem.size))
    return problem, (table if problem.size == 2 else (x, y + 9)), theta, np.ones(lanes)


CASES = {
    "chinchilla": partial(law_case, "chinchilla"),
    "kaplan": partial(law_case, "kaplan"),
    "one coef": partial(own_case, Problem(scalar_law, objectives.squared().rho, 1)),
    "nested rows": partial(own_case, Problem(nested_rows, objectives.absolute().rho, 2)),
}


def arrays(case, lanes, rows, dtype, *, is_shifted=False):
    """The problem, and its arguments in one precision, rounded to float32 first, so that both see the same numbers."""
    random = np.random.default_rng(5)
    problem, table, theta, scale = CASES[case](random, lanes, rows)
    weight = random.integers(0, 3, (lanes, rows))
    weight[:, 0] = 1
    active = np.ones(problem.size)
    active[1:2] = 0.0
    shift = 0.2 * random.choice([-1.0, 1.0], (lanes, rows)) if is_shifted else None
    arguments = (Data(table, weight, shift), theta, scale, active)
    return problem, jax.tree.map(lambda leaf: np.asarray(leaf, np.float32).astype(dtype), arguments)


def evaluated(function, problem, arguments):
    with precision.float64():
        return jax.tree.map(
            np.asarray, jax.jit(function, static_argnums=0, compiler_options=QUICK)(problem, *arguments)
        )


@pytest.mark.parametrize(
    ("case", "lanes", "rows", "is_shifted"),
    [
        ("chinchilla", 130, 50, False),
        ("kaplan", 128, 16, False),
        ("one coef", 1, 1, False),
        ("one coef", 257, 33, True),
        ("nested rows", 3, 17, False),
    ],
)
def test_the_kernel_equals_the_plain_pass_to_the_rounding_of_its_sums(case, lanes, rows, is_shifted):
    problem, single = arrays(case, lanes, rows, np.float32, is_shifted=is_shifted)
    fused = evaluated(SMALL, problem, single)
    plain = evaluated(evaluate, problem, single)
    exact = evaluated(evaluate, problem, arrays(case, lanes, rows, np.float64, is_shifted=is_shifted)[1])
    for name in FIELDS:
        left, right, truth = (np.asarray(getattr(each, name)) for each in (fused, plain, exact))
        assert left.dtype == right.dtype == np.float32
        # each term carries the rounding of an exponent of up to 30 and of some ten operations: 64 eps of its size,
        # and a sum of n of them at most n eps more; terms of either sign cancel, so sizes are those of the lane's
        # largest entry, and for the gradient those of sqrt(value · metric), what its terms would add up to unsigned
        size = np.abs(truth).reshape(lanes, -1).max(axis=1)
        if name == "gradient":
            size = np.sqrt(2 * exact.value * np.abs(exact.metric).reshape(lanes, -1).max(axis=1))
        room = (64 + rows) * EPS * size.reshape((lanes,) + (1,) * (truth.ndim - 1))
        assert np.all(np.abs(left - truth) <= room), f"{name} against float64"
        assert np.all(np.abs(left - right) <= 2 * room), f"{name} against the plain pass"


def test_rows_of_weight_zero_add_nothing_even_if_not_finite():
    problem, (data, theta, scale, active) = arrays("chinchilla", 130, 50, np.float32)
    (params, tokens), target = data.rows
    data.weight[:, [3, 16, 49]] = 0.0
    clean = evaluated(SMALL, problem, (data, theta, scale, active))
    params[3], tokens[16], target[49] = -1.0, np.nan, np.inf
    spoiled = evaluated(SMALL, problem, (data, theta, scale, active))
    jax.tree.map(np.testing.assert_array_equal, clean, spoiled)
    assert all(np.all(np.isfinite(leaf)) for leaf in clean)


def test_a_lane_that_is_not_finite_leaves_its_neighbours_untouched():
    problem, (data, theta, scale, active) = arrays("chinchilla", 130, 50, np.float32)
    clean = evaluated(SMALL, problem, (data, theta, scale, active))
    theta[7] = np.nan
    spoiled = evaluated(SMALL, problem, (data, theta, scale, active))
    assert np.isnan(spoiled.value[7])
    others = np.arange(130) != 7
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[others], b[others]), clean, spoiled)


def test_numbers_that_are_not_float32_are_refused():
    problem, arguments = arrays("chinchilla", 130, 50, np.float64)
    with pytest.raises(TypeError, match="found: float64"):
        evaluated(SMALL, problem, arguments)


def test_a_gpu_is_refused_rows_of_arrays():
    problem, arguments = arrays("nested rows", 3, 17, np.float32)
    with pytest.raises(TypeError, match=r"one number per row and leaf; found a leaf of shape \(17, 2, 3\)"):
        evaluated(kernel.ON_GPU, problem, arguments)


CHIPS = {
    "cuda": (kernel.ON_GPU, "NVIDIA H100 80GB HBM3", None, "gpu", "triton"),
    "tpu": (kernel.ON_TPU, "TPU v5 lite", 1, "tpu", "tpu_custom_call"),
}


@pytest.mark.parametrize("case", ["chinchilla", "kaplan", "one coef"])
@pytest.mark.parametrize("chip", CHIPS)
def test_the_kernel_lowers_to_one_custom_call_for_a_chip_that_is_not_here(chip, case):
    form, name, cores, platform, call = CHIPS[chip]
    problem, arguments = arrays(case, 130, 50, np.float32)
    device = jax.sharding.AbstractDevice(device_kind=name, num_cores=cores, platform=platform)
    with (
        precision.float64(),
        jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((), (), abstract_device=device)),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "The Pallas Triton backend is deprecated", DeprecationWarning)  # JAX >= 0.11
        traced = jax.jit(form, static_argnums=0).trace(problem, *arguments)
        text = traced.lower(lowering_platforms=(chip,)).as_text()
    assert text.count("custom_call @") == 1
    assert call in text


@pytest.mark.slow
def test_descents_by_the_kernel_are_those_by_the_plain_pass():
    """Rows that each lane has for itself go through the kernel as its weights do."""
    random = np.random.default_rng(5)
    with precision.float64():
        problem, (columns, target), theta, _ = CASES["chinchilla"](random, 3, 24)
        base, rows = theta[:2], (tuple(map(jnp.asarray, columns)), jnp.asarray(target))
        views = [jax.vmap(partial(derivatives, problem, tuple(jnp.asarray(one))))(rows) for one in base]
        residual, slope, bend = (
            np.stack([np.stack(one[part], axis=1) if part else np.asarray(one[part]) for one in views])
            for part in range(3)
        )
        mass = np.minimum(1.0, 0.01 / np.abs(residual))
        model = jax.tree.map(jnp.asarray, surrogates_of(residual, slope, bend, mass, base, np.zeros(2)))
        weight, which = jnp.asarray(random.poisson(1.0, (3, 24)) + 1.0), np.array([0, 1, 0])
        scale, steps = jnp.asarray(0.01), 3
        lead_by = partial(descend, quadratic(problem.rho, 5), model, which, Data((), weight), scale, steps)
        led = (jax.jit(partial(lead_by, over_rows=one))() for one in (evaluate, SMALL))
        (plain, value), (fused, same) = (tuple(map(np.asarray, one)) for one in led)
    assert np.all(np.any(np.abs(plain - base[which]) > 1e-4, axis=1))  # it went somewhere
    np.testing.assert_allclose(same, value, rtol=40 * EPS)
    np.testing.assert_allclose(fused, plain, rtol=1e-3)  # three steps of float32, which the exact loop takes up
