"""Coefs at infinity in the figure `coefs`: at the end of the axis, whole, and none left out."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import ensemble_of, fit_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from scipy.stats import spearmanr
from test_figures import assert_no_text_overlaps

from jaxscale.figures import FIGURES
from jaxscale.figures.coefaxes import coef_axes
from jaxscale.figures.coefs import draw_one, draw_pair, rank_correlation
from jaxscale.results import Study


def study_of(share=0.4, *, name="B", replicates=60):
    """Return a study whose point fit has one coef at infinity, and so has a share of its replicates."""
    fit = fit_of()
    ensemble = ensemble_of(fit, replicates=replicates)
    fit = replace(fit, coefs={**fit.coefs, name: np.inf})
    values = np.where(np.arange(replicates) < share * replicates, np.inf, ensemble.coefs[name])
    return Study(fit, replace(ensemble, fit=fit, coefs={**ensemble.coefs, name: values}))


def named(study):
    return {one.name: one for one in coef_axes(study.ensemble)}


def coloured(figure, colour="#d55e00"):
    """Return how many pixels of a drawn figure have a colour, but for their edges."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.asarray(canvas.buffer_rgba())[..., :3] == wanted).all(axis=-1).sum())


@pytest.mark.parametrize("which", ["x", "y"])
def test_the_mark_of_a_point_fit_at_infinity_is_as_whole_as_another(which):
    found = []
    for value in (np.inf, 2143.0):
        axes = named(study_of())
        point, other = replace(axes["B"], point=value), axes["E"]
        figure = Figure(figsize=(2.0, 2.0), dpi=300)
        draw_pair(figure.add_axes((0.2, 0.2, 0.6, 0.6)), *((point, other) if which == "x" else (other, point)))
        found.append(coloured(figure))
    assert found[0] == pytest.approx(found[1], rel=0.05)  # the same mark, but for where its edges meet pixels


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_replicates_at_infinity_are_drawn_at_the_end_of_the_axis(share):
    study = study_of(share)
    axes = named(study)
    figure = Figure()
    one, pair = figure.subplots(1, 2)
    draw_one(one, axes["B"], None)
    heights = [bar.get_height() for bar in one.patches]
    finite = study.ensemble.coefs["B"][np.isfinite(study.ensemble.coefs["B"])]
    inside = np.sum((finite >= axes["B"].low) & (finite <= axes["B"].high))
    assert sum(heights) == inside + round(share * 60)
    assert heights[-1] >= round(share * 60)
    draw_pair(pair, axes["B"], axes["E"])
    (points,) = pair.findobj(PathCollection)
    at_end = np.asarray(points.get_offsets())[:, 0] == axes["B"].high
    assert round(share * 60) - 2 <= at_end.sum() <= round(share * 60)  # two may lie beyond the axis of E


def test_the_other_coefs_keep_the_replicates_in_which_one_is_infinite():
    study = study_of(0.9)
    assert [len(one.values) for one in coef_axes(study.ensemble)] == [60] * 5


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_end_of_the_axis_says_infinity_and_no_text_is_on_another(share, width):
    page = FIGURES.resolve("coefs").make(study_of(share), width)
    assert_no_text_overlaps(page)
    said = [tick.get_text() for ax in page.axes for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert "∞" in said
    finite = FIGURES.resolve("coefs").make(Study(fit_of(), ensemble_of(fit_of(), replicates=60)), width)
    finite.draw_without_rendering()
    assert "∞" not in [tick.get_text() for ax in finite.axes for tick in ax.get_xticklabels()]


def test_rank_correlations_are_those_of_scipy_also_where_values_are_equal():
    random = np.random.default_rng(1)
    one, other = random.standard_normal((2, 50))
    one[:20], other[10:30] = np.inf, one[10:30].round(1)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic, rel=1e-12)
    assert np.isnan(rank_correlation(np.full(50, np.inf), other))
