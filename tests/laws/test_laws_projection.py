"""Start points by variable projection: what is solved for is least squares, and what must be positive is."""

import numpy as np
from scipy.optimize import nnls

from jaxscale.laws.projection import projected_starts

X = np.geomspace(1e6, 1e10, 40)


def terms(setting):
    return np.ones((len(setting["alpha"]), 1)), X ** -setting["alpha"]


def found(target, **options):
    return projected_starts(target, terms, {"alpha": (0.1, 1.0)}, ("floor", "scale"), keep=4, **options)


def test_noise_free_targets_are_all_but_recovered():
    starts = found(1.8 + 400 * X**-0.35)
    assert len(starts) == 4
    for start in starts:
        np.testing.assert_allclose([start["alpha"], start["floor"]], [0.35, 1.8], rtol=0.02)


def test_scales_are_those_of_non_negative_least_squares_at_their_exponent():
    target = (1.8 + 400 * X**-0.35) * np.exp(0.05 * np.random.default_rng(3).standard_normal(40))
    for start in found(target):
        basis = np.stack([np.ones(40), X ** -start["alpha"]], axis=1) / target[:, None]
        want, _ = nnls(basis, np.ones(40))
        np.testing.assert_allclose([start["floor"], start["scale"]], want, rtol=1e-7)


def test_a_scale_that_would_be_negative_starts_small_and_positive_unless_it_may_be():
    target = 400 * X**-0.35 - 0.05
    assert target.min() > 0
    assert all(0 < start["floor"] < 0.05 for start in found(target))
    assert any(abs(start["floor"] + 0.05) < 1e-3 for start in found(target, real=("floor",)))


def test_the_same_table_gives_the_same_starts():
    target = 1.8 + 400 * X**-0.35
    assert found(target) == found(target)


def test_settings_out_of_range_are_not_taken():
    """Where a term overflows for nearly every setting, only those that can be computed remain."""

    def steep(setting):
        with np.errstate(over="ignore"):
            return np.ones((len(setting["p"]), 1)), X ** setting["p"]

    starts = projected_starts(2.0 + X**0.2, steep, {"p": (0.1, 400.0)}, ("floor", "scale"), keep=2)
    assert all(np.isfinite(list(start.values())).all() for start in starts)
