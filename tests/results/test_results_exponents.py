"""Exponents of a frontier: those of the closed form, with limits over the replicates; on the page and in JSON."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import COEFS, ensemble_of, fit_of, frontier_of

import jaxscale as js
from jaxscale.reports import fit_document
from jaxscale.reports.exponents import exponent_line
from jaxscale.reports.spreads import heavy_spread, log_spread

COEFS = COEFS["chinchilla"]


@pytest.fixture(scope="module")
def study():
    fit = fit_of(rows=30)
    ensemble = ensemble_of(fit, replicates=60, unusable=0.1)
    return js.Study(fit, ensemble, frontier_of(fit, ensemble, flops=np.geomspace(1e20, 1e23, 4)))


def closed(coefs):
    """Return a of N ∝ C^a: beta/(alpha + beta), Hoffmann et al. 2022, eq. 4."""
    return coefs["beta"] / (coefs["alpha"] + coefs["beta"])


def test_the_exponents_are_those_of_the_closed_form_and_add_up_to_one(study):
    front = study.frontier
    assert front.exponent("params") == pytest.approx(closed(COEFS), rel=1e-12)
    assert front.exponent("params") + front.exponent("tokens") == pytest.approx(1.0, abs=1e-12)


def test_the_limits_are_the_quantiles_of_the_replicates_own_exponents(study):
    ensemble = study.ensemble
    own = closed({name: values[ensemble.usable] for name, values in ensemble.coefs.items()})
    band = study.frontier.exponent_interval("params", level=0.9)
    np.testing.assert_allclose([band.lower, band.upper], np.quantile(own, [0.05, 0.95]), rtol=1e-12)
    assert (band.n_used, band.n_total) == (ensemble.usable.sum(), len(ensemble))


def test_the_page_and_the_document_have_both_exponents_with_their_limits(study):
    band = study.frontier.exponent_interval("params")
    written = fit_document(study)["exponents"]["params"]
    assert written == {"value": study.frontier.exponent(), "low": float(band.lower), "high": float(band.upper)}
    line = exponent_line(study)
    assert "N ∝ C^a and D ∝ C^b: a 0.514 (" in line
    assert line in " ".join(study.summary().split())


def test_a_single_budget_and_a_law_without_a_split_have_none():
    fit = fit_of(rows=30)
    one = frontier_of(fit, flops=[1e22])
    assert one.exponent("params") is None
    assert one.exponent_interval("params") is None
    law = fit_of("power", rows=30)
    assert frontier_of(law, flops=[1e20, 1e22]).exponent("params") is None
    assert exponent_line(js.Study(law, None, frontier_of(law, flops=[1e20, 1e22]))) == ""
    with pytest.raises(js.UsageError, match="Did you mean 'params'"):
        one.exponent("param")


def test_the_spread_of_a_scale_with_a_heavy_tail_is_that_of_its_logarithm(study):
    shock = np.random.default_rng(1).standard_normal(60)
    wide = replace(study.ensemble, coefs={**study.ensemble.coefs, "A": COEFS["A"] * np.exp(1.2 * shock)})
    found = js.Study(study.fit, wide)
    used = 1.2 * shock[wide.usable]
    assert heavy_spread(found, "A") == pytest.approx(np.std(used, ddof=1), rel=1e-12)
    assert heavy_spread(found, "alpha") is None
    assert log_spread(found, "alpha") > 0
    assert f"ln ± {heavy_spread(found, 'A'):.3g}" in found.summary()
    assert fit_document(found)["bootstrap"]["coefs"]["A"]["log_std"] == heavy_spread(found, "A")
