"""Mixtures of Student's distributions, one part for every draw of a mean: their densities and quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS, CLOSE = 60, 1e-10
"""Steps of a quantile at most, and the last one, in units of the widest spread, at which it stands."""


@dataclass(frozen=True)
class Predictive:
    """What a law predicts of ln loss at m runs: the means of R draws, each with Student's errors around it.

    mean: (R, m), ln loss.   spread: the scale of the errors, > 0.   dof: its degrees of freedom, > 0.
    """

    mean: np.ndarray
    spread: float
    dof: float

    def log_density(self, target: np.ndarray) -> np.ndarray:
        """Return the log density (m,) of ln losses (m,)."""
        from scipy.special import gammaln, logsumexp  # slow to import

        score = (target - self.mean) / self.spread
        half = 0.5 * (self.dof + 1.0)
        front = gammaln(half) - gammaln(0.5 * self.dof) - 0.5 * np.log(self.dof * np.pi) - np.log(self.spread)
        parts = front - half * np.log1p(score**2 / self.dof)
        found: np.ndarray = logsumexp(parts, axis=0) - np.log(len(parts))
        return found


def quantile_of(parts: list[Predictive], weights: np.ndarray, share: float, *, has_errors: bool = True) -> np.ndarray:
    """Return the quantile (m,) of ln loss of a mixture of predictives (k,) with weights (k,) of sum one.

    has_errors: whether errors are in it, as of a new run; without, that of the means alone, which are the draws.
    """
    taken = [(part, weight) for part, weight in zip(parts, weights, strict=True) if weight > 0]
    mean = np.concatenate([part.mean for part, _ in taken])
    each = np.concatenate([np.full(len(part.mean), weight / len(part.mean)) for part, weight in taken])
    if not has_errors:
        order = np.argsort(mean, axis=0)
        total = np.cumsum(each[order], axis=0)
        at = np.argmax(total >= share * total[-1] * (1.0 - 1e-12), axis=0)
        found: np.ndarray = np.take_along_axis(mean, np.take_along_axis(order, at[None], axis=0), axis=0)[0]
        return found
    return _solved(taken, mean, share)


def _solved(taken: list[tuple[Predictive, float]], mean: np.ndarray, share: float) -> np.ndarray:
    """Return the quantile (m,) by Newton's method inside a bracket that shrinks.   mean: (R, m) of all parts."""
    from scipy.special import stdtr, stdtrit

    ends = [part.spread * float(stdtrit(part.dof, share)) for part, _ in taken]
    low, high = mean.min(axis=0) + min(ends), mean.max(axis=0) + max(ends)
    at, widest = 0.5 * (low + high), max(part.spread for part, _ in taken)
    for _ in range(ROUNDS):
        total, slope = np.zeros_like(at), np.zeros_like(at)
        for part, weight in taken:
            score = (at - part.mean) / part.spread
            total += weight * stdtr(part.dof, score).mean(axis=0)
            slope += weight * np.exp(part.log_density(at))
        low, high = np.where(total < share, at, low), np.where(total < share, high, at)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = at - (total - share) / slope
        following = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
        step, at = np.max(np.abs(following - at), initial=0.0), following
        if step <= CLOSE * widest:
            break
    return at
