"""A diagnosis as a page and as a document: the most influential runs, the worst together, the findings."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from jaxscale.digits import scientific, significant
from jaxscale.finding import Finding
from jaxscale.reports.document import Json, number, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.tables import Column, whole_table
from jaxscale.results import Diagnosis, Influence, Removal
from jaxscale.text import shown

SHOWN = 5
"""Most influential units on the page; the document has all."""
HEADLINE = "What the fit rests on: each {unit} left out"
TARGET = ", D/N at {flops} FLOP (of all {params})"
MEANING = (
    "residual and moves: in standard errors; share: of the objective; + … (k): the worst k left out together, one more "
    "on each line"
)
NOTHING = "Nothing else stands out."


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
    console.print(whole_table([Column("without"), *right, *answer], rows, width=width))
    console.print(Text(MEANING), width=width)
    console.print()
    new = [one for one in diagnosis.findings if not _is_known(one, diagnosis)]
    console.print(warning_table(new) if new else Text(NOTHING), width=width)


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
        numbers = {name: number(getattr(test, name)) for name in ("slope", "std", "t", "threshold")}
        tests.append({"name": test.name, "kind": test.kind, **numbers})
    whole = ("flops", *answer, "run_correlation", "times_measured", "floor_share", "floor_pull")
    return {
        "unit": diagnosis.unit,
        **{name: number(getattr(diagnosis, name)) for name in whole},
        "influence": units,
        "removals": removals,
        "tests": tests,
        "findings": [written_warning(one) for one in diagnosis.findings],
    }


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
    return one in diagnosis.fit.findings or one.code == "extrapolation"
