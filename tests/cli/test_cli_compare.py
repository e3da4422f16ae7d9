"""`jaxscale compare` on a small table: a page of 80 columns, and a document that says the same."""

import json
from pathlib import Path

import numpy as np
import pytest

import jaxscale as js


@pytest.fixture
def table(own_folder):
    """60 runs: the shape, and the programs, of the tests of `js.compare`."""
    flops = np.repeat(np.geomspace(1e18, 3e21, 6), 10)
    params = 0.1 * flops**0.5 * np.tile(np.geomspace(0.2, 5, 10), 6)
    tokens = flops / 6 / params
    noise = np.exp(0.004 * np.random.default_rng(7).standard_normal(60))
    loss = (1.8 + 480 * params**-0.35 + 2100 * tokens**-0.37) * noise
    rows = np.stack([params, tokens, loss], axis=1).tolist()
    lines = ["params,tokens,loss", *(",".join(map(repr, row)) for row in rows)]
    (own_folder / "six.csv").write_text("\n".join(lines), encoding="utf-8")
    return "six.csv"


@pytest.mark.slow
def test_the_page_fits_80_columns_and_the_document_says_the_same(run, table, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ("compare", table, "--laws", "chinchilla,kaplan,data-constrained", "--cuts", "2", "--replicates", "100")
    page = run(*words)
    assert page.exit_code == 0, page.stderr
    assert max(len(line) for line in page.stdout.splitlines()) <= 80
    document = json.loads(run(*words, "--json").stdout)
    first, second = document["laws"]
    assert (first["law"], second["law"]) == ("chinchilla", "kaplan")
    assert first["root_mean_square"] < second["root_mean_square"]
    assert first["weight"] + second["weight"] == pytest.approx(1.0)
    assert "unique_tokens" in document["failed"]["data-constrained"]
    assert "unique_tokens" in page.stdout
    assert len(document["cuts"]) == 2
    errors = []
    for one in first["backtests"]:
        error = np.log(one["prediction"]) - np.log(one["loss"])
        assert one["root_mean_square"] == pytest.approx(np.sqrt(np.mean(error**2)))
        np.testing.assert_allclose(one["distance"], np.log(np.divide(one["flops"], one["cut"])))
        assert len(one["rows"]) + one["below"] == 60
        errors.append(error)
    assert first["root_mean_square"] == pytest.approx(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
    for one in document["laws"]:
        assert f"{100 * one['root_mean_square']:.2f}" in page.stdout
        assert f"{one['aicc']:.1f}" in page.stdout


@pytest.mark.slow
def test_cut_offs_are_given_in_flop_too(run, table):
    words = ("compare", table, "--laws", "chinchilla", "--replicates", "100", "--json", "--plot", "forest.svg")
    document = json.loads(run(*words, "--cuts", "3e19,1.3e20").stdout)
    assert document["cuts"] == [3e19, 1.3e20]
    written = Path("forest.svg").read_text(encoding="utf-8")
    for row in ("chinchilla, all runs", "chinchilla ≤ 3e19", "chinchilla ≤ 1.3e20"):
        assert row in written


@pytest.mark.slow
def test_runs_held_out_are_counted_and_the_laws_are_saved_for_a_plan(run, table):
    words = ("compare", table, "--laws", "chinchilla,kaplan", "--cuts", "2", "--replicates", "100")
    words = (*words, "--where", "row <= 50", "--held-out", "row > 50")
    made = run(*words, "--out", "laws", "--json")
    assert made.exit_code == 0, made.stderr
    words_of_next = made.stderr.partition("next: jaxscale ")[2].split()
    assert words_of_next[0] == "plan"
    assert run(*words_of_next).exit_code == 0
    document = json.loads(made.stdout)
    assert document["data"]["used"] == 50
    held = document["held_out"]
    assert held["rows"] == list(range(51, 61))
    assert set(held["bands"]) == {"combined", "chinchilla", "kaplan"}
    for band in held["bands"].values():
        inside = (np.array(band["lower"]) <= held["loss"]) & (held["loss"] <= np.array(band["upper"]))
        assert band["share"] == pytest.approx(inside.mean())
        assert band["width"] == pytest.approx(np.median(np.log(np.divide(band["upper"], band["lower"]))))
    poisoned = run(*(*words[:1], _poisoned(table), *words[2:]), "--missing", "drop", "--json")
    assert poisoned.exit_code == 0, poisoned.stderr
    other = json.loads(poisoned.stdout)
    assert [other[part] for part in ("laws", "cuts")] == [document[part] for part in ("laws", "cuts")]
    assert other["held_out"]["rows"] == [60]
    for name, band in other["held_out"]["bands"].items():
        for end in ("lower", "upper"):  # one search for the quantiles of all runs, which ends with the last of them
            np.testing.assert_allclose(band[end], held["bands"][name][end][-1:], rtol=1e-9)
    saved = js.store.load_comparison("laws")
    plan = run("plan", "laws", "--flops", "1e22", "--json")
    assert plan.exit_code == 0, plan.stderr
    told = json.loads(plan.stdout)
    decision = js.decide(saved.ensembles, weights=saved.weights, flops=1e22)
    assert told["decision"]["params"] == pytest.approx(decision.params, rel=1e-9)
    assert [(one["law"], one["weight"]) for one in told["laws"]] == [
        (one.fit.law.name, weight) for one, weight in zip(saved.studies, saved.weights, strict=True)
    ]
    assert sum(saved.weights) == pytest.approx(1.0)
    again = run(*words, "--out", "laws")
    assert (again.exit_code, "not empty" in again.stderr) == (6, True)
    refused = run("plan", "laws", "--target-loss", "2.5")
    assert (refused.exit_code, "give a budget" in refused.stderr) == (2, True)
    edited = Path("laws/comparison.json").read_text().replace("0.", "1.", 1)
    Path("laws/comparison.json").write_text(edited)
    assert run("plan", "laws", "--flops", "1e22").exit_code == 6


def _poisoned(table):
    """Write the table with the losses of the last ten rows but one lost, which are those held out."""
    lines = Path(table).read_text(encoding="utf-8").splitlines()
    lost = [line.rpartition(",")[0] + ",nan" for line in lines[51:60]]
    Path("poisoned.csv").write_text("\n".join([*lines[:51], *lost, lines[60]]), encoding="utf-8")
    return "poisoned.csv"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--laws", "chinchila"), 2, "Did you mean 'chinchilla'"),
        (("--laws", "chinchilla,"), 2, "empty name"),
        (("--cuts", "1e30"), 2, "0 above it"),
        (("--level", "90"), 2, "write 0.9"),
        (("--where", "params < 4e7"), 3, "no cut-off in compute"),
        (("--warmup", "5"), 2, "--warmup"),
    ],
)
def test_what_cannot_be_compared_is_refused(run, table, words, code, said):
    answer = run("compare", table, *words)
    assert answer.exit_code == code, answer.output
    assert said in answer.stderr
    assert answer.stdout == ""
