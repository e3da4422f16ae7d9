"""What the design of a table does to the coefs of a law, judged at the law's own start points and not by a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Batch, pad
from jaxscale.engine.job import Job
from jaxscale.fitting.design import Design
from jaxscale.fitting.nullspace import TAKES_PART, null_space
from jaxscale.fitting.optimum import jacobian_at
from jaxscale.laws import Law
from jaxscale.laws.grouped import GROUP, core_name

MOST_POINTS = 64
WEAKENED = 2.0
"""Factor on a coef's standard error, the price of the ties between inputs, from which the coef is called weakened. A
law that does not tell tied inputs apart shows 1.1 at most, the exponents of a separable law on a ray 20 to 500."""
OF_A_CURVE = 3
"""Coefs that a curve in one variable gives: a level, a scale and an exponent."""


@dataclass(frozen=True)
class Aliasing:
    """The free coefs that a design leaves without a value of their own; weakened: with one that rests on little."""

    unidentified: tuple[str, ...] = ()
    weakened: tuple[str, ...] = ()


def aliasing_of(law: Law, design: Design, job: Job, points: np.ndarray, clock: Clock) -> Aliasing:
    """Return what the ties of a design cost the free coefs of a law.

    points: (S, p) plausible coefs, on the real line.   The Jacobian on the design is compared with that on the same
    values paired at random. Rank that is lost at most points loses the coefs concerned; a standard error that grows
    weakens a coef. Where all runs lie on one rising curve, on which tokens grow with params, and more than three coefs
    are free, the weakened ones are lost too: with the roles of two terms exchanged, other values draw the same curve,
    and which of them a fit finds is an accident of its starts. On a falling one, as at one compute, the terms rise and
    fall and cannot be exchanged: there the curvature at the minimum decides.
    """
    if not design.ties:
        return Aliasing()
    free = job.active > 0
    names = np.array([name for name, is_free in zip(law.names, free, strict=True) if is_free])
    tied, crossed = _batch(job.batch, law, design), _batch(job.batch, law, design, is_crossed=True)
    lost, growth = [], []
    for point in points[:: -(-len(points) // MOST_POINTS)]:
        pair = [jacobian_at(job, one, point, clock)[:, free] for one in (tied, crossed)]
        lengths = [np.linalg.norm(jacobian, axis=0) for jacobian in pair]
        if not names.size or not all(np.isfinite(length).all() and (length > 0).all() for length in lengths):
            continue
        lost.append(np.linalg.norm(null_space(pair[0] / lengths[0])[0], axis=0) > TAKES_PART)
        growth.append(_errors(pair[0], lengths[0]) / _errors(pair[1], lengths[1]))
    if not lost:
        return Aliasing()
    is_lost = np.mean(lost, axis=0) > 0.5
    is_weakened = ~is_lost & (np.median(growth, axis=0) > WEAKENED)
    of_one = {core_name(name) for name in names}
    if is_weakened.any() and design.is_rising and len(of_one) > OF_A_CURVE:
        is_lost, is_weakened = is_lost | is_weakened, np.zeros_like(is_weakened)
    return Aliasing(tuple(names[is_lost].tolist()), tuple(names[is_weakened].tolist()))


def _batch(batch: Batch, law: Law, design: Design, *, is_crossed: bool = False) -> Batch:
    """Return the table with every tied input on its tie, or with the values of each input in an order of its own."""
    random, count = np.random.default_rng(0), batch.count
    counted = np.flatnonzero(batch.weight[:count] > 0)
    columns = []
    for name in law.inputs:
        column = design.columns[name].copy()
        if is_crossed and name != GROUP.name:
            column[counted] = column[random.permutation(counted)]
        columns.append(column)
    return replace(
        batch, columns=pad(tuple(columns), batch.target[:count], batch.weight[:count], batch.cluster[:count]).columns
    )


def _errors(jacobian: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return standard errors (p,) of theta up to a common factor; huge where rank is lost."""
    _, values, right = np.linalg.svd(jacobian / length, full_matrices=False)
    errors: np.ndarray = np.linalg.norm(right / np.maximum(values, 1e-150)[:, None], axis=0) / length
    return errors
