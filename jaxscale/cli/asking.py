"""The options of a plan: the budget, the limits, what is minimised, and other plans to be priced beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jaxscale import names
from jaxscale.cli import measuring
from jaxscale.cli.known import Name
from jaxscale.cli.options import Decorator, bundled
from jaxscale.cli.parameters import Amount, Budgets, Number, Pair, text_pairs
from jaxscale.errors import UsageError
from jaxscale.text import number_in

if TYPE_CHECKING:
    from jaxscale.costs import Cost
    from jaxscale.planning import Limit

ONE_BUDGET = "--flops takes one budget here; `jaxscale frontier` takes several"
NOTHING_ASKED = (
    "say what may be spent, --flops 1e24, or what is to be reached, --target-loss 2.1, or a limit, --at-most"
)
NOT_AN_AMOUNT = "{option} '{text}': '{value}' is not a positive, finite number"
NOT_FINITE = "{option} '{text}': '{value}' is not a finite number"
NOT_A_LIMIT = "{option} '{text}' is not of the form cost=amount or cost=amount,input=number,…"
NOT_A_RATE = "{option} '{text}': '{value}' is not of the form MACHINE@SHARE, as in H100@0.4"
NOT_A_PLAN = "--compare '{text}' is neither params nor params,tokens, as in 7e9 or 7e9,2e12"
NEEDS_BUDGET = "--{option} compares plans on a budget: give --flops too"
NEEDS_REPLICATES = "--{option} compares plans under the replicates of a fit, and here there are none"
TWO_GOALS = "--least {least} is minimised only where --target-loss says what is to be reached"
MACHINE = re.compile(r"([^@]+)@([0-9.eE+-]+)")
ONE_MACHINE = "--price takes the dollars of one machine"
NOT_ENDS = "--choose '{name}={text}': write the least and the most of it, as in idle_experts=0:0.98"
RATE = "flops_per_hour"
NAMED = ("name", "model", "shape")
"""Columns of a table of shapes that hold their names."""


@dataclass(frozen=True)
class Asking:
    """Options of a plan, as they were typed.

    serve, unique_tokens: tokens.   measured_cost: columns of the table.   at_most, at_least: texts of limits.
    compare: texts of plans.   shapes: a table of sizes.   choose: input → text of its ends.   price: machine at a share
    of its peak → dollars an hour.
    """

    flops: tuple[float, ...] | None
    serve: float | None
    unique_tokens: float | None
    measured_cost: tuple[str, ...]
    at_most: tuple[str, ...]
    at_least: tuple[str, ...]
    target_loss: float | None
    least: str | None
    compare: tuple[str, ...]
    shapes: Path | None
    choose: Mapping[str, str]
    tail: float
    price: Mapping[str, str]

    @property
    def budget(self) -> float | None:
        """The budget in FLOP."""
        return None if self.flops is None else self.flops[0]


def asking_options(command: Any) -> Any:  # noqa: ANN401 - click's own
    """Add the options of a plan, and give them to the command as `asking`."""
    return bundled("asking", Asking, *_OPTIONS)(command)


_OPTIONS: tuple[Decorator, ...] = (
    click.option("--flops", type=Budgets(), metavar="FLOP", help=(
        "The budget in FLOP, of training and of --serve, or as 100PF-days or 1e5H100-hours@0.4. [default: none]")),
    click.option("--serve", type=Amount(), metavar="TOKENS", help=(
        "Tokens that the model will read and write once it is trained, at 2 N FLOP each, out of the budget. "
        "[default: none]")),
    click.option("--unique-tokens", type=Amount(), metavar="TOKENS", help=(
        "How many different tokens there are; more are repeated, and worth less. [default: no end of them]")),
    click.option("--measured-cost", metavar="COLUMN[=proportional]", multiple=True, help=(
        "A cost that the table has measured, such as gpu_hours: k N^u D^v, fitted to its runs, or with =proportional "
        "k N D. --at-most, --at-least and --least then take its name; repeatable. [default: none]")),
    click.option("--at-most", metavar="COST=AMOUNT[,…]", multiple=True, help=(
        "A cost that may not be exceeded, with what it takes besides params and tokens, as in params=7e9 or "
        f"hours=1e6,machine=H100@0.4. Costs: {names.comma_list(names.COSTS)}; repeatable. [default: none]")),
    click.option("--at-least", metavar="COST=AMOUNT[,…]", multiple=True, help=(
        "A cost that is to be reached, as in tokens_per_param=20; repeatable. [default: none]")),
    click.option("--target-loss", type=Amount(), metavar="LOSS", help=(
        "The loss to reach, at the least cost. [default: none: the loss is minimised]")),
    click.option("--least", metavar="COST", type=Name(names.COSTS), help=(
        "Which cost that is, with --target-loss. [default: FLOP of training and --serve]")),
    click.option("--compare", metavar="PARAMS[,TOKENS]", multiple=True, help=(
        "Another plan to be priced beside the best one, as 7e9,2e12; without tokens, as many as the limits leave; "
        "repeatable. [default: none]")),
    click.option("--shapes", type=click.Path(path_type=Path), metavar="FILE", help=(
        "A table of models that can be built, with their params, and a name where it has one: the nearest is named and "
        "priced. [default: none]")),
    click.option("--choose", type=Pair("input=least:most"), multiple=True, callback=text_pairs, help=(
        "An input of the law, or of a limit's cost, that is chosen as params and tokens are, as in "
        "idle_experts=0:0.98 or batch_tokens=1e5:1e8; repeatable. [default: none]")),
    click.option("--tail", type=Number(0.0, 1.0), default=1.0, show_default=True, metavar="SHARE", help=(
        "Share of the worst replicates whose mean regret is minimised: 1 for the expected regret, 0 for that of the "
        "worst replicate.")),
    click.option("--price", type=Pair("MACHINE@SHARE=dollars"), multiple=True, callback=text_pairs, help=(
        "Dollars of an hour of a machine at a share of its peak rate, as in H100@0.4=2.5: regret in money too. "
        "[default: none]")),
)  # fmt: skip


def check_asking(asking: Asking, *, has_replicates: bool) -> None:
    """Raise UsageError for options that do not go together, before anything heavy is imported."""
    if asking.flops is not None and len(asking.flops) > 1:
        raise UsageError(ONE_BUDGET)
    measuring.asked_costs(asking.measured_cost, used=(*asking.at_most, *asking.at_least, asking.least or ""))
    if asking.flops is None and asking.target_loss is None and not (asking.at_most or asking.at_least):
        raise UsageError(NOTHING_ASKED)
    if asking.least is not None and asking.target_loss is None:
        raise UsageError(TWO_GOALS.format(least=asking.least))
    plans_of(asking)
    if len(asking.price) > 1:
        raise UsageError(ONE_MACHINE)
    for text, dollars in asking.price.items():
        _number("--price", f"{text}={dollars}", dollars)
    if asking.shapes is not None and (asking.flops is None or asking.target_loss is not None):
        raise UsageError(NEEDS_BUDGET.format(option="shapes"))
    for option, is_given in (("compare", asking.compare), ("price", asking.price), ("tail", asking.tail < 1.0)):
        if is_given and (asking.flops is None or asking.target_loss is not None):
            raise UsageError(NEEDS_BUDGET.format(option=option))
        if is_given and not has_replicates:
            raise UsageError(NEEDS_REPLICATES.format(option=option))


def goal_in(asking: Asking, costs: Mapping[str, Cost]) -> dict[str, Any]:
    """Return what `js.plan` alone is asked: the loss to reach, and what is least."""
    least = None if asking.least is None else costs.get(asking.least, asking.least)
    return {"loss": asking.target_loss, "least": least}


def question_in(asking: Asking, at: Mapping[str, float], costs: Mapping[str, Cost]) -> dict[str, Any]:
    """Return what `js.plan` and `js.decide` are both asked.

    at: the law's inputs that no budget decides.   costs: those that a table has measured, by name.
    """
    return {
        "flops": asking.budget,
        "inference_tokens": asking.serve or 0.0,
        "unique_tokens": asking.unique_tokens,
        "limits": asked_limits(asking, costs),
        "fixed": at,
        "choose": {name: _ends(name, text) for name, text in asking.choose.items()},
    }


def _ends(name: str, text: str) -> tuple[float, float]:
    """Return the ends of an input that is chosen."""
    ends = [number_in(part.strip()) for part in text.split(":")]
    if len(ends) != 2 or not all(one is not None and math.isfinite(one) for one in ends):
        raise UsageError(NOT_ENDS.format(name=name, text=text))
    low, high = (float(one) for one in ends if one is not None)
    return low, high


def shapes_of(asking: Asking) -> dict[str, float] | None:
    """Return name → params of the models that can be built; None where no table of them was given."""
    if asking.shapes is None:
        return None
    from jaxscale.digits import count_label
    from jaxscale.runs import read_planned

    table = read_planned(asking.shapes, inputs=("params",))
    names = next((table.labels[one] for one in NAMED if one in table.labels), None)
    found: dict[str, float] = {}
    for at, params in enumerate(table.columns["params"].tolist()):
        name = count_label(params) if names is None else str(names[at])
        found[name if name not in found else f"{name} ({table.row[at]})"] = params
    return found


def asked_limits(asking: Asking, costs: Mapping[str, Cost]) -> list[Limit]:
    """Return the limits; raise UsageError for what is none.   costs: those that a table has measured, by name."""
    from jaxscale.planning import at_least, at_most

    return [
        *(_limit("--at-most", text, at_most, costs) for text in asking.at_most),
        *(_limit("--at-least", text, at_least, costs) for text in asking.at_least),
    ]


def plans_of(asking: Asking) -> dict[str, float | tuple[float, float]]:
    """Return name → params, or (params, tokens), of the plans to compare; named after their sizes."""
    from jaxscale.digits import count_label

    found: dict[str, float | tuple[float, float]] = {}
    for text in asking.compare:
        sizes = [number_in(part.strip()) for part in text.split(",")]
        if len(sizes) not in (1, 2) or not all(one is not None and math.isfinite(one) and one >= 1 for one in sizes):
            raise UsageError(NOT_A_PLAN.format(text=text))
        params, *tokens = (float(one) for one in sizes if one is not None)
        plan = (params, tokens[0]) if tokens else params
        name = " at ".join(count_label(one) for one in (params, *tokens))
        found[name if found.get(name, plan) == plan else text] = plan  # two that differ in the fifth digit are two
    return found


def dollars_per_flop(asking: Asking) -> float | None:
    """Return the price of a FLOP; None where none was given."""
    for text, dollars in asking.price.items():
        return _number("--price", f"{text}={dollars}", dollars) / _rate("--price", text, text)
    return None


def _limit(option: str, text: str, make: Any, costs: Mapping[str, Cost]) -> Limit:  # noqa: ANN401 - at_most or at_least
    """Return the limit of a text."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and equals and value.strip() for name, equals, value in pairs):
        raise UsageError(NOT_A_LIMIT.format(option=option, text=text))
    (cost, _, cap), *rest = pairs
    inputs = {}
    for name, _, value in rest:
        if name.strip() == "machine":
            inputs[RATE] = _rate(option, text, value.strip())
        else:
            inputs[name.strip()] = _finite(option, text, value)
    limit: Limit = make(costs.get(cost.strip(), cost.strip()), _number(option, text, cap), **inputs)
    return limit


def _finite(option: str, text: str, value: str) -> float:
    """Return an input of a cost, some of which may be nothing."""
    found = number_in(value.strip())
    if found is None or not math.isfinite(found):
        raise UsageError(NOT_FINITE.format(option=option, text=text, value=value.strip()))
    return found


def _number(option: str, text: str, value: str) -> float:
    found = number_in(value.strip())
    if found is None or not (math.isfinite(found) and found > 0.0):
        raise UsageError(NOT_AN_AMOUNT.format(option=option, text=text, value=value.strip()))
    return found


def _rate(option: str, text: str, value: str) -> float:
    """Return the FLOP of an hour of H100@0.4."""
    from jaxscale.costs.machines import flops_of_hours

    parts = MACHINE.fullmatch(value)
    share = None if parts is None else number_in(parts[2])
    if parts is None or share is None:
        raise UsageError(NOT_A_RATE.format(option=option, text=text, value=value))
    return float(flops_of_hours(1.0, parts[1].strip(), utilisation=share))
