"""What every report says of errors: unequal in size, none, or of a law with kinks; and that it is silent else."""

from dataclasses import replace

import numpy as np
import pytest
from reported import ensemble_of, fit_of

import jaxscale as js
from jaxscale.fitting.errors import findings_of_residuals
from jaxscale.laws import law_from_expression
from jaxscale.reports.warnings import warnings_of
from jaxscale.resampling import SCHEMES


def said(study):
    return {one.code: one.message for one in warnings_of(study)}


def residuals(factor):
    """Between a half and one in size, times up to a factor along params."""
    fit, random = fit_of(), np.random.default_rng(3)
    logs = np.log(fit.runs.columns["params"])
    size = factor ** ((logs - logs.min()) / np.ptp(logs))
    return 0.002 * size * random.choice([-1.0, 1.0], len(logs)) * random.uniform(0.5, 1.0, len(logs))


def with_residuals(residuals):
    """The fit with those residuals and what it says of them, by the slopes of ln loss under Chinchilla's law."""
    fit = fit_of(residuals=residuals)
    coefs, logs = fit.coefs, [np.log(fit.runs.columns[name]) for name in ("params", "tokens")]
    terms = [
        coefs[one] * np.exp(-coefs[power] * x) for one, power, x in zip("AB", ("alpha", "beta"), logs, strict=True)
    ]
    slopes = [np.ones(len(fit.runs)), *(term / coefs[one] for term, one in zip(terms, "AB", strict=True))]
    slopes += [-term * x for term, x in zip(terms, logs, strict=True)]
    jacobian = np.stack(slopes, axis=1) / (coefs["E"] + terms[0] + terms[1])[:, None]
    return replace(fit, findings=(*fit.findings, *findings_of_residuals(fit, jacobian)))


@pytest.fixture(scope="module")
def uneven():
    return with_residuals(residuals(20.0))


def test_errors_of_unequal_size_are_told_and_even_ones_are_not(uneven):
    assert "falls" not in said(js.Study(uneven))["heteroscedastic"]
    assert "grows with params" in said(js.Study(uneven))["heteroscedastic"]
    assert "heteroscedastic" not in said(js.Study(with_residuals(residuals(1.0))))


def test_no_page_tests_the_errors_anew(uneven):
    """What the fit says of them is all there is: a page has no second opinion."""
    assert "heteroscedastic" not in said(js.Study(replace(uneven, findings=())))


def test_the_advice_depends_on_whether_the_scheme_allows_for_them(uneven):
    pairs = ensemble_of(uneven)
    other = replace(pairs, scheme=SCHEMES.resolve("residual"))
    assert "the scheme 'pairs' allows for it" in said(js.Study(uneven, pairs))["heteroscedastic"]
    assert "resample with --scheme pairs" in said(js.Study(uneven, other))["heteroscedastic"]
    assert "resample with --scheme pairs" in said(js.Study(uneven))["heteroscedastic"]


def test_replicates_that_are_all_alike_are_told_and_those_that_differ_are_not():
    fit = fit_of()
    drawn = ensemble_of(fit)
    alike = {name: np.full(len(drawn), value) for name, value in fit.coefs.items()}
    assert "the same E, A, B, alpha, beta" in said(js.Study(fit, replace(drawn, coefs=alike)))["point-interval"]
    one = {**drawn.coefs, "beta": alike["beta"] * (1.0 + 1e-13 * np.arange(len(drawn)) / len(drawn))}
    assert "the same beta" in said(js.Study(fit, replace(drawn, coefs=one)))["point-interval"]
    assert "point-interval" not in said(js.Study(fit, drawn))


def typed(text):
    law = law_from_expression(text, ["E:positive", "A:positive", "alpha:positive"], name="own")
    return js.Study(
        fit_of(law=law, coefs={"E": 1.8, "A": 480.0, "alpha": 0.35}, std={"E": None, "A": None, "alpha": 0.1})
    )


def test_a_typed_law_with_kinks_is_told_and_a_smooth_one_is_not():
    assert "minimum, abs" in said(typed("E + minimum(abs(A)*params**-alpha, 1.0)"))["kinked-law"]
    assert "kinked-law" not in said(typed("E + logaddexp(log(A)-alpha*log(params), 0.0)"))
