"""One objective for all: every contestant's coefficients are scored here, in NumPy float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.reporting import MISSED
from benchmarks.rivals.spec import DELTA, Outcome, Study


@dataclass(frozen=True)
class Judgement:
    """How one contestant did on the replicates that all of them solved.

    mean_value: of the objective.   worst_excess, median_excess: above the best value known for the same replicate, as a
    share of it; infinite where coefficients are not finite.   missed: replicates with an excess above `MISSED`.
    disagreement: largest relative gap between the value the contestant reports and the one computed here.
    lead: the most by which it beats jaxscale on one of the replicates that both solved; negative where it never does.
    """

    mean_value: float
    worst_excess: float
    median_excess: float
    missed: int
    disagreement: float
    lead: float


def judge(study: Study, outcomes: Sequence[Outcome], *, own: int) -> list[Judgement]:
    """Judge the outcomes on the replicates that each of them has; the best known value is the lowest among them.

    own: which of them is jaxscale's on all replicates.
    """
    shared = min(len(outcome.theta) for outcome in outcomes)
    scored = [huber_sums(study.first(len(outcome.theta)), outcome.theta) for outcome in outcomes]
    scored = [np.where(np.isfinite(values), values, np.inf) for values in scored]
    values = np.stack([each[:shared] for each in scored])
    best = values.min(axis=0)
    with np.errstate(invalid="ignore"):
        excess = np.where(np.isfinite(values), values / best - 1, np.inf)
    return [
        Judgement(
            mean_value=float(value.mean()),
            worst_excess=float(above.max()),
            median_excess=float(np.median(above)),
            missed=int(np.count_nonzero(above > MISSED)),
            disagreement=float(np.abs(outcome.value[:shared] / value - 1).max()),
            lead=_lead(scored[own], every),
        )
        for outcome, value, above, every in zip(outcomes, values, excess, scored, strict=True)
    ]


def huber_sums(study: Study, theta: np.ndarray) -> np.ndarray:
    """Return sum_i w_i Huber(log Lhat_i − log L_i) per replicate, (R,), at theta (R, 5).   Source: Huber 1964, eq. 3.

    Shares no code with any contestant and works on plain logs, not centred ones; exact to about 1e-14, relatively.
    """
    log_a, log_b, log_e, alpha, beta = theta.T[:, :, None]
    with np.errstate(over="ignore", invalid="ignore"):
        by_params = np.exp(log_a - alpha * np.log(study.params))
        by_tokens = np.exp(log_b - beta * np.log(study.tokens))
        size = np.abs(np.log(np.exp(log_e) + by_params + by_tokens) - np.log(study.loss))
        score = np.where(size <= DELTA, size**2 / 2, DELTA * (size - DELTA / 2))
    return (study.weights * score).sum(axis=1)


def _lead(own: np.ndarray, other: np.ndarray) -> float:
    """Return the largest amount by which the other's objective lies below jaxscale's; infinite where jaxscale's is."""
    count = min(len(own), len(other))
    both = np.isfinite(own[:count]) | np.isfinite(other[:count])
    return float(np.max(own[:count][both] - other[:count][both], initial=-np.inf))
