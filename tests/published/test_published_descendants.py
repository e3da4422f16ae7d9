"""Published fits of over-training and repeated data on their real tables: reproduced, met or beaten."""

import numpy as np
import pytest
from scipy.optimize import minimize

import jaxscale as js
from jaxscale.laws import LAWS

pytestmark = pytest.mark.slow

FIVE = "(params < 1e9 and token_multiplier == 20) or (params < 2e7 and token_multiplier == 320)"
GADRE = [
    ("rpj", "gadre2024-redpajama", (640.0, 1.4e9, 0.7103), (20.0, 6.9e9, 0.7320)),
    ("c4_original", "gadre2024-c4", (20.0, 6.9e9, 4.2952)),
    ("rw_original", "gadre2024-refinedweb", (320.0, 1.4e9, 0.0052), (20.0, 6.9e9, 1.6193)),
]


@pytest.mark.parametrize(("corpus", "constants", *[f"held{i}" for i in range(2)]), [(*row, None)[:4] for row in GADRE])
def test_gadres_errors_follow_from_their_recipe(shared_data, corpus, constants, held0, held1):
    """Five runs, least squares of the loss; in per cent at runs held out, as the authors' notebook prints them for
    RedPajama, and as PROVENANCE.md reproduces them for the other two.
    """
    table, where = shared_data / "gadre_overtrain.csv", f"experiment == '{corpus}'"
    runs = js.read_runs(table, where=[where, FIVE], inputs=("flops", "tokens_per_param"))
    assert len(runs) == 5
    fit = js.fit(runs, "overtraining", objective=js.squared(space="linear"))
    assert fit.status is js.Status.CONVERGED
    held = js.read_runs(table, where=[where, "params > 1e9"])
    residual = 100 * abs(
        js.predict(fit.law, fit.coefs, **{name: held[name] for name in fit.law.inputs}) / held.loss - 1
    )
    for ratio, size, printed in filter(None, (held0, held1)):
        at = np.isclose(held["token_multiplier"], ratio) & np.isclose(held["params"], size, rtol=0.05)
        assert at.sum() == 1
        assert residual[at][0] == pytest.approx(printed, abs=5e-5)
    for name, value in LAWS.resolve("overtraining").constants(constants).items():
        assert fit.coefs[name] == pytest.approx(value, rel=1e-8)


MIDDLES = 1e9, 1e10
"""Params and tokens about which the witness centres its powers."""


@pytest.fixture(scope="module")
def repeated(shared_data):
    return js.read_runs(shared_data / "datablations.csv", where=["in_fit182 == 1"])


def objective_of(runs, base):
    """Return (ln R_N, ln R_D) → sum of Huber(1e-3) of log residuals, in NumPy, for a base with one exponent."""
    params, tokens, unique = (runs[name] for name in ("params", "tokens", "unique_tokens"))
    fed = np.minimum(unique, tokens) * (base["A"] / base["B"]) ** (1 / base["alpha"])

    def worth(amount, level, rate):
        least = np.minimum(amount, level)
        return least * (1 + rate * (1 - np.exp(-(amount / least - 1) / rate)))

    def value(point):
        size, data = worth(params, fed, np.exp(point[0])), worth(tokens, unique, np.exp(point[1]))
        loss = base["E"] + base["A"] * size ** -base["alpha"] + base["B"] * data ** -base["alpha"]
        residual = abs(np.log(loss / runs.loss))
        return np.sum(np.where(residual <= 1e-3, residual**2 / 2, 1e-3 * (residual - 5e-4)))

    return value


def test_muennighoffs_objective_is_beaten_at_the_better_branch_and_theirs_is_reported_too(repeated):
    """Published R_D* = 15.387756, R_N* = 5.309743 at 0.015825936570763588, base frozen. PROVENANCE.md: that is a local
    minimum, and 0.0158046625 at R_D* = 95.365, R_N* = 1.7059 is lower; the witness agrees on both.
    """
    law = LAWS.resolve("data-constrained")
    published = law.constants("muennighoff2023")
    base = {name: published[name] for name in ("E", "A", "B", "alpha", "beta")}
    assert len(repeated) == 182
    fit = js.fit(repeated, law, fix=base)
    assert fit.status is js.Status.CONVERGED
    assert fit.value <= 0.0158046625 * (1 + 1e-8)
    assert fit.coefs["R_D"] == pytest.approx(95.365, rel=1e-4)
    assert fit.coefs["R_N"] == pytest.approx(1.7059, rel=1e-4)
    witness = objective_of(repeated, base)
    assert witness(np.log([fit.coefs["R_N"], fit.coefs["R_D"]])) == pytest.approx(fit.value, rel=1e-12)
    theirs = np.log([published["R_N"], published["R_D"]])
    assert witness(theirs) == pytest.approx(0.015825936570763588, rel=1e-6)
    simplex = theirs + 0.01 * np.array([[0, 0], [1, 0], [0, 1]])
    local = minimize(witness, theirs, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 1e-9})
    np.testing.assert_allclose(np.exp(local.x), [published["R_N"], published["R_D"]], rtol=2e-3)
    others = fit.certificate.other_minima
    assert fit.value < others[0].value
    for one in others:
        place = np.log([one.coefs["R_N"], one.coefs["R_D"]])
        assert witness(place) == pytest.approx(one.value, rel=1e-9)
        steps = 1e-3 * np.stack([np.cos(turn := np.linspace(0, 2 * np.pi, 16, endpoint=False)), np.sin(turn)], axis=1)
        assert all(witness(place + step) > one.value for step in steps)
    (theirs_too,) = [one for one in others if one.value == pytest.approx(local.fun, rel=1e-8)]
    assert theirs_too.coefs["R_D"] == pytest.approx(published["R_D"], rel=2e-3)
    assert theirs_too.coefs["R_N"] == pytest.approx(published["R_N"], rel=2e-3)
    assert "several-minima" in {finding.code for finding in fit.findings}


def test_params_that_never_decay_are_the_law_without_that_decay(repeated):
    """R_N → ∞: N' = N, so that L = E + A/N^alpha + B/D'^beta, whatever A and B feed."""
    coefs = {"E": 1.8, "A": 54.0, "B": 2e4, "alpha": 0.21, "beta": 0.46, "R_N": np.inf, "R_D": 25.0}
    params, tokens, unique = (repeated[name] for name in ("params", "tokens", "unique_tokens"))
    fresh = np.minimum(tokens, unique)
    worth = fresh * (1 + 25.0 * (1 - np.exp(-(tokens / fresh - 1) / 25.0)))
    got = js.predict("data-constrained", coefs, params=params, tokens=tokens, unique_tokens=unique)
    np.testing.assert_allclose(got, 1.8 + 54.0 * params**-0.21 + 2e4 * worth**-0.46, rtol=1e-13)


def test_all_seven_coefs_together_say_that_params_never_decay(repeated):
    """The minimum lies at R_N = ∞: SciPy without that decay, from several starts, finds none lower, and holding R_N at
    ever larger values comes down to it.
    """
    params, tokens, unique = (repeated[name] for name in ("params", "tokens", "unique_tokens"))
    fresh = np.minimum(tokens, unique)

    def value(point):
        E, A, B, R_D = np.exp(point[:4])
        worth = fresh * (1 + R_D * (1 - np.exp(-(tokens / fresh - 1) / R_D)))
        sizes, data = (
            np.exp(-x * np.log(y / middle)) for x, y, middle in zip(point[4:], (params, worth), MIDDLES, strict=True)
        )
        residual = abs(np.log((E + A * sizes + B * data) / repeated.loss))
        return 1e3 * np.sum(np.where(residual <= 1e-3, residual**2 / 2, 1e-3 * (residual - 5e-4)))

    ends = []
    for exponents in ((0.2, 0.45), (0.35, 0.35), (0.5, 0.25)):
        begin = np.array([np.log(1.8), np.log(0.6), np.log(0.6), np.log(20.0), *exponents])
        for _ in range(4):
            begin = minimize(value, begin, method="BFGS").x
            found = minimize(
                value,
                begin,
                method="Nelder-Mead",
                options={"maxiter": 6000, "maxfev": 6000, "xatol": 1e-9, "fatol": 1e-12},
            )
            begin = found.x
        ends.append(found.fun / 1e3)
    fit = js.fit(repeated, "data-constrained")
    assert fit.status is js.Status.AT_BOUND
    assert fit.at_bound == ("R_N",)
    assert np.isposinf(fit.coefs["R_N"])
    assert fit.value <= min(ends) * (1 + 1e-8)
    held = [js.fit(repeated, "data-constrained", fix={"R_N": R_N}).value for R_N in (1e2, 1e4, 1e8)]
    assert held == sorted(held, reverse=True)
    assert held[-1] > fit.value
    ensemble = js.bootstrap(fit, replicates=200)
    assert ensemble.usable.all()
