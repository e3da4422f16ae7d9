"""Simulated studies whose least squares have no floor: E lies at its edge, and the rest is a straight line in logs."""

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.covering.simulating import simulate_studies
from jaxscale.engine.compiling import Clock
from jaxscale.resampling import SCHEMES

ROWS, STUDIES = 12, 40

pytestmark = pytest.mark.slow  # programs of their own


@pytest.fixture(scope="module")
def studies():
    columns = {"params": np.geomspace(1e6, 1e9, ROWS)}
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
    fit = js.fit(runs, "power-params", objective="squared")
    noise = SCHEMES.resolve("parametric")
    return simulate_studies(fit, noise, STUDIES, has_errors=True, has_robust=True, seed=4, clock=Clock(), device="auto")


@pytest.fixture(scope="module")
def at_edge(studies):
    found = [study for study in studies.usable.tolist() if studies.fits.coefs[study, 0] == 0.0]
    assert 3 <= len(found) < STUDIES
    return found


def test_residuals_and_leverage_are_those_of_the_straight_line(studies, at_edge):
    runs = studies.fit.runs
    size = np.log(runs["params"])
    for study in at_edge:
        targets = np.log(runs.loss) + studies.shift[study]
        line = stats.linregress(size, targets)
        np.testing.assert_allclose(studies.fitted.prediction[study], line.intercept + line.slope * size, rtol=1e-7)
        centred = (size - size.mean()) ** 2
        np.testing.assert_allclose(studies.fitted.leverage[study], 1.0 / ROWS + centred / centred.sum(), rtol=1e-6)


def test_standard_errors_are_those_of_the_straight_line(studies, at_edge):
    """E, which was not free there, has none; the degrees of freedom are those of two coefs."""
    runs = studies.fit.runs
    for study in at_edge:
        own = studies.fit_of(study)
        assert (own.held, own.at_bound, own.std["E"], own.dof) == (("E",), ("E",), None, ROWS - 2)
        line = stats.linregress(np.log(runs["params"]), np.log(runs.loss) + studies.shift[study])
        assert own.std["alpha"] == pytest.approx(line.stderr, rel=1e-6)
        assert own.covariance[0].tolist() == [0.0, 0.0, 0.0]
        assert own.robust["rows"][0].tolist() == [0.0, 0.0, 0.0]


def test_studies_inside_have_all_coefs(studies, at_edge):
    inside = next(study for study in studies.usable.tolist() if study not in at_edge)
    own = studies.fit_of(inside)
    assert (own.held, own.dof) == ((), ROWS - 3)
    assert all(error > 0.0 for error in own.std.values())
