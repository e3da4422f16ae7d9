"""`js.design` of an ensemble: as sure as its replicates, whatever the noise of the residuals would say."""

import numpy as np
import pytest
from designed import ASKED, COEFS, POOL, simulated_runs

import jaxscale as js
from jaxscale.designing.asking import known_runs
from jaxscale.designing.criteria import DesignProblem
from jaxscale.designing.posterior import posterior
from jaxscale.designing.replicates import as_sure, of_replicates
from jaxscale.resampling import SCHEMES
from jaxscale.status import Status

REGION = {"params": np.array([5e9, 1e10]), "tokens": np.array([1e11, 4e11])}


@pytest.fixture(scope="module")
def fit():
    return js.fit(simulated_runs(), "chinchilla", objective=js.squared(space="log"))


@pytest.fixture(scope="module")
def normal(fit):
    """The problem with normal noise, and the covariance of theta at the best fit."""
    law, evidence, prior, space, starts = known_runs(fit, None, None, 1.0)
    believed = posterior(law, evidence, prior, space=space, starts=starts, draws=0)
    region = tuple(REGION[name] for name in law.inputs)
    question = DesignProblem(
        law, evidence, prior, believed, tuple(POOL[name] for name in law.inputs), space, None, region
    )
    return question, question.covariance(believed.point[None])[0]


def ensemble_of(fit, thetas):
    """Return an ensemble with these reals (R, p) for its replicates."""
    pairs = zip(fit.law.names, fit.law.supports, thetas.T, strict=True)
    count = len(thetas)
    return js.Ensemble(
        fit,
        SCHEMES.resolve("pairs"),
        0,
        {name: np.asarray(support.to_coef(column)) for name, support, column in pairs},
        np.full(count, fit.value),
        np.full(count, Status.CONVERGED, np.int8),
        np.ones(count, np.int64),
        (),
        fit.provenance,
    )


def drawn(normal, widths, count=100, seed=0):
    """Return reals (R, p) around the best fit, as many times the normal standard deviation wide."""
    question, covariance = normal
    moved = np.random.default_rng(seed).multivariate_normal(np.zeros(len(covariance)), covariance, count)
    return question.believed.point + widths * moved


def test_without_more_runs_a_prediction_is_as_sure_as_the_replicates(fit, normal):
    """The variance of ln loss over the replicates, and no linear model of it."""
    ensemble = ensemble_of(fit, drawn(normal, 2.0))
    found = js.design(ensemble, **{**ASKED, "target": REGION, "criterion": "v-optimal"})
    losses = [
        js.predict("chinchilla", {name: ensemble.coefs[name][one] for name in COEFS}, **REGION)
        for one in range(len(ensemble))
    ]
    assert found.before == pytest.approx(np.log(losses).var(axis=0).mean(), rel=1e-4)  # moved by 1e-6 in theta
    assert any("spread of 100 replicates says (pairs)" in one for one in found.assumed)


@pytest.mark.parametrize("times", [0.5, 3.0])
def test_replicates_that_are_so_many_times_as_wide_make_the_runs_so_many_times_as_noisy(fit, normal, times):
    one, other = (
        of_replicates(normal[0], ensemble_of(fit, drawn(normal, width)), "v-optimal", draws=128, seed=0)
        for width in (0.02, 0.02 * times)
    )
    # narrow enough for the law to be linear: exact but for its bend
    assert other.inflation == pytest.approx(times**2 * one.inflation, rel=0.02)
    np.testing.assert_allclose(as_sure(other).evidence.scale, np.sqrt(other.inflation) * normal[0].evidence.scale)


def test_a_coef_at_the_edge_of_its_support_is_left_out_and_said(fit, normal):
    ensemble = ensemble_of(fit, drawn(normal, 1.0))
    ensemble.coefs["E"][:3] = 0.0
    found = js.design(ensemble, **{**ASKED, "target": REGION, "criterion": "v-optimal"})
    assert np.isfinite(found.path).all()
    assert any(one.startswith("3 replicates with a coef at the edge") for one in found.assumed)


def test_too_few_replicates_are_refused(fit, normal):
    with pytest.raises(js.UsageError, match=r"11 replicates are usable .* and 12 are needed"):
        js.design(ensemble_of(fit, drawn(normal, 1.0, count=11)), **ASKED)
