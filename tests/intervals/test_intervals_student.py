"""Student's distribution: its tail and its quantiles, with SciPy as a witness."""

import numpy as np
import pytest
from scipy import stats

from jaxscale.intervals.student import quantile, tail

VALUES = np.array([0.0, 1e-3, 0.3, 1.0, 2.0, 5.0, 8.0, 20.0, 100.0, 700.0, 1e5])


@pytest.mark.parametrize("dof", [1.0, 2.5, 3.0, 30.0, 1995.0])
def test_the_tail_is_that_of_scipy_far_out_too(dof):
    np.testing.assert_allclose(tail(VALUES, dof), stats.t.sf(VALUES, dof), rtol=1e-11)


def test_without_end_to_the_degrees_of_freedom_it_is_the_normal_one():
    np.testing.assert_allclose(tail(VALUES[:8], np.inf), stats.norm.sf(VALUES[:8]), rtol=1e-12)


@pytest.mark.parametrize("dof", [1, 3, 235])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_quantile_leaves_half_of_the_rest_beyond_it(dof, level):
    assert quantile(level, dof) == pytest.approx(stats.t.ppf(0.5 * (1 + level), dof), rel=1e-10)
