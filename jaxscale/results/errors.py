"""Whether errors are of one size, and whether their tails are normal: tests that assume little else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from statistics import NormalDist

import numpy as np

from jaxscale.intervals.student import quantile
from jaxscale.results.diagnosis import ResidualTest

LEVEL = 0.01
"""Chance that the errors of a table are called unequal, or heavy-tailed, although they are not."""
DRAWN = 999
"""Orders of the residuals, or tables of normal errors, by which a chance is known: the tenth largest is at 1 %."""
RARE = round(LEVEL * (DRAWN + 1))
"""Which of the largest is at that chance: where so many reach what was found, nothing is."""
FIRST = 99
"""Of the orders or tables, those that most often show already that nothing is found."""
LONGEST = 5_000
"""Rows from which sums of them are normal, and nothing is drawn."""
CLIPPED = 3.0 / NormalDist().inv_cdf(0.75)
"""Median residuals, three standard deviations of normal errors, beyond which one counts as that: one row that is off
is no spread."""
FEWEST = 4
"""Degrees of freedom from which sizes of residuals are compared."""
LOCKED = 1e-4
"""Share of its own error that a row's leverage has to leave for it to be looked at."""
AT_ONCE = 2_000_000
"""Numbers in one array of simulated errors."""


def clipped(residual: np.ndarray) -> np.ndarray:
    """Return residuals (…, m) with those beyond three typical ones at that size."""
    limit = CLIPPED * np.median(np.abs(residual), axis=-1, keepdims=True)
    return np.where(limit > 0.0, np.clip(residual, -limit, limit), residual)


def spread_tests(
    residual: np.ndarray,
    jacobian: np.ndarray,
    logs: Mapping[str, np.ndarray],
    codes: np.ndarray | None = None,
    *,
    is_shown: bool = True,
) -> tuple[ResidualTest, ...]:
    """Return whether the size of the residuals depends on columns (m,): each one's correlation with it, as Student's t.

    residual: (m,), and jacobian: (m, p), both times the root of the weight.   codes: (m,) of groups whose errors may be
    alike; None for rows that are independent.   is_shown: whether tests that find nothing are wanted; without them the
    answer is there in a tenth of the time, and the same.

    The sizes are those of the residuals that least squares leaves, each over the root of 1 - leverage, so that a fit
    that passes through some rows does not count as precise there. The threshold is that of the largest of all columns
    when the residuals are put in random order and least squares takes its share again, which allows for any
    distribution of the errors; of groups, whose rows cannot change places, Student's quantile by Bonferroni.   Source:
    Glejser 1969; the order: Freedman & Lane 1983.
    """
    left, is_known = _left(clipped(residual), jacobian)
    count = int(np.sum(is_known))
    units = count if codes is None else len(np.unique(codes[is_known]))
    if not logs or units - jacobian.shape[1] < FEWEST:
        return ()
    size = np.abs(clipped(left[is_known]))
    if not size.std() > 1e-9 * size.mean():
        return ()
    own = np.stack([one[is_known] - one[is_known].mean() for one in logs.values()])
    length = np.linalg.norm(own, axis=1)
    if not (length > 0.0).all():
        return ()
    off = size - size.mean()
    if codes is None:
        unit, dof = own / length[:, None], float(count - 2)
        found = _student(unit @ off / np.linalg.norm(off), dof)
        if count < LONGEST:
            chance = partial(_largest_by_chance, left, is_known, jacobian, unit, dof)
            first = chance(_orders(len(left), FIRST))
            if not is_shown and np.sum(first >= np.abs(found).max()) >= RARE:
                return ()
            threshold = float(np.sort([*first, *chance(_orders(len(left), DRAWN)[FIRST:])])[-RARE])
        else:
            threshold = quantile(1.0 - LEVEL / len(own), dof)
    else:
        score = np.stack([np.bincount(codes[is_known], one * off) for one in own])  # sums over independent groups
        found = score.sum(axis=1) / np.maximum(np.linalg.norm(score, axis=1), np.finfo(float).tiny)
        threshold = quantile(1.0 - LEVEL / len(own), float(units - 2))
    slopes = own @ size / length**2 / size.mean()
    return tuple(
        ResidualTest(name, "spread", slope, abs(slope / t) if t else np.inf, t, threshold)
        for name, slope, t in zip(logs, slopes.tolist(), found.tolist(), strict=True)
    )


def tail_tests(residual: np.ndarray, jacobian: np.ndarray, *, is_shown: bool = True) -> tuple[ResidualTest, ...]:
    """Return whether the tails of the residuals are heavier than normal: their excess kurtosis, one-sided at 1 %.

    residual: (m,), jacobian: (m, p), and is_shown, as in `spread_tests`.   The threshold is that of normal errors put
    through the same least squares.   Source: Pearson 1905, as a test of D'Agostino & Pearson 1973; chance is simulated.
    """
    left, is_known = _left(residual, jacobian)
    count = int(np.sum(is_known))
    if count - jacobian.shape[1] < FEWEST or not np.any(left[is_known] != 0.0):
        return ()
    std, found = np.sqrt(24.0 / count), float(_excess(left[is_known][None])[0])
    if count >= LONGEST:
        threshold = quantile(1.0 - 2.0 * LEVEL, np.inf)
    else:
        random, drawn = np.random.default_rng(0), list[float]()
        frame, root = _frame(jacobian)
        each = max(1, AT_ONCE // len(residual))
        while len(drawn) < DRAWN:
            size = min(each, FIRST if not drawn else DRAWN - len(drawn))
            normal = random.standard_normal((size, len(residual)))
            drawn += _excess(((normal - (normal @ frame) @ frame.T) / root)[:, is_known]).tolist()
            if not is_shown and np.sum(np.array(drawn) >= found) >= RARE:
                return ()
        threshold = float(np.sort(drawn)[-RARE]) / float(std)
    return (ResidualTest("kurtosis", "tails", found, float(std), found / float(std), threshold),)


def _largest_by_chance(
    left: np.ndarray, is_known: np.ndarray, jacobian: np.ndarray, unit: np.ndarray, dof: float, orders: np.ndarray
) -> np.ndarray:
    """Return the t (k,) of the largest correlation with any column of unit (q, …), by chance: in orders (k, m)."""
    frame, root = _frame(jacobian)
    ordered = left[orders]
    ordered = ((ordered - (ordered @ frame) @ frame.T) / root)[:, is_known]
    size = np.abs(clipped(ordered))
    off = size - size.mean(axis=1)[:, None]
    return _student(np.abs(off @ unit.T).max(axis=1) / np.linalg.norm(off, axis=1), dof)


def _frame(jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an orthonormal frame (m, k) of the columns, and the root of 1 - leverage (m,)."""
    length = np.linalg.norm(jacobian, axis=0)
    frame, singular, _ = np.linalg.svd(jacobian / np.where(length > 0.0, length, 1.0), full_matrices=False)
    frame = frame[:, singular > 1e-8 * singular.max(initial=0.0)]
    return frame, np.sqrt(np.maximum(1.0 - np.sum(frame**2, axis=1), LOCKED))


def _left(residual: np.ndarray, jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals (m,) of one step of least squares, over the root of 1 - leverage, and which are known."""
    frame, root = _frame(jacobian)
    return (residual - frame @ (frame.T @ residual)) / root, root > np.sqrt(LOCKED)


def _student(correlation: np.ndarray | float, dof: float) -> np.ndarray:
    """Return the t of a correlation."""
    r = np.clip(np.asarray(correlation), -1.0 + 1e-15, 1.0 - 1e-15)
    return np.asarray(r * np.sqrt(dof / (1.0 - r**2)))


def _excess(values: np.ndarray) -> np.ndarray:
    """Return the excess kurtosis (k,) of values (k, m) about zero, which least squares leaves as their mean."""
    square = values**2
    return np.asarray((square**2).mean(axis=1) / square.mean(axis=1) ** 2 - 3.0)


@lru_cache(maxsize=4)
def _orders(count: int, drawn: int) -> np.ndarray:
    """Return random orders (drawn, count) of so many rows, the same ones in every process; more begin with fewer."""
    return np.random.default_rng(count).permuted(np.tile(np.arange(count), (drawn, 1)), axis=1)
