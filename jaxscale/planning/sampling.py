"""`js.planning.sample_worth`: what runs that are not made yet would be worth to a plan, before they cost anything.

The results of the runs are simulated from draws taken as the truth; each result weighs the draws anew, and a plan is
chosen with one half of them and judged by the other, so that no draw judges what it has chosen.   Source: the expected
value of sample information of Raiffa & Schlaifer 1961; importance weights as in Menzies 2016, Medical Decision Making
36.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.frontier import in_chunks
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.laws.checking import finite_numbers
from jaxscale.planning.decide import decide
from jaxscale.planning.limits import Limit, is_number
from jaxscale.planning.question import question_of
from jaxscale.planning.risk import each_loss
from jaxscale.results import Ensemble
from jaxscale.results.decision import Decision
from jaxscale.results.regret import RegretCurve

SIMULATIONS = 1_000
"""Results of the runs that are simulated."""
LEAST_EFFECTIVE = 20.0
"""Draws that must agree with a result, on average, in each half: with fewer, chance would choose the plan."""

BAD_RUNS = "runs: params and tokens, each (n,) positive numbers, are what a run needs; given: {given}"
BAD_NOISE = "noise = {noise!r} is no positive, finite standard deviation of ln loss"
BAD_COUNT = "simulations = {count!r} is no count of two or more"
NO_CURVE = "within these limits there is one size alone: no run can change the plan"
FEW = (
    "{effective:.1f} draws in each half agree with a simulated result, on average, and {least:g} are needed: the runs "
    "tell more than so few draws can show; take more draws, or fewer runs"
)


@dataclass(frozen=True)
class SampleWorth:
    """What runs are worth to a plan before they are made.

    Attributes
    ----------
    value, error
        Expected value of sample information in nats, and its Monte-Carlo error; NaN where too few draws agree with what
        the runs would show.
    gaussian
        The same, were losses and the best size jointly normal over the draws and regret a parabola in ln N: without
        Monte-Carlo error but for the draws.
    evpi
        Expected value of perfect information, in nats: no runs are worth more.
    effective
        Draws that agree with a simulated result, on average.
    status
        `resolved`, or why there is no value.
    """

    value: float
    error: float
    gaussian: float
    evpi: float
    effective: float
    status: str = "resolved"

    def net(self, *, cost: float, worth: float) -> float:
        """Return the expected net benefit of the runs: what they are worth less what they cost.

        Parameters
        ----------
        cost
            Of the runs together, in any unit.
        worth
            Of one nat at the target, in the same unit.

        Returns
        -------
        float
            In that unit; below zero the runs cost more than they tell.

        Raises
        ------
        UsageError
            For a cost or a worth that is no number, zero or more.
        """
        for name, number in (("cost", cost), ("worth", worth)):
            if not is_number(number) or number < 0:
                raise UsageError(f"{name} = {number!r} is no number, zero or more")
        return float(worth * self.value - cost)


def sample_worth(
    source: Ensemble | Sequence[Ensemble] | None = None,
    *,
    runs: Mapping[str, ArrayLike],
    noise: float,
    flops: float,
    inference_tokens: float = 0.0,
    unique_tokens: float | None = None,
    limits: Sequence[Limit] = (),
    fixed: Mapping[str, float] | None = None,
    weights: Sequence[float] | None = None,
    simulations: int = SIMULATIONS,
    seed: int = 0,
    law: Law | str | None = None,
    coefs: Mapping[str, np.ndarray | float] | None = None,
) -> SampleWorth:
    """Return what runs that could be made are worth to the plan of a budget, and what is at stake at all.

    Parameters
    ----------
    source
        As of `js.decide`.
    runs
        `params` and `tokens`, (n,) each, of the runs.
    noise
        Standard deviation of the runs' ln loss.
    flops, inference_tokens, unique_tokens, limits, fixed, weights
        As of `js.decide`.
    simulations
        How many results of the runs are simulated.
    seed
        Of these.
    law, coefs
        As of `js.decide`.

    Returns
    -------
    SampleWorth
        In nats.

    Raises
    ------
    UsageError
        For runs, noise and counts that are impossible, and what `js.decide` refuses.

    Examples
    --------
    >>> draws = {**js.LAWS.resolve("chinchilla").constants("besiroglu2024")}
    >>> draws["alpha"] = draws["alpha"] + 0.02 * np.random.default_rng(0).standard_normal(64)
    >>> asked = {"law": "chinchilla", "coefs": draws, "flops": 1e22}
    >>> worth = js.planning.sample_worth(runs={"params": [1e9], "tokens": [2e10]}, noise=0.05, **asked)
    >>> 0 < worth.gaussian <= worth.evpi
    True
    """
    x = _sizes(runs)
    if not is_number(noise) or not noise > 0:
        raise UsageError(BAD_NOISE.format(noise=noise))
    if isinstance(simulations, bool) or not isinstance(simulations, int | np.integer) or simulations < 2:
        raise UsageError(BAD_COUNT.format(count=simulations))
    decision = decide(
        source,
        flops=flops,
        inference_tokens=inference_tokens,
        unique_tokens=unique_tokens,
        limits=limits,
        fixed=fixed,
        weights=weights,
        law=law,
        coefs=coefs,
    )
    if decision.curve is None:
        raise UsageError(NO_CURVE)
    told, weight = np.log(_losses(decision, x, flops, fixed)), decision.best.weight
    gaussian = gaussian_worth(decision.curve, np.log(decision.optima[:, 0]), told, weight, float(noise))
    random = np.random.default_rng(seed)
    value, error, effective = simulated_worth(decision.curve, told, weight, float(noise), int(simulations), random)
    if effective < LEAST_EFFECTIVE:
        why = FEW.format(effective=effective, least=LEAST_EFFECTIVE)
        return SampleWorth(float("nan"), float("nan"), gaussian, decision.evpi[0], effective, why)
    return SampleWorth(value, error, gaussian, decision.evpi[0], effective)


def gaussian_worth(
    curve: RegretCurve, log_params: np.ndarray, told: np.ndarray, weight: np.ndarray, noise: float
) -> float:
    """Return what runs are worth, in nats, were all jointly normal: half the curvature times what Var ln N* falls by.

    log_params: (R,), of each draw's own best plan.   told: (R, n), ln loss of the runs under each draw.   noise: of it.
    """
    size, result = log_params - weight @ log_params, told - weight @ told
    shared, spread = (weight * size) @ result, (weight[:, None] * result).T @ result
    fall = float(shared @ np.linalg.solve(spread + noise**2 * np.eye(len(shared)), shared))
    mean, step = weight @ curve.nats, float(np.log(curve.params[1] / curve.params[0]))
    at = int(np.clip(np.argmin(mean), 1, len(mean) - 2))
    return 0.5 * float(mean[at - 1] - 2.0 * mean[at] + mean[at + 1]) / step**2 * fall


def simulated_worth(
    curve: RegretCurve,
    told: np.ndarray,
    weight: np.ndarray,
    noise: float,
    simulations: int,
    random: np.random.Generator,
) -> tuple[float, float, float]:
    """Return what runs are worth, in nats, its Monte-Carlo error, and how many draws agree with a result, on average.

    told: (R, n), ln loss of the runs under each draw.   weight: (R,), of sum one.
    """
    count = len(weight)
    truth = random.choice(count, size=simulations, p=weight)
    shown = told[truth] + noise * random.standard_normal((simulations, told.shape[1]))
    half = random.permutation(count) % 2 == 0
    before = weight @ curve.nats
    gains, effective = np.zeros(simulations), np.zeros(simulations)
    for chooses in (half, ~half):
        chosen = _agreeing(shown, told, weight, noise, chooses, truth)
        judged = _agreeing(shown, told, weight, noise, ~chooses, truth)
        place, share = _lowest(chosen @ curve.nats)
        start, part = _lowest(before[None])
        after = judged @ curve.nats
        known = _at(after, place, share)
        gains += 0.5 * (_at(after, np.repeat(start, simulations), np.repeat(part, simulations)) - known)
        effective += 0.5 / np.sum(chosen**2, axis=1)
    own = curve.nats[:, int(np.argmin(before))]  # with other draws all would be another number
    error = np.hypot(gains.std(ddof=1) / np.sqrt(simulations), own.std(ddof=1) / np.sqrt(count))
    return float(gains.mean()), float(error), float(effective.mean())


def _agreeing(
    shown: np.ndarray, told: np.ndarray, weight: np.ndarray, noise: float, counts: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    """Return the weights (s, R) of draws given results (s, n): of those that count (R,), never of the truth (s,)."""
    scaled, given = told / noise, shown / noise
    distance = np.sum(scaled**2, axis=1) - 2.0 * given @ scaled.T
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.where(counts, weight, 0.0)) - 0.5 * distance
    logarithm[np.arange(len(truth)), truth] = -np.inf
    found = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _lowest(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of the middle of three points (c,), and how far from it, in steps, their parabola is least."""
    place = np.clip(np.argmin(curves, axis=1), 1, curves.shape[1] - 2)
    row = np.arange(len(curves))
    before, middle, after = curves[row, place - 1], curves[row, place], curves[row, place + 1]
    bend = before - 2.0 * middle + after
    share = np.where(bend > 0, 0.5 * (before - after) / np.where(bend > 0, bend, 1.0), 0.0)
    return place, np.clip(share, -1.0, 1.0)


def _at(curves: np.ndarray, place: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return curves (c, k) at a share of a step from places (c,), by the parabola through three points."""
    row = np.arange(len(curves))
    before, middle, after = curves[row, place - 1], curves[row, place], curves[row, place + 1]
    found: np.ndarray = middle + 0.5 * share * (after - before) + 0.5 * share**2 * (before - 2.0 * middle + after)
    return found


def _sizes(runs: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return ln of params and tokens of the runs (n, 2)."""
    told = ", ".join(f"{name} of the shape {np.shape(one)}" for name, one in runs.items())
    if set(runs) != {"params", "tokens"}:
        raise UsageError(BAD_RUNS.format(given=told or "nothing"))
    params, tokens = (np.atleast_1d(finite_numbers(name, runs[name])) for name in ("params", "tokens"))
    if params.ndim != 1 or params.shape != tokens.shape or not len(params):
        raise UsageError(BAD_RUNS.format(given=told))
    if not ((params > 0) & (tokens > 0)).all():
        raise UsageError(BAD_RUNS.format(given="one that is not positive"))
    return np.log(np.stack([params, tokens], axis=1))


def _losses(decision: Decision, x: np.ndarray, flops: float, fixed: Mapping[str, float] | None) -> np.ndarray:
    """Return the losses (R, n) of runs x (n, 2), which repeat no tokens, whatever the plan does."""
    found = []
    for law, draws in zip(decision.laws, decision.draws, strict=True):
        question = question_of(law, flops=float(flops), fixed=fixed)
        sets = np.stack([draws[name] for name in law.names], axis=1)
        found.append(in_chunks(each_loss, question.spending, (sets,), x, question.given))
    return np.concatenate(found)
