"""Criteria of information: the likelihood of normal errors, and the numbers that were fitted, the variance one."""

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.comparing.weighing import information_criteria


def test_they_are_the_likelihood_of_normal_errors_by_scipy():
    random = np.random.default_rng(0)
    params = np.geomspace(1e7, 1e10, 12)
    runs = js.Runs.from_arrays(params=params, loss=20.0 * params**-0.1 * np.exp(0.02 * random.standard_normal(12)))
    fit = js.fit(runs, "pure-power-params", objective="squared")
    likelihood = stats.norm.logpdf(fit.residuals, scale=np.sqrt(np.mean(fit.residuals**2))).sum()
    aic, aicc = information_criteria(fit)
    numbers = len(fit.free) + 1
    assert aic == pytest.approx(2.0 * numbers - 2.0 * likelihood, rel=1e-12)
    assert aicc - aic == pytest.approx(2.0 * numbers * (numbers + 1) / (12 - numbers - 1), rel=1e-9)
