"""`jaxscale check`: page, document, figure and exit codes."""

import json

import numpy as np
import pytest

import jaxscale as js

X = np.geomspace(1e17, 1e21, 24)
LOSS = {
    "falls": 3.0 * (X / 1e19) ** -0.1 * np.exp(0.01 * np.random.default_rng(1).standard_normal(24)),
    "noise": 3.0 * np.exp(0.02 * np.random.default_rng(8).standard_normal(24)),
}


@pytest.fixture(autouse=True)
def tables(own_folder):
    for name, loss in LOSS.items():
        rows = [f"{x!r},{one!r}" for x, one in zip(X.tolist(), loss.tolist(), strict=True)]
        (own_folder / f"{name}.csv").write_text("\n".join(["compute,loss", *rows]) + "\n")


def test_the_page_names_phase_verdict_and_evidence(run):
    page = run("check", "falls.csv")
    assert page.exit_code == 0, page.stderr
    for word in ("scaling", "go: up to", "Local exponents", "a floor is not shown", "none shown"):
        assert word in page.stdout


def test_the_document_is_what_python_says(run, own_folder):
    document = json.loads(run("check", "falls.csv", "--json", "--plot", "check.png").stdout)
    one = js.check(js.read_runs("falls.csv", inputs=("flops",))).series[0]
    assert document["is_go"] is True
    assert document["series"][0]["phase"] == one.phase
    assert document["series"][0]["reach"] == one.reach
    np.testing.assert_allclose(document["series"][0]["exponents"]["low"], one.exponents.low)
    assert document["series"][0]["offset"]["chance"] == one.offset.chance
    assert (own_folder / "check.png").stat().st_size > 1000


def test_noise_alone_ends_with_four_and_few_runs_with_three(run, own_folder):
    assert run("check", "noise.csv").exit_code == 4
    few = "\n".join((own_folder / "falls.csv").read_text().splitlines()[:6]) + "\n"
    (own_folder / "few.csv").write_text(few)
    refused = run("check", "few.csv")
    assert refused.exit_code == 3
    assert "needs 6 runs" in refused.stderr
