"""`jaxscale fit --diagnose`: a section of the page, and a key of the document."""

import json

import numpy as np
import pytest

import jaxscale as js

PARAMS = np.geomspace(1e7, 1e10, 30)
OPTIONS = ("--law", "pure-power-params", "--objective", "squared", "--replicates", "0", "--diagnose", "--force")


@pytest.fixture(autouse=True)
def table(own_folder):
    """Thirty runs of one law, one of them mistyped."""
    loss = 30.0 * PARAMS**-0.12 * np.exp(0.02 * np.random.default_rng(1).standard_normal(30))
    loss[11] *= 1.26
    rows = [f"{n:.0f},{one!r},run-{at}" for at, (n, one) in enumerate(zip(PARAMS, loss.tolist(), strict=True), 1)]
    (own_folder / "t.csv").write_text("\n".join(["params,loss,name", *rows]) + "\n")


def test_the_page_and_the_document_say_what_the_fit_rests_on(run):
    page = run("fit", "t.csv", *OPTIONS)
    assert page.exit_code == 0, page.stderr
    assert "What the fit rests on: each row left out" in page.stdout
    assert "outlier-leverage" in page.stdout
    found = json.loads(run("fit", "t.csv", *OPTIONS, "--json").stdout)["diagnosis"]
    python = js.diagnose(js.fit(js.read_runs("t.csv", inputs=("params",)), "pure-power-params", objective="squared"))
    np.testing.assert_allclose([one["distance"] for one in found["influence"]], python.influence.distance, rtol=1e-9)
    assert found["influence"][11]["name"] == "run-12"
    assert [one["code"] for one in found["findings"]] == [one.code for one in python.findings]
    assert found["removals"][0]["rows"] == [12]


def test_long_names_of_runs_give_way_on_a_narrow_page(run, own_folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    table, long = own_folder / "t.csv", "-".join(["a long name"] * 5)
    table.write_text(table.read_text().replace("run-12", long))
    lines = run("fit", "t.csv", *OPTIONS).stdout.partition("What the fit rests on")[2].splitlines()
    said = lines[: next(at for at, line in enumerate(lines) if line.startswith("residual and moves"))]
    assert "'a long name-a long" in "".join(said)
    assert max(map(len, said)) <= 80


def test_without_the_option_there_is_no_diagnosis(run):
    words = [word for word in OPTIONS if word != "--diagnose"]
    assert "diagnosis" not in json.loads(run("fit", "t.csv", *words, "--json").stdout)
