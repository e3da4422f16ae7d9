"""The phases of a series: one table of each, with the evidence that names it; and what is refused."""

import numpy as np
import pytest

import jaxscale as js

X = np.geomspace(1e17, 1e21, 24)


def noise(seed, size=0.01):
    return np.exp(size * np.random.default_rng(seed).standard_normal(len(X)))


def power(x, exponent, at=1e19, scale=3.0):
    return scale * (x / at) ** -exponent


def checked(loss, x=X, **more):
    return js.check(js.Runs.from_arrays(flops=x, loss=loss, units_ok=True), **more)


def test_a_power_law_is_scaling_with_its_exponent_in_every_window():
    found = checked(power(X, 0.1) * noise(1))
    one = found.series[0]
    assert found.is_go
    assert one.phase == "scaling"
    assert [part.name for part in one.phases] == ["scaling"]
    assert (one.exponents.low < 0.1).all()
    assert (one.exponents.high > 0.1).all()
    assert one.offset.exponent == pytest.approx(0.1, abs=0.005)
    assert not one.offset.is_found
    assert not one.breakpoint.is_found
    assert one.noise == pytest.approx(0.01, rel=0.5)
    assert 1.25 <= one.reach <= 100.0  # not beyond half of the four decades of the runs
    assert [one.code for one in found.findings] == []


def test_the_power_law_of_a_series_is_the_least_squares_line_of_logs():
    loss = power(X, 0.13) * noise(4)
    slope = np.polyfit(np.log(X), np.log(loss), 1)[0]
    assert checked(loss).series[0].offset.exponent == pytest.approx(-slope, rel=1e-9)


def test_a_floor_is_told_from_a_power_law_and_found_where_scipy_finds_it():
    from scipy.optimize import curve_fit

    loss = (1.8 + power(X, 0.2, 1e18, 1.0)) * noise(2, 0.003)
    one = checked(loss).series[0]

    def logs(x, floor, scale, exponent):
        return np.log(floor + scale * np.exp(-exponent * (x - np.log(1e18))))

    floor, _, exponent = curve_fit(logs, np.log(X), np.log(loss), p0=(1.5, 1.0, 0.2))[0]
    assert one.offset.is_found
    assert one.offset.floor == pytest.approx(floor, rel=0.005)
    assert one.offset.exponent_above == pytest.approx(exponent, rel=0.02)
    assert one.offset.floor_high > 1.8
    assert one.phase == "scaling"


def test_a_plateau_at_the_floor_is_no_go_and_says_why():
    found = checked((2.0 + power(X, 0.9, 1e17, 2.0)) * noise(3, 0.005))
    one = found.series[0]
    assert one.phase == "plateau"
    assert not found.is_go
    assert one.reach == 1.0
    assert [part.name for part in one.phases] == ["scaling", "plateau"]
    assert "local exponent has fallen" in one.reason
    assert "plateau" in {finding.code for finding in found.findings}


@pytest.mark.parametrize("start", [1e19, 3e20])
def test_a_flat_beginning_at_ln_of_the_vocabulary_is_a_cold_start(start):
    """ln 50257 = 10.8; where only a few runs have begun to fall, the whole series is in its cold start."""
    loss = np.where(start > X, np.log(50257), np.log(50257) * (X / start) ** -0.2)
    found = checked(loss * noise(5))
    one = found.series[0]
    assert one.phases[0].name == "cold start"
    assert one.phases[0].last == pytest.approx(start, rel=0.6)
    assert one.phase == ("scaling" if start == 1e19 else "cold start")
    assert found.is_go == (start == 1e19)
    assert ("cold-start" in {finding.code for finding in found.findings}) == (start == 3e20)


def test_the_break_of_a_broken_power_law_lies_in_its_interval():
    loss = np.where(X < 1e19, power(X, 0.05), power(X, 0.2))
    one = checked(loss * noise(6)).series[0]
    assert one.breakpoint.is_found
    assert one.breakpoint.low <= 1e19 * 1.2
    assert one.breakpoint.high >= 1e19 / 1.2
    assert one.breakpoint.high / one.breakpoint.low < 4.0
    assert one.breakpoint.before == pytest.approx(0.05, abs=0.02)
    assert one.breakpoint.after == pytest.approx(0.2, abs=0.02)


def test_a_break_near_the_end_is_no_go():
    loss = np.where(X < 2e20, power(X, 0.1), power(2e20, 0.1) * (X / 2e20) ** -0.6)
    found = checked(loss * noise(7, 0.005))
    assert found.series[0].breakpoint.is_found
    assert not found.is_go
    assert "not-extrapolated" in {finding.code for finding in found.findings}


def test_noise_alone_shows_no_phase():
    found = checked(3.0 * noise(8, 0.02))
    assert found.series[0].phase == "undetermined"
    assert not found.is_determined
    assert not found.is_go
    assert "phase-undetermined" in {finding.code for finding in found.findings}


def test_the_series_of_sizes_and_tokens_is_the_lowest_loss_of_each_budget():
    """IsoFLOP curves: nine sizes on each of ten budgets, whose minima follow a power law of compute."""
    budgets = np.geomspace(1e17, 1e21, 10)
    flops, off = np.repeat(budgets, 9), np.tile(np.linspace(-2.0, 2.0, 9), 10)
    params = np.sqrt(flops / 120.0) * np.exp(off)
    loss = power(flops, 0.1) * (1.0 + 0.02 * off**2)
    runs = js.Runs.from_arrays(params=params, tokens=flops / 6.0 / params, loss=loss, units_ok=True)
    one = js.check(runs).series[0]
    assert one.along == "flops"
    np.testing.assert_allclose(one.x, budgets, rtol=1e-9)
    np.testing.assert_allclose(one.loss, power(budgets, 0.1), rtol=1e-9)
    assert one.rows.tolist() == list(range(5, 91, 9))


def test_groups_are_series_of_their_own():
    loss = np.concatenate([power(X, 0.1) * noise(9), 3.0 * noise(10)])
    group = np.array(["falls"] * len(X) + ["noise"] * len(X), dtype=object)
    runs = js.Runs.from_arrays(tokens=np.tile(X, 2), loss=loss, group=group, units_ok=True)
    found = js.check(runs)
    assert {one.name: one.phase for one in found.series} == {"falls": "scaling", "noise": "undetermined"}
    assert found.is_determined
    assert not found.is_go
    assert found.to_frame()["series"].tolist() == ["falls", "noise"]


def test_groups_of_single_runs_are_no_series():
    group = np.array([f"run {at}" for at in range(len(X))], dtype=object)
    runs = js.Runs.from_arrays(tokens=X, loss=power(X, 0.1), group=group, units_ok=True)
    with pytest.raises(
        js.RunsError, match="1 run of group 'run 0' with one size only, which is no series; leave out group=, or"
    ):
        js.check(runs)


def test_the_same_seed_gives_the_same_chances():
    loss = power(X, 0.1) * noise(11)
    first, again = (checked(loss, seed=3).series[0] for _ in range(2))
    assert first.offset == again.offset
    assert first.breakpoint == again.breakpoint


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(js.RunsError, match="needs 6 runs"):
        checked(power(X[:5], 0.1), X[:5])
    with pytest.raises(js.UsageError, match="tolerance = 5"):
        checked(power(X, 0.1), tolerance=5)
    with pytest.raises(js.UsageError, match="seed = -1"):
        checked(power(X, 0.1), seed=-1)
    with pytest.raises(js.RunsError, match="no numeric column 'depth'"):
        checked(power(X, 0.1), along="depth")


@pytest.mark.slow
def test_false_alarms_are_rare():
    """Of 200 power laws with 1 % noise: a floor and a break at their level, hardly ever another phase.

    Binomial: more than 8 of 200 at 1 % come once in 2,000 tries; more than 20 of 200 of noise alone, at 2.5 %, never.
    """
    found = [checked(power(X, 0.1) * noise(seed)).series[0] for seed in range(200)]
    assert sum(one.phase != "scaling" for one in found) <= 2
    assert sum(one.offset.is_found for one in found) <= 8
    assert sum(one.breakpoint.is_found for one in found) <= 8
    alone = [checked(3.0 * noise(1000 + seed)).series[0] for seed in range(200)]
    assert sum(one.phase != "undetermined" for one in alone) <= 20


def test_noise_that_changes_in_size_along_a_series_is_told_and_even_noise_is_not():
    x = np.geomspace(1e17, 1e21, 48)
    random = np.random.default_rng(9).standard_normal(48)
    wide = checked(power(x, 0.1) * np.exp(0.002 * 20.0 ** np.linspace(0.0, 1.0, 48) * random), x)
    finding = next(one for one in wide.findings if one.code == "heteroscedastic")
    assert "grows with flops" in finding.message
    assert wide.series[0].spread.slope > 0.0
    assert not checked(power(x, 0.1) * np.exp(0.01 * random), x).series[0].spread.is_found
