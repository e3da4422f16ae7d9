"""Every result is drawn, summed up, laid out as a frame and shown by a notebook, with texts of users made harmless."""

import inspect
from dataclasses import replace
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from handmade import ensemble_of, fit_of, frontier_of
from matplotlib.figure import Figure

import jaxscale as js
from jaxscale import results
from jaxscale.results import Study
from jaxscale.results.result import Result

PNG = b"\x89PNG"
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def study():
    fit = fit_of(rows=30, run=[f"run {at}" for at in range(29)] + [MARKUP])
    ensemble = ensemble_of(fit, replicates=40, unusable=0.1)
    return Study(fit, ensemble, frontier_of(fit, ensemble, flops=np.geomspace(1e20, 1e22, 3)))


@pytest.fixture(scope="module")
def answers(study):
    """One result of each kind that costs nothing to make."""
    plan = js.plan(law="chinchilla", coefs="besiroglu2024", flops=1e22)
    rng = np.random.default_rng(0)
    draws = {**js.LAWS["chinchilla"].constants("besiroglu2024")}
    draws["alpha"] = draws["alpha"] + 0.02 * rng.standard_normal(16)
    decision = js.decide(law="chinchilla", coefs=draws, flops=1e22)
    check = js.check(study.fit.runs)
    return [
        study,
        study.fit,
        study.ensemble,
        study.frontier,
        study.frontier.point,
        plan,
        decision,
        decision.best,
        check,
    ]


def test_a_result_of_the_package_is_an_answer_unless_it_is_a_part_of_one():
    exported = {name for name in dir(js) if inspect.isclass(getattr(js, name)) and hasattr(results, name)}
    assert {name for name in exported if not issubclass(getattr(js, name), Result)} == {"PlanStatus"}


def test_every_answer_has_a_summary_a_frame_and_a_table_for_a_notebook(answers):
    for one in answers:
        summary, page = one.summary(), one._repr_html_()
        assert len(summary.splitlines()) > 2, type(one)
        assert "\x1b" not in summary
        assert len(one.to_frame()) > 0
        assert page.startswith("<div>")
        assert "<table" in page


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)


def test_markup_in_a_table_stays_text_in_a_notebook(study):
    fit = replace(study.fit, law=replace(study.fit.law, name=MARKUP))
    for one in (fit, js.Study(fit)):
        tags = Tags()
        tags.feed(one._repr_html_())
        assert "script" not in tags.seen
        assert "&lt;script&gt;" in one._repr_html_()


def test_a_frame_of_a_study_has_the_bands_of_its_replicates(study):
    frame = study.to_frame()
    for name in study.fit.coefs:
        band = study.coef_band(name)
        assert (frame.loc[name, "low"], frame.loc[name, "high"]) == (band.lower, band.upper)
        assert frame.loc[name, "std"] == study.coef_std(name)


def test_a_plan_is_laid_out_with_what_its_limits_are_worth():
    plan = js.plan(law="chinchilla", coefs="besiroglu2024", flops=[1e21, 1e22])
    frame = plan.to_frame()
    np.testing.assert_array_equal(frame["params"], plan.params)
    np.testing.assert_array_equal(frame["worth of 6nd at most"], plan.multipliers["6nd at most"])
    assert list(frame["status"]) == ["optimal", "optimal"]


@pytest.mark.parametrize("name", ["residuals", "isoloss", "coefs", "frontier"])
def test_a_figure_by_name_is_the_page_of_the_registry(study, name, monkeypatch):
    monkeypatch.setattr("jaxscale.figures.saving.with_curve", lambda study: study)
    page = js.plot(study, name)
    assert isinstance(page, Figure)
    assert page._repr_png_() == results_png(study, name)


def results_png(study, name):
    from jaxscale.figures import FIGURES

    return FIGURES[name].make(study)._repr_png_()


def test_a_result_draws_itself_and_a_notebook_shows_the_page(answers, monkeypatch):
    monkeypatch.setattr("jaxscale.figures.saving.with_curve", lambda study: study)
    for one in answers:
        if isinstance(one, js.Regret):
            with pytest.raises(js.UsageError, match="Regret has no figure; these have one: Study, Fit"):
                one.plot()
        else:
            assert one.plot()._repr_png_().startswith(PNG), type(one)


def test_a_panel_is_drawn_into_axes_of_the_caller_and_nothing_else_is_touched(answers, monkeypatch):
    monkeypatch.setattr("jaxscale.figures.saving.with_curve", lambda study: study)
    before = dict(matplotlib.rcParams)
    for one in answers:
        if isinstance(one, js.Regret):
            continue
        figure = Figure()
        ax, other = figure.subplots(1, 2)
        assert one.plot(ax=ax) is ax
        assert ax.has_data()
        assert not other.has_data()
    assert dict(matplotlib.rcParams) == before


def test_panels_are_told_by_name(study):
    ax = Figure().subplots()
    study.frontier.plot(ax=ax, panel="loss")
    assert ax.get_ylabel() == "loss (nats/token)"
    ax = Figure().subplots()
    study.ensemble.plot("coefs", ax=ax, panel="alpha")
    assert ax.patches
    with pytest.raises(js.UsageError, match=r"unknown panel 'alpa'\. Did you mean 'alpha'"):
        study.ensemble.plot(ax=ax, panel="alpa")
    with pytest.raises(js.UsageError, match="give them, as ax="):
        study.ensemble.plot(panel="alpha")
    with pytest.raises(js.UsageError, match="is no axes"):
        study.ensemble.plot(ax=3)
    with pytest.raises(js.UsageError, match=r"unknown figure 'frontir'\. Did you mean 'frontier'"):
        study.plot("frontir")
    with pytest.raises(js.UsageError, match="int has no figure"):
        js.plot(3)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (js.LAWS, "53 laws: broken-1"),
        (js.LAWS["chinchilla"], "<Law chinchilla"),
        (js.huber(1e-3), "<Objective huber: log space, delta 0.001>"),
        (js.student_t(), "<Objective student-t: log space, 4 degrees of freedom>"),
        (js.band(np.arange(101.0)), "<Band 2.5 … 50 … 97.5"),
        (js.band(np.ones((9, 4, 2))), "<Band of 4 × 2 places (95 % percentile, 9 of 9 replicates)>"),
        (results.Certificate(1e-15, 1.2e4, 64, 61), "<Certificate: scaled gradient 1.0e-15, condition 1.2e+04"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_repr_is_one_short_line(one, words):
    assert words in repr(one)
    assert "\n" not in repr(one)
    assert len(repr(one)) < 140


def test_a_registry_is_read_as_a_mapping_is():
    assert js.LAWS["chinchilla"] is js.LAWS.resolve("chinchilla")
    assert "chinchilla" in js.LAWS
    assert js.LAWS["chinchilla"] in js.LAWS
    assert "chinchila" not in js.LAWS
    with pytest.raises(js.UsageError, match=r"unknown law 'chinchila'\. Did you mean 'chinchilla'"):
        js.LAWS["chinchila"]
