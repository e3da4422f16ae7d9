"""`jaxscale coverage`: the page and the document say the same, and what it cannot do is refused by name."""

import json

import numpy as np
import pytest

import jaxscale as js

LINE = (
    "--law",
    "pure-power-tokens",
    "--objective",
    "squared",
    "--studies",
    "24",
    "--replicates",
    "30",
    "--flops",
    "1e15",
)


@pytest.fixture(scope="module")
def found():
    fit = js.fit(js.datasets.load("pilot"), "pure-power-tokens", objective="squared")
    return js.coverage(fit, intervals=["percentile", "delta"], studies=24, replicates=30, flops=[1e15])


def test_the_document_has_every_share_at_full_precision(run, found):
    answer = run("coverage", "pilot", *LINE, "--scheme", "pairs", "--intervals", "percentile,delta", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert [(one["interval"], one["quantity"]) for one in told["coverage"]] == [
        (one.interval, one.quantity) for one in found.held
    ]
    np.testing.assert_array_equal([one["held"] for one in told["coverage"]], [one.share for one in found.held])
    assert (told["noise"], told["studies"], told["level"]) == ("residual", 24, 0.9)


def test_the_page_says_what_was_simulated_and_each_share_with_its_error(run, found, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    answer = run("coverage", "pilot", *LINE, "--intervals", "percentile,delta")
    assert answer.exit_code == 0, answer.output
    for one in found.held:
        assert f"{100 * one.share:.1f} ± {100 * one.error:.1f}" in answer.output
    assert "24 with the table's runs" in " ".join(answer.output.split())
    assert max(map(len, answer.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--replicates", "1"), "--replicates"),
        (("--per-group", "A"), "--per-group"),
        (("--noise", "pairs"), "simulates no table"),
        (("--noise", "gauss"), "gauss"),
        (("--intervals", "percentiles"), "percentile"),
        (("--scheme", "cluster"), "--group"),
        (("--scheme", "jackknife"), "jackknife"),
        (("--level", "90"), "0.9"),
        (("--fix", "gamma=1"), "gamma"),
        (("--fix", "alpha=A"), "alpha"),
        (("--scheme", "pairs,wilde"), "wilde"),
    ],
)
def test_nonsense_is_refused_by_name(run, words, message):
    answer = run("coverage", "pilot", "--law", "pure-power-tokens", "--objective", "squared", *words)
    assert answer.exit_code == 2, answer.output
    assert message in answer.output
