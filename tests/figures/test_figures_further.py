"""Profiles, curves, groups, exponents, densities: every value drawn is one of the result, and a refusal says why."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import COEFS, ensemble_of, fit_of, frontier_of
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.lines import Line2D
from matplotlib.text import Text
from test_figures import assert_no_text_overlaps

import jaxscale as js
from jaxscale.approaches import envelope, isoflop
from jaxscale.errors import UsageError
from jaxscale.figures import FIGURES, plot
from jaxscale.laws import predict_with
from jaxscale.results import Studies, Study, StudyKey

WIDTHS = ("column", "page")
BUDGETS = np.array([3e21, 1e22, 3e22])


def profiles(budgets, *, sizes=7, factor=None):
    """Return runs of each budget at sizes around its best; factor: (n,), of the losses."""
    flops = np.repeat(budgets, sizes)
    params = np.sqrt(flops / 120.0) * np.tile(np.geomspace(0.25, 4.0, sizes), len(budgets))
    columns = {"params": params, "tokens": flops / (6.0 * params), "flops": flops}
    noise = np.exp(0.003 * np.random.default_rng(0).standard_normal(len(flops)))
    loss = predict_with(js.LAWS["chinchilla"], COEFS["chinchilla"], columns) * noise
    return js.Runs.from_arrays(loss=loss if factor is None else loss * factor, **columns)


def curves(runs=8, rows=30):
    """Return runs of rising size, each with the rows of its training curve."""
    params, tokens = np.repeat(np.geomspace(1e7, 1e9, runs), rows), np.tile(np.geomspace(1e9, 5e10, rows), runs)
    loss = predict_with(js.LAWS["chinchilla"], COEFS["chinchilla"], {"params": params, "tokens": tokens})
    return js.Runs.from_arrays(
        params=params, tokens=tokens, loss=loss, group=np.repeat([f"r{at}" for at in range(runs)], rows)
    )


def study_of(**table):
    fit = fit_of(**table)
    ensemble = ensemble_of(fit, replicates=200)
    return Study(fit, ensemble, frontier_of(fit, ensemble, flops=BUDGETS))


def grouped():
    parts = {}
    for seed, name in enumerate(("old", "new $ data", "three runs")):
        fit = fit_of(rows=3 if seed == 2 else 40, seed=seed)
        fit = replace(fit, coefs={**fit.coefs, "E": 1.8 + 0.1 * seed})
        parts[name] = Study(fit, None, frontier_of(fit, flops=BUDGETS))
    return replace(study_of(), groups=parts)


STUDIES = {
    "predicted": study_of,
    "isoflop": lambda: Study(fit_of(runs=profiles(np.geomspace(1e18, 1e21, 4)))),
    "curves": lambda: Study(fit_of(runs=curves())),
    "groups": grouped,
    "exponents": grouped,
    "density": study_of,
}


def lines_of(ax):
    return [one for one in ax.lines if len(one.get_xdata()) > 2]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", STUDIES)
def test_no_text_overlaps_and_all_of_it_has_8_points(name, width):
    page = FIGURES[name].make(STUDIES[name](), width)
    assert_no_text_overlaps(page)
    assert {text.get_fontsize() for text in page.findobj(Text) if text.get_text().strip()} == {8.0}


@pytest.mark.parametrize("table", [profiles([1e18, 1e20], sizes=3), profiles(np.geomspace(1e18, 1e21, 5))])
def test_vertices_are_those_of_approach_2_and_stand_at_the_least_of_their_parabolas(table):
    found, page = isoflop(table), FIGURES["isoflop"].make(Study(fit_of(runs=table)))
    left, right = page.axes[:2]
    drawn = [one for one in (*left.lines, *right.lines) if one.get_marker() == "D"]
    np.testing.assert_array_equal(np.sort(drawn[0].get_xdata()), np.sort(found.params))
    np.testing.assert_array_equal(drawn[1].get_xydata(), np.stack([found.flops, found.params], axis=1))
    parabolas = [one for one in left.lines if one.get_marker() != "D"]
    assert len(parabolas) == len(found.flops)
    for curve, params in zip(parabolas, found.params, strict=True):
        sizes, loss = curve.get_data()
        step = np.log(sizes[1] / sizes[0])
        assert abs(np.log(sizes[np.argmin(loss)] / params)) <= step  # as near as the curve's own points are
        rows = (table["params"] >= sizes[0] * (1 - 1e-9)) & (table["params"] <= sizes[-1] * (1 + 1e-9))
        rows &= np.isclose(table["flops"], found.flops[list(found.params).index(params)], rtol=1e-6)
        witness = np.polyfit(np.log(table["params"][rows]), table.loss[rows], 2)
        np.testing.assert_allclose(loss, np.polyval(witness, np.log(sizes)), rtol=1e-6)


def test_a_profile_with_a_run_50_times_off_has_no_parabola_and_squashes_no_other():
    table = profiles(np.geomspace(1e18, 1e21, 4), factor=np.where(np.arange(28) == 3, 50.0, 1.0))
    ax = FIGURES["isoflop"].make(Study(fit_of(runs=table))).axes[0]
    assert max(ax.get_ylim()) < 5.0
    shown = np.concatenate([one.get_offsets() for one in ax.findobj(PathCollection)])
    assert len(shown) == 28
    assert (shown[:, 1] == max(ax.get_ylim())).sum() == 1


def test_the_envelope_is_that_of_approach_1_and_each_run_has_its_curve():
    table = curves()
    found, page = envelope(table), FIGURES["curves"].make(Study(fit_of(runs=table)))
    left, right = page.axes[:2]
    assert len(left.lines) == 8 + 1
    np.testing.assert_array_equal(left.lines[-1].get_xydata(), np.stack([found.flops, found.loss], axis=1))
    np.testing.assert_array_equal(right.lines[-1].get_xydata(), np.stack([found.flops, found.params], axis=1))


def test_predictions_are_the_law_s():
    study = study_of()
    (points,) = FIGURES["predicted"].make(study).axes[0].findobj(PathCollection)
    runs = study.fit.runs
    predicted = predict_with(study.fit.law, study.fit.coefs, {name: runs[name] for name in study.fit.law.inputs})
    np.testing.assert_allclose(points.get_offsets(), np.stack([runs.loss, predicted], axis=1), rtol=1e-12)


def test_densities_have_one_area_and_stand_over_their_bands_and_point_fits():
    study = study_of()
    (ax,) = FIGURES["density"].make(study).axes
    band = study.frontier.interval("params")
    marks = [one for one in ax.lines if one.get_marker() == "D"]
    np.testing.assert_array_equal([one.get_xdata()[0] for one in marks], study.frontier.point.params)
    bars = [one.get_segments()[0][:, 0] for one in ax.findobj(LineCollection)]
    np.testing.assert_allclose(bars, np.stack([band.lower, band.upper], axis=1))
    areas = [np.trapezoid(one.get_ydata() - row, np.log(one.get_xdata())) for row, one in enumerate(lines_of(ax))]
    np.testing.assert_allclose(areas, areas[0], rtol=0.01)  # but for the tails that the axis leaves out
    assert len(areas) == len(BUDGETS)


def test_groups_are_drawn_as_their_own_frontiers():
    study = grouped()
    params, loss = FIGURES["groups"].make(study).axes
    for ax, name in ((params, "params"), (loss, "loss")):
        for line, part in zip(lines_of(ax), study.groups.values(), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), getattr(part.frontier.point, name))


def test_exponents_are_those_of_the_frontiers_with_their_intervals():
    study = grouped()
    (ax,) = FIGURES["exponents"].make(study).axes
    fronts = [study.frontier, *(part.frontier for part in study.groups.values())]
    shown = [one.get_xdata()[0] for one in ax.findobj(Line2D) if one.get_marker() == "o"]
    np.testing.assert_array_equal(shown, [front.exponent("params") for front in fronts])
    band = study.frontier.exponent_interval("params")
    bar = ax.findobj(LineCollection)[0].get_segments()[0]
    np.testing.assert_array_equal(bar[:, 0], [band.lower, band.upper])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["this study", "old", r"new \$ data", "three runs"]


def test_studies_of_several_laws_and_tables_have_a_forest():
    keys = [StudyKey(table, "chinchilla", "huber") for table in ("a", "b")]
    found = Studies(("a", "b"), ("chinchilla",), ("huber",), {keys[0]: study_of()}, {keys[1]: "refused"}, 200, 0)
    (ax,) = plot(found).axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a"]
    assert "1 without an exponent" in ax.figure.get_supxlabel()


@pytest.mark.parametrize(
    ("name", "study", "why"),
    [
        ("curves", study_of, "no training curves"),
        ("curves", lambda: Study(fit_of(runs=curves(rows=1))), "."),
        ("isoflop", study_of, "budget"),
        ("groups", study_of, "fit over groups"),
        ("exponents", lambda: Study(fit_of()), "law 'chinchilla' does not split"),
        ("density", lambda: Study(fit_of(), None, frontier_of(fit_of())), "replicates"),
    ],
)
def test_a_figure_that_a_study_does_not_allow_says_why(name, study, why):
    with pytest.raises(UsageError, match=f"figure '{name}' needs .*{why}"):
        FIGURES[name].make(study())
