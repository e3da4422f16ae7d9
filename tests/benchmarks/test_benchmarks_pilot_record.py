"""The pilot study as it is written down: a prediction comes first, and tables, texts and files say the same."""

import re
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from simulated_study import RULE, rows_of, true_loss

import jaxscale as js
from benchmarks.pilot import approaching, diagnosing, ledger, pages, plan, records, revisiting, shipping
from benchmarks.pilot.__main__ import main
from benchmarks.pilot.forecast import METHODS
from benchmarks.pilot.network import Shape
from benchmarks.pilot.training import Ended

pytestmark = pytest.mark.slow


def test_a_prediction_comes_first_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    monkeypatch.setattr(records, "PREDICTION", tmp_path / "prediction.json")
    run = CliRunner().invoke
    ledger.append(tmp_path / "tune.csv", ledger.COLUMNS, rows_of(true_loss, plan.tuning(), "tune"))
    for words in (["predict"], ["--smoke"]):
        refused = run(main, words)
        assert refused.exit_code == 1
        assert "no rows of the stage 'fit'" in refused.output
    assert "the prediction comes first" in run(main, ["hold-back"]).output
    ledger.append(tmp_path / "fit.csv", ledger.COLUMNS, rows_of(true_loss, plan.fitting(RULE)))
    held = rows_of(true_loss, plan.holding_back(RULE), "held-back")
    ledger.append(tmp_path / "held-back.csv", ledger.COLUMNS, held[:1])
    refused = run(main, ["predict"])
    assert refused.exit_code == 1
    assert "a prediction comes first" in refused.output


def test_the_page_names_every_command():
    page = pages.README.read_text(encoding="utf-8")
    assert set(re.findall(r"^python -m benchmarks.pilot ([a-z-]+)", page, re.MULTILINE)) == {*main.commands, "--smoke"}


def test_the_tables_of_the_page_are_those_of_what_is_written_down():
    page = pages.README.read_text(encoding="utf-8")
    assert pages.filled(page) == page, "run: python -m benchmarks.pilot page"


def test_both_pages_say_in_words_how_many_predictions_held():
    measured = {row["run"]: float(row["loss"]) for row in ledger.read(ledger.FOLDER / "held-back.csv")}
    runs = [one for one in records.read(records.PREDICTION)["runs"] if one["run"] in measured]
    for method in METHODS:
        inside = sum(one["loss"][method]["low"] <= measured[one["run"]] <= one["loss"][method]["high"] for one in runs)
        words = f"{inside} of {len(runs)} measured losses lie inside their 90 % interval"
        for path in (pages.README, pages.README.parents[2] / "README.md"):
            assert words in " ".join(path.read_text(encoding="utf-8").split()), path
    misses = [100 * (measured[one["run"]] / one["loss"]["value"] - 1) for one in runs]
    said = f"by {-max(misses):.1f} to {-min(misses):.1f} %, {-np.mean(misses):.1f} % in the mean"
    assert said in " ".join(pages.README.read_text(encoding="utf-8").split())


def test_what_was_diagnosed_and_compared_is_that_of_the_rows():
    fitted, held = (ledger.read(ledger.FOLDER / f"{stage}.csv") for stage in ("fit", "held-back"))
    diagnostics, asked = records.read(diagnosing.DIAGNOSTICS), records.read(records.PREDICTION)["runs"]
    assert diagnostics["rows"] == len(fitted)
    assert records.read(approaching.APPROACHES)["runs"] == len(fitted) + len(held)
    assert diagnosing.left_over(fitted, "layers")["effect"] == pytest.approx(diagnostics["layers"]["effect"], rel=1e-6)
    for now, then in zip(diagnosing.other_laws(fitted, asked, held), diagnostics["laws"], strict=True):
        assert now["beside_first"] == pytest.approx(then["beside_first"], abs=1e-6)
        assert now["mean_miss"] == pytest.approx(then["mean_miss"], abs=1e-6)


def test_the_page_says_what_the_package_says_today():
    fitted, held = (ledger.read(ledger.FOLDER / f"{stage}.csv") for stage in ("fit", "held-back"))
    found, page = records.read(revisiting.REVISITED), " ".join(pages.README.read_text(encoding="utf-8").split())
    assert (found["rows"], found["held_back"]) == (len(fitted), len(held))
    inside = {one["band"]: one["inside"] for one in found["bands"]}
    width = {one["band"]: f"{100 * np.expm1(one['width']):.1f} %" for one in found["bands"]}
    assert f"holds {inside['combined']} of the {len(held)}, at a median width of {width['combined']}" in page
    assert f"where Chinchilla's alone holds {inside['chinchilla']} at {width['chinchilla']}" in page
    assert f"Kaplan's ({inside['kaplan']} of {len(held)})" in page
    assert "column-explains" in [one["code"] for one in found["diagnoses"]]


def test_the_table_that_ships_has_the_rows_of_the_study():
    assert shipping.TABLE.read_text(encoding="utf-8") == shipping.table(shipping.measured()), "run: … pilot ship"


def test_the_params_and_flops_that_ship_are_those_of_the_shapes():
    runs = js.datasets.load("pilot")
    shapes = [Shape(int(layers), int(width)) for layers, width in zip(runs["layers"], runs["width"], strict=True)]
    np.testing.assert_array_equal(runs["params"], [shape.params for shape in shapes])
    np.testing.assert_array_equal(runs["flops"], runs["tokens"] * [shape.flops_per_token for shape in shapes])


def test_the_prediction_is_older_than_every_run_that_it_speaks_of():
    """Rows say which commit made them: it has the prediction as it stands."""
    held = ledger.read(ledger.FOLDER / "held-back.csv")
    assert len(held) == 14
    root, path = pages.README.parents[2], "benchmarks/pilot/prediction.json"
    if not (root / ".git").exists():
        pytest.skip("not a clone: there is no history to ask")
    asked = {one["run"] for one in records.read(records.PREDICTION)["runs"]}
    assert {row["run"] for row in held} <= asked
    for commit in {row["commit"].rstrip("+") for row in held}:
        if subprocess.run(["git", "cat-file", "-e", commit], cwd=root, capture_output=True).returncode:
            pytest.skip(f"this clone does not go back to {commit}")
        then = subprocess.run(["git", "show", f"{commit}:{path}"], cwd=root, capture_output=True)
        assert then.stdout.decode() == records.PREDICTION.read_text(encoding="utf-8"), commit


def curves_of(law, runs):
    """Curves of runs, each loss on the way a tenth above the law's at its tokens."""
    rows = []
    for budget, made in runs:
        way = [(made.tokens // 2**part, 1.1 * law(made.shape.params, made.tokens / 2**part)) for part in (2, 1, 0)]
        rows += ledger.curve_of(made, Ended(way[-1][1] / 1.1, tuple(way), 1.0), budget)
    return [{name: str(value) for name, value in row.items()} for row in rows]


def test_a_curve_ends_at_the_loss_of_its_run():
    def law(params, tokens):
        return 1.0 + 40.0 * params**-0.4 + 90.0 * tokens**-0.35

    made = list(plan.fitting(RULE))
    runs = approaching.curved(rows_of(true_loss, made), curves_of(law, made))
    assert len(runs) == 3 * len(made)
    last = np.arange(2, len(runs), 3)
    np.testing.assert_allclose(runs.loss[last], [true_loss(one) for _, one in made], rtol=1e-6)  # six decimals
    assert (np.diff(runs.loss.reshape(-1, 3), axis=1) < 0).all()


def test_an_effect_of_depth_is_found_beside_the_law():
    def law(made):
        return true_loss(made) * made.shape.layers**-0.04

    found = diagnosing.left_over(rows_of(law, plan.fitting(RULE)), "layers")
    assert found["effect"] == pytest.approx(-0.04, abs=0.004)  # the law's own coefs take up some of it
    assert found["effect"] < -5 * found["std"]


def test_a_true_law_stands_its_back_test():
    noise = np.random.default_rng(5)
    rows = rows_of(lambda made: true_loss(made) * np.exp(0.01 * noise.standard_normal()), plan.fitting(RULE))
    found = diagnosing.back_test(rows, plan.BUDGETS[-1])
    assert found["runs"] == 9
    assert all(count >= 7 for count in found["inside"].values())  # of 9 at 90 %: fewer once in twenty studies
    assert abs(found["mean_miss"]) < 0.02


def test_other_laws_are_judged_by_what_was_asked_and_then_by_what_was_measured():
    asked = [{"run": ledger.name_of(made, budget), "params": made.shape.params, "tokens": made.tokens}
             for budget, made in plan.holding_back(RULE)]  # fmt: skip
    rows = rows_of(true_loss, plan.fitting(RULE))
    held = rows_of(lambda made: 1.1 * true_loss(made), plan.holding_back(RULE), "held-back")
    before = diagnosing.other_laws(rows, asked, [])
    after = diagnosing.other_laws(rows, asked, held[:3])
    first = dict(zip(["before", "after"], [before[0], after[0]], strict=True))
    assert (first["before"]["law"], first["before"]["beside_first"]) == ("chinchilla", 0.0)
    assert first["before"]["mean_miss"] is None
    assert first["after"]["mean_miss"] == pytest.approx(np.log(1.1), abs=1e-4)


def test_the_tables_say_how_many_measured_losses_lie_inside(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    monkeypatch.setattr(records, "PREDICTION", tmp_path / "prediction.json")
    monkeypatch.setattr(approaching, "APPROACHES", tmp_path / "approaches.json")
    monkeypatch.setattr(diagnosing, "DIAGNOSTICS", tmp_path / "diagnostics.json")
    monkeypatch.setattr(revisiting, "REVISITED", tmp_path / "revisited.json")
    run = CliRunner().invoke
    ledger.append(tmp_path / "tune.csv", ledger.COLUMNS, rows_of(true_loss, plan.tuning(), "tune"))
    rule = plan.rule_of(ledger.read(tmp_path / "tune.csv"))
    noise = np.random.default_rng(3)

    def noisy(made):
        return true_loss(made) * np.exp(0.01 * noise.standard_normal())

    ledger.append(tmp_path / "fit.csv", ledger.COLUMNS, rows_of(noisy, plan.fitting(rule)))
    assert run(main, ["predict"]).exit_code == 0
    # the first seven as predicted, the others ten percent above
    predicted = {one["run"]: one["loss"]["value"] for one in records.read(records.PREDICTION)["runs"]}
    held = rows_of(true_loss, plan.holding_back(rule), "held-back")
    held = [row | {"loss": str(predicted[row["run"]] * (1.0 if at < 7 else 1.1))} for at, row in enumerate(held)]
    ledger.append(tmp_path / "held-back.csv", ledger.COLUMNS, held)
    page = run(main, ["show"]).output
    for method in METHODS:
        assert f"7 of 14 measured losses lie inside the 90% interval `{method}`" in page
    assert "Predicted and measured best params" in page
    assert "Tuning" in page
