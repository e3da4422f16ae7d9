"""The JSON document of a plan: number for number what the page says, with the curve of regret."""

from __future__ import annotations

from jaxscale.costs import Cost
from jaxscale.costs.fitted import PowerAmount
from jaxscale.reports.document import written_limits, written_warning
from jaxscale.reports.jsontext import number
from jaxscale.reports.planreport import PlanReport
from jaxscale.reports.predictions import head_of, provenance_of
from jaxscale.results import Decision, Regret
from jaxscale.results.decision import BUILT
from jaxscale.results.plan import UNIQUE
from jaxscale.results.regret import mean_of
from jaxscale.text import Json


def plan_document(found: PlanReport) -> dict[str, Json]:
    """Return the document of `plan --json`; numbers at full precision, null for those that do not exist."""
    at, plan = found.point, found.plan
    sizes: dict[str, Json] = {
        name: {"value": number(float(getattr(at, name))), **written_limits(found.band(getattr(plan, name)))}
        for name in ("params", "tokens", "loss", "cost")
    }
    inputs: dict[str, Json] = {
        name: {"value": number(float(value)), **written_limits(found.band(plan.inputs[name]))}
        for name, value in at.inputs.items()
    }
    limits: list[Json] = []
    for name, cap in at.limits.items():
        worth = {
            "value": number(float(at.multipliers[name])),
            **written_limits(found.band(plan.multipliers[name])),
        }
        binds = None if found.decision is None else found.decision.binding.get(name)
        limits.append(
            {
                "name": name,
                "cap": float(cap),
                "spent": number(float(at.spent[name])),
                "multiplier": worth,
                "binds": binds,
            }
        )
    unique = at.multipliers.get(UNIQUE)
    return {
        **head_of(found.source),
        "aim": found.aim,
        "assumed": list(at.assumed),
        "measured_costs": {name: _measured(cost) for name, cost in found.measured.items()},
        "plan": {
            **sizes,
            "inputs": inputs,
            "unit": at.unit,
            "status": str(at.status),
            "conflict": list(at.conflict),
            "residual": number(float(at.residual)),
            "limits": limits,
            "unique_tokens_multiplier": None if unique is None else number(float(unique)),
        },
        "buildable": None if found.of_shapes is None else _built(found.of_shapes),
        "decision": None if found.decision is None else _decision(found.decision, found.level),
        "laws": None if found.weights is None or found.decision is None else _laws(found.decision, found.weights),
        "warnings": [written_warning(one) for one in found.cautions],
        "provenance": provenance_of(found.source),
    }


def _laws(decision: Decision, weights: tuple[float, ...]) -> list[Json]:
    """Return the laws that were decided over, with their weights."""
    return [{"law": law.name, "weight": weight} for law, weight in zip(decision.laws, weights, strict=True)]


def _measured(cost: Cost) -> Json:
    """Return a cost as its table has measured it: factor · N^params · D^tokens."""
    assert isinstance(cost.amount, PowerAmount)
    return {
        "factor": cost.amount.k,
        "params": cost.amount.u,
        "tokens": cost.amount.v,
        "runs": cost.amount.runs,
        "spread": cost.amount.spread,
    }


def _decision(decision: Decision, level: float) -> dict[str, Json]:
    """Return the plan of the least risk, the regrets, and the curve."""
    curve = decision.curve
    means = [] if curve is None else [mean_of(column, decision.best.weight) for column in curve.nats.T]
    points: list[Json] = (
        []
        if curve is None
        else [
            {"params": float(params), "tokens": float(tokens), "nats": {"mean": mean, "error": error}}
            for params, tokens, (mean, error) in zip(curve.params, curve.tokens, means, strict=True)
        ]
    )
    return {
        "params": decision.params,
        "tokens": decision.tokens,
        "inputs": dict(decision.inputs),
        "tail": decision.tail,
        "risk": decision.risk,
        "gap": decision.gap,
        "evpi": {"value": decision.evpi[0], "error": decision.evpi[1]},
        "evppi": {name: {"value": value, "error": error} for name, (value, error) in decision.evppi.items()},
        "draws": len(decision.lowest),
        "left_out": dict(decision.left_out),
        "plans": [_regret(name, one, decision.best, level) for name, one in decision.regrets.items()],
        "curve": points,
    }


def _built(priced: Decision) -> dict[str, Json]:
    """Return the nearest model that can be built, and the regret of each, in nats; null beyond the limits."""
    one = priced.regrets[BUILT]
    risks: dict[str, Json] = {name: number(risk) for name, risk in priced.shapes.items()}
    return {"name": priced.built, "params": one.params, "tokens": one.tokens, "regret": risks}


def _regret(name: str, one: Regret, best: Regret, level: float) -> dict[str, Json]:
    told: dict[str, Json] = {}
    for measure in one.measures:
        mean, error = one.expected(measure)
        low, high = one.interval(measure, level=level)
        told[measure] = {"mean": number(mean), "error": number(error), "low": number(low), "high": number(high)}
    share = None if one is best else one.beats(best)[0]
    sizes: dict[str, Json] = {
        "params": one.params,
        "tokens": one.tokens,
        "inputs": dict(one.inputs),
        "loss": mean_of(one.loss, one.weight)[0],
    }
    return {
        "name": name,
        **sizes,
        "exceeded": list(one.exceeded),
        "flops_unknown": one.unknown,
        "regret": told,
        "beats_best": share,
    }
