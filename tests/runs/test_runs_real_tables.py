"""Real tables, held against counts and ranges that their own description states."""

import csv
import math
from collections import Counter

import numpy as np
import pytest

from jaxscale.runs import read_runs

# rows, and the least and greatest loss, as PROVENANCE.md gives them.
TABLES = {
    "epoch_chinchilla.csv": (245, 2.077, 5.006),
    "gadre_overtrain.csv": (104, 2.382, 6.124),
    "datablations.csv": (308, 2.337, 11.02),
    "porian_isoflop_rw.csv": (1164, 2.98, 10.09),
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_and_losses_are_those_of_the_description(shared_data, name):
    rows, least, greatest = TABLES[name]
    runs = read_runs(shared_data / name)
    assert len(runs) == rows
    # The description gives losses to the digits that it prints.
    np.testing.assert_allclose([runs.loss.min(), runs.loss.max()], [least, greatest], atol=6e-3)


@pytest.mark.parametrize("name", TABLES)
def test_every_number_is_the_one_in_the_file(shared_data, name):
    runs = read_runs(shared_data / name)
    with (shared_data / name).open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for role in ("params", "tokens", "flops", "loss"):
        assert runs[role].tolist() == [float(row[role]) for row in rows]
    assert runs.labels["run"].tolist() == [row["run"] for row in rows]


def test_the_selection_of_the_paper_keeps_240_rows(shared_data):
    runs = read_runs(shared_data / "epoch_chinchilla.csv")
    by_mark = runs.where("in_paper_fit == 1")
    by_loss = runs.where("loss < 3.446995")  # the fifth-largest loss
    assert len(by_mark) == len(by_loss) == 240
    np.testing.assert_array_equal(by_mark.row, by_loss.row)


def test_six_params_tokens_of_the_extracted_table_are_its_flops(shared_data):
    runs = read_runs(shared_data / "epoch_chinchilla.csv")
    np.testing.assert_allclose(6 * runs["params"] * runs["tokens"], runs["flops"], rtol=1e-12)
    assert "flops-mismatch" not in [finding.code for finding in runs.check()]


def test_repeated_seeds_are_counted_as_a_plain_loop_counts_them(shared_data):
    with (shared_data / "datablations.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    losses = {}
    for row in rows:
        losses.setdefault((row["experiment"], row["params"], row["tokens"]), set()).add(row["loss"])
    shared = [i for i, row in enumerate(rows, 1) if len(losses[row["experiment"], row["params"], row["tokens"]]) > 1]
    found = {finding.code: finding for finding in read_runs(shared_data / "datablations.csv").check()}
    assert found["repeated-seeds"].rows == tuple(shared)


def test_the_checkpoints_of_27_curves_are_recognised(shared_data):
    runs = read_runs(shared_data / "mpl_curves.csv")
    found = {finding.code: finding for finding in runs.check()}
    assert "27 runs" in found["trajectory-rows"].message
    assert len(found["trajectory-rows"].rows) == len(runs) == 6265


def test_isoflop_points_of_one_run_are_not_independent(shared_data):
    runs = read_runs(shared_data / "porian_isoflop_rw.csv")
    points = Counter(runs.labels["run"].tolist())
    expected = sum(count for count in points.values() if count >= 3)
    found = {finding.code: finding for finding in runs.check()}
    # params differ slightly within a run of some configurations, so not every run is followed.
    assert expected / 2 < len(found["trajectory-rows"].rows) <= expected
    assert math.isclose(runs["flops"].min(), 1.25e16)
