"""`--scheme` and `--interval` on the command line: each that there is, what it makes, and what it says of bounds."""

import json

import numpy as np
import pytest

import jaxscale as js
from jaxscale.intervals import INTERVALS
from jaxscale.resampling import SCHEMES

PARAMS = np.geomspace(1e7, 1e10, 30)
OPTIONS = ("--law", "pure-power-params", "--objective", "squared", "--replicates", "200", "--json")


@pytest.fixture(autouse=True)
def table(own_folder):
    """Ten runs of three rows each, named in a column `trial`."""
    loss = 30.0 * PARAMS**-0.12 * np.exp(0.02 * np.random.default_rng(1).standard_normal(30))
    rows = [f"{n:.0f},{one!r},trial-{at % 10}" for at, (n, one) in enumerate(zip(PARAMS, loss.tolist(), strict=True))]
    (own_folder / "t.csv").write_text("\n".join(["params,loss,trial", *rows]) + "\n")


def document(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("rule", list(INTERVALS), ids=lambda rule: rule.name)
def test_every_interval_can_be_asked_for_and_is_that_of_python(run, rule):
    found = document(run("fit", "t.csv", *OPTIONS, "--interval", rule.name))["bootstrap"]
    runs = js.read_runs("t.csv", inputs=("params",))
    study = js.study(runs, "pure-power-params", objective="squared", replicates=200, interval=rule)
    band = study.coef_band("alpha")
    assert found["interval"] == rule.name
    limits = found["coefs"]["alpha"]
    np.testing.assert_allclose([limits["low"], limits["high"]], [band.lower, band.upper], rtol=1e-9)


@pytest.mark.parametrize("scheme", [one for one in SCHEMES if not one.is_listed], ids=lambda scheme: scheme.name)
def test_every_scheme_that_draws_can_be_asked_for_by_any_column_of_groups(run, scheme):
    found = document(run("fit", "t.csv", *OPTIONS, "--scheme", scheme.name, "--group", "trial"))["bootstrap"]
    assert (found["scheme"], found["usable"]) == (scheme.name, 200)
    assert found["coefs"]["alpha"]["low"] < 0.12 < found["coefs"]["alpha"]["high"]


def test_a_saved_result_gives_the_intervals_that_it_was_made_for_and_names_the_others(run):
    assert run("fit", "t.csv", *OPTIONS[:-1], "--interval", "bca", "--out", "saved").exit_code == 0
    asked = ("predict", "saved", "--at", "params=1e11", "--json")
    for words in ((), ("--interval", "jackknife"), ("--interval", "basic")):
        losses = document(run(*asked, *words))["predictions"]
        assert losses[0]["loss"]["low"] < losses[0]["loss"]["value"] < losses[0]["loss"]["high"]
    refused = run(*asked, "--interval", "studentised")
    assert refused.exit_code == 2
    assert "fit again with --interval studentised" in refused.stderr


def test_a_coef_at_a_bound_has_no_basic_interval_and_the_page_says_why(run, own_folder):
    bend = -5e-3 * (np.log(PARAMS) - np.log(PARAMS).mean()) ** 2
    loss = 5 * PARAMS**-0.05 * np.exp(bend + 0.01 * np.random.default_rng(1).standard_normal(30))
    rows = [f"{n:.0f},{one!r}" for n, one in zip(PARAMS, loss.tolist(), strict=True)]
    (own_folder / "floorless.csv").write_text("\n".join(["params,loss", *rows]) + "\n")
    words = ("--law", "power-params", "--objective", "squared", "--replicates", "60", "--interval", "basic", "--json")
    found = json.loads(run("fit", "floorless.csv", *words).stdout)
    assert found["bootstrap"]["coefs"]["E"]["low"] is None
    assert found["bootstrap"]["coefs"]["alpha"]["low"] > 0
    warned = {warning["code"]: warning["message"] for warning in found["warnings"]}
    assert warned["no-interval"].startswith("E: the interval 'basic' is not defined for an estimate at a bound, here 0")
