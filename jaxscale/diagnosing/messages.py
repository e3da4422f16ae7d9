"""The findings of a diagnosis: each a code, the rows that it concerns, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from jaxscale.diagnosing.decision_messages import findings_of_decision
from jaxscale.diagnosing.words import answer_moved, rows_named
from jaxscale.digits import scientific, significant
from jaxscale.finding import Finding, row_numbers
from jaxscale.fitting.error_messages import advice_on, findings_of_spread
from jaxscale.fitting.units import option_of
from jaxscale.results.diagnosis import Diagnosis, ResidualTest
from jaxscale.results.spread import run_residuals
from jaxscale.text import listed, shown

TOGETHER = (
    "{rows} carry the answer: without {them} {moved}, which is {distance:.2g} standard errors; the worst {count} of "
    "{total} would move it by {chance:.2g} under normal errors. Look at how these runs were made, or plan with both"
)
COLUMN = (
    "{name} explains what the law leaves: slope {slope} ± {std} of the residual, {t:.1f} standard errors, beyond the "
    "{threshold:.1f} that the largest of {count} columns reaches once in a hundred tables{more}. Hold it in new runs, "
    "or fit a law that takes it"
)
TREND = (
    "the residuals still bend with {name}: {t:.1f} standard errors, beyond the {threshold:.1f} that the largest of "
    "{count} terms reaches once in a hundred tables. A law with that term would predict {effect} at {flops} FLOP"
    "{saddle}; compare laws (jaxscale compare) before planning that far"
)
TREND_ALONE = (
    "the residuals still bend with {name}: {t:.1f} standard errors, beyond the {threshold:.1f} that the largest of "
    "{count} terms reaches once in a hundred tables, and {share:.0%} of their variance{saddle}; compare laws (jaxscale "
    "compare)"
)
EFFECT = "a loss {change:+.1%}, {times} the standard deviation of a new run,"
SADDLE = ". Along compute and across it they bend oppositely, a saddle, which no shift of the coefs removes"
CORRELATED = (
    "the residuals of one {unit} are alike, with a correlation of {value:.2f}: rows are no independent runs{wider}; "
    "resample whole groups, {scheme}"
)
WIDER = (
    ". Standard errors by whole groups are {times:.2g} times those by rows for {what}, {least:.2g} to {most:.2g} times "
    "for coefs"
)
MORE = "; also {names}"
LEAST, TIMES = 1.0, 2.0
"""Standard errors by which the worst runs move the answer, and times what they do by chance, from which they count."""
CORRELATION, LIMIT = 0.1, 2.326
"""Least intraclass correlation that is reported, and the normal quantile of 99 % for its F."""
MATTERS = 2.0
"""Standard deviations of a new run at the target by which a trend has to move its loss: beyond its band at 95 %. Every
table of real runs bends by more than the law's own error."""
EXPLAINED = 0.25
"""Share of the variance that a trend has to explain where there is no target."""


def findings_of_diagnosis(
    made: Diagnosis, off: Sequence[Finding], known: Sequence[Finding], ratio: tuple[float, float, float] | None
) -> tuple[Finding, ...]:
    """Return what a diagnosis has to say besides which rows are off, most serious first; one finding a code.

    off: those rows' finding.   known: of the frontier.   ratio: F of the run correlation with its degrees of freedom;
    None without groups.
    """
    found = [
        *_influential(made),
        *findings_of_decision(made),
        *_columns(made.tests),
        *_trends(made),
        *_errors(made),
        *_correlated(made, ratio),
    ]
    said = {one.code for one in (*off, *found)}
    rest: dict[str, Finding] = {}
    for one in (*made.fit.findings, *known):
        rest.setdefault(one.code, one)
    return (*found, *(one for code, one in rest.items() if code not in said))


def _influential(made: Diagnosis) -> list[Finding]:
    many = [one for one in made.removals if one.distance > max(LEAST, TIMES * one.chance)]
    if not many:
        return []
    worst = many[-1]
    told = {"rows": rows_named(worst.rows, worst.names), "them": "it" if len(worst.names) == 1 else "them"}
    numbers = {
        "distance": worst.distance,
        "chance": worst.chance,
        "count": len(worst.names),
        "total": len(made.influence.names),
    }
    message = TOGETHER.format(moved=answer_moved(made, worst), **told, **numbers)
    return [Finding("influential-runs", message, row_numbers(worst.rows))]


def _columns(tests: Sequence[ResidualTest]) -> list[Finding]:
    return _largest("column-explains", COLUMN, tests, "column", lambda one: f"column {shown(one)}")


def _trends(made: Diagnosis) -> list[Finding]:
    """Return the strongest of the trends that matter: that move the loss at the target out of the band of a new run.

    Where there is no target, of those that explain a good part of the residuals.
    """
    every = [one for one in made.tests if one.kind == "trend"]
    if not any(one.is_found for one in every):
        return []
    bends = {one.name: one.t for one in every if one.is_found}
    error = math.hypot(next((one.std for one in made.quantities if one.name == "loss"), math.nan), _run_spread(made))
    dof = max(made.fit.dof, 1)
    sizes = {
        one.name: abs(math.log1p(one.effect)) / error if made.quantities else one.t**2 / (one.t**2 + dof)
        for one in every
        if one.is_found
    }
    least = MATTERS if made.quantities else EXPLAINED
    found = [one for one in every if one.is_found and sizes[one.name] > least]
    if not found:
        return []
    worst = max(found, key=lambda one: abs(one.t))
    along, across = bends.get("(ln flops)²", 0.0), bends.get("(ln tokens_per_param)²", 0.0)
    told = {"name": worst.name, "t": worst.t, "threshold": worst.threshold, "count": len(every)}
    told["saddle"] = SADDLE if along * across < 0.0 else ""
    if not made.quantities or made.flops is None:
        return [Finding("residual-trend", TREND_ALONE.format(share=sizes[worst.name], **told))]
    effect = EFFECT.format(change=worst.effect, times=f"{sizes[worst.name]:.2g} times")
    return [Finding("residual-trend", TREND.format(effect=effect, flops=scientific(made.flops), **told))]


def _run_spread(made: Diagnosis) -> float:
    """Return the standard deviation of ln loss of single runs about the law."""
    spread = float(np.std(run_residuals(made.fit)))
    return spread if made.fit.objective.space == "log" else spread / made.loss


def _errors(made: Diagnosis) -> list[Finding]:
    return findings_of_spread(made.tests, advice_on(made.fit.runs, made.unit))


def _correlated(made: Diagnosis, ratio: tuple[float, float, float] | None) -> list[Finding]:
    if ratio is None or (made.run_correlation or 0.0) <= CORRELATION or _normal_score(*ratio) <= LIMIT:
        return []
    width = dict(made.group_width)
    params, wider = width.pop("params", math.nan), ""
    if width:
        what = ("the best params", params) if math.isfinite(params) else max(width.items(), key=lambda one: one[1])
        wider = WIDER.format(what=what[0], times=what[1], least=min(width.values()), most=max(width.values()))
    told = {"value": made.run_correlation, "scheme": option_of("cluster", made.fit.runs, made.unit)}
    return [Finding("run-correlation", CORRELATED.format(unit="group", wider=wider, **told))]


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
