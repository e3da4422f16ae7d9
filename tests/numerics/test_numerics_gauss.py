"""Gauss rules of sums are exact for polynomials of twice as many terms."""

import numpy as np
import pytest

from jaxscale.numerics.gauss import gauss_of_masses, gauss_of_steps


@pytest.mark.parametrize(("length", "count"), [(9, 6), (64, 6), (1000, 6), (5000, 10)])
def test_a_gauss_rule_of_steps_sums_polynomials_exactly(length, count):
    nodes, weights = gauss_of_steps(length, count)
    centre = 0.5 * (length - 1)
    for degree in range(2 * count):
        want = np.sum(((np.arange(length) - centre) / centre) ** degree)
        assert np.sum(weights * ((nodes - centre) / centre) ** degree) == pytest.approx(want, rel=1e-11, abs=1e-9)


def test_a_gauss_rule_of_masses_sums_polynomials_exactly():
    random = np.random.default_rng(2)
    points, masses = np.sort(random.uniform(-1, 1, 300)), random.uniform(0, 1, 300)
    nodes, weights = gauss_of_masses(points, masses, 12)
    assert (weights > 0).all()
    for degree in range(24):
        assert weights @ nodes**degree == pytest.approx(masses @ points**degree, rel=1e-11, abs=1e-11)
