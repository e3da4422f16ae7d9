"""A plan with what a report of it says: the decision behind it, its warnings, and what was minimised, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from jaxscale.costs import Cost
from jaxscale.finding import Finding
from jaxscale.intervals import Band, band
from jaxscale.reports.constants import BEWARE, Constants
from jaxscale.reports.extrapolating import extrapolation
from jaxscale.reports.predictions import law_behind
from jaxscale.reports.warnings import EXTRAPOLATION, NO_FRONTIER, warnings_of
from jaxscale.results import Decision, Plan, Study

LEAST_LOSS = "the least loss"
LEAST_COST = "the least cost that reaches the loss, in {unit}"
ON_AVERAGE = "the least expected regret over {draws:,} replicates"
IN_THE_TAIL = "the least mean regret of the worst {share:g} % of {draws:,} replicates"
IN_THE_WORST = "the least regret of the worst of {draws:,} replicates"
AT_ONE = (
    "the law has no optimum inside within these limits: its loss falls on to one param or one token, where nothing can "
    "be trained; limit the params or the ratio of tokens to them"
)
ONE = 1.0 + 1e-6
"""Params or tokens that are one, to rounding."""
FEW_PLANS = "{count} of {total} replicates have no plan of their own within the limits: {why}"


@dataclass(frozen=True)
class PlanReport:
    """A plan, and with replicates and a budget the decision for all of them; by a study or at given coefs.

    at_point: without replicates, the decision for the point alone, where models that can be built were priced.
    weights: of the decision's laws, where it is over several; source and plan are of the first.
    measured: name → cost as a table has measured it.
    """

    source: Study | Constants
    plan: Plan
    decision: Decision | None
    at_point: Decision | None = None
    weights: tuple[float, ...] | None = None
    measured: Mapping[str, Cost] = field(default_factory=dict)

    @property
    def point(self) -> Plan:
        """The plan of the point fit, or of the given coefs."""
        return self.plan.point

    @property
    def level(self) -> float:
        """Of every interval."""
        return self.source.level if isinstance(self.source, Study) else 0.95

    @property
    def sizes(self) -> tuple[float, float]:
        """The params and tokens that are recommended."""
        if self.decision is not None:
            return self.decision.params, self.decision.tokens
        return float(self.point.params), float(self.point.tokens)

    @property
    def of_shapes(self) -> Decision | None:
        """What priced the models that can be built; None where none were given."""
        priced = self.decision or self.at_point
        return None if priced is None or priced.built is None else priced

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """The warnings, without those of frontiers."""
        found = []
        if isinstance(self.source, Study):
            law, (params, tokens) = law_behind(self.source), self.sizes
            if np.isfinite(params):
                known = {"params": params, "tokens": tokens, "tokens_per_param": tokens / params}
                columns = {name: (known[name],) for name in law.inputs if name in known}
                far = extrapolation(law, columns, self.source.fit.runs)
                found += [] if far is None else [far]
            found += [one for one in warnings_of(self.source) if one.code not in (NO_FRONTIER, EXTRAPOLATION)]
        else:
            found += BEWARE
        if min(self.sizes) <= ONE:
            found.append(Finding("optimum-at-end", AT_ONE))
        if self.plan.is_ensemble and not self.plan.optimal.all():
            lost = [str(one) for one in np.asarray(self.plan.status)[~self.plan.optimal]]
            why = ", ".join(f"{lost.count(reason):,} {reason}" for reason in dict.fromkeys(lost))
            told = {"count": f"{len(lost):,}", "total": f"{len(self.plan.params):,}", "why": why}
            found.append(Finding("no-plan", FEW_PLANS.format(**told)))
        return tuple(found)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a figure says below it."""
        return (f"law {law_behind(self.source).name}", self.aim, *self.plan.point.assumed)

    @property
    def aim(self) -> str:
        """What is minimised, in words."""
        if self.plan.is_of_cost:
            return LEAST_COST.format(unit=self.point.unit)
        if self.decision is None:
            return LEAST_LOSS
        draws, tail = len(self.decision.lowest), self.decision.tail
        text = {1.0: ON_AVERAGE, 0.0: IN_THE_WORST}.get(tail, IN_THE_TAIL)
        return text.format(draws=draws, share=100.0 * tail)

    def band(self, values: np.ndarray) -> Band | None:
        """Return the band of a quantity of every replicate's own plan (R,)."""
        if not self.plan.is_ensemble or not isinstance(self.source, Study):
            return None
        return band(values, level=self.level, method=self.source.interval)
