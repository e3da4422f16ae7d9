"""What the command line says where a design does not carry the law, and where a coef lies at its bound."""

import json
import os

import numpy as np
import pytest

import jaxscale as js

PARAMS = np.geomspace(3e7, 1e10, 14)
OPTIONS = ("--replicates", "60", "--flops", "1e20,1e23")


def write(folder, params, tokens, loss):
    lines = [f"{n:.0f},{d:.0f},{miss:.6f}" for n, d, miss in zip(params, tokens, loss, strict=True)]
    (folder / "t.csv").write_text("params,tokens,loss\n" + "\n".join(lines) + "\n")


@pytest.fixture
def ray(own_folder):
    noise = 0.005 * np.random.default_rng(1).standard_normal(14)
    tokens = 20 * np.round(PARAMS)
    write(own_folder, PARAMS, tokens, (1.8 + 480 * PARAMS**-0.35 + 2100 * tokens**-0.37) * np.exp(noise))


@pytest.fixture
def floorless(own_folder):
    noise = 0.01 * np.random.default_rng(1).standard_normal(14)
    bend = -5e-3 * (np.log(PARAMS) - np.log(PARAMS).mean()) ** 2
    write(own_folder, PARAMS, np.full(14, 1e10), 5 * PARAMS**-0.05 * np.exp(bend + noise))


def test_a_ray_is_refused_and_reduced_to_the_loss_along_it(run, ray):
    result = run("fit", "t.csv", *OPTIONS, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 4
    assert document["status"] == "singular"
    assert document["unidentified"] == ["E", "A", "B", "alpha", "beta"]
    assert set(document["coefs"].values()) == {None}
    assert document["bootstrap"] is None
    warned = {warning["code"]: warning["message"] for warning in document["warnings"]}
    assert warned["collinear-design"].startswith("tokens = 20 params in all 14 runs")
    assert "coefs E, A, B, alpha, beta (the runs do not determine them)" in warned["absent-numbers"]
    left = document["reduced"]
    assert (left["line"], left["law"], left["status"]) == ("tokens = 20 params", "power", "converged")
    limits = left["bootstrap"]["coefs"]["alpha"]
    assert limits["low"] < left["coefs"]["alpha"] < limits["high"]
    for row in left["frontier"]:
        assert row["loss"]["low"] < row["loss"]["value"] < row["loss"]["high"]


def test_the_reduced_fit_is_that_of_the_law_it_names(run, ray):
    left = json.loads(run("fit", "t.csv", *OPTIONS, "--json").stdout)["reduced"]
    own = json.loads(run("fit", "t.csv", *OPTIONS, "--law", "power", "--json").stdout)
    for part in ("coefs", "std", "objective_value", "certificate", "bootstrap", "frontier"):
        assert left[part] == own[part]


def test_the_page_shows_no_split_and_the_saved_result_shows_the_same_again(run, ray):
    page = run("fit", "t.csv", *OPTIONS, "--out", "kept")
    assert page.exit_code == 4
    (line,) = [line for line in page.stdout.splitlines() if line.startswith("alpha ") and "–" in line]
    assert line.split() == ["alpha", "–", "not", "identified", "exponent", "of", "params"]
    assert "What the runs do show, the loss along tokens = 20 params" in page.stdout
    assert "Loss by budget; bands: 95 % percentile, 60 of 60 replicates" in page.stdout
    again = run("frontier", "kept")
    assert again.exit_code == 4
    below = page.stdout.index("What the runs do show")
    shown = page.stdout[below : page.stdout.index("\n\nSaved:")]
    assert again.stdout.rstrip().endswith(shown.rstrip())
    assert js.load("kept").fit.unidentified == ("E", "A", "B", "alpha", "beta")
    assert js.load("kept").reduced.fit.law.name == "power"
    assert sorted(os.listdir("kept")) == ["arrays.npz", "result.json"]


def test_one_size_keeps_the_coefs_that_it_determines(run, own_folder):
    tokens = np.geomspace(1e9, 1e11, 14)
    noise = np.exp(0.005 * np.random.default_rng(1).standard_normal(14))
    write(own_folder, np.full(14, 1e9), tokens, (2.1 + 2100 * tokens**-0.37) * noise)
    result = run("fit", "t.csv", "--replicates", "0", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 4
    assert [name for name, value in document["coefs"].items() if value is None] == ["E", "A", "alpha"]
    assert document["reduced"]["line"] == "params = 1e9"
    assert document["reduced"]["coefs"]["alpha"] == pytest.approx(document["coefs"]["beta"], rel=1e-4)


def test_a_floor_at_zero_has_no_standard_error_and_an_interval_to_one_side(run, floorless):
    result = run("fit", "t.csv", "--law", "power-params", "--replicates", "60", "--json", "--out", "kept")
    document = json.loads(result.stdout)
    assert result.exit_code == 0, result.stderr
    assert document["status"] == "at_bound"
    assert document["at_bound"] == ["E"]
    assert document["coefs"]["E"] == 0.0
    assert document["std"]["E"] is None
    limits = document["bootstrap"]["coefs"]["E"]
    assert (limits["low"], limits["std"]) == (0.0, None)
    assert limits["high"] >= 0.0
    warned = {warning["code"]: warning["message"] for warning in document["warnings"]}
    assert warned["at-bound"].startswith("E = 0: ")
    assert "std of E (at the edge of the support)" in warned["absent-numbers"]
    page = run("fit", "t.csv", "--law", "power-params", "--replicates", "60").stdout
    (line,) = [line for line in page.splitlines() if line.startswith("E ")]
    assert line.split()[:5] == ["E", "0", "at", "bound", "0"]


def test_a_fit_at_its_bound_comes_back_with_its_one_sided_interval(run, floorless):
    run("fit", "t.csv", "--law", "power-params", "--replicates", "60", "--out", "kept")
    ensemble = js.load("kept").ensemble
    assert ensemble.fit.at_bound == ("E",)
    assert ensemble.interval("E").lower == 0.0
