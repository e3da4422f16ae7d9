"""`js.decide`: one plan for all draws of the coefs, of one law or of several, and the regret of it and of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale import precision
from jaxscale.allocation.findings import check_plannable
from jaxscale.engine.compiling import Clock, run
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.planning.beside import given_plans, nearest_shape
from jaxscale.planning.limits import Limit, is_number
from jaxscale.planning.plan import coef_sets
from jaxscale.planning.question import question_of
from jaxscale.planning.regrets import (
    PlannedDraws,
    Scene,
    curve_of,
    most_tokens,
    planned_draws,
    regrets_of,
    whole_plans,
)
from jaxscale.planning.risk import CUTS, Risk, Risked, RiskNumbers, least_risk, tail_weights
from jaxscale.planning.spending import REACHED
from jaxscale.results import Ensemble, Study
from jaxscale.results.decision import BUILT, Decision
from jaxscale.results.kinds import check_kind, drawn_from
from jaxscale.results.regret import mean_of, quantiles_of

CLOSE = 1e-9
"""Gap, relative to the loss, at which no more cuts are made."""
ROUNDS = 40
"""Cuts at most."""

NO_DRAWS = "decide needs an Ensemble, several of them, or law= with coefs= that are arrays (R,) of draws"
NOT_DRAWS = "coefs: {name} has the shape {shape}; decide takes (R,) draws, or one number for all"
BAD_WEIGHTS = "weights = {weights!r}: one non-negative, finite number for each of the {count} laws, not all zero"
OTHER_PRICE = "'{name}' prices training by a rule of its own, so that its budget is not that of the other laws"
OWN_LOSS = "limit '{name}' depends on the loss, which every draw has its own of; js.plan takes it, decide does not"
OTHER_INPUTS = "choose: '{name}' and '{first}' take these inputs in different ways, so that no one plan is of both"
BAD_TAIL = "tail = {tail!r} is not between 0 and 1: 1 for the mean of all draws, 0 for the worst one"
BAD_PRICE = "dollars_per_flop = {price!r} is no positive, finite number"
NO_PLAN = "law '{law}': no draw has a best plan within these limits ({told}); js.plan says which limits conflict"
NO_OPTIMUM = "no plan of the least risk was found within these limits"
SPREAD = (0.05, 0.5, 0.95)
"""Quantiles of the draws' own sizes at which the search starts too, where a law is not convex."""


def decide(
    source: Study | Ensemble | Sequence[Study | Ensemble] | None = None,
    *,
    flops: float,
    inference_tokens: float = 0.0,
    unique_tokens: float | None = None,
    limits: Sequence[Limit] = (),
    fixed: Mapping[str, float] | None = None,
    choose: Mapping[str, tuple[float, float]] | None = None,
    tail: float = 1.0,
    plans: Mapping[str, float | tuple[float, float]] | None = None,
    shapes: Mapping[str, float] | None = None,
    weights: Sequence[float] | None = None,
    dollars_per_flop: float | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, np.ndarray | float] | None = None,
) -> Decision:
    """Return the plan of the least risk within limits, and the regret of it and of others.

    Regret is what a plan loses beside the one that would be best, did one know which draw is the truth: in nats, in
    FLOP that a better plan would not have needed, and in money. The limits are the same for every draw, so that the
    plan of the least expected regret is that of the least expected loss.

    Parameters
    ----------
    source
        An Ensemble, or a Study that has one; several of different laws, or None with law= and coefs=.
    flops, inference_tokens, unique_tokens, limits, fixed, choose
        As of `js.plan`; one budget, and no limit that depends on the loss, which each draw has its own of.
    tail
        Share of the worst draws whose mean regret is minimised: 1 for the expected regret, 0.1 for that of the worst
        tenth (the conditional value at risk), 0 for the worst draw.
    plans
        Others to be priced, name → params, with the most tokens that the limits leave, or name → (params, tokens).
    shapes
        Models that can be built, name → params: the one of the least risk is priced too, with the most tokens that the
        limits leave.
    weights
        Of several laws, (m,); alike by default.
    dollars_per_flop
        Price, for regret in money.
    law, coefs
        In place of a source: a law, and draws of its coefs, name → (R,), or a number where all are alike.

    Returns
    -------
    Decision
        With a Regret for `best`, for `plug-in`, the plan of the point fit or of the mean of given draws, for each of
        `plans`, and for `buildable`, the nearest of `shapes`.

    Raises
    ------
    UsageError
        For amounts, weights and plans that are impossible, laws whose budgets differ, and limits that no plan keeps.
    RunsError
        For a table whose numbers are not what they are taken for.

    Examples
    --------
    >>> draws = {**js.LAWS.resolve("chinchilla").constants("besiroglu2024")}
    >>> draws["alpha"] = draws["alpha"] + 0.02 * np.random.default_rng(0).standard_normal(64)
    >>> found = js.decide(law="chinchilla", coefs=draws, flops=1e22)
    >>> found.best.expected()[0] <= found.regrets["plug-in"].expected()[0]
    True
    """
    if not is_number(tail) or not 0.0 <= tail <= 1.0:
        raise UsageError(BAD_TAIL.format(tail=tail))
    if dollars_per_flop is not None and (not is_number(dollars_per_flop) or not dollars_per_flop > 0):
        raise UsageError(BAD_PRICE.format(price=dollars_per_flop))
    if not is_number(flops):
        raise UsageError(f"flops = {flops!r}: decide takes one budget, a positive, finite number of FLOP")
    for limit in limits:
        if REACHED in limit.cost.inputs and REACHED not in limit.inputs:
            raise UsageError(OWN_LOSS.format(name=limit.name))
    drawn = _drawn(source, law, coefs)
    shares = _shares(weights, len(drawn))
    parts: list[PlannedDraws] = []
    for one in drawn:
        if len(drawn) > 1 and one.law.flops_per_param_token is not None:
            raise UsageError(OTHER_PRICE.format(name=one.law.name))
        question = question_of(
            one.law,
            flops=float(flops),
            inference_tokens=inference_tokens,
            unique_tokens=unique_tokens,
            limits=limits,
            fixed=fixed,
            choose=choose,
        )
        if parts and question.spending.chosen != parts[0].question.spending.chosen:
            raise UsageError(OTHER_INPUTS.format(name=one.law.name, first=drawn[0].law.name))
        parts.append(planned_draws(question, one.point, one.sets, one.usable))
    scene = _scene(parts, shares, dollars_per_flop)
    plug_in = parts[int(np.argmax(shares))].plug_in
    beside = {} if np.isnan(plug_in).any() else {"plug-in": plug_in}
    start = plug_in if beside else np.median(scene.optima, axis=0)
    x, gap = _least(scene, start, float(tail))
    on_average = x if tail == 1 else _least(scene, start, 1.0)[0]
    others = given_plans(scene, plans or {}, x[2:])
    risks: dict[str, float] = {}
    built = None
    if shapes is not None:
        built, others[BUILT], risks = nearest_shape(scene, shapes, x[2:], float(tail))
    regrets = regrets_of(scene, {"best": x, **beside, **others})
    best = regrets["best"]
    return Decision(
        laws=tuple(one.law for one in drawn),
        law_index=np.repeat(np.arange(len(parts)), [len(part.sets) for part in parts]),
        draws=tuple(dict(zip(part.question.law.names, part.sets.T, strict=True)) for part in parts),
        params=best.params,
        tokens=best.tokens,
        inputs=best.inputs,
        tail=float(tail),
        risk=float(tail_weights(best.nats, best.weight, float(tail)) @ best.nats),
        gap=gap,
        evpi=mean_of(scene.regrets(on_average[None])[:, 0], scene.weight),
        optima=np.exp(scene.optima[:, :2]),
        lowest=scene.lowest,
        regrets=regrets,
        built=built,
        shapes=risks,
        curve=curve_of(scene, [x, *beside.values()]),
        binding=scene.binding,
        limits={name: float(cap) for name, cap in scene.question.caps.items()},
        assumed=scene.question.assumed,
        left_out=dict(sum((Counter(part.left_out) for part in parts), Counter())),
    )


@dataclass(frozen=True)
class LawDraws:
    """A law, the coefs of its point fit (p,), draws of them (R, p), and which of these are usable (R,)."""

    law: Law
    point: np.ndarray
    sets: np.ndarray
    usable: np.ndarray


def _drawn(
    source: Study | Ensemble | Sequence[Study | Ensemble] | None,
    law: Law | str | None,
    coefs: Mapping[str, np.ndarray | float] | None,
) -> list[LawDraws]:
    """Return the draws of every law; raise UsageError for none."""
    if source is None:
        if law is None or not isinstance(coefs, Mapping):
            raise UsageError(NO_DRAWS)
        return [_given_draws(LAWS.resolve(law), coefs)]
    if not isinstance(source, (Study, Ensemble, Sequence)):
        check_kind("decide", source, Ensemble, Study)
    asked = [drawn_from(one) for one in (source if isinstance(source, Sequence) else [source])]
    every = [one for one in asked if isinstance(one, Ensemble)]
    if not every or len(every) != len(asked) or law is not None or coefs is not None:
        raise UsageError(NO_DRAWS)
    for one in every:
        check_plannable(one.fit)
    return [LawDraws(one.fit.law, one.fit.law.vector(one.fit.coefs), coef_sets(one), one.usable) for one in every]


def _given_draws(law: Law, coefs: Mapping[str, np.ndarray | float]) -> LawDraws:
    """Return draws that were given, with their means as the point."""
    law.check_names(coefs)
    columns = [np.asarray(coefs[name], dtype=np.float64) for name in law.names]
    count = max((len(one) for one in columns if one.ndim == 1), default=0)
    for name, one in zip(law.names, columns, strict=True):
        if one.ndim > 1 or (one.ndim == 1 and len(one) != count) or not count:
            raise UsageError(NOT_DRAWS.format(name=name, shape=one.shape))
    sets = np.stack([np.broadcast_to(one, count) for one in columns], axis=1)
    usable = np.asarray(np.isfinite(sets).all(axis=1))
    return LawDraws(law, sets[usable].mean(axis=0) if usable.any() else sets[0], sets, usable)


def _shares(weights: Sequence[float] | None, count: int) -> np.ndarray:
    """Return the weights of laws (m,), of sum one."""
    if weights is None:
        return np.full(count, 1.0 / count)
    given = list(weights)
    is_fine = len(given) == count and all(is_number(one) and one >= 0 for one in given)
    if not is_fine or not sum(given) > 0:
        raise UsageError(BAD_WEIGHTS.format(weights=weights, count=count))
    return np.array(given, dtype=np.float64) / sum(given)


def _scene(parts: Sequence[PlannedDraws], shares: np.ndarray, price: float | None) -> Scene:
    """Return all draws, those of a law alike; raise UsageError where a law has none."""
    for part in parts:
        if not len(part.sets):
            told = ", ".join(f"{count:,} {reason}" for reason, count in part.left_out.items())
            raise UsageError(NO_PLAN.format(law=part.question.law.name, told=told))
    weight = np.concatenate(
        [np.full(len(one.sets), share / len(one.sets)) for one, share in zip(parts, shares, strict=True)]
    )
    return Scene(tuple(parts), weight, price)


def _least(scene: Scene, start: np.ndarray, tail: float) -> tuple[np.ndarray, float]:
    """Return the plan x (n,) of the least risk, and how much less there may be, in nats.

    Each round adds the weighting that is worst at the plan of the round before.
    """
    risk = Risk(tuple(part.question.spending for part in scene.parts))
    sizes = quantiles_of(scene.optima[:, 0], scene.weight, SPREAD)
    rest = np.median(scene.optima[:, 2:], axis=0)
    beside = whole_plans(sizes, most_tokens(scene.question, sizes, rest), rest)
    starts = [start] if risk.is_convex else [start, *beside[np.isfinite(beside).all(axis=1)]]
    cuts = tail_weights(scene.regrets(start[None])[:, 0], scene.weight, tail)[None]
    best, lowest, gap = start, np.inf, np.inf
    for _ in range(ROUNDS):
        found = _solved(scene, risk, cuts, np.stack([np.append(one, 1.0) for one in starts]))
        x = np.asarray(found.x)
        regrets = scene.regrets(x[None])[:, 0]
        worst = tail_weights(regrets, scene.weight, tail)
        best, lowest = (x, float(worst @ regrets)) if worst @ regrets < lowest else (best, lowest)
        gap = lowest - float(found.least)
        if gap <= CLOSE * float(scene.weight @ np.abs(scene.lowest)):
            break
        keeps = np.sort(np.argsort(-found.weights[: len(cuts)], kind="stable")[: CUTS - 1])
        cuts = np.concatenate([cuts[keeps], worst[None]])
    return best, max(gap, 0.0)


def _solved(scene: Scene, risk: Risk, cuts: np.ndarray, starts: np.ndarray) -> Risked:
    """Return the plan of the least risk under cuts (k, R); raise UsageError where none was found."""
    padded = np.concatenate([cuts, np.zeros((CUTS - len(cuts), cuts.shape[1]))])
    ends = np.cumsum([len(part.sets) for part in scene.parts])[:-1]
    plans = tuple(one.question.given._replace(coefs=tuple(one.sets.T.copy())) for one in scene.parts)
    numbers = RiskNumbers(
        plans,
        tuple(part.lowest for part in scene.parts),
        tuple(np.split(padded, ends, axis=1)),
        np.arange(CUTS) < len(cuts),
        np.mean(np.abs(scene.lowest)),
    )
    with precision.float64():
        found: Risked = run(Clock(), least_risk, (risk,), (numbers, starts))
    if not found.is_met:
        raise UsageError(NO_OPTIMUM)
    return found
