"""Forecasts: what is written down comes back, what was edited is refused, and scores follow from the numbers beside."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.fitting import new_runs, predict_ensemble, run_residuals
from jaxscale.store import load_forecast, save_forecast

SIZES = {"params": [3e10, 1e11, 3e11], "tokens": [1e12, 3e12, 1e12]}
TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


@pytest.fixture(scope="module")
def study(separable_law_table):
    ensemble = js.bootstrap(js.fit(separable_law_table), replicates=400)
    return js.Study(ensemble.fit, ensemble, level=0.9)


@pytest.fixture(scope="module")
def told(study):
    return js.forecast(study, **SIZES)


def made(loss, **columns):
    return js.Runs.from_arrays(loss=loss, **columns)


def test_a_new_run_lies_off_the_law_as_the_fitted_ones_do(study):
    """Its variance in ln is that of the law's mean and that of the residuals, widened for the coefs, together."""
    residual = -study.fit.residuals
    np.testing.assert_allclose(run_residuals(study.fit), residual * np.sqrt(240 / 235), rtol=1e-12)
    many = {name: np.repeat(column, 200) for name, column in SIZES.items()}
    runs, mean = np.log(new_runs(study.ensemble, many)), np.log(predict_ensemble(study.ensemble, many))
    spread = np.mean(residual**2) * 240 / 235
    for at in range(3):
        part = slice(200 * at, 200 * (at + 1))
        assert runs[:, part].var() == pytest.approx(mean[:, part].var() + spread, rel=0.02)


def test_the_bands_are_those_of_the_study(study, told):
    np.testing.assert_array_equal(told.loss, js.predict(study.fit, **SIZES))
    band = js.band(predict_ensemble(study.ensemble, SIZES), level=0.9)
    np.testing.assert_array_equal([told.mean_low, told.mean_high], [band.lower, band.upper])
    assert ((told.run_low < told.mean_low) & (told.run_high > told.mean_high)).all()
    assert told.facts["coefs"] == study.fit.coefs


def test_the_slope_is_that_of_the_least_loss(study, told):
    """Along the frontier of the separable law, -dL/d ln C is the reducible loss times alpha beta / (alpha + beta)."""
    coefs = study.fit.coefs
    exponent = coefs["alpha"] * coefs["beta"] / (coefs["alpha"] + coefs["beta"])
    flops = 6 * np.array(SIZES["params"]) * np.array(SIZES["tokens"])
    least = [float(js.allocate("chinchilla", coefs, flops=one).loss) for one in flops]
    np.testing.assert_allclose(told.slope, exponent * (np.array(least) - coefs["E"]), rtol=1e-4)


def test_what_is_written_down_comes_back_and_is_never_written_over(told, tmp_path):
    file = save_forecast(tmp_path / "told.json", told)
    again = load_forecast(file)
    for name in ("loss", "mean_low", "run_high", "log_std", "slope"):
        np.testing.assert_array_equal(getattr(again, name), getattr(told, name))
    assert (again.made, again.study, again.facts) == (told.made, told.study, told.facts)
    with pytest.raises(js.StoreError, match="is not written over"):
        save_forecast(file, told)


@pytest.mark.parametrize("change", ["level", "loss", "made", "study"])
def test_a_forecast_that_was_edited_is_refused(told, tmp_path, change):
    file = save_forecast(tmp_path / "told.json", told)
    record = json.loads(file.read_text(encoding="utf-8"))
    other = {"level": 0.5, "loss": [*record["loss"][:2], 1.0], "made": "2020-01-01T00:00:00+00:00", "study": "00000000"}
    file.write_text(json.dumps({**record, change: other[change]}), encoding="utf-8")
    with pytest.raises(js.StoreError, match="is not what was registered"):
        load_forecast(file)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "jaxscale-forecast", "schema_version": 9}', "\x00"])
def test_what_is_no_forecast_is_refused(tmp_path, text):
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(js.StoreError, match=r"is no forecast|of version 9"):
        load_forecast(file)


def test_another_table_or_another_option_is_another_study(study, told):
    other = js.Study(study.fit, js.bootstrap(study.fit, replicates=400, seed=1), level=0.9)
    assert js.forecast(other, **SIZES).study != told.study
    assert js.forecast(study, **SIZES).study == told.study


def test_a_forecast_is_scored_beside_its_own_study_only(study, told):
    runs = made(told.loss, **SIZES)
    assert len(js.score(told, runs, study=study).loss) == len(told)
    other = js.Study(study.fit, js.bootstrap(study.fit, replicates=400, seed=1), level=0.9)
    with pytest.raises(js.UsageError, match="what changed is seed"):
        js.score(told, runs, study=other)
    column = study.fit.runs.columns["params"] * 1.01
    table = replace(study.fit.runs, columns={**study.fit.runs.columns, "params": column})
    fit = replace(study.fit, runs=table)
    changed = js.Study(fit, replace(study.ensemble, fit=fit), level=study.level)
    with pytest.raises(js.UsageError, match="what changed is the table"):
        js.score(told, runs, study=changed)


def test_scores_follow_from_the_numbers_beside_them(told):
    """Of four runs: two are one that was foretold, one is another's, and one of the forecast's was not made."""
    columns = {"params": [1e11, 3.01e10, 1e11, 2e9], "tokens": [3e12, 0.995e12, 3e12, 1e11]}
    measured = np.array([float(told.loss[1]), 1.2 * float(told.loss[0]), float(told.mean_high[1]), 2.5])
    score = js.score(told, made(measured, **columns))
    np.testing.assert_array_equal(score.place, [1, 0, 1])
    assert (score.unmade, score.others) == ((2,), 1)
    np.testing.assert_allclose(score.error, np.log(measured[:3] / told.loss[[1, 0, 1]]), rtol=1e-14)
    np.testing.assert_array_equal(score.in_mean, [True, False, True])
    np.testing.assert_array_equal(score.in_run, [True, False, True])
    density = stats.norm.logpdf(np.log(measured[:3]), np.log(told.loss[[1, 0, 1]]), told.log_std[[1, 0, 1]])
    np.testing.assert_allclose(score.log_score, density, rtol=1e-12)
    assert score.compute_ratio[0] == 1.0
    assert score.compute_ratio[1] == pytest.approx(np.exp((told.loss[0] - measured[1]) / told.slope[0]))
    assert list(score.to_frame()["in_run"]) == [True, False, True]


def test_bands_of_new_runs_hold_new_runs_of_the_same_law(study):
    """Within five standard errors of 90 %, on sizes amid the table, where the law is the truth and noise is its own."""
    random = np.random.default_rng(5)
    columns = {"params": 10 ** random.uniform(7.5, 9.5, 600), "tokens": 10 ** random.uniform(9.5, 11, 600)}
    runs = js.simulate("chinchilla", TRUTH, columns=columns, noise=0.01, seed=9)
    score = js.score(js.forecast(study, **columns), runs)
    assert score.in_run.mean() == pytest.approx(0.9, abs=5 * np.sqrt(0.09 / 600))
    assert score.in_mean.mean() < 0.5


def test_what_cannot_be_foretold_or_scored_is_refused(study, told):
    with pytest.raises(js.UsageError, match="needs a study with replicates"):
        js.forecast(js.Study(study.fit), **SIZES)
    with pytest.raises(js.UsageError, match="missing: tokens"):
        js.forecast(study, params=[1e9])
    with pytest.raises(js.RunsError, match="no column tokens"):
        js.score(told, made([2.0], params=[1e9]))
    with pytest.raises(js.RunsError, match="none of its 1 runs is one of the forecast's"):
        js.score(told, made([2.0], params=[1e9], tokens=[1e10]))
