"""Published constants alone give a frontier and predictions: no table, no fit, no bands, and where they stand."""

import json

import pytest

import jaxscale as js

ANNEALED = ("--set", "L0=2", "--set", "A=1", "--set", "alpha=0.5", "--set", "C=1")
PUBLISHED = ("--law", "chinchilla", "--constants", "besiroglu2024")


def test_a_frontier_comes_from_the_name_of_a_set(run):
    """Besiroglu et al. 2024: a = beta / (alpha + beta) = 0.5126, and 18 to 20 tokens per param at 5.76e23 FLOP."""
    result = run("frontier", *PUBLISHED, "--flops", "5.76e23,5.76e24", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["law"], found["data"], found["status"], found["bootstrap"]) == ("chinchilla", None, None, None)
    assert found["coefs"] == dict(js.LAWS.resolve("chinchilla").constants("besiroglu2024"))
    first, second = found["frontier"]
    assert 18.0 < first["tokens_per_param"]["value"] < 20.0
    growth = second["params"]["value"] / first["params"]["value"]
    assert growth == pytest.approx(10 ** (0.3658 / (0.3478 + 0.3658)), rel=1e-9)
    assert first["loss"]["low"] is first["times_measured"] is None
    kept = found["provenance"]["constants"]
    assert (kept["name"], kept["tag"]) == ("besiroglu2024", "second-hand")
    assert "arXiv 2404.10102" in kept["source"]


def test_the_document_has_the_fields_of_a_fitted_frontier(run, fitted):
    folder, _ = fitted
    whole = json.loads(run("frontier", folder, "--json").stdout)
    found = json.loads(run("frontier", *PUBLISHED, "--json").stdout)
    assert set(whole) <= set(found)
    assert set(whole["frontier"][0]) == set(found["frontier"][0])


def test_the_page_says_where_the_constants_stand_and_that_there_are_no_bands(run):
    page = run("frontier", *PUBLISHED, "--flops", "5.76e23").stdout
    assert "besiroglu2024 (second-hand): Besiroglu et al. 2024, arXiv 2404.10102" in page
    assert "without bands" in page
    assert "5.76e23   72.2B" in page


def test_numbers_of_ones_own_do_as_well(run):
    numbers = ("E=1.8172", "A=482.01", "B=2085.43", "alpha=0.3478", "beta=0.3658")
    own = json.loads(run("frontier", *(word for one in numbers for word in ("--set", one)), "--json").stdout)
    published = json.loads(run("frontier", *PUBLISHED, "--json").stdout)
    assert own["frontier"] == published["frontier"]
    assert own["provenance"]["constants"] is None


def test_predict_agrees_with_the_equation(run):
    words = ("predict", *PUBLISHED, "--at", "params=1e9,2e9", "--at", "tokens=2e10")
    found = json.loads(run(*words, "--json").stdout)
    for row, params in zip(found["predictions"], (1e9, 2e9), strict=True):
        assert row["inputs"] == {"params": params, "tokens": 2e10}
        want = 1.8172 + 482.01 * params**-0.3478 + 2085.43 * 2e10**-0.3658
        assert row["loss"] == {"value": pytest.approx(want, rel=1e-13), "low": None, "high": None}
    assert "2.53005" in run(*words).stdout


@pytest.mark.parametrize("pair", [("flops", "params"), ("flops", "tokens_per_param"), ("tokens", "tokens_per_param")])
def test_predict_takes_any_two_sizes(run, pair):
    whole = {"params": 1e9, "tokens": 2e10, "flops": 1.2e20, "tokens_per_param": 20.0}
    known = ("predict", *PUBLISHED, "--json")
    want = json.loads(run(*known, "--at", "params=1e9", "--at", "tokens=2e10").stdout)["predictions"][0]
    found = json.loads(run(*known, *(f"--at={name}={whole[name]!r}" for name in pair)).stdout)["predictions"][0]
    assert found["loss"]["value"] == pytest.approx(want["loss"]["value"], rel=1e-14)
    assert found["inputs"] == pytest.approx(want["inputs"], rel=1e-14)
    assert found["asked"] == {name: whole[name] for name in pair if name not in ("params", "tokens")}


def test_a_prediction_that_no_share_can_be_is_said_to_be_none(run):
    known = ("predict", "--law", "accuracy-sigmoid", "--set", "a=0.9", "--set", "b=0.5", "--set", "k=-3")
    document = json.loads(run(*known, "--set", "L_0=1", "--at", "task_loss=0.5,3", "--json").stdout)
    assert (
        "1 of 2 predictions lie outside 0"
        in {one["code"]: one["message"] for one in document["warnings"]}["not-a-share"]
    )


@pytest.mark.parametrize("words", [("frontier",), ("predict", "--at", "params=1e12", "--at", "tokens=2e13")])
def test_coefs_without_their_runs_say_that_nothing_tells_how_far_one_extrapolates(run, words):
    page = " ".join(run(*words, *PUBLISHED).stdout.split())
    assert "nothing tells how far beyond them a prediction lies" in page
    document = json.loads(run(*words, *PUBLISHED, "--json").stdout)
    assert {one["code"] for one in document["warnings"]} >= {"extrapolation", "no-bands"}


REFUSED = {
    "no source at all": (("frontier",), "name a SAVED folder or a TABLE"),
    "a table as well": (("frontier", "t.csv", *PUBLISHED), "'t.csv' brings coefs of its own"),
    "an option of a fit": (("frontier", *PUBLISHED, "--seed", "3"), "--seed belongs to a fit"),
    "an option of a table": (("frontier", *PUBLISHED, "--where", "loss<3"), "--where belongs to a fit"),
    "an unknown set": (("frontier", "--constants", "besiroglu"), "Did you mean 'besiroglu2024'"),
    "a law without sets": (("frontier", "--law", "power", "--constants", "x"), "has no published constants"),
    "a law without a frontier": (
        ("frontier", "--law", "pure-power-params", "--set", "A=1", "--set", "alpha=0.1"),
        "says nothing about how to split a budget",
    ),
    "names and numbers": (("frontier", *PUBLISHED, "--set", "E=1"), "give one of them"),
    "too few numbers": (("frontier", "--set", "E=1"), "missing: A, B, alpha, beta"),
    "a number outside its support": (
        ("predict", "--law", "pure-power", "--set", "A=-1", "--set", "alpha=1", "--at", "flops=1"),
        "A = -1.0 is outside its support",
    ),
    "a size below zero": (
        ("predict", *PUBLISHED, "--at", "params=-1e9", "--at", "tokens=1e9"),
        "'params' must be positive",
    ),
    "a share that is none": (
        (
            "predict",
            "--law",
            "sparsity",
            "--constants",
            "frantar2023-t5",
            "--at",
            "params=1e8",
            "--at",
            "tokens=1e9",
            "--at",
            "sparsity=87.5",
        ),
        "'sparsity' must be 0 or more and below 1",
    ),
    "a share of which nothing is left": (
        ("frontier", "--law", "sparsity", "--constants", "frantar2023-t5", "--at", "sparsity=1"),
        "must be 0 or more and below 1",
    ),
    "less than one expert": (
        ("predict", "--law", "routed", "--constants", "clark2022-rlr", "--at", "params=1e8", "--at", "experts=0.5"),
        "'experts' must be 1 or more",
    ),
    "a set of another law": (
        ("frontier", "--constants", "muennighoff2023"),
        "not of 'chinchilla': --law chinchilla-tied --constants muennighoff2023",
    ),
    "numbers for a whole schedule": (
        ("predict", "--law", "multi-power", "--constants", "luo2025-25m", "--at", "rate_sum=3"),
        "takes whole schedules, which no --at can hold",
    ),
    "a step for a whole schedule": (
        ("predict", "--law", "multi-power", "--constants", "luo2025-25m", "--at", "step=3", "--at", "lr=1e-3"),
        "jaxscale.schedules.columns_of",
    ),
    "a step for sums over a schedule": (
        ("predict", "--law", "annealing", *ANNEALED, "--at", "step=3"),
        "takes rate_sum and annealing, made of a whole schedule",
    ),
    "a law whose frontier another one has": (
        ("frontier", "--law", "kaplan-steps", "--constants", "kaplan2020"),
        "it is the law kaplan-compute, which splits a budget",
    ),
    "three sizes where two decide": (
        ("predict", *PUBLISHED, "--at", "params=1e9", "--at", "flops=1e20", "--at", "tokens_per_param=20"),
        "given: params, flops, tokens_per_param",
    ),
    "a size that is not needed": (
        ("predict", *PUBLISHED, "--at", "params=1e9", "--at", "tokens=1e9", "--at", "flops=1e20"),
        "unknown input of law 'chinchilla': 'flops'",
    ),
    "a fixed input that is none": (("frontier", *PUBLISHED, "--at", "x=1"), "has no input to fix"),
    "predict without a source": (("predict", "--at", "params=1"), "name a SAVED folder"),
    "predict without a place": (("predict", *PUBLISHED), "say where to predict, --at params=1e9"),
    "predict with two sources": (("predict", "folder", *PUBLISHED, "--at", "params=1"), "leave --law out"),
    "an input that is missing": (("predict", *PUBLISHED, "--at", "params=1"), "missing: tokens"),
    "an input that is none": (("predict", *PUBLISHED, "--at", "parms=1"), "Did you mean 'params'?"),
    "lists of two lengths": (
        ("predict", *PUBLISHED, "--at", "params=1,2", "--at", "tokens=1,2,3"),
        "params has 2, tokens has 3",
    ),
    "a place in words": (("predict", *PUBLISHED, "--at", "params=1,many"), "is not a finite number"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused(run, words, said):
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) <= 3
