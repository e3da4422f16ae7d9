"""Simulated runs: the losses of a law with known coefs, with noise, for tests, designs and first steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.laws import LAWS, Law, predict_with
from jaxscale.runs import Runs

NOISE_OUTSIDE = (
    "noise = {noise!r} is not a finite number, zero or more: a standard deviation of ln loss, 0.004 for 0.4 %"
)
SEED_OUTSIDE = "seed = {seed!r} is not an integer, zero or more"
NOT_COLUMNS = "columns = {columns!r} is no mapping of names to numbers, as in columns={{'params': […], 'tokens': […]}}"
HAS_LOSS = "the columns hold a loss, which is what will be simulated; leave it out"
SIMULATED = "these runs are simulated from the law '{law}', not measured; say so wherever their numbers appear"

SOURCE = "<simulated>"


def simulate(
    law: Law | str,
    coefs: Mapping[str, float] | str,
    *,
    columns: Mapping[str, ArrayLike],
    noise: float = 0.0,
    seed: int = 0,
) -> Runs:
    """Return runs whose loss is the law's, times exp(noise · z) with z standard normal and independent by row.

    Parameters
    ----------
    law
        A law, or its name.
    coefs
        Name → number, or the name of a published set.
    columns
        What `Runs.from_arrays` takes but loss: the law's inputs (of params, tokens and flops two suffice), and weight,
        group, other numbers and texts.
    noise
        Standard deviation of ln loss; the median of the loss is the law's.
    seed
        Of NumPy's PCG64.

    Returns
    -------
    Runs
        With the finding `simulated-data`.

    Raises
    ------
    UsageError
        For unknown names, noise or seed that are invalid.
    RunsError
        For columns that are no table.

    Examples
    --------
    >>> columns = {"params": [1e8, 1e9], "tokens": [1e10, 1e10]}
    >>> js.simulate("chinchilla", "besiroglu2024", columns=columns).loss.round(3)
    array([3.071, 2.633])
    """
    law = LAWS.resolve(law)
    if not isinstance(columns, Mapping):
        raise UsageError(NOT_COLUMNS.format(columns=columns))
    if "loss" in columns:
        raise UsageError(HAS_LOSS)
    if not (isinstance(noise, int | float) and math.isfinite(noise) and noise >= 0):
        raise UsageError(NOISE_OUTSIDE.format(noise=noise))
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(SEED_OUTSIDE.format(seed=seed))
    count = max(len(np.atleast_1d(column)) for column in columns.values()) if columns else 0
    made: dict[str, Any] = dict(columns)
    given = Runs.from_arrays(loss=np.ones(count), **made)  # checks the columns and derives the third of N, D, C
    predicted = predict_with(law, law.given(coefs), given.columns)
    normal = np.random.Generator(np.random.PCG64(seed)).standard_normal(count)
    runs = Runs.from_arrays(loss=predicted * np.exp(noise * normal), units_ok=True, **made)
    finding = Finding("simulated-data", SIMULATED.format(law=law.name))
    return replace(runs, origin=replace(runs.origin, source=SOURCE), findings=(finding, *runs.findings))
