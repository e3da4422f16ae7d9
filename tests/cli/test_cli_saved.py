"""Saved results: who may write where, and commands that go on from a folder without fitting again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from cli_commands import COMMAND, TABLE

import jaxscale as js
from jaxscale.figures import Figure
from jaxscale.studying import making


@pytest.fixture
def no_fit(monkeypatch):
    """Make every fit and every bootstrap fail."""

    def refuse(*given, **named):
        raise AssertionError("a fit was made")

    for module, name in (("fitting", "fit"), ("refitting", "resample")):
        monkeypatch.setattr(f"jaxscale.{module}.{name}", refuse)
        monkeypatch.setattr(making, name, refuse)


def test_the_default_folder_is_named_after_law_and_digest(run, own_folder):
    run(*COMMAND)
    (folder,) = (own_folder / "jaxscale-out").iterdir()
    law, _, digest = folder.name.rpartition("-")
    assert law == "chinchilla"
    assert len(digest) == 8


def test_the_same_command_rewrites_its_folder_and_another_option_makes_another(run, own_folder):
    assert run(*COMMAND).exit_code == 0
    assert run(*COMMAND, "-q").exit_code == 0
    assert len(list((own_folder / "jaxscale-out").iterdir())) == 1
    assert run(*COMMAND, "--seed", "1").exit_code == 0
    assert len(list((own_folder / "jaxscale-out").iterdir())) == 2


def test_another_folder_that_exists_needs_force(run, fitted, own_folder):
    folder = own_folder / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep me")
    refused = run(*COMMAND, "--out", folder)
    assert refused.exit_code == 6
    assert "--force" in refused.stderr
    assert not (folder / "result.json").exists()
    assert run(*COMMAND, "--out", folder, "--force").exit_code == 0
    assert (folder / "notes.txt").read_text() == "keep me"


def test_a_refused_folder_costs_no_fit(run, no_fit, own_folder):
    (own_folder / "file").write_text("x")
    assert run(*COMMAND, "--out", own_folder / "file").exit_code == 6


def test_a_link_is_not_written_through(run, no_fit, own_folder):
    (own_folder / "real").mkdir()
    (own_folder / "link").symlink_to("real")
    assert run(*COMMAND, "--out", "link", "--force").exit_code == 6


def test_frontier_repeats_the_saved_frontier_without_a_fit(run, no_fit, fitted):
    folder, document = fitted
    result = run("frontier", folder, "--json")
    assert result.exit_code == 0
    repeated = json.loads(result.stdout)
    assert repeated["frontier"] == document["frontier"]
    assert repeated["bootstrap"] == document["bootstrap"]


def test_frontier_answers_other_budgets_without_a_fit(run, no_fit, fitted):
    folder, document = fitted
    rows = json.loads(run("frontier", folder, "--json", "--flops", "1e16,1e17", "--yes-extrapolate").stdout)["frontier"]
    assert [row["flops"] for row in rows] == [1e16, 1e17]
    assert rows[0]["params"]["value"] == pytest.approx(document["frontier"][1]["params"]["value"], rel=1e-9)


def test_a_wider_level_gives_wider_bands_from_the_same_ensemble(run, no_fit, fitted):
    narrow, wide = (
        json.loads(run("frontier", fitted[0], "--json", "--level", level).stdout)["frontier"][0]["loss"]
        for level in ("0.5", "0.9")
    )
    assert wide["low"] < narrow["low"] < narrow["value"] < narrow["high"] < wide["high"]


def test_frontier_of_a_folder_refuses_options_of_a_fit(run, no_fit, fitted):
    result = run("frontier", fitted[0], "--law", "kaplan")
    assert result.exit_code == 2
    assert "--law belongs to a fit" in result.stderr


def test_frontier_of_a_table_saves_nothing(run, own_folder):
    (own_folder / "t.csv").write_text(TABLE)
    result = run("frontier", "t.csv", "--replicates", "0", "--law", "pure-power")
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in own_folder.iterdir()] == ["t.csv"]


def test_plot_writes_the_named_figure_and_prints_its_path(run, no_fit, fitted, own_folder):
    result = run("plot", fitted[0], "--figure", "residuals", "--out", "figures")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "figures/residuals.png\n"
    assert (own_folder / "figures" / "residuals.png").read_bytes().startswith(b"\x89PNG")


def test_plot_has_the_width_of_a_column_in_print_where_it_is_asked_for(run, no_fit, fitted, own_folder):
    words = ("--figure", "residuals", "--width", "column", "--format", "pdf", "--out", "figures")
    assert run("plot", fitted[0], *words).exit_code == 0
    written = (own_folder / "figures" / "residuals.pdf").read_bytes()
    assert b"/MediaBox [ 0 0 234 " in written  # 3.25 inches of 72 points


def test_plot_draws_everything_into_the_saved_folder(run, no_fit, fitted):
    result = run("plot", fitted[0], "--format", "svg")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in fitted[0].glob("*.svg")) == sorted(
        line.rpartition("/")[2] for line in result.stdout.splitlines()
    )


def test_a_drawn_frontier_begins_at_the_measured_compute_and_is_made_only_where_it_is_drawn(
    run, no_fit, fitted, monkeypatch
):
    def listen(self, study, width):
        given[self.name] = study.frontier
        return make(self, study, width)

    given, make = {}, Figure.make
    monkeypatch.setattr(Figure, "make", listen)
    for name in ("isoloss", "residuals"):
        assert run("plot", fitted[0], "--figure", name, "--out", "figures").exit_code == 0
    assert given["isoloss"].flops[0] == pytest.approx(given["isoloss"].measured[0])
    assert given["residuals"] is None


def test_plot_refuses_a_figure_that_it_does_not_know(run, no_fit, fitted):
    result = run("plot", fitted[0], "--figure", "frontire")
    assert result.exit_code == 2
    assert "Did you mean 'frontier'?" in result.stderr


def test_a_damaged_result_is_refused(run, no_fit, fitted, own_folder):
    folder = own_folder / "damaged"
    folder.mkdir()
    for name in ("result.json", "arrays.npz"):
        (folder / name).write_bytes((fitted[0] / name).read_bytes()[:-9])
    for command in ("frontier", "plot"):
        assert run(command, folder).exit_code == 6


def test_predict_says_how_far_beyond_the_runs_it_goes(run, fitted, no_fit):
    """The shipped table ends at its largest params and compute: 24 times that compute is extrapolation, by name."""
    folder, _ = fitted
    runs = js.load(folder).fit.runs
    params, flops = float(runs["params"].max()), float(np.max(6 * runs["params"] * runs["tokens"]))
    at = ("--at", f"params={params!r},{params!r}", "--at", f"flops={flops / 2!r},{24 * flops!r}")
    found = json.loads(run("predict", folder, *at, "--json").stdout)
    near, far = (row["ratio_to_runs"] for row in found["predictions"])
    assert "flops" not in near
    assert far["flops"] == pytest.approx(24.0)
    assert "params" not in far
    (said,) = [one["message"] for one in found["warnings"] if one["code"] == "extrapolation"]
    assert "flops up to 24 times above the runs" in said
    page = run("predict", folder, *at).stdout
    assert "flops 24× above" in " ".join(page.split())
    assert "extrapolation" in page
    small = json.loads(run("predict", folder, "--at", "params=1e2", "--at", "tokens=1e6", "--json").stdout)
    assert small["predictions"][0]["ratio_to_runs"]["params"] == pytest.approx(1e2 / runs["params"].min())
    assert "times below the runs" in small["warnings"][0]["message"]
    inside = json.loads(run("predict", folder, "--at", "params=3e4", "--at", "tokens=1e6", "--json").stdout)
    assert "extrapolation" not in {one["code"] for one in inside["warnings"]}
    assert inside["predictions"][0]["ratio_to_runs"] == {}


def test_predictions_of_several_runs_fit_eighty_columns(run, fitted, no_fit):
    """With the limits of the law and of a new run, nats over the optimum and the share of replicates: two tables."""
    page = run("predict", fitted[0], "--at", "N=1e5:1e6:3", "--at", "C=1e14", env={"COLUMNS": "80"}).stdout
    for said in ("law, 95 %", "new run, 95 %", "over optimum", "least in", "beyond the runs"):
        assert said in page
    assert max(map(len, page.splitlines())) <= 80


def test_level_budgets_and_fixed_inputs_are_those_of_the_study_unless_others_are_asked_for(run, no_fit, fitted):
    folder = js.save("narrow", js.load(fitted[0]).shown(level=0.5))
    at = ("--at", "params=1e5", "--at", "tokens=1e7")
    for words in (("frontier", folder), ("predict", folder, *at)):
        kept, given = (json.loads(run(*words, *more, "--json").stdout) for more in ((), ("--level", "0.9")))
        assert (kept["bootstrap"]["level"], given["bootstrap"]["level"]) == (0.5, 0.9)
    rows = json.loads(run("frontier", folder, "--json").stdout)["frontier"]
    assert [row["flops"] for row in rows] == [1e12, 1e16]
    alone = js.save("alone", replace(js.load(fitted[0]), frontier=None))
    again = json.loads(run("frontier", alone, "--json").stdout)["frontier"]
    assert [row["flops"] for row in again] == [1e12, 1e16]


@pytest.mark.parametrize("command", ["plot", "report", "frontier", "predict", "bootstrap", "merge"])
def test_a_saved_study_that_is_mistyped_is_named(run, own_folder, command):
    (own_folder / "jaxscale-out" / "chinchilla-1234abcd").mkdir(parents=True)
    options = ("--at", "params=1e9", "--at", "tokens=1e9") if command == "predict" else ()
    result = run(command, "jaxscale-out/chinchila-1234abcd", *options)
    assert result.exit_code in (2, 3, 6)
    assert "; did you mean jaxscale-out/chinchilla-1234abcd?" in result.stderr
