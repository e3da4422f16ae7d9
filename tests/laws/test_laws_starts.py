"""Start points by variable projection: least squares in the linear coefs, positive where they must be."""

import numpy as np
from scipy.optimize import nnls

from jaxscale.laws import LAWS
from jaxscale.laws.starts import best_and_others, gridded, projected, solve_scales

X = np.geomspace(1e6, 1e10, 48)


COLUMNS = {"x": X}


def loss(x, *, floor, scale, alpha):
    return floor + scale * x**-alpha


def found(target, **options):
    return projected(loss, ("floor", "scale"), {"alpha": (0.1, 1.0)}, COLUMNS, target, keep=4, **options)


def test_noise_free_targets_are_all_but_recovered():
    starts = found(1.8 + 400 * X**-0.35)
    assert len(starts) == 4
    for start in starts[:3]:  # two that search everywhere, and one whose stratum has the solution in it
        np.testing.assert_allclose([start["alpha"], start["floor"]], [0.35, 1.8], rtol=0.02)
    assert starts[3]["alpha"] <= np.sqrt(0.1) * (1 + 1e-9)


def test_scales_are_those_of_non_negative_least_squares_at_their_exponent():
    target = (1.8 + 400 * X**-0.35) * np.exp(0.05 * np.random.default_rng(3).standard_normal(48))
    for start in found(target):
        basis = np.stack([np.ones(48), X ** -start["alpha"]], axis=1) / target[:, None]
        want, _ = nnls(basis, np.ones(48))
        np.testing.assert_allclose([start["floor"], start["scale"]], want, rtol=1e-7)


def test_a_scale_that_would_be_negative_starts_small_and_positive_unless_it_may_be():
    target = 400 * X**-0.35 - 0.05
    assert target.min() > 0
    assert all(start["floor"] > 0 for start in found(target))
    assert all(start["floor"] < 0.05 for start in found(target)[:2])
    assert any(abs(start["floor"] + 0.05) < 1e-3 for start in found(target, real=("floor",)))


def test_the_same_table_gives_the_same_starts():
    target = 1.8 + 400 * X**-0.35
    assert found(target) == found(target)


def test_settings_out_of_range_are_not_taken():
    """Where a term overflows for nearly every setting, only those that can be computed remain."""

    def steep(x, *, floor, scale, p):
        return floor + scale * x**p

    starts = projected(steep, ("floor", "scale"), {"p": (0.1, 400.0)}, COLUMNS, 2.0 + X**0.2, keep=2)
    assert all(np.isfinite(list(start.values())).all() for start in starts)


def test_scales_are_those_of_non_negative_least_squares_where_a_term_is_not_needed():
    random = np.random.default_rng(0)
    basis = random.uniform(0.1, 1, (3, 30, 3))
    truth = np.array([[2.0, 0.5, 3.0], [2.0, 0.0, 3.0], [2.0, -1.0, 3.0]])
    target = np.einsum("snk,sk->sn", basis, truth)
    cost, scales = solve_scales(basis, target, np.ones(3, dtype=bool))
    for one, of, wanted, left in zip(scales, basis, target, cost, strict=True):
        want, norm = nnls(of, wanted)
        np.testing.assert_allclose(one, want, atol=1e-9)
        np.testing.assert_allclose(left, norm**2, atol=1e-18)


def test_a_term_of_zeros_or_out_of_range_has_no_scales():
    basis = np.ones((2, 5, 2))
    basis[0, :, 1], basis[1, 2, 0] = 0.0, np.inf
    cost, scales = solve_scales(basis, np.ones(5), np.ones(2, dtype=bool))
    assert np.isinf(cost).all()
    assert np.isnan(scales).all()


def test_the_point_of_the_grid_that_made_the_losses_is_the_first_start():
    starts = gridded(loss, ("floor", "scale"), {"alpha": (0.2, 0.35, 0.9)}, COLUMNS, 1.8 + 400 * X**-0.35, keep=2)
    assert len(starts) == 2
    np.testing.assert_allclose(list(starts[0].values()), [0.35, 1.8, 400.0], rtol=1e-9)


def test_half_of_the_starts_are_the_best_and_half_are_spread_over_the_others():
    ordered = [{"p": float(place)} for place in range(10)]
    assert best_and_others(ordered, 4) == [{"p": 0.0}, {"p": 1.0}, {"p": 4.0}, {"p": 8.0}]
    assert best_and_others(ordered[:3], 16) == ordered[:3]


def test_what_the_loss_is_without_its_linear_coefs_is_taken_off_the_target():
    starts = gridded(lambda x, *, scale: 1.8 + scale * x**-0.35, ("scale",), {}, COLUMNS, 1.8 + 400 * X**-0.35)
    np.testing.assert_allclose([start["scale"] for start in starts], [400.0], rtol=1e-9)


def test_settings_may_stand_for_the_coefs_of_the_loss_by_another_name():
    """The knee of floor + scale / (knee^beta + x^beta), searched in the unit of x."""

    def rectified(x, *, floor, scale, beta, offset):
        return floor + scale / (offset + x**beta)

    def offset_of(*, knee, beta, **others):
        return {"offset": knee**beta, "beta": beta, **others}

    target, grid = 1.8 + 400 / (1e8**0.5 + X**0.5), {"knee": (1e7, 1e8, 1e9), "beta": (0.3, 0.5)}
    start = gridded(rectified, ("floor", "scale"), grid, COLUMNS, target, coefs=offset_of)[0]
    np.testing.assert_allclose([start["offset"], start["beta"], start["floor"], start["scale"]], [1e4, 0.5, 1.8, 400])


def test_shares_start_below_one_and_reals_anywhere():
    starts = gridded(
        loss, ("floor", "scale"), {"alpha": (0.35,)}, COLUMNS, 5.0 - 2 * X**-0.35, unit=("floor",), real=("scale",)
    )
    assert starts[0]["floor"] < 1
    np.testing.assert_allclose(starts[0]["scale"], -2.0, rtol=1e-7)


def test_a_term_that_is_zero_in_every_run_leaves_its_coef_at_one():
    """As the annealing of runs at a constant learning rate: the other coefs are found all the same."""
    law, rate_sum = LAWS.resolve("annealing"), np.geomspace(1.0, 30.0, 48)
    starts = law.starts({"rate_sum": rate_sum, "annealing": np.zeros(48)}, 2.5 + 0.5 * rate_sum**-0.45)
    best = min(starts, key=lambda start: abs(start["alpha"] - 0.45))
    np.testing.assert_allclose([best["L0"], best["A"], best["C"]], [2.5, 0.5, 1.0], rtol=1e-7)
