"""Inputs of a law that move together in every run: which ones, and what that costs the coefs.

The cost is judged at the law's own start points and not by a fit. Where all runs lie on one curve, the loss along it is
what is left to fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Batch, pad
from jaxscale.engine.job import Job
from jaxscale.fitting.nullspace import TAKES_PART, null_space
from jaxscale.fitting.optimum import jacobian_at
from jaxscale.laws import Law
from jaxscale.laws.grouped import GROUP, core_name
from jaxscale.laws.power import POWER, POWER_PARAMS, POWER_TOKENS
from jaxscale.runs import Runs

ROUNDED = 5e-3
"""Relative error of a number written with three digits, at worst: closer than that two columns are one."""

MOST_POINTS = 64
WEAKENED = 2.0
"""Factor on a coef's standard error, the price of the ties between inputs, from which the coef is called weakened. A
law that does not tell tied inputs apart shows 1.1 at most, the exponents of a separable law on a ray 20 to 500."""
OF_A_CURVE = 3
"""Coefs that a curve in one variable gives: a level, a scale and an exponent."""


@dataclass(frozen=True)
class Tie:
    """One input as a product of powers of others in every run: name = scale · Π other^power; alone, a constant."""

    name: str
    scale: float
    powers: Mapping[str, float]

    def __str__(self) -> str:
        parts = [other if power == 1.0 else f"{other}^{power:.3g}" for other, power in self.powers.items()]
        return " ".join([f"{self.name} =", f"{self.scale:.4g}".replace("e+", "e").replace("e0", "e"), *parts])


@dataclass(frozen=True)
class TableDesign:
    """What a table lets vary among the inputs of a law.

    moving: the inputs that vary on their own.   ties: every other input, from those.   columns: all inputs (n, …),
    the tied ones exactly on their tie, without the rounding that hides it.   likeness: of the inputs that vary on
    their own, the largest share (R²) of the logs of one that the others explain.
    """

    moving: tuple[str, ...]
    ties: tuple[Tie, ...]
    columns: Mapping[str, np.ndarray]
    likeness: float

    @property
    def is_rising(self) -> bool:
        """Whether all runs lie on one curve along which no input falls as another grows."""
        return len(self.moving) == 1 and all(power > 0 for tie in self.ties for power in tie.powers.values())

    def __str__(self) -> str:
        return " and ".join(str(tie) for tie in self.ties)


def design_of(runs: Runs, law: Law) -> TableDesign:
    """Return the design of a table of runs for the inputs of a law, from the logs of the rows that count.

    An input that is a schedule, or is not positive everywhere, counts as one that varies on its own; the place of a
    run's group is not counted.
    """
    rows = runs.weight > 0
    moving: list[str] = []
    logs: dict[str, np.ndarray] = {}
    ties: list[Tie] = []
    columns = {name: runs.columns[name] for name in law.inputs}
    likeness = 0.0
    for name, column in columns.items():
        if name == GROUP.name:
            continue
        if column.ndim > 1 or not (column[rows] > 0).all():
            moving.append(name)
            continue
        own = np.log(column, where=column > 0, out=np.zeros(len(column)))
        tie, left = _tie(name, own[rows], {other: log[rows] for other, log in logs.items()})
        if tie is not None:
            ties.append(tie)
            on_tie = sum((power * logs[other] for other, power in tie.powers.items()), np.full(len(own), 0.0))
            columns[name] = np.where(rows, tie.scale * np.exp(on_tie), column)
            continue
        likeness = max(likeness, 1.0 - left)
        logs[name] = own
        moving.append(name)
    return TableDesign(tuple(moving), tuple(ties), columns, likeness)


def _tie(name: str, own: np.ndarray, others: Mapping[str, np.ndarray]) -> tuple[Tie | None, float]:
    """Return the tie of one log column (n,) to others, if there is one, and the share of its variance left over."""
    centred = own - own.mean()
    basis = np.stack([log - log.mean() for log in others.values()], axis=1) if others else np.zeros((len(own), 0))
    powers: np.ndarray = np.asarray(np.linalg.lstsq(basis, centred, rcond=None)[0])
    for tried in (np.round(powers), powers):  # a plain ray, D = 20 N, before D = 19.7 N^1.0003
        left = centred - basis @ tried
        if np.sqrt(np.mean(left**2)) <= ROUNDED * (1.0 + np.abs(tried).sum()):
            level = own.mean() - sum(
                power * log.mean() for power, log in zip(tried.tolist(), others.values(), strict=True)
            )
            kept = {other: float(power) for other, power in zip(others, tried.tolist(), strict=True) if power != 0.0}
            return Tie(name, float(np.exp(level)), kept), 0.0
    total = float(np.sum(centred**2))
    return None, float(np.sum(left**2)) / total if others else 1.0


@dataclass(frozen=True)
class Aliasing:
    """The free coefs that a design leaves without a value of their own; weakened: with one that rests on little."""

    unidentified: tuple[str, ...] = ()
    weakened: tuple[str, ...] = ()


def aliasing_of(law: Law, design: TableDesign, job: Job, points: np.ndarray, clock: Clock) -> Aliasing:
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


def _batch(batch: Batch, law: Law, design: TableDesign, *, is_crossed: bool = False) -> Batch:
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


def law_along(runs: Runs, design: TableDesign) -> Law | None:
    """Return the law of the loss along the curve on which all runs lie; None where they do not, or none ships.

    In compute, C, where both params and tokens grow along it; else in the one of them that varies.
    """
    if len(design.moving) != 1 or not design.is_rising or not design.ties:
        return None
    varying = {*design.moving, *(tie.name for tie in design.ties if tie.powers)}
    flops = runs.columns.get("flops", np.zeros(len(runs)))
    is_known = bool(np.isfinite(flops).all() and (flops > 0).all())
    if is_known and ("flops" in varying or {"params", "tokens"} <= varying):
        return POWER
    return {"params": POWER_PARAMS, "tokens": POWER_TOKENS}.get(*design.moving)
