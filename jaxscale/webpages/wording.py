"""The sentences of a page: its answer, how sure that is, and the methods as a paper would tell them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jaxscale.costs.training import TRAINING, cost_under
from jaxscale.digits import count, scientific, significant, times
from jaxscale.laws.grouped import core_of
from jaxscale.reports.warnings import FAR, times_measured
from jaxscale.results import Study
from jaxscale.text import counted, escaped
from jaxscale.webpages.citing import citation_key

OBJECTIVES = {
    "huber": "Huber's rho", "squared": "the square", "absolute": "the absolute value", "log-cosh": "ln cosh",
    "student-t": "the negative log density of Student's t",
}  # fmt: skip
UNITS = {
    "params": "params N",
    "tokens": "tokens D",
    "tokens_per_param": "tokens per param",
    "loss": "predicted loss",
}
SIZED = "With {flops} FLOP{place}, the loss is least with {params} params on {tokens} tokens, {ratio} tokens per param."
PRICED = "With {flops} FLOP{place}, the law predicts a loss of {loss}. It does not say how to split the budget."
NO_OPTIMUM = "With {flops} FLOP{place}, the law has no optimum inside the range of sizes."
ALL_USABLE = "All {total:,} refits of resampled tables ended at a minimum."
USABLE = "{usable:,} of {total:,} refits of resampled tables ended at a minimum; no interval uses the others."
WIDTH = (
    "At {flops} FLOP, {level:g} % of the replicates put the best number of params between a factor of {low} below and "
    "{high} above the value given."
)
FIT = (
    "We fitted the law '{law}'{source}{equation} to {used:,} of the {rows:,} runs of {table}, by minimising the sum "
    "over runs of {rho} of the residuals of {target}, from {starts} with {how}; {agreeing} of them reached the minimum "
    "that is reported."
)
REFITS = (
    "Uncertainty is that of {total:,} refits to resampled tables (scheme '{scheme}', seed {seed}), of which {usable:,} "
    "ended at a minimum and entered intervals. Intervals are {level:g} % {interval} intervals."
)
SPLIT = (
    "The efficient frontier is the split of each budget into params N and tokens D that the fitted law predicts to "
    "have the least loss, on {price}, found for the point fit{each}.{measured}"
)
MEASURED = " The largest compute measured is {flops} FLOP; larger budgets are extrapolation."
FITTED = "The law was fitted, and {why}."
NOT_TRUSTED = "Nothing should be planned from this fit: {why}."


@dataclass(frozen=True)
class Card:
    """A large number: what it is, its value and its band as texts, the latter empty where there is none."""

    name: str
    label: str
    value: str
    band: str


def shown_budget(study: Study) -> int:
    """Return which budget the answer is told for: the largest at most FAR times beyond the data, else the smallest."""
    frontier = study.frontier
    assert frontier is not None
    measured, order = times_measured(frontier), np.argsort(frontier.flops)
    if measured is None:
        return int(order[-1])
    near = [int(at) for at in order if measured[at] <= FAR * (1.0 + 1e-9)]
    return near[-1] if near else int(order[0])


def answer_of(study: Study) -> str:
    """Return the answer at one budget, in a sentence or two."""
    frontier, at = study.frontier, shown_budget(study)
    assert frontier is not None
    measured, point = times_measured(frontier), frontier.point
    place = "" if measured is None else f" ({_place(float(measured[at]))})"
    told = {"flops": scientific(float(frontier.flops[at]), 3), "place": place}
    if math.isfinite(point.params[at]):
        sizes = {"params": count(float(point.params[at])), "tokens": count(float(point.tokens[at]))}
        return SIZED.format(**told, **sizes, ratio=significant(float(point.tokens_per_param[at]), 3))
    if np.isfinite(point.loss[at]) and not np.isfinite(point.params).any():
        return PRICED.format(**told, loss=significant(float(point.loss[at]), 4))
    return NO_OPTIMUM.format(**told)


def cards_of(study: Study) -> list[Card]:
    """Return the large numbers of the answer."""
    frontier, at = study.frontier, shown_budget(study)
    assert frontier is not None
    cards = []
    for name, label in UNITS.items():
        value, found = float(getattr(frontier.point, name)[at]), study.frontier_band(name)
        if math.isfinite(value):
            ends = None if found is None else (float(found.lower[at]), float(found.upper[at]))
            band = "" if ends is None else " … ".join(amount(name, end) for end in ends)
            cards.append(Card(name, label, amount(name, value), band))
    return cards


def amount(name: str, value: float) -> str:
    """Return a quantity of the frontier as people read it."""
    return count(value) if name in ("params", "tokens") else significant(value, 4 if name == "loss" else 3)


def certainty_of(study: Study) -> list[str]:
    """Return how sure the answer is, in sentences."""
    fit, ensemble, checked = study.fit, study.ensemble, study.fit.certificate
    condition = "" if checked.condition is None else f", the condition number is {scientific(checked.condition, 2)}"
    starts = f"{checked.agreeing_starts} of {counted(checked.starts, 'start')} agree"
    said = [f"The fit ended as '{fit.status}': {starts}{condition}."]
    if ensemble is None:
        return [*said, "There are no replicates, so nothing on this page has an interval."]
    usable, total = int(ensemble.usable.sum()), len(ensemble)
    said.append(ALL_USABLE.format(total=total) if usable == total else USABLE.format(usable=usable, total=total))
    if study.frontier is not None:
        at, found = shown_budget(study), study.frontier_band("params")
        value = float(study.frontier.point.params[at])
        if found is not None and math.isfinite(value):
            low, high = value / float(found.lower[at]), float(found.upper[at]) / value
            told = {"flops": scientific(float(study.frontier.flops[at]), 3), "level": 100.0 * study.level}
            said.append(WIDTH.format(**told, low=significant(low, 3), high=significant(high, 3)))
    return said


def methods_of(study: Study, citations: tuple[str, ...]) -> list[str]:
    """Return the methods in paragraphs for a paper, sources cited by the keys of their BibTeX entries."""
    fit, origin, made = study.fit, study.fit.runs.origin, study.fit.provenance
    law, keys = core_of(fit.law), "; ".join(f"@{citation_key(one)}" for one in citations)
    objective = fit.objective
    delta = "" if objective.delta is None else f" with threshold {objective.delta:g}"
    paragraphs = [
        FIT.format(
            law=law.name,
            source=f" [{keys}]" if keys else f" ({law.source})" if law.source else "",
            equation=f", {law.equation}," if law.equation else "",
            used=len(fit.runs),
            rows=origin.rows,
            table=escaped(origin.source),
            rho=f"{OBJECTIVES.get(objective.name, objective.name)}{delta}",
            target=f"ln {law.target}" if objective.space == "log" else law.target,
            starts=counted(fit.certificate.starts, "start"),
            how="exact second derivatives" if fit.solver == "newton" else fit.solver,
            agreeing=fit.certificate.agreeing_starts,
        )
    ]
    if study.ensemble is not None:
        drawn = {"scheme": study.ensemble.scheme.name, "seed": study.ensemble.seed, "total": len(study.ensemble)}
        asked = {"level": 100.0 * study.level, "interval": study.interval.name}
        paragraphs.append(REFITS.format(**drawn, **asked, usable=int(study.ensemble.usable.sum())))
    frontier = study.frontier or next((part.frontier for part in study.groups.values()), None)
    if frontier is not None and np.isfinite(frontier.point.params).any():
        price = "C = 6 N D" if cost_under(law) is TRAINING else "the law's own price of a param per token"
        each = " and for every usable replicate" if study.ensemble is not None else ""
        most = "" if frontier.measured is None else MEASURED.format(flops=scientific(frontier.measured[1], 3))
        paragraphs.append(SPLIT.format(price=price, each=each, measured=most))
    versions = f"JAX {made.jax}, NumPy {made.numpy} and Python {made.python}, on {made.backend} in {made.precision}"
    paragraphs.append(f"Computed with jaxscale {made.jaxscale} [@jaxscale], {versions}.")
    return paragraphs


def _place(factor: float) -> str:
    if factor <= 1.0 + 1e-9:
        return "no more than the largest measured compute"
    return f"{times(factor)[:-1]} times the largest measured compute"
