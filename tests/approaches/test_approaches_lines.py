"""Regressions in logarithms against the numbers that papers print of their own tables."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.approaches import power_law

SIZES = np.array([400e6, 1e9, 10e9, 67e9, 175e9, 280e9, 520e9, 1e12, 10e12])
TABLE_3 = np.array([1.92e19, 1.21e20, 1.23e22, 5.76e23, 3.85e24, 9.90e24, 3.43e25, 1.27e26, 1.30e28])
TABLE_A3 = np.array([1.84e19, 1.20e20, 1.32e22, 6.88e23, 4.54e24, 1.18e25, 4.19e25, 1.59e26, 1.75e28])


@pytest.mark.parametrize(("flops", "scale", "exponent"), [(TABLE_3, 0.0992, 0.4981), (TABLE_A3, 0.1449, 0.4899)])
def test_the_tables_of_hoffmann_are_the_lines_of_the_reference(flops, scale, exponent):
    """Hoffmann et al. 2022, tables 3 and A3 (approach 2); lines of laws.md C1 and C2, to the digits printed there."""
    line = power_law(flops, SIZES)
    assert line.exponent == pytest.approx(exponent, abs=5e-5)
    assert line.scale == pytest.approx(scale, abs=5e-5)
    np.testing.assert_allclose(line.at(flops), SIZES, rtol=0.07)


@pytest.mark.parametrize(
    ("configuration", "exponent", "scale"),
    [
        ("rw_base_long_kaplan_kaplan_train", 0.8353, 4.232e-8),
        ("rw_base_long_kaplan_standard_val", 0.7065, 1.270e-5),
        ("rw_base_short_kaplan_standard_val", 0.6020, 0.001431),
        ("rw_base_short_chinchilla_standard_val", 0.5715, 0.004769),
        ("rw_tuned_short_const_standard_val", 0.4969, 0.1189),
    ],
)
def test_the_weighted_line_through_porians_own_optima_is_theirs(shared_data, configuration, exponent, scale):
    """PROVENANCE.md: weighted regression of n_star with weights 1/std², exponents and coefficients."""
    runs = js.read_runs(shared_data / "porian_isoflop_rw.csv", where=[f"experiment == '{configuration}'"])
    flops, first = np.unique(runs["budget"], return_index=True)
    with np.errstate(invalid="ignore"):
        line = power_law(flops, runs["n_star"][first], runs["n_star_logstd"][first] ** -2.0)
    assert line.exponent == pytest.approx(exponent, abs=5e-5)
    assert line.scale == pytest.approx(scale, rel=1e-3)


def test_an_ensemble_of_lines_is_each_line_alone_and_nan_is_absent():
    random = np.random.default_rng(0)
    flops = np.geomspace(1e18, 1e22, 6)
    values = 0.1 * flops**0.5 * np.exp(0.1 * random.standard_normal((4, 6)))
    values[1, 2] = np.nan
    values[2, 1:] = np.nan
    ensemble = power_law(flops, values)
    for lane in (0, 1, 3):
        has = np.isfinite(values[lane])
        slope, level = np.polyfit(np.log(flops[has]), np.log(values[lane, has]), 1)
        assert ensemble.exponent[lane] == pytest.approx(slope, rel=1e-10)
        assert np.log(ensemble.scale[lane]) == pytest.approx(level, rel=1e-9)
    assert np.isnan(ensemble.exponent[2])
    assert ensemble.at(flops).shape == (4, 6)
    assert ensemble.interval().n_used == 3
