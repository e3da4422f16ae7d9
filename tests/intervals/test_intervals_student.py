"""Student's distribution: its tail and its quantiles, with mpmath's integrals as a witness."""

import mpmath
import numpy as np
import pytest

from jaxscale.intervals.student import quantile, tail

VALUES = (0.0, 1e-3, 0.3, 1.0, 2.0, 5.0, 8.0, 20.0, 100.0, 700.0, 1e5)


def tail_of(value, dof):
    """P(T > value) by the regularised incomplete beta function; DLMF 8.17."""
    share = mpmath.mpf(dof) / (dof + mpmath.mpf(value) ** 2)
    return mpmath.betainc(mpmath.mpf(dof) / 2, 0.5, 0, share, regularized=True) / 2


@pytest.mark.parametrize("dof", [1.0, 2.5, 3.0, 30.0, 1995.0])
def test_the_tail_is_the_incomplete_beta_function_far_out_too(dof):
    with mpmath.workdps(60):
        wanted = [float(tail_of(value, dof)) for value in VALUES]
    np.testing.assert_allclose(tail(VALUES, dof), wanted, rtol=1e-11)


def test_without_end_to_the_degrees_of_freedom_it_is_the_normal_one():
    wanted = [float(mpmath.erfc(value / mpmath.sqrt(2)) / 2) for value in VALUES[:8]]
    np.testing.assert_allclose(tail(VALUES[:8], np.inf), wanted, rtol=1e-12)
    assert quantile(0.95, np.inf) == pytest.approx(float(mpmath.sqrt(2) * mpmath.erfinv(0.95)), rel=1e-12)


@pytest.mark.parametrize("dof", [1, 3, 235])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999, 1 - 1e-9])
def test_the_quantile_leaves_half_of_the_rest_beyond_it(dof, level):
    with mpmath.workdps(60):
        assert float(tail_of(quantile(level, dof), dof)) == pytest.approx(0.5 * (1 - level), rel=1e-9)
