"""A diagnosis as a page and as a document: the most influential runs, the worst together, the findings."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from jaxscale.digits import scientific, significant
from jaxscale.finding import Finding, forbids_plan
from jaxscale.reports.document import Json, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, whole_table
from jaxscale.results import Diagnosis, Fit, Identified, Influence, Removal
from jaxscale.text import counted, shown

SHOWN = 5
"""Most influential units on the page; the document has all."""
HEADLINE = "What the fit rests on: each {unit} left out"
TARGET = ", D/N at {flops} FLOP (of all {params})"
MEANING = (
    "residual and moves: in standard errors; share: of the objective; + … (k): the worst k left out together, one more "
    "on each line"
)
NOTHING = "Nothing else stands out."
ANSWER = "The answer at {flops} FLOP, by the delta method"
OTHER = "Another minimum, objective {excess:+.2%}, reached by {starts}{ratio}."
OTHER_RATIO = ", recommends {ratio} tokens/param"
WIDTH = "Standard errors by whole groups over those by rows: {said}."
NO_MINIMUM = "the fit is '{status}', not a minimum, and nothing rests on it."
NOTHING_FITTED = "every coef was held fixed."
NOT_PLANNED = "the numbers are not what they are taken for: see {code}."


def print_diagnosis(diagnosis: Diagnosis, console: Console, *, width: int) -> None:
    """Print the most influential units, the worst together and the findings; those of the fit's own page not again."""
    has_answer, own = len(diagnosis.influence.params) > 0, diagnosis.influence
    text = HEADLINE.format(unit=diagnosis.unit)
    if has_answer and diagnosis.flops is not None:
        text += TARGET.format(flops=scientific(diagnosis.flops), params=significant(diagnosis.tokens_per_param, 3))
    console.print(Text(text), width=width)
    order = np.argsort(-np.nan_to_num(own.distance, nan=-1.0), kind="stable")[:SHOWN]
    rows = [_row(own, int(at), has_answer) for at in order]
    rows += [_together(one, has_answer) for one in diagnosis.removals[1:]]
    right = [Column(name, is_right=True) for name in ("residual", "leverage", "share", "moves")]
    answer = [Column("D/N", is_right=True)] if has_answer else []
    console.print(whole_table([Column("without", is_wrapped=True), *right, *answer], rows, width=width))
    console.print(Text(MEANING), width=width)
    console.print()
    _print_answer(diagnosis, console, width)
    new = [one for one in diagnosis.findings if not _is_known(one, diagnosis)]
    console.print(warning_table(new) if new else Text(NOTHING), width=width)


def why_no_diagnosis(fit: Fit) -> str | None:
    """Return why a fit cannot be diagnosed; None where it can."""
    forbidding = forbids_plan(fit.findings)
    if not fit.is_usable:
        return NO_MINIMUM.format(status=fit.status)
    if not fit.free:
        return NOTHING_FITTED
    return None if forbidding is None else NOT_PLANNED.format(code=forbidding.code)


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Json]:
    """Return the diagnosis; numbers at full precision, null for those that do not exist."""
    own, answer = diagnosis.influence, ("params", "tokens_per_param", "loss")
    units: list[Json] = []
    for at in range(len(own.names)):
        one: dict[str, Json] = {"name": own.names[at], "rows": list(own.rows[at])}
        one |= {name: number(getattr(own, name)[at]) for name in ("studentised", "leverage", "share", "distance")}
        one["coefs"] = {name: number(column[at]) for name, column in own.refitted.items()}
        one["one_step"] = {name: number(column[at]) for name, column in own.coefs.items()}
        one |= {name: number(getattr(own, name)[at]) for name in answer if len(own.params)}
        units.append(one)
    removals: list[Json] = []
    for removal in diagnosis.removals:
        said: dict[str, Json] = {"names": list(removal.names), "rows": list(removal.rows)}
        said["coefs"] = {name: number(value) for name, value in removal.coefs.items()}
        removals.append(said | {name: number(getattr(removal, name)) for name in (*answer, "distance", "chance")})
    tests: list[Json] = []
    for test in diagnosis.tests:
        numbers = {name: number(getattr(test, name)) for name in ("slope", "std", "t", "threshold", "effect")}
        tests.append({"name": test.name, "kind": test.kind, **numbers})
    quantities: list[Json] = []
    for one_known in diagnosis.quantities:
        limits = {name: number(getattr(one_known, name)) for name in ("value", "std", "low", "high")}
        quantities.append({"name": one_known.name, **limits, "is_identified": one_known.is_identified})
    alternatives: list[Json] = []
    for other in diagnosis.alternatives:
        coefs: dict[str, Json] = {name: number(value) for name, value in other.coefs.items()}
        recommended = {name: number(getattr(other, name)) for name in ("excess", *answer)}
        alternatives.append({"starts": other.starts, "is_plausible": other.is_plausible, "coefs": coefs, **recommended})
    whole = ("flops", *answer, "run_correlation", "times_measured", "floor_share", "floor_pull")
    return {
        "unit": diagnosis.unit,
        **{name: number(getattr(diagnosis, name)) for name in whole},
        "influence": units,
        "removals": removals,
        "tests": tests,
        "quantities": quantities,
        "weakest": diagnosis.weakest,
        "weakest_std": number(diagnosis.weakest_std),
        "alternatives": alternatives,
        "group_width": {name: number(times) for name, times in diagnosis.group_width.items()},
        "findings": [written_warning(one) for one in diagnosis.findings],
    }


def _print_answer(diagnosis: Diagnosis, console: Console, width: int) -> None:
    """Print how well each quantity of the answer is determined, what other minima recommend, and the groups' width."""
    if diagnosis.quantities and diagnosis.flops is not None:
        console.print(Text(ANSWER.format(flops=scientific(diagnosis.flops))), width=width)
        rows = [_quantity(one) for one in diagnosis.quantities]
        right = [Column(name, is_right=True) for name in ("value", "std of ln", "95 % from", "to")]
        console.print(whole_table([Column("quantity"), *right, Column("determined")], rows, width=width))
    for one in diagnosis.alternatives:
        ratio = OTHER_RATIO.format(ratio=significant(one.tokens_per_param, 3)) if one.tokens_per_param > 0 else ""
        told = {"excess": one.excess, "starts": counted(one.starts, "start"), "ratio": ratio}
        console.print(Text(OTHER.format(**told)), width=width)
    if diagnosis.group_width:
        said = ", ".join(f"{name} {times:.2f}" for name, times in diagnosis.group_width.items())
        console.print(Text(WIDTH.format(said=said)), width=width)
    if diagnosis.quantities or diagnosis.alternatives or diagnosis.group_width:
        console.print()


def _quantity(one: Identified) -> tuple[str, ...]:
    ends = (significant(one.low, 3), significant(one.high, 3))
    spread = significant(one.std, 2)
    return (
        one.name.replace("_per_", "/"),
        significant(one.value, 4),
        spread,
        *ends,
        "yes" if one.is_identified else "no",
    )


def _row(own: Influence, at: int, has_answer: bool) -> tuple[str, ...]:
    numbers = (own.studentised[at], own.leverage[at], own.share[at], own.distance[at])
    answer = (significant(own.tokens_per_param[at], 3),) if has_answer else ()
    return (shown(own.names[at]), *(significant(float(one), 2) for one in numbers), *answer)


def _together(one: Removal, has_answer: bool) -> tuple[str, ...]:
    name = f"+ {shown(one.names[-1])} ({len(one.names)})"  # each is the one before and one more
    answer = (significant(one.tokens_per_param, 3),) if has_answer else ()
    return (name, "", "", "", significant(one.distance, 2), *answer)


def _is_known(one: Finding, diagnosis: Diagnosis) -> bool:
    """Return whether the page of the fit has said it."""
    return one in diagnosis.fit.findings or one.code in ("extrapolation", "heteroscedastic", "heavy-tails")
