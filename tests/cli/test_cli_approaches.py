"""`jaxscale approaches` on a small table: a page of 80 columns, and a document."""

import json

import numpy as np
import pytest


@pytest.fixture
def table(own_folder):
    lines = ["params,tokens,flops,loss,budget"]
    for flops in (1e19, 1e20, 1e21):
        for params in 0.1 * flops**0.5 * np.geomspace(0.25, 4, 9):
            tokens = flops / 6 / params
            loss = 1.8 + 480 * params**-0.35 + 2100 * tokens**-0.37
            lines.append(f"{params!r},{tokens!r},{flops!r},{loss!r},{flops!r}")
    (own_folder / "iso.csv").write_text("\n".join(lines).replace("np.float64(", "").replace(")", ""), encoding="utf-8")
    return "iso.csv"


@pytest.mark.slow
def test_the_page_fits_80_columns_and_the_document_says_the_same(run, table, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ("approaches", table, "--budget", "budget", "--flops", "1e20,5.76e23", "--replicates", "30")
    page = run(*words)
    assert page.exit_code == 0, page.stderr
    assert max(len(line) for line in page.stdout.splitlines()) <= 80
    for text in ("2 IsoFLOP", "3 fit", "N* ~ C^a", "3 against 2", "absent:", "2 on 27 rows in 3 profiles"):
        assert text in page.stdout
    document = json.loads(run(*words, "--json").stdout)
    isoflop, fit = document["approaches"]
    assert (isoflop["name"], fit["name"]) == ("isoflop", "parametric")
    assert fit["params_exponent"] == pytest.approx(0.37 / 0.72, rel=1e-8)
    assert (isoflop["rows"], isoflop["parts"], fit["rows"], fit["parts"]) == (27, 3, 27, None)
    assert fit["params_exponent_band"]["n_used"] == 30
    assert len(isoflop["bias"]["params"]) == 3
    (difference,) = document["differences"]
    ratio = np.divide(fit["params"], isoflop["params"])
    np.testing.assert_allclose(difference["params_ratio"], ratio, rtol=1e-12)
    assert "envelope" in document["absent"]


def test_an_unknown_budget_column_is_refused(run, table):
    answer = run("approaches", table, "--budget", "bugdet")
    assert answer.exit_code == 2
    assert "Did you mean 'budget'" in answer.stderr
