"""`jaxscale predict --target-loss`: what a loss needs, from constants and from a saved fit."""

import json

import pytest

from jaxscale.allocation import separable

KNOWN = ("predict", "--law", "chinchilla", "--constants", "besiroglu2024")


def test_a_loss_alone_gives_the_least_compute_and_its_split(run):
    found = json.loads(run(*KNOWN, "--target-loss", "2.5,2.1", "--json").stdout)
    assert (found["solved_for"], found["target"]) == ("flops", "loss")
    for row, loss in zip(found["solutions"], (2.5, 2.1), strict=True):
        assert row["target"] == loss
        assert row["needs"]["flops"]["value"] == pytest.approx(
            float(separable.flops_to_reach("besiroglu2024", loss)), rel=1e-9
        )
        assert set(row["needs"]) == {"flops", "params", "tokens"}


def test_with_a_size_it_gives_the_other_and_null_where_no_amount_does(run):
    result = run(*KNOWN, "--target-loss", "2.5,2.1", "--at", "params=1e9", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    first, second = (row["needs"]["tokens"]["value"] for row in found["solutions"])
    assert first == pytest.approx(float(separable.tokens_to_reach("besiroglu2024", 2.5, params=1e9)), rel=1e-10)
    assert second is None
    assert "not-reached" in [one["code"] for one in found["warnings"]]
    assert "no amount of tokens reaches loss 2.1" in run(*KNOWN, "--target-loss", "2.1", "--at", "params=1e9").stdout


def test_a_saved_fit_gives_bands_and_counts_the_replicates_that_reach_the_loss(run, fitted):
    folder, document = fitted
    coefs = document["coefs"]
    target = coefs["E"] + 0.5
    found = json.loads(run("predict", folder, "--target-loss", repr(target), "--json").stdout)
    (row,) = found["solutions"]
    flops = row["needs"]["flops"]
    assert flops["value"] == pytest.approx(float(separable.flops_to_reach(coefs, target)), rel=1e-8)
    assert flops["low"] < flops["value"]
    assert flops["high"] is None or flops["value"] < flops["high"]
    assert 0 < row["replicates"]["reached"] <= row["replicates"]["usable"] <= 60
    page = run("predict", folder, "--target-loss", repr(target))
    assert page.exit_code == 0
    assert "95 % percentile" in page.stdout


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((), "--target-loss 2.5"),
        (("--target-loss", "x"), "is not a finite number"),
        (("--target-loss", "2.5", "--at", "flops=1e21"), "two sizes"),
        (("--target-loss", "2.5", "--at", "params=-1"), "must be positive"),
        (("--target-loss", "2.5", "--at", "parms=1e9"), "Did you mean 'params'"),
    ],
)
def test_what_cannot_be_asked_is_refused(run, asked, said):
    result = run(*KNOWN, *asked)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
