"""The findings of a diagnosis: each a code, the rows that it concerns, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from jaxscale.digits import scientific, significant
from jaxscale.finding import Finding, row_numbers
from jaxscale.intervals.student import quantile
from jaxscale.results.diagnosis import Diagnosis, Influence, Removal, ResidualTest
from jaxscale.runs import Runs
from jaxscale.runs.headers import normalised
from jaxscale.runs.naming import RUN_NAMES, run_column
from jaxscale.runs.selecting import separation_of
from jaxscale.text import listed, shown, typed

OUTLIER = "outlier-leverage"
"""The code of `fitting.off_runs`, whose finding stands where there is one: this one is of what it leaves to doubt."""
FAR = (
    "{rows} {lies} {times} standard errors from the law, and the next one {next}; {share:.1%} of the objective{moved}"
    "{why}; look how it was logged{advice}"
)
TOGETHER = (
    "{rows} carry the answer: without {them} {moved}, which is {distance:.2g} standard errors; the worst {count} of "
    "{total} would move it by {chance:.2g} under normal errors. Look at how these runs were made, or plan with both"
)
SAME_VALUE = "; {column} is {value} in {all_of}, and in {others} of the other {rest} rows"
COLUMN = (
    "{name} explains what the law leaves: slope {slope} ± {std} of the residual, {t:.1f} standard errors, beyond the "
    "{threshold:.1f} that the largest of {count} columns reaches once in a hundred tables{more}. Hold it in new runs, "
    "or fit a law that takes it"
)
TREND = (
    "the residuals still bend with {name}: {t:.1f} standard errors, beyond the {threshold:.1f} that the largest of "
    "{count} terms reaches once in a hundred tables{more}{saddle}; another law may extrapolate elsewhere: compare them"
)
SADDLE = ". Along compute and across it they bend oppositely, a saddle, which no shift of the coefs removes"
SPREAD = (
    "the variance of the residuals {changes} with {name}, by {slope:+.0%} for each e-fold ({t:.1f} standard errors, "
    "threshold {threshold:.1f}): give each loss its standard error (sigma), or resample with {scheme}"
)
CORRELATED = (
    "the residuals of one {unit} are alike, with a correlation of {value:.2f}: rows are no independent runs; "
    "resample whole groups, {scheme}"
)
FLOOR = (
    "the floor E carries the answer: it is {share:.0%} of the loss predicted at {flops} FLOP, and with E one standard "
    "error higher, the other coefs following, the best params are {pull:+.0%}; larger runs fix it"
)
MORE = "; also {names}"
RATIO = "tokens per param at {flops} FLOP is {after}, not {before}"
COEF = "{name} is {after}, not {before}"

LEVEL = 0.01
GAP = 2.0
"""Times the next residual from which rows are apart: heavy tails are continuous, mistakes are not."""
MOST = 10
"""At most one row in so many is called off, and ten; the fewest looked at is one."""
FEW = 0.1
"""Share of the other rows that may have the value by which flagged ones are explained."""
LEAST, TIMES = 1.0, 2.0
"""Standard errors by which the worst runs move the answer, and times what they do by chance, from which they count."""
CORRELATION, LIMIT = 0.1, 2.326
"""Least intraclass correlation that is reported, and the normal quantile of 99 % for its F."""
PULL = 0.3
"""Change of ln params for one standard error of E, from which it carries the answer."""


def findings_of_diagnosis(
    made: Diagnosis,
    runs: Runs,
    rows: tuple[np.ndarray, np.ndarray],
    known: Sequence[Finding],
    ratio: tuple[float, float, float] | None,
) -> tuple[Finding, ...]:
    """Return what a diagnosis has to say, most serious first.

    rows: studentised residual and share (m,) of the rows that count.   known: of the frontier.
    ratio: F of the run correlation with its degrees of freedom; None without groups.
    """
    own = [one for one in made.fit.findings if one.code == OUTLIER] or _outliers(made, runs, *rows)
    found = [*own, *_influential(made), *_columns(made.tests), *_trends(made.tests), *_spread(made)]
    if ratio is not None and (made.run_correlation or 0.0) > CORRELATION and _normal_score(*ratio) > LIMIT:
        found.append(
            Finding(
                "run-correlation",
                CORRELATED.format(unit="group", value=made.run_correlation, scheme=_scheme(made, "cluster")),
            )
        )
    if made.floor_pull is not None and abs(made.floor_pull) > PULL and made.flops is not None:
        told = {"share": made.floor_share, "flops": scientific(made.flops), "pull": math.expm1(made.floor_pull)}
        found.append(Finding("floor-carries", FLOOR.format(**told)))
    return (*found, *(one for one in known if one.code not in {other.code for other in found}))


def apart(studentised: np.ndarray, dof: float) -> np.ndarray:
    """Return the places of the residuals (k,) that lie beyond normal errors and twice as far as all others."""
    size = np.nan_to_num(np.abs(studentised), nan=0.0, posinf=np.finfo(float).max)
    order = np.argsort(-size, kind="stable")
    limit = quantile(1.0 - LEVEL / len(size), max(dof, 1.0))
    most = max(1, min(10, len(size) // MOST))
    for count in range(min(most, len(size) - 1), 0, -1):
        if size[order[count - 1]] > max(limit, GAP * size[order[count]]):
            return np.sort(order[:count])
    return order[:0]


def _outliers(made: Diagnosis, runs: Runs, studentised: np.ndarray, share: np.ndarray) -> list[Finding]:
    places = apart(studentised, made.fit.dof - 1.0)
    if not places.size:
        return []
    own, numbers = made.influence, runs.row[runs.weight > 0]
    rows, is_one = row_numbers(numbers[places]), len(places) == 1
    rest, sizes = np.abs(np.delete(studentised, places)), np.abs(studentised[places])
    separation = separation_of(runs, rows)
    why = _same_value(runs, rows) or (f"; {separation.why}" if separation and separation.why else "")
    unit = next(at for at, one in enumerate(own.rows) if rows[0] in one)
    names = [own.names[at] for at, one in enumerate(own.rows) if set(rows) & set(one)]
    message = FAR.format(
        rows=_named(rows, names),
        lies="lies" if is_one else "lie",
        times=listed([f"{one:.0f}" for one in sizes.tolist()]),
        next=significant(float(np.nanmax(rest)), 2),
        share=float(share[places].sum()),
        moved=f", and without it {_moved(made, _alone(own, unit))}" if own.rows[unit] == rows else "",
        why=why,
        advice=f"; leave {'it' if is_one else 'them'} out with {separation.options}" if separation else "",
    )
    return [Finding(OUTLIER, message, rows)]


def _same_value(runs: Runs, rows: Sequence[int]) -> str:
    """Return the text column in which all these rows have one value that few others have."""
    is_out = np.isin(runs.row, rows)
    for name, label in runs.labels.items():
        values = np.unique(label[is_out].astype(str))
        if len(values) != 1 or normalised(name) in RUN_NAMES:
            continue
        others = int(np.sum(label[~is_out].astype(str) == values[0]))
        is_kind = len(np.unique(label.astype(str))) < len(runs) / 2
        if is_kind and others <= FEW * np.sum(~is_out):
            told = {"column": f"column {shown(name)}", "value": shown(str(values[0])), "others": others}
            return SAME_VALUE.format(
                all_of="all of these" if len(rows) > 1 else "it", rest=int(np.sum(~is_out)), **told
            )
    return ""


def _influential(made: Diagnosis) -> list[Finding]:
    many = [one for one in made.removals if one.distance > max(LEAST, TIMES * one.chance)]
    if not many:
        return []
    worst = many[-1]
    told = {"rows": _named(worst.rows, worst.names), "them": "it" if len(worst.names) == 1 else "them"}
    numbers = {
        "distance": worst.distance,
        "chance": worst.chance,
        "count": len(worst.names),
        "total": len(made.influence.names),
    }
    message = TOGETHER.format(moved=_moved(made, worst), **told, **numbers)
    return [Finding("influential-runs", message, row_numbers(worst.rows))]


def _alone(own: Influence, place: int) -> Removal:
    """Return one unit's influence as a removal."""
    has = len(own.params) > 0
    ratio = float(own.tokens_per_param[place]) if has else math.nan
    coefs = {name: float(column[place]) for name, column in own.refitted.items()}
    return Removal((own.names[place],), own.rows[place], coefs, math.nan, ratio, math.nan, math.nan, math.nan)


def _moved(made: Diagnosis, removal: Removal) -> str:
    """Return how the answer changes: tokens per param, or the coef that changes most in relation to itself."""
    if math.isfinite(removal.tokens_per_param) and made.flops is not None:
        after, before = (significant(one.tokens_per_param, 3) for one in (removal, made))
        return RATIO.format(flops=scientific(made.flops), after=after, before=before)
    coefs = made.fit.coefs
    change = {name: abs(removal.coefs[name] - one) / (abs(one) or 1.0) for name, one in coefs.items()}
    name = max(change, key=lambda one: np.nan_to_num(change[one]))
    return COEF.format(name=name, after=significant(removal.coefs[name]), before=significant(coefs[name]))


def _named(rows: Sequence[int], names: Sequence[str]) -> str:
    text = f"row{'s' * (len(rows) > 1)} {listed(list(rows))}"
    return text if list(names) == [str(row) for row in rows] else f"{text} ({listed([shown(name) for name in names])})"


def _columns(tests: Sequence[ResidualTest]) -> list[Finding]:
    return _largest("column-explains", COLUMN, tests, "column", lambda one: f"column {shown(one)}")


def _trends(tests: Sequence[ResidualTest]) -> list[Finding]:
    bends = {one.name: one.t for one in tests if one.kind == "trend" and one.is_found}
    along, across = bends.get("(ln flops)²", 0.0), bends.get("(ln tokens_per_param)²", 0.0)
    return _largest("residual-trend", TREND, tests, "trend", str, saddle=SADDLE if along * across < 0.0 else "")


def _spread(made: Diagnosis) -> list[Finding]:
    found = [one for one in made.tests if one.kind == "spread" and one.is_found]
    if not found:
        return []
    worst = max(found, key=lambda one: abs(one.t))
    told = {"name": worst.name, "slope": worst.slope, "t": worst.t, "threshold": worst.threshold}
    scheme = _scheme(made, "wild" if made.unit == "row" else "wild-cluster")
    changes = "grows" if worst.t > 0 else "falls"
    return [Finding("heteroscedastic", SPREAD.format(changes=changes, scheme=scheme, **told))]


def _scheme(made: Diagnosis, scheme: str) -> str:
    """Return the options of a scheme, with the column that names the groups where the table was read without it."""
    if made.unit == "row" or made.fit.runs.group is not None:
        return f"--scheme {scheme}"
    column = run_column(made.fit.runs)
    return f"--scheme {scheme} --group {'COLUMN, of a column that names the runs' if column is None else typed(column)}"


def _largest(
    code: str, text: str, tests: Sequence[ResidualTest], kind: str, word: Callable[[str], str], **more: str
) -> list[Finding]:
    """Return a finding about the largest of the tests of a kind that are beyond their threshold."""
    every = [one for one in tests if one.kind == kind]
    found = sorted((one for one in every if one.is_found), key=lambda one: -abs(one.t))
    if not found:
        return []
    worst = found[0]
    others = MORE.format(names=listed([f"{word(one.name)} ({one.t:.1f})" for one in found[1:]])) if found[1:] else ""
    told = {"t": worst.t, "threshold": worst.threshold, "count": len(every), "more": others, "name": word(worst.name)}
    slopes = {"slope": significant(worst.slope, 2), "std": significant(worst.std, 2)}
    return [Finding(code, text.format(**told, **slopes, **more))]


def _normal_score(ratio: float, between: float, within: float) -> float:
    """Return the normal quantile of a ratio of variances, to a few hundredths.   Source: Paulson 1942."""
    first, second, root = 2.0 / (9.0 * between), 2.0 / (9.0 * within), ratio ** (1.0 / 3.0)
    return ((1.0 - second) * root - (1.0 - first)) / math.sqrt(second * root**2 + first)
