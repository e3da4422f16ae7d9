"""Pages for people: every number whole at any width, untrusted text literal, warnings where they are seen."""

import io
from dataclasses import replace

import numpy as np
import pytest
from reported import answer_of, fit_of, frontier_of
from rich.console import Console

from jaxscale.finding import Finding
from jaxscale.laws import LAWS, law_from_expression
from jaxscale.objectives import huber
from jaxscale.reports import fit_document, law_document, print_fit, print_frontier, print_law, print_laws, shipped
from jaxscale.results import Study
from jaxscale.status import Status


def page(draw, width=80):
    text = io.StringIO()
    draw(Console(file=text, width=10_000, highlight=False, markup=False), width)
    return text.getvalue()


def fit_page(answer, width=80):
    return page(lambda console, columns: print_fit(answer, console, width=columns), width)


@pytest.mark.parametrize("width", [20, 40, 80, 120, 10_000])
def test_no_number_of_a_table_is_wrapped_or_cut(width):
    text = fit_page(answer_of(), width)
    tables = text[text.index("coef  ") :]
    assert "1.8172" in tables
    assert "5.76e23" in tables
    assert "1,920× data" in tables
    for line in tables.splitlines():
        if line.startswith(("E ", "A ", "B ", "alpha", "beta")):
            assert line.count("…") == 1


def test_a_page_fits_80_columns():
    assert max(len(line.rstrip()) for line in fit_page(answer_of()).splitlines()) <= 80


def test_words_wrap_only_where_they_must():
    for width in (80, 120):
        text = fit_page(answer_of(), width)
        for coef in answer_of().fit.law.coefs:
            assert coef.meaning in text
    assert any(coef.meaning not in fit_page(answer_of(), 60) for coef in answer_of().fit.law.coefs)


def test_the_frontiers_headline_states_level_method_and_replicates():
    text = page(lambda console, width: print_frontier(answer_of(failed=7, level=0.9), console, width=width))
    assert "bands: 90 % percentile, 393 of 400 replicates" in text


@pytest.mark.parametrize(
    ("flops", "place"), [(1e17, "below data"), (1e18, "measured"), (3e20, "measured"), (6e20, "2.0× data")]
)
def test_each_budget_says_where_it_lies(flops, place):
    answer = answer_of(replicates=0)
    assert f"\n{place}" in fit_page(replace(answer, frontier=frontier_of(answer.fit, flops=(flops,))))


def test_failed_replicates_are_counted_by_reason():
    assert "pairs, seed 5: 393 of 400 replicates usable (393 converged, 7 singular)" in fit_page(
        answer_of(failed=7), 200
    )


def test_text_from_a_table_is_printed_literally():
    fit = fit_of()
    origin = replace(fit.runs.origin, source="\x1b[31m[bold]evil[/bold].csv", columns={"params": "\u202eN [red]"})
    answer = Study(replace(fit, runs=replace(fit.runs, origin=origin), findings=(Finding("odd", "[red]\x1b]0;x\x07"),)))
    text = fit_page(answer, 200)
    assert "\\x1b[31m[bold]evil[/bold].csv: 54 of 54" in text
    assert "params from '\\u202eN [red]'" in text
    assert "[red]\\x1b]0;x\\x07" in text
    assert "\x1b" not in text


def test_a_failed_fit_says_why_there_is_no_frontier():
    fit = fit_of(status=Status.SINGULAR)
    text = fit_page(Study(fit))
    assert "fit        singular; gradient 1e-15" in text
    assert "No frontier: the fit is 'singular', not a minimum" in text


def test_a_column_that_the_law_leaves_open_is_not_shown():
    answer = answer_of(replicates=0)
    assert answer.frontier is not None
    absent = answer.frontier.params * float("nan")
    text = fit_page(replace(answer, frontier=replace(answer.frontier, params=absent, tokens=absent)))
    assert "params N" not in text
    assert "loss" in text


@pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)
def test_a_laws_page_has_its_equation_coefs_and_constants(law):
    text = page(lambda console, width: print_law(law_document(law), console, width=width))
    assert law.equation in " ".join(text.split())  # a long one takes several lines
    for said in (*law.names, *(constants.name for constants in law.published)):
        assert said in text


def test_the_list_of_laws_has_every_name_and_equation():
    text = page(lambda console, width: print_laws(shipped().families, console, width=width))
    for law in LAWS:
        assert law.name in text
        assert law.equation in " ".join(text.split())


def test_the_page_says_how_far_the_law_lies_from_the_runs():
    """In log space in percent of the measured loss, in linear space in its unit; a run of weight zero is left out."""
    fit = fit_of()
    misses = np.linspace(-0.01, 0.01, len(fit.runs))
    misses[[7, 8, 30]] = [-0.05, 0.0499, 0.4]
    residuals = np.log1p(misses)
    weight = np.ones(len(fit.runs))
    weight[30] = 0.0
    fit = replace(fit, residuals=residuals, runs=replace(fit.runs, weight=weight))
    text = " ".join(fit_page(Study(fit), 200).split())
    half, most = np.quantile(100 * np.abs(np.delete(misses, 30)), [0.5, 0.9])
    assert f"residuals half of the runs within {half:.2f} %, nine in ten within {most:.2f} %" in text
    assert "the largest is row 8, predicted 5.0 % too low" in text
    linear = replace(fit, objective=huber(space="linear"), residuals=np.where(residuals == residuals[7], 0.2, 0.1))
    text = " ".join(fit_page(Study(linear), 200).split())
    assert (
        "half of the runs within 0.10, nine in ten within 0.10; the largest is row 8, predicted 0.20 too high" in text
    )


def test_no_residuals_are_named_where_no_residual_is_finite():
    fit = fit_of(status=Status.NON_FINITE)
    assert "residuals half" not in fit_page(Study(replace(fit, residuals=np.full(len(fit.runs), np.nan))))


SEPARABLE = [f"{name}:positive" for name in ("E", "A", "B", "alpha", "beta")]


def warning_of(answer):
    """Return why a fit has no frontier, as its document says it."""
    return {one["code"]: one["message"] for one in fit_document(answer)["warnings"]}["no-frontier"]


def test_a_law_that_needs_an_input_fixed_says_which_and_how():
    law = law_from_expression("E + A*params**-alpha + B*tokens**-beta + quality", SEPARABLE)
    answer = Study(fit_of(law=law))
    assert fit_document(answer)["frontier"] == []
    assert "takes quality too, which no budget decides" in warning_of(answer)
    assert "--at quality=NUMBER" in warning_of(answer)
    assert "No frontier: the law 'expression' takes quality too" in fit_page(answer, 200)


def test_a_law_that_says_nothing_about_budgets_still_says_so():
    law = law_from_expression("E + A*params**-alpha + B*params**-beta", SEPARABLE)
    assert "does not say how a budget is best spent" in warning_of(Study(fit_of(law=law)))
