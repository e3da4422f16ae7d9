"""Shared coefs over groups from the command line: what is printed, written, saved, and refused."""

import json

import numpy as np
import pytest

SCALES = {"books": 20.0, "web": 26.0}


@pytest.fixture
def table(own_folder):
    """Forty runs of two corpora whose loss falls with compute by one exponent."""
    flops, noise = np.geomspace(1e17, 1e21, 20), np.random.default_rng(1).standard_normal((2, 20))
    rows = [
        f"{c},{scale * c**-0.05 * np.exp(0.001 * error)},{corpus}"
        for (corpus, scale), errors in zip(SCALES.items(), noise, strict=True)
        for c, error in zip(flops, errors, strict=True)
    ]
    (own_folder / "runs.csv").write_text("\n".join(["flops,loss,corpus", *rows]) + "\n", encoding="utf-8")
    return "runs.csv"


GROUPED = ("--group", "corpus", "--law", "pure-power", "--per-group", "A")


def test_a_fit_over_groups_prints_saves_and_goes_on_from_each_group(run, table):
    folder, page = (
        "out",
        run("fit", table, *GROUPED, "--replicates", "40", "--flops", "1e22", "--out", "out", env={"COLUMNS": "80"}),
    )
    assert page.exit_code == 0, page.stderr
    for word in ("A[books]", "A[web]", "alpha", "group books", "group web"):
        assert word in page.stdout
    assert all(len(line) <= 80 for line in page.stdout.splitlines())
    found = run("frontier", folder, "--json")
    assert found.exit_code == 0, found.stderr
    document = json.loads(found.stdout)
    assert document["groups"] == {"per_group": ["A"], "common": ["alpha"], "runs": {"books": 20, "web": 20}}
    coefs, rows = document["coefs"], document["frontier"]
    assert list(coefs) == ["A[books]", "A[web]", "alpha"]
    assert [row["group"] for row in rows] == ["books", "web"]
    for row in rows:
        expected = coefs[f"A[{row['group']}]"] * 1e22 ** -coefs["alpha"]
        assert row["loss"]["value"] == pytest.approx(expected, rel=1e-12)
        assert row["loss"]["low"] < expected < row["loss"]["high"]
    again = run("frontier", folder, "--flops", "1e23", "--json")
    assert [row["flops"] for row in json.loads(again.stdout)["frontier"]] == [1e23, 1e23]
    of_web = run("predict", folder, "--at", "flops=1e22", "--of", "web", "--json")
    assert of_web.exit_code == 0, of_web.stderr
    (row,) = json.loads(of_web.stdout)["predictions"]
    assert row["loss"]["value"] == pytest.approx(rows[1]["loss"]["value"], rel=1e-12)
    assert row["loss"]["low"] < row["loss"]["value"] < row["loss"]["high"]
    for words, message in (((), "--of books"), (("--of", "wbe"), "Did you mean 'web'")):
        refused = run("predict", folder, "--at", "flops=1e22", *words)
        assert refused.exit_code == 2
        assert message in refused.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--law", "pure-power", "--per-group", "A"), "read it with group='COLUMN' (--group COLUMN)"),
        ((*GROUPED[:-1], "alpa"), "Did you mean 'alpha'"),
        ((*GROUPED[:-1], "A,,alpha"), "has an empty name"),
        ((*GROUPED[:-1], "A,A"), "'A' is given twice"),
        ((*GROUPED, "--fix", "B[web]=1"), "unknown coef 'B'"),
    ],
)
def test_what_cannot_be_grouped_is_refused_with_what_to_do(run, table, words, message):
    refused = run("fit", table, *words)
    assert refused.exit_code == 2
    assert message in str(refused.exception or "") + refused.stderr
