"""What a page says, part by part, from a study: texts, rows, figures, charts and plans."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxscale.diagnosing import diagnose
from jaxscale.digits import scientific, significant
from jaxscale.errors import JaxscaleError
from jaxscale.figures import with_curve
from jaxscale.finding import Finding, forbids_plan
from jaxscale.laws.grouped import core_of
from jaxscale.reports import fit_document, json_text, warnings_of, why_no_diagnosis
from jaxscale.reports.exponents import exponent_line
from jaxscale.reports.facts import fit_facts
from jaxscale.reports.warnings import EXTRAPOLATION, NO_FRONTIER
from jaxscale.results import Diagnosis, Study
from jaxscale.results.digests import digest_of_study
from jaxscale.results.kinds import without_weak_ensemble
from jaxscale.text import Json, escaped, shown_name, visible
from jaxscale.webpages import repeating, tables, wording
from jaxscale.webpages.charts import chart_of
from jaxscale.webpages.citing import citations_of, own_citation
from jaxscale.webpages.pictures import pictures_of
from jaxscale.webpages.thinning import drawn_study, stated_draws
from jaxscale.webpages.whatif import WhatIf, slider_budgets, what_if

SECTIONS = (
    ("answer", "Answer"), ("certainty", "How sure"), ("evidence", "What it rests on"), ("frontier", "Frontier"),
    ("what-if", "What if"), ("methods", "Methods"), ("repeat", "Repeat"),
)  # fmt: skip
WHAT_IF = ("flops", "FLOP spent"), *wording.UNITS.items()
OF_A_FRONTIER = ("frontier", "isoloss")
MOST_PARTS = 6
"""Groups with charts and plans of their own; every group has its table."""
TOO_MANY = "the page has charts and plans of the first {most} groups only"
MOVES = (
    "Each {unit} left out in turn, then the worst together. Residual and moves are in standard errors; tokens per "
    "param is the answer without it, {flops}"
)
RESIDUALS = "Residuals: {said}."
NOTED = "Read with it what the warnings and diagnostics below say: {codes}."
HEADLINE = "Of all runs the answer is {ratio} tokens per param{flops}."
ALONG = "Along {line}, the curve on which all runs lie"


@dataclass(frozen=True)
class Contents:
    """The variables of the template, the data of its script as JSON, and whether a chart is among them."""

    words: Mapping[str, Any]
    data: str
    has_chart: bool


def contents_of(study: Study) -> Contents:
    """Return what the page of a study says."""
    drawn = drawn_study(without_weak_ensemble(study))
    parts = [_part(key, name, one) for key, (name, one) in enumerate(_parts(study))]
    law, cautions, citations = core_of(study.fit.law), warnings_of(study), citations_of(core_of(study.fit.law))
    diagnosis, no_diagnosis = _diagnosed(study)
    found = None if diagnosis is None else _told(diagnosis)
    origin, version = study.fit.runs.origin, study.fit.provenance.jaxscale
    residuals = next((text.plain for label, text in fit_facts(study) if label == "residuals"), "")
    words = {
        "title": f"Scaling-law study of {shown_name(origin.source)}",
        "version": version,
        "law": law,
        "scope": f"{len(study.fit.runs):,} of {origin.rows:,} runs of {shown_name(origin.source)} used",
        "sections": SECTIONS,
        "trusted": study.is_trustworthy,
        "distrust": _distrust(study),
        "parts": parts,
        "has_frontier": any(part["rows"] for part in parts),
        "no_frontier": next((one.message for one in cautions if one.code == NO_FRONTIER), ""),
        "remarks": [f"Extrapolation: {one.message}." for one in cautions if one.code == EXTRAPOLATION],
        "certainty": [*wording.certainty_of(study), *_exponents(study), *_noted(cautions, found)],
        "has_bands": study.has_bands,
        "band_name": f"{100 * study.level:g} % {study.interval.name}",
        "coefs": tables.coef_rows(study),
        "figures": pictures_of(drawn, ("coefs", "residuals")),
        "residuals": RESIDUALS.format(said=residuals) if residuals else "",
        "warnings": [_warning(one) for one in cautions],
        "diagnosis": found,
        "no_diagnosis": no_diagnosis,
        "draws_note": stated_draws(study),
        "counts": _counts(study),
        "what_if_quantities": WHAT_IF,
        "methods": wording.methods_of(study, citations),
        "bibtex": "\n\n".join((*citations, own_citation(version))),
        "command": repeating.command_of(study),
        "command_notes": repeating.notes_on(study),
        "facts": _facts(study),
        "statuses": tables.status_rows(study),
        "document": json_text(fit_document(study)),
    }
    carried = [{name: part[name] for name in ("key", "chart", "what_if")} for part in parts]
    return Contents(words, _compact({"parts": carried}), any(part["has_chart"] for part in parts))


def _compact(carried: Json) -> str:
    r"""Return JSON without the spaces of `json_text`, which would be most of it, and as that with `<` as \u003c."""
    return json.dumps(carried, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _parts(study: Study) -> list[tuple[str, Study]]:
    """Return the studies that have a frontier of their own, by name: the groups, the whole, and the reduced one."""
    parts = [(escaped(group), part) for group, part in study.groups.items()] or [("The whole table", study)]
    return parts if study.reduced is None else [*parts, (ALONG.format(line=study.line), study.reduced)]


def _part(key: int, name: str, study: Study) -> dict[str, Any]:
    """Return what the page says of one frontier, or of its absence."""
    part: dict[str, Any] = {
        "key": key, "name": name, "answer": _no_answer(study), "cards": [], "rows": [], "headers": [], "caption": "",
        "chart": None, "has_chart": False,
        "figures": dict.fromkeys(OF_A_FRONTIER), "what_if": None, "has_what_if": False, "what_if_note": "",
        "no_what_if": "there is no frontier", "sliders": [],
    }  # fmt: skip
    if study.frontier is None:
        return part
    part |= {"answer": wording.answer_of(study), "cards": wording.cards_of(study), "rows": tables.frontier_rows(study)}
    part |= {"headers": tables.frontier_headers(study), "caption": _caption(study)}
    if key >= MOST_PARTS:
        return part | {"no_what_if": TOO_MANY.format(most=MOST_PARTS)}
    curve = with_curve(_redrawn(study))
    part |= {"figures": pictures_of(curve, OF_A_FRONTIER)}
    part |= {"chart": chart_of(curve, f"chart-{key}"), "has_chart": True}
    found = what_if(study)
    if isinstance(found, str):
        return part | {"no_what_if": escaped(found)}
    part |= {"what_if": found.written(), "has_what_if": True, "what_if_note": found.stated()}
    return part | {"sliders": _sliders(study, found)}


def _redrawn(study: Study) -> Study:
    """Return a study with few enough replicates for its curve, whose frontier `with_curve` makes anew."""
    drawn = drawn_study(without_weak_ensemble(study))
    return drawn if drawn.frontier is not None else replace(drawn, frontier=study.frontier)


def _sliders(study: Study, found: WhatIf) -> list[tuple[str, str, int, int]]:
    """Return name, label, last step and first setting of each slider: the budget of the answer, and no caps."""
    assert study.frontier is not None
    budget = study.frontier.flops[wording.shown_budget(study)]
    at = int(np.argmin(np.abs(np.log(slider_budgets(study.frontier) / budget))))
    return [
        ("flops", "Budget", len(found.flops) - 1, at),
        ("params", "Params at most", len(found.params) - 1, len(found.params) - 1),
        ("tokens", "Tokens at most", len(found.tokens) - 1, len(found.tokens) - 1),
    ]


def _caption(study: Study) -> str:
    found = study.frontier_band("loss")
    if found is None:
        return "Optimum of each budget, without bands"
    used = f"{found.n_used:,} of {found.n_total:,} replicates"
    return f"Optimum of each budget; bands: {100 * found.level:g} % {found.method}, {used}"


def _no_answer(study: Study) -> str:
    why = next((one.message for one in warnings_of(study) if one.code == NO_FRONTIER), "there is no frontier")
    return wording.FITTED.format(why=why) if study.fit.is_usable else wording.NOT_TRUSTED.format(why=why)


def _distrust(study: Study) -> str:
    """Return why a study is not trustworthy."""
    forbidding = forbids_plan(study.fit.findings)
    if not study.fit.is_usable:
        why = f"it ended as '{study.fit.status}', which is no minimum"
    elif forbidding is not None:
        why = f"the table's numbers are not what they are taken for ({forbidding.code})"
    elif not study.is_sound:
        why = f"only {study.usable_share:.1%} of its replicates are usable"
    else:
        why = "no budget has an optimum"
    return wording.NOT_TRUSTED.format(why=why)


def _diagnosed(study: Study) -> tuple[Diagnosis | None, str]:
    """Return the diagnosis of a fit, or why there is none."""
    why = why_no_diagnosis(study.fit)
    if why is not None:
        return None, f"There are no diagnostics: {why}"
    try:
        return diagnose(study.fit, at=study.at or study.fixed_inputs or None), ""
    except JaxscaleError as error:
        return None, f"There are no diagnostics: {escaped(str(error))}"


def _told(diagnosis: Diagnosis) -> dict[str, Any]:
    has_answer = len(diagnosis.influence.params) > 0
    flops = "" if diagnosis.flops is None else f" at {scientific(diagnosis.flops, 3)} FLOP"
    ratio = significant(diagnosis.tokens_per_param, 3)
    known = {one.code for one in diagnosis.fit.findings} | {EXTRAPOLATION}
    return {
        "headline": HEADLINE.format(ratio=ratio, flops=flops) if has_answer else "The law has no frontier to move.",
        "caption": MOVES.format(unit=diagnosis.unit, flops=flops.strip() or "where there is one"),
        "has_answer": has_answer,
        "influential": tables.influential_rows(diagnosis),
        "findings": [_warning(one) for one in diagnosis.findings if one.code not in known],
    }


def _exponents(study: Study) -> list[str]:
    line = exponent_line(study)
    return [f"{line}."] if line else []


def _noted(cautions: Sequence[Finding], told: Mapping[str, Any] | None) -> list[str]:
    """Return the sentence that names the codes of what was found; nothing where nothing was."""
    codes = [one.code for one in cautions if one.code != NO_FRONTIER]
    codes += [] if told is None else [one["code"] for one in told["findings"]]
    return [NOTED.format(codes=", ".join(dict.fromkeys(codes)))] if codes else []


def _warning(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "message": visible(finding.message), "rows": repeating.row_ranges(finding.rows)}


def _counts(study: Study) -> list[tuple[str, str, str, str]]:
    """Return name, formula, exponent and coefs of each convention that the study was fitted under."""
    if study.comparison is None:
        return []
    rows = []
    for one in study.comparison.counts:
        coefs = ", ".join(f"{name} {significant(value)}" for name, value in one.fit.coefs.items())
        rows.append((one.convention.name, one.convention.formula, significant(one.exponent, 3), coefs))
    return rows


def _facts(study: Study) -> list[tuple[str, str]]:
    """Return what repeats the study besides its command: the facts of the terminal's page, rows and digests."""
    fit = study.fit
    digests = [
        ("rows used", repeating.row_ranges([int(row) for row in fit.runs.row])),
        ("table's SHA-256", fit.runs.origin.sha256),
        ("study's digest", digest_of_study(study)),
    ]
    return [*((label, text.plain) for label, text in fit_facts(study)), ("NumPy", fit.provenance.numpy), *digests]
