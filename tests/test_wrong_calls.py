"""What is called with something else is refused by name, with what to do; no error comes from inside."""

import numpy as np
import pytest
from handmade import ensemble_of, fit_of, frontier_of

import jaxscale as js


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    fit = fit_of(rows=30)
    ensemble = ensemble_of(fit, replicates=40)
    front = frontier_of(fit, ensemble, flops=np.geomspace(1e20, 1e22, 3))
    path = tmp_path_factory.mktemp("tables") / "runs.csv"
    path.write_text("params,tokens,loss\n1e8,1e10,3\n2e8,2e10,2.5\n", encoding="utf-8")
    names = {"fit": fit, "runs": fit.runs, "ensemble": ensemble, "front": front, "path": str(path), "js": js}
    return {**names, "study": js.Study(fit, ensemble, front)}


CALLS = {
    "js.fit(3)": "fit takes a table of runs, not int: read one with js.read_runs",
    "js.fit('runs.csv')": "not str: read one with js.read_runs",
    "js.fit(study)": "not Study; its table is study.fit.runs",
    "js.fit(runs, 'chinchila')": "Did you mean 'chinchilla'",
    "js.fit(runs, 3)": "law = 3 is neither a name nor a law",
    "js.fit(runs, objective='hubr')": "Did you mean 'huber'",
    "js.fit(runs, objective=3)": "neither a name nor an objective",
    "js.fit(runs, starts=3)": "starts = 3: a point is a mapping of coefs",
    "js.fit(runs, starts=[1])": "a point is a mapping of coefs",
    "js.fit(runs, starts={'e': 1})": "Did you mean 'E'",
    "js.bootstrap(study)": "bootstrap takes a Fit, not Study; its fit is study.fit",
    "js.bootstrap(runs)": "not Runs; fit the table first, as in js.fit(runs)",
    "js.bootstrap(fit, scheme='pair')": "Did you mean 'pairs'",
    "js.bootstrap(fit, replicates='many')": "replicates = 'many' is not a positive integer",
    "js.study('runs.csv')": "study takes a table of runs, not str",
    "js.study(runs, budgets='a')": "budgets = 'a': a budget is a positive, finite number of FLOP",
    "js.study(runs, budgets=[-1])": "budgets = -1.0: a budget is a positive",
    "js.study(runs, conventions=3)": "is no list of ways to count",
    "ensemble.interval('alpa')": "unknown coef 'alpa'. Did you mean 'alpha'",
    "ensemble.interval(3)": "unknown coef '3'",
    "ensemble.interval('alpha', method=4)": "neither a name nor an interval",
    "ensemble.interval('alpha', level=95)": "For 95 % write 0.95",
    "front.interval('param')": "unknown quantity 'param'. Did you mean 'params'",
    "front.interval(3)": "unknown quantity '3'",
    "study.coef('alpa')": "Did you mean 'alpha'",
    "study.frontier_band('param')": "Did you mean 'params'",
    "fit.dof_of('alpa')": "Did you mean 'alpha'",
    "js.frontier(3)": "frontier needs a Study, a Fit, an Ensemble, or law= with coefs=, not int",
    "js.frontier('folder')": "a saved study is opened with js.load",
    "js.frontier(law='chinchilla', coefs='besiroglu2024')": "give budgets, as in flops=",
    "js.frontier(law='chinchilla', coefs=3, flops=1e22)": "coefs = 3: give numbers by name",
    "js.predict('chinchilla', 5, params=1e9, tokens=1e10)": "coefs = 5: give numbers by name",
    "js.predict(fit, table=3)": "table takes runs, a frame, or a mapping",
    "js.predict(fit, parms=1e9, tokens=1e9)": "Did you mean 'params'",
    "js.predict(fit, params=1e9)": "missing: tokens",
    "js.plan(3)": "plan needs a Study, a Fit, an Ensemble, or law= with coefs=, not int",
    "js.plan(fit, flops=1e22, limits='a')": "is no list of limits; make them with js.planning.at_most",
    "js.plan(fit, flops=1e22, limits=[3])": "is no list of limits",
    "js.decide(3, flops=1e22)": "decide takes an Ensemble or a Study, not int",
    "js.decide(fit, flops=1e22)": "decide takes an Ensemble or a Study, not Fit",
    "js.design(3, candidates={}, budget=1e20, target=1e24)": "not int",
    "js.design(fit, candidates=3, budget=1e20, target=1e24)": "candidates = 3 is no mapping of inputs",
    "js.diagnose(3)": "diagnose takes a Fit, not int",
    "js.check(fit)": "check takes a table of runs, not Fit; its table is fit.runs",
    "js.compare(3)": "compare takes a table of runs",
    "js.compare(runs, 'chinchilla')": "given in a list, even one: write ['chinchilla']",
    "js.compare_recipes(3)": "compare_recipes takes a table of runs",
    "js.specifications(3)": "specifications takes a table of runs",
    "js.coverage(3)": "coverage takes a Fit, not int",
    "js.coverage(fit, intervals='percentile')": "write ['percentile']",
    "js.score(3, runs)": "score takes a Forecast, not int",
    "js.forecast(fit, params=[1e9])": "forecast takes a Study, not Fit",
    "js.simulate('chinchilla', 'besiroglu2024', columns=3)": "columns = 3 is no mapping",
    "js.refitting.profile(3, 'alpha')": "profile takes a Fit, not int",
    "js.load(3)": "is a path, not int",
    "js.merge(3)": "is a path, not int",
    "js.read_runs(3)": "read_runs takes a path",
    "js.read_runs(path, map='a')": "map = 'a' is no mapping; write for example map={'params': 'Model Size'}",
    "js.read_runs(path, scale=3)": "scale = 3 is no mapping",
    "js.read_runs(path, inputs='params')": "write inputs=('params',)",
    "js.read_runs(path, where='loss < 3')": "write where=['loss < 3']",
    "js.read_runs(path, where=\"run != 'a'\")": "write where=[\"run != 'a'\"]",
    "js.read_runs(path, map={'loss': 3})": "loss = 3 is neither a header nor a formula",
    "js.read_runs(path, scale={'params': '1e6'})": "'params': '1e6' is no name with a number",
    "js.read_runs(path, scale={3: 1e6})": "3: 1000000.0 is no name with a number",
    "js.read_runs(path, scale={'params': True})": "'params': True is no name with a number",
    "runs[0]": "unknown column '0'",
    "runs[2:5]": "unknown column",
    "runs['parms']": "Did you mean 'params'",
    "runs.where(3)": "3 is no selection",
    "js.LAWS['chinchila']": "Did you mean 'chinchilla'",
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_call_is_refused_with_what_was_meant(call, given):
    with pytest.raises(js.UsageError) as told:
        eval(call, dict(given))
    assert CALLS[call] in str(told.value)
    assert len(str(told.value).splitlines()) <= 3


def test_a_study_is_taken_wherever_its_fit_or_its_replicates_are(given):
    study, ensemble = given["study"], given["ensemble"]
    plan = js.plan(study, flops=1e22)
    np.testing.assert_array_equal(plan.params, js.plan(ensemble, flops=1e22).params)
    front = js.frontier(js.Study(given["fit"], ensemble, budgets=(1e20, 1e22)))
    np.testing.assert_array_equal(front.flops, [1e20, 1e22])
    np.testing.assert_array_equal(front.params, js.frontier(ensemble, flops=[1e20, 1e22]).params)


def test_budgets_that_are_not_given_are_those_of_the_table(given):
    largest = given["runs"]["flops"].max()
    np.testing.assert_allclose(js.frontier(given["fit"]).flops, np.array([1, 3, 10, 30, 100]) * largest)


def test_a_prediction_takes_a_study_any_two_sizes_and_a_table(given):
    study, runs = given["study"], given["runs"]
    expected = js.predict("chinchilla", study.fit.coefs, params=1e9, tokens=2e10)
    for sizes in (
        {"params": 1e9, "flops": 1.2e20},
        {"tokens": 2e10, "tokens_per_param": 20},
        {"flops": 1.2e20, "tokens": 2e10},
    ):
        np.testing.assert_allclose(js.predict(study, **sizes), expected, rtol=1e-12)
    whole = js.predict(study, table=runs)
    np.testing.assert_array_equal(whole, js.predict(study.fit, params=runs["params"], tokens=runs["tokens"]))
    np.testing.assert_array_equal(js.predict(study.ensemble, table=runs.to_frame()), whole)
    sizes = {"params": runs["params"], "flops": 6 * runs["params"] * runs["tokens"], "run": ["a"] * len(runs)}
    np.testing.assert_allclose(js.predict(study, table=sizes), whole, rtol=1e-12)
