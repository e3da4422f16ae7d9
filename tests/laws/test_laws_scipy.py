"""SciPy's least squares recovers every law from the law's own start points: a witness that shares no solver with us."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import least_squares

import jaxscale as js
from jaxscale import precision
from jaxscale.laws import LAWS
from jaxscale.laws.predicting import random_coefs, random_columns
from jaxscale.laws.starts import product_starts

ROWS = 48
TIGHT = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "x_scale": "jac"}
ROUNDING = 1e-24
"""Half the sum of squared relative residuals of a recovered table: 48 residuals of 2e-13 and less."""


def residuals_of(law, columns):
    """Return (theta, target) → relative residuals (n,), and their Jacobian (n, p), compiled once."""
    inputs = [jnp.asarray(columns[name]) for name in law.inputs]

    def residuals(theta, target):
        coefs = {name: law.supports[at].from_real(theta[at]) for at, name in enumerate(law.names)}
        return jax.vmap(lambda *run: law.loss(*run, **coefs))(*inputs) / target - 1.0

    return jax.jit(residuals), jax.jit(jax.jacfwd(residuals))


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # of a step too long, which SciPy then takes back
@pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)
def test_scipy_finds_the_truth_from_the_laws_own_starts(law):
    """Three settings of the documented range, each by the best search of those up to the first that is exact."""
    random = np.random.default_rng(3)
    columns = random_columns(law, random, ROWS)
    with precision.float64():
        residuals, jacobian = residuals_of(law, columns)
        for _ in range(3):
            truth = random_coefs(law, random)
            target = js.predict(law, truth, **columns)
            best = None
            for start in law.starts(columns, target) if law.starts else product_starts(law.coefs):
                found = least_squares(residuals, law.theta(start), jacobian, args=(target,), **TIGHT)
                best = found if best is None or found.cost < best.cost else best
                if best.cost < ROUNDING:
                    break
            coefs = [float(support.to_coef(theta)) for support, theta in zip(law.supports, best.x, strict=True)]
            np.testing.assert_allclose(coefs, list(truth.values()), rtol=1e-6)
