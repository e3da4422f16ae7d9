"""Reports of plan, as tables and as JSON: the plan, its limits, and the regret of it and of others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, count, scientific, significant, span
from jaxscale.reports.facts import warning_table
from jaxscale.reports.layout import BAD, GOOD, Column, fact_table, plain, whole_table
from jaxscale.reports.planreport import PlanReport
from jaxscale.reports.predictions import facts_of
from jaxscale.results import Decision, PlanStatus, Study
from jaxscale.results.decision import BUILT
from jaxscale.results.plan import TARGET, UNIQUE
from jaxscale.results.regret import mean_of

CONFLICT = "no plan keeps to all of: {names}"
UNKNOWN = "no least FLOP found under {count:,} replicates, which do not count in what is wasted"
ONE_PERCENT = "worth of 1 %"
MEANING = "worth of 1 %: what {what} falls by for 1 % more of it{where}"
IN_SHARE = ", at the point fit; binds: in which share of the replicates' own plans"
NEAREST = "{name}, {params} params on {tokens} tokens: {nats} nats and {flops} FLOP beyond the plan"
NOT_WITHIN = "; {count} are within the limits with no number of tokens"
SHOWN = 3
"""Further models that are named."""
REGRET = "regret: loss beyond that of the plan that would be best, did one know which replicate is the truth"
BILLION = 1e9
STEP = 0.001
CHEAPER = "a loss higher by {step:g} nats would save {worth} {unit}"
A_BILLION = "one more billion {name} is worth {worth}"
EVPI = "no further runs can be worth more than {value} ± {error} nats (expected value of perfect information)"
EVPPI = "to know one of these exactly, and nothing else, would be worth, in nats: {worth}"


def print_plan(found: PlanReport, console: Console, *, width: int) -> None:
    """Print the plan, its limits and the regret of it and of others; width and console as in `print_fit`."""
    console.print(fact_table([*facts_of(found.source), *_facts(found)]), width=width)
    if found.point.optimal or found.decision is not None:
        console.print()
        console.print(_plan_table(found, width))
        console.print()
        if found.decision is not None:
            console.print(_regret_table(found.decision, width))
            console.print()
        if found.point.limits:
            console.print(_limit_table(found, width))
            console.print()
        for line in _remarks(found):
            console.print(plain(line, "dim"), width=width)
    if found.cautions:
        console.print()
        console.print(warning_table(found.cautions), width=width)


def _facts(found: PlanReport) -> Iterator[tuple[str, Text]]:
    at = found.point
    yield "aim", plain(found.aim)
    laws = () if found.decision is None else zip(found.decision.laws, found.weights or (), strict=False)
    told = ", ".join(f"{law.name} {significant(weight, 3)}" for law, weight in laws)
    yield from [("laws", plain(told))] if told else []
    yield from (("assumed", plain(one)) for one in at.assumed)
    if at.status is PlanStatus.OPTIMAL:
        yield (
            "plan",
            Text.assemble(
                plain(str(at.status), GOOD), plain(f"; conditions met to {scientific(float(at.residual), 2)}")
            ),
        )
    else:
        why = "" if not at.conflict else f"; {CONFLICT.format(names=', '.join(at.conflict))}"
        yield "plan", Text.assemble(plain(str(at.status), BAD), plain(why))
    if found.of_shapes is not None:
        yield "nearest that can be built", plain(_built(found.of_shapes))


def _built(priced: Decision) -> str:
    """Return the nearest model that can be built, what it loses beside the plan, and the ones that follow."""
    one = priced.regrets[BUILT]
    beyond, flops = (one.expected(measure)[0] - priced.best.expected(measure)[0] for measure in ("nats", "flops"))
    text = NEAREST.format(
        name=priced.built,
        params=count(one.params),
        tokens=count(one.tokens),
        nats=significant(beyond, 3),
        flops=scientific(flops, 3),
    )
    others = [(name, risk) for name, risk in priced.shapes.items() if name != priced.built and np.isfinite(risk)]
    told = ", ".join(f"{name} {significant(risk - priced.risk, 3)}" for name, risk in others[:SHOWN])
    lost = sum(not np.isfinite(risk) for risk in priced.shapes.values())
    return text + (f"; then {told}" if told else "") + (NOT_WITHIN.format(count=lost) if lost else "")


def _plan_table(found: PlanReport, width: int) -> Table:
    """Return one row per plan; below the point fit's, where nothing was decided, the band of the replicates' own."""
    columns = [Column("plan"), Column("params N", "bold"), Column("tokens D", "bold"), Column("D/N")]
    columns += [*(Column(name, "bold") for name in found.point.inputs), Column("loss")]
    if found.decision is None:
        return whole_table([*columns, *_cost_column(found)], _own_rows(found), width=width)
    rows = []
    for name, one in found.decision.regrets.items():
        row = [name, count(one.params), count(one.tokens), significant(one.tokens / one.params, 3)]
        row += [significant(value, 4) for value in one.inputs.values()]
        notes = [f"exceeds {', '.join(one.exceeded)}"] if one.exceeded else []
        notes += [UNKNOWN.format(count=one.unknown)] if one.unknown else []
        rows.append([*row, significant(mean_of(one.loss, one.weight)[0], 5), "; ".join(notes)])
    return whole_table([*columns, Column("", "dim", is_wrapped=True)], rows, width=width)


def _regret_table(decision: Decision, width: int) -> Table:
    """Return one row per plan: mean regret with its Monte-Carlo error, and how often it beats the best."""
    first = decision.best
    headers = {"nats": "regret, nats", "flops": "wasted FLOP", "dollars": "wasted $"}
    columns = [Column("plan"), *(Column(headers[measure]) for measure in first.measures), Column("beats best")]
    rows = []
    for name, one in decision.regrets.items():
        means = [_with_error(*one.expected(measure), is_money=measure == "dollars") for measure in one.measures]
        rows.append([name, *means, ABSENT if one is first else f"{100.0 * one.beats(first)[0]:.1f} %"])
    return whole_table(columns, rows, width=width)


def _cost_column(found: PlanReport) -> list[Column]:
    return [Column(found.point.unit)] if np.isfinite(found.point.cost) else []


def _own_rows(found: PlanReport) -> list[list[str]]:
    at, plan = found.point, found.plan
    chosen = dict.fromkeys(at.inputs, _four)
    styles = {"params": count, "tokens": count, "ratio": _three, **chosen, "loss": _five}
    values = {**{name: np.asarray(getattr(at, name)) for name in ("params", "tokens", "loss")}, **at.inputs}
    values["ratio"] = values["tokens"] / values["params"]
    own = {**{name: getattr(plan, name) for name in ("params", "tokens", "loss")}, **plan.inputs}
    own["ratio"] = own["tokens"] / own["params"]
    if np.isfinite(at.cost):
        styles["cost"], values["cost"], own["cost"] = scientific, at.cost, plan.cost
    rows = [
        [
            "point fit" if isinstance(found.source, Study) else "plan",
            *(style(float(values[name])) for name, style in styles.items()),
        ]
    ]
    bands = [found.band(own[name]) for name in styles]
    ends = [
        span(style(float(one.lower)), style(float(one.upper)))
        for one, style in zip(bands, styles.values(), strict=True)
        if one is not None
    ]
    if ends:
        rows.append([f"{100.0 * found.level:g} %", *ends])
    return rows


def _limit_table(found: PlanReport, width: int) -> Table:
    """Return one row per limit: its cap, the share taken, what more of it is worth, and how often it binds."""
    at = found.point
    columns = [Column("limit"), Column("cap", "bold"), Column("taken"), Column(ONE_PERCENT), Column("binds")]
    rows = []
    for name, cap in at.limits.items():
        multiplier, spent = float(at.multipliers[name]), float(at.spent[name])
        share = None if found.decision is None else found.decision.binding.get(name)
        binds = ("yes" if multiplier else "no") if share is None else f"{100.0 * share:.1f} %"
        worth = significant(0.01 * multiplier * float(cap), 3)
        rows.append(
            [name, significant(float(cap), 4), f"{100.0 * spent / float(cap):.4g} %" if cap else ABSENT, worth, binds]
        )
    return whole_table(columns, rows, width=width)


def _remarks(found: PlanReport) -> Iterator[str]:
    at = found.point
    is_cost = at.is_of_cost
    where = "" if found.decision is None else IN_SHARE
    if TARGET in at.multipliers:
        yield CHEAPER.format(step=STEP, worth=significant(STEP * float(at.multipliers[TARGET]), 3), unit=at.unit)
    if at.limits:
        yield MEANING.format(what=f"the cost in {at.unit}" if is_cost else "the loss in nats", where=where)
    if UNIQUE in at.multipliers:
        worth = f"{significant(BILLION * float(at.multipliers[UNIQUE]), 3)} {at.unit if is_cost else 'nats'}"
        yield A_BILLION.format(name=UNIQUE, worth=worth)
    if found.decision is not None:
        yield REGRET
        value, error = found.decision.evpi
        yield EVPI.format(value=significant(value, 3), error=significant(error, 2))
        known = sorted(found.decision.evppi.items(), key=lambda one: -one[1][0])
        if known:
            yield EVPPI.format(worth=", ".join(f"{name} {significant(one[0], 2)}" for name, one in known))


def _with_error(mean: float, error: float, *, is_money: bool) -> str:
    """Return a mean and its Monte-Carlo error."""
    if is_money and 1.0 <= abs(mean) < 1e15:
        return f"{count(mean)} ± {count(error) if error >= 1 else significant(error, 2)}"
    return f"{significant(mean, 3)} ± {significant(error, 2)}"


def _three(value: float) -> str:
    return significant(value, 3)


def _four(value: float) -> str:
    return significant(value, 4)


def _five(value: float) -> str:
    return significant(value, 5)
