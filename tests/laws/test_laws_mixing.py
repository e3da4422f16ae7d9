"""Laws of mixtures: their domains by name, what is identified, and the mixture that no scale changes."""

import numpy as np
import pytest
from scipy.optimize import minimize

import jaxscale as js
from jaxscale.laws.mixing import mixing_law, mixing_scale_law, optimal_shares

NAMES = ("web", "books", "code")
CORE = {"E": 1.5, "A": 400.0, "B": 2000.0, "alpha": 0.34, "beta": 0.36}
WORTH = {"C_web": 2.0, "C_books": 3.0, "C_code": 0.8, "gamma_web": 0.4, "gamma_books": 0.6, "gamma_code": 0.3}


@pytest.mark.parametrize("make", [mixing_law, mixing_scale_law])
def test_a_law_of_the_same_domains_is_the_same_law(make):
    assert make(NAMES) == make(list(NAMES))
    assert hash(make(NAMES)) == hash(make(NAMES))
    assert make(NAMES) != make(NAMES[::-1])


@pytest.mark.parametrize("domains", ["web", ("web",), ("web", "web"), ("web", "two words"), ("web", 3)])
@pytest.mark.parametrize("make", [mixing_law, mixing_scale_law])
def test_domains_that_are_no_columns_are_refused(make, domains):
    with pytest.raises(js.UsageError, match="two or more different names"):
        make(domains)


def test_named_domains_are_columns_and_coefs():
    assert mixing_law(NAMES).inputs == ("share_web", "share_books")
    assert mixing_law(NAMES).names == ("c", "k", "t_web", "t_books")
    assert mixing_scale_law(NAMES).inputs == ("params", "tokens", "share_web", "share_books", "share_code")


def test_only_pulls_against_one_domain_matter():
    """Ye's c + k e^(sum of t_j r_j) over all domains, with shares that sum to one, is ours with k e^(t of the last)."""
    shares = np.random.default_rng(1).dirichlet(np.ones(3), 20)
    pulls, k = np.array([-1.0, 0.7, 0.4]), 1.3
    want = 2.0 + k * np.exp(shares @ pulls)
    coefs = {"c": 2.0, "k": k * np.exp(0.4), "t_web": -1.4, "t_books": 0.3}
    found = js.predict(mixing_law(NAMES), coefs, share_web=shares[:, 0], share_books=shares[:, 1])
    np.testing.assert_allclose(found, want, rtol=1e-13)


@pytest.mark.parametrize("scale", [{"params": 1e8, "tokens": 2e9}, {"params": 7e10, "tokens": 1.4e12}])
def test_the_best_mixture_is_the_numerical_optimum_at_every_scale(scale):
    best = optimal_shares(NAMES, WORTH)
    assert sum(best.values()) == pytest.approx(1.0, rel=1e-14)

    def loss_at(logits):
        shares = np.exp(np.append(logits, 0.0))
        shares /= shares.sum()
        worth = sum(
            WORTH[f"C_{name}"] * share ** WORTH[f"gamma_{name}"] for name, share in zip(NAMES, shares, strict=True)
        )
        size, data = CORE["A"] * scale["params"] ** -CORE["alpha"], CORE["B"] * scale["tokens"] ** -CORE["beta"]
        return CORE["E"] + 1 / worth + size + data

    found = minimize(loss_at, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15})
    logits = np.log([best["web"] / best["code"], best["books"] / best["code"]])
    np.testing.assert_allclose(logits, found.x, rtol=1e-5)  # a minimum is known to the root of rounding
    shares = {f"share_{name}": share for name, share in best.items()}
    predicted = js.predict(mixing_scale_law(NAMES), {**CORE, **WORTH}, **scale, **shares)
    assert predicted == pytest.approx(found.fun, rel=1e-14)


def test_an_exponent_of_one_or_more_puts_the_best_mixture_at_an_edge():
    with pytest.raises(js.UsageError, match="lies inside only where"):
        optimal_shares(NAMES, {**WORTH, "gamma_web": 1.0})
    for worthless in (0.0, -1.0, np.nan):
        with pytest.raises(js.UsageError, match="positive and finite"):
            optimal_shares(NAMES, {**WORTH, "C_web": worthless})
