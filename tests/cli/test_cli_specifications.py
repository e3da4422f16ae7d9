"""`jaxscale specifications`: a page, a document and a figure that say the same; what is refused before any fit."""

import json

import numpy as np
import pytest


@pytest.fixture
def table(own_folder):
    """60 runs: the shape, and the programs, of the tests of `jaxscale compare`."""
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
def test_page_document_and_figure_of_one_table(run, table, own_folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ("specifications", table, "--laws", "chinchilla,data-constrained", "--objectives", "huber")
    words += ("--deltas", "0.001,0.1", "--spaces", "log", "--weights", "table,balanced", "--rows", "all")
    words += ("--rows", "params > 3e8", "--flops", "1e23", "--replicates", "64")
    page = run(*words, "--plot", "curve.svg", "--width", "column")
    assert page.exit_code == 0, page.output
    assert max(map(len, page.stdout.splitlines())) <= 80
    assert (own_folder / "curve.svg").is_file()
    document = json.loads(run(*words, "--json").stdout)
    assert document["flops"] == 1e23
    base, *others = document["specifications"]
    assert len(others) == 4
    assert base["status"] == "converged"
    assert base["params"]["low"] < base["params"]["value"] < base["params"]["high"]
    selected = next(one for one in others if one["rows"] == "params > 3e8")
    assert 0 < selected["used"] < base["used"] == 60
    lacking = next(one for one in others if one["law"] == "data-constrained")
    assert lacking["status"] == "refused"
    assert "unique_tokens" in lacking["reason"]
    assert "unique_tokens" in page.stdout
    for spread in document["spread"].values():
        assert spread["specifications"] == 4
        assert sum(spread["shares"].values()) == pytest.approx(1.0)
        assert spread["variance"] == pytest.approx(sum(spread["parts"].values()))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--laws", "chinchila"), 2, "Did you mean 'chinchilla'"),
        (("--objectives", "hubert"), 2, "Did you mean 'huber'"),
        (("--spaces", "logs"), 2, "Did you mean 'log'"),
        (("--weights", "even"), 2, "unknown weights 'even'"),
        (("--conventions", "tota"), 2, "Did you mean 'total'"),
        (("--rows", "all", "--rows", "all"), 2, "given twice"),
        (("--deltas", "-1"), 2, "delta = -1.0"),
        (("--flops", "1e20,1e21"), 2, "one budget"),
        (("--level", "95"), 2, "write 0.95"),
        (("--warmup", "5"), 2, "--warmup"),
    ],
)
def test_what_cannot_be_asked_is_refused(run, table, words, code, said):
    answer = run("specifications", table, *words)
    assert answer.exit_code == code, answer.output
    assert said in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dof", "5"), "--dof belongs to the objective 'student-t'"),
        (("--objective", "student-t", "--dof", "0"), "dof = 0.0"),
        (("--objective", "student-t", "--delta", "0.1"), "--delta belongs to the objectives"),
    ],
)
def test_an_objective_takes_its_own_choices_alone(run, table, words, said):
    answer = run("fit", table, *words)
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_a_sweep_drops_the_runs_below_each_number():
    from jaxscale.cli.specifications import _cuts

    assert _cuts("params", "1e7,3e7,1e8") == ("params >= 1e+07", "params >= 3e+07", "params >= 1e+08")
    assert _cuts("N", "10M:1B:3") == ("params >= 1e+07", "params >= 1e+08", "params >= 1e+09")
    assert _cuts("Model Size", "7B") == ("`Model Size` >= 7e+09",)


@pytest.mark.parametrize("numbers", ["small", "-1", "1e7,,1e8", "inf"])
def test_numbers_of_a_sweep_that_are_none_are_refused(run, table, numbers):
    done = run("specifications", table, "--drop-below", "params", numbers)
    assert done.exit_code == 2
    assert "write a column and positive numbers, as in params 1e7,3e7,1e8" in done.stderr


@pytest.mark.slow
def test_a_sweep_varies_the_rows_and_nothing_else(run, table, own_folder):
    words = ("specifications", table, "--laws", "chinchilla", "--drop-below", "params", "5e7,1e8", "--replicates", "64")
    page = run(*words, "--flops", "1e23", "--plot", "sweep.png", "--json")
    document = json.loads(page.stdout)
    fits = document["specifications"]
    assert [one["rows"] for one in fits] == ["all", "params >= 5e+07", "params >= 1e+08"]
    assert {(one["law"], one["objective"], one["weights"]) for one in fits} == {("chinchilla", "huber", "table")}
    assert (own_folder / "sweep.png").stat().st_size > 10_000
