"""Predictions of a law at runs, and random runs and coefs of its documented range."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws.checking import NO_NUMBER
from jaxscale.laws.spec import Law
from jaxscale.numerics.hosted import extended, hosted, shared_length
from jaxscale.numerics.made import kept

INPUT_MISSING = "law '{name}' needs {needed}; missing: {missing}"
NO_TABLE = "the columns do not broadcast against one another: {shapes}"
NO_VECTOR = "{name} is one number, but '{law}' takes several for each run: an array whose last axis holds them"


def predict_with(law: Law, coefs: Mapping[str, float], columns: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return the law's loss, float64, for columns that broadcast against one another, in the law's units.

    An input is one number per run, or, where the law says that it is a vector, as many as its last axis holds; the
    axes before broadcast like the other columns.

    Raises UsageError for a missing input or coef, columns that do not broadcast or are no numbers, or a vector without
    an axis. Supports are not checked: a law can be
    looked at anywhere.
    """
    return predict_sets(law, law.vector(coefs)[None], columns)[0]


def predict_sets(law: Law, sets: np.ndarray, columns: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return the law's loss (R, …), float64, of R sets of coefs (R, p), in the law's order; else as `predict_with`."""
    missing = [name for name in law.inputs if name not in columns]
    if missing:
        needed = ", ".join(law.inputs)
        raise UsageError(INPUT_MISSING.format(name=law.name, needed=needed, missing=", ".join(missing)))
    given = {name: _numbers(name, columns[name]) for name in law.inputs}
    own = {name: 1 if law.input(name).is_vector else 0 for name in law.inputs}
    for name, array in given.items():
        if array.ndim < own[name]:
            raise UsageError(NO_VECTOR.format(name=name, law=law.name))
    shapes = {name: array.shape[: array.ndim - own[name]] for name, array in given.items()}
    try:
        shape = np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        raise UsageError(NO_TABLE.format(shapes=", ".join(f"{k} {v}" for k, v in shapes.items()))) from error
    runs = [_flat(array, shape, own[name]) for name, array in given.items()]

    rows = int(np.prod(shape))
    if not rows or not len(sets):
        return np.zeros((len(sets), *shape))
    padded = extended(np.asarray(sets, dtype=np.float64), shared_length(len(sets)))
    found = hosted(_every(law), padded, *(extended(run, shared_length(rows)) for run in runs))
    return np.asarray(found[: len(sets), :rows], dtype=np.float64).reshape(len(sets), *shape)


def predict_each(law: Law, sets: np.ndarray, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the law's loss (B,), float64, of each of B sets of coefs (B, p) at the run of its own, columns (B,)."""
    runs = (np.asarray(columns[name], dtype=np.float64) for name in law.inputs)
    found = hosted(_each(law), *(extended(one, shared_length(len(sets))) for one in (sets, *runs)))
    return np.asarray(found[: len(sets)], dtype=np.float64)


@kept(64)
def _every(law: Law) -> Callable[..., jax.Array]:
    """Return (sets (R, p), *runs (n, …)) → loss (R, n)."""
    runs = len(law.inputs)
    return jax.vmap(jax.vmap(_by_vector(law), (None, *(0,) * runs)), (0, *(None,) * runs))


@kept(64)
def _each(law: Law) -> Callable[..., jax.Array]:
    """Return (sets (B, p), *runs (B, …)) → loss (B,)."""
    return jax.vmap(_by_vector(law))


def _by_vector(law: Law) -> Callable[..., jax.Array]:
    """Return (coefs (p,), *run) → loss."""
    return lambda coefs, *run: law.loss(*run, **dict(zip(law.names, coefs, strict=True)))


def _numbers(name: str, column: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(NO_NUMBER.format(name=name, value=column)) from error


def _flat(array: np.ndarray, shape: tuple[int, ...], own: int) -> np.ndarray:
    """Return the array for every run, runs on one axis, its `own` last axes kept."""
    kept = array.shape[array.ndim - own :]
    return np.broadcast_to(array, (*shape, *kept)).reshape(-1, *kept)


def random_coefs(law: Law, random: np.random.Generator) -> dict[str, float]:
    """Return coefs drawn from their ranges: evenly in logarithms where the range is positive, else evenly."""
    return {coef.name: float(drawn(*coef.range, random, 1)[0]) for coef in law.coefs}


def random_columns(law: Law, random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Return the inputs of runs (rows, …) drawn from their ranges, or as the law's own design has them."""
    if law.design is not None:
        return {name: np.asarray(column, dtype=np.float64) for name, column in law.design(random, rows).items()}
    measures = [law.input(name) for name in law.inputs]
    return {one.name: drawn(one.low, one.high, random, rows) for one in measures}


def drawn(low: float, high: float, random: np.random.Generator, count: int) -> np.ndarray:
    """Return numbers (count,) between two ends: evenly in logarithms where both have one sign, else evenly."""
    if low > 0:
        return np.exp(random.uniform(np.log(low), np.log(high), count))
    if high < 0:
        return -drawn(-high, -low, random, count)
    return random.uniform(low, high, count)
