"""Figures say what they show: units, captions, what is measured and what is not, and no text over text."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from handmade import COEFS, ensemble_of, fit_of, frontier_of, runs_of
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection
from matplotlib.contour import ContourSet
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text

from jaxscale.errors import UsageError
from jaxscale.figures import FIGURES, save_figure
from jaxscale.laws import LAWS, predict_with
from jaxscale.results import Study
from jaxscale.runs import read_runs
from jaxscale.status import Status

QUICK = {"chinchilla", "kaplan", "power", "power-params"}
"""Laws of each kind of page: a split, one that is solved for, a loss of compute alone, and one of size alone."""
OF_A_SPLIT = {"isoloss", "density", "exponents"}
OF_SOME_TABLES = {"isoflop", "curves", "groups"}
"""Figures of tables with compute groups, training curves, and groups of coefs."""
OF_EVERY_TABLE = [figure for figure in FIGURES if figure.name not in OF_SOME_TABLES]
UNITS = {
    "training compute $C$ (FLOP)",
    "params $N$",
    "tokens per param $D/N$",
    "loss (nats/token)",
    "colour: training compute $C$ (FLOP)",
    "colour: tokens per param $D/N$",
    "predicted / measured − 1 (%)",
}


@cache
def results(name="chinchilla", *, replicates=60, unusable=0.1, flops=None, **table):
    fit = fit_of(name, **table)
    ensemble = ensemble_of(fit, replicates=replicates, unusable=unusable)
    return fit, ensemble, frontier_of(fit, ensemble, flops=flops)


def drawn(page):
    page.canvas.draw()
    return page


def caption_of(page):
    return page.get_supxlabel().replace("\n", " ")


def boxes(page):
    """Return (words, box) of everything written that can be seen, in pixels."""
    drawn(page)
    texts = {id(text): text for legend in page.findobj(Legend) for text in legend.get_texts()}
    for axis in page.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            for text in (tick.label1, tick.label2):
                if low <= tick.get_loc() <= high:
                    texts[id(text)] = text
        texts[id(axis.label)] = axis.label
    texts |= {id(text): text for ax in page.axes for text in ax.texts}
    texts |= {id(text): text for text in page.texts}
    texts[id(page._supxlabel)] = page._supxlabel
    return [(text.get_text(), Text.get_window_extent(text)) for text in texts.values() if is_seen(text)]


def is_seen(text):
    return bool(text.get_text().strip()) and text.get_visible() and (text.axes is None or text.axes.axison)


def assert_no_text_overlaps(page):
    width, height = page.canvas.get_width_height()
    for words, box in (found := boxes(page)):
        assert min(box.x0, box.y0) >= -1, words
        assert max(box.x1 - width, box.y1 - height) <= 1, words
    for (one, first), (other, second) in combinations(found, 2):
        inner = first.padded(-0.5)  # half a pixel of antialiasing is no overlap
        assert not inner.overlaps(second.padded(-0.5)), (one, other)


@pytest.mark.parametrize(
    "law", [law if law in QUICK else pytest.param(law, marks=pytest.mark.slow) for law in sorted(COEFS)]
)
def test_every_figure_draws_for_every_law_or_says_why_not(law):
    fit, ensemble, frontier = results(law, replicates=20)
    is_split = fit.law.inputs == ("params", "tokens")
    for figure in FIGURES:
        if figure.name in OF_SOME_TABLES or (figure.name in OF_A_SPLIT and not is_split):
            with pytest.raises(UsageError, match=f"figure '{figure.name}' needs "):
                figure.make(Study(fit, ensemble, frontier))
        else:
            assert_no_text_overlaps(figure.make(Study(fit, ensemble, frontier)))
    if not is_split:
        with pytest.raises(UsageError, match=f"'{law}' is a law of {fit.law.inputs[0]}"):
            FIGURES["isoloss"].make(Study(fit, ensemble, frontier))


def test_contours_stand_where_the_law_s_own_price_puts_the_runs():
    fit, _, _ = results()
    dear = replace(fit, law=replace(fit.law, name="dear", flops_per_param_token=lambda: 8.0))
    ax = drawn(FIGURES.resolve("isoloss").make(dear)).axes[0]
    (contours,) = (one for one in ax.collections if isinstance(one, ContourSet))
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        flops, params = path.vertices.T
        loss = predict_with(fit.law, fit.coefs, {"params": params, "tokens": flops / (8.0 * params)})
        np.testing.assert_allclose(loss, level, rtol=2e-4)  # between cells they are straight
    (points,) = (one for one in ax.collections if isinstance(one, PathCollection))
    flops = 8.0 * fit.runs["params"] * fit.runs["tokens"]
    np.testing.assert_allclose(points.get_offsets(), np.stack([flops, fit.runs["params"]], axis=1), rtol=1e-12)


def test_the_handmade_coefs_cover_every_registered_law():
    assert set(COEFS) <= set(LAWS.names)
    assert {LAWS.resolve(name).inputs for name in COEFS} >= {("params", "tokens"), ("flops",), ("params",), ("tokens",)}


@pytest.mark.parametrize("rows", [6, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (40, 6000))])
def test_no_text_overlaps_in_small_and_large_tables(rows):
    fit, ensemble, frontier = results(rows=rows, noise=0.05)
    for figure in OF_EVERY_TABLE:
        assert_no_text_overlaps(figure.make(Study(fit, ensemble, frontier)))


@pytest.mark.parametrize("flops", [(5.76e23,), (1e25, 1e21), (1e18, 1e30), tuple(np.geomspace(1e18, 1e26, 81))])
def test_no_text_overlaps_for_few_and_many_budgets(flops):
    fit, ensemble, frontier = results(flops=flops)
    for name in ("frontier", "isoloss"):
        assert_no_text_overlaps(FIGURES.resolve(name).make(Study(fit, ensemble, frontier)))


def test_real_runs_draw_without_overlaps(shared_data):
    fit = fit_of(runs=read_runs(shared_data / "epoch_chinchilla.csv"))
    ensemble = ensemble_of(fit, replicates=2000, unusable=0.01)
    for figure in OF_EVERY_TABLE:
        assert_no_text_overlaps(figure.make(Study(fit, ensemble, frontier_of(fit, ensemble))))


def test_axes_carry_units():
    fit, ensemble, frontier = results()
    for name in ("frontier", "isoloss", "residuals"):
        page = drawn(FIGURES.resolve(name).make(Study(fit, ensemble, frontier)))
        labels = {axis.get_label_text() for axis in page.findobj(Axis)} - {""}
        assert labels
        assert labels <= UNITS
    caption = caption_of(FIGURES.resolve("coefs").make(Study(fit, ensemble)))
    assert "$E$ in nats/token" in caption
    assert r"$A$ in nats/token·params$^{\alpha}$" in caption


@pytest.mark.parametrize("name", ["frontier", "isoloss", "coefs"])
def test_captions_state_level_method_and_how_many_replicates_count(name):
    fit, ensemble, frontier = results(replicates=60, unusable=0.1)
    caption = caption_of(FIGURES.resolve(name).make(Study(fit, ensemble, frontier, level=0.9)))
    assert "90 % percentile bands from 54 of 60 replicates (scheme pairs, seed 0)" in caption
    assert r"law chinchilla, $L$ $=$ $E$ $+$ $A/N^{\alpha}$ $+$ $B/D^{\beta}$" in caption
    assert "objective huber, log space, δ = 0.001" in caption
    assert "60 of 60 rows" in caption


def test_a_fit_without_an_ensemble_has_no_bands_and_says_so():
    fit = fit_of()
    page = FIGURES.resolve("frontier").make(Study(fit, None, frontier_of(fit)))
    assert "no bands: the fit was not bootstrapped" in caption_of(page)
    assert not [text for text in page.legends[0].get_texts() if "band" in text.get_text()]


def test_an_ensemble_without_a_usable_replicate_has_no_bands_and_says_so():
    fit, ensemble, frontier = results(unusable=1.0)
    for name in ("frontier", "isoloss", "coefs"):
        page = FIGURES.resolve(name).make(Study(fit, ensemble, frontier))
        assert "no bands: none of the 60 replicates is usable" in caption_of(page)
        assert_no_text_overlaps(page)


def test_a_fit_that_is_not_a_minimum_says_so():
    page = FIGURES.resolve("residuals").make(fit_of(status=Status.STALLED))
    assert "the fit is not a minimum of its objective (stalled)" in caption_of(page)


def test_the_measured_range_is_solid_and_the_extrapolation_dashed():
    fit, ensemble, frontier = results()
    low, high = frontier.measured
    curves = [
        line
        for ax in FIGURES.resolve("frontier").make(Study(fit, ensemble, frontier)).axes
        for line in ax.findobj(Line2D)
        if line.axes is ax and len(line.get_xdata()) > 1 and line.get_linewidth() == 1.4
    ]
    assert len(curves) == 9  # three stretches in each of three panels
    for line in curves:
        is_measured = low <= np.min(line.get_xdata()) and np.max(line.get_xdata()) <= high
        assert line.is_dashed() is not is_measured


def test_a_law_of_compute_alone_gets_the_panel_of_the_loss_alone():
    page = FIGURES.resolve("frontier").make(Study(*results("power", replicates=20)))
    assert [ax.get_ylabel() for ax in page.axes] == ["loss (nats/token)"]


def test_a_missing_need_is_refused():
    fit = fit_of()
    with pytest.raises(UsageError, match="'coefs' needs replicates"):
        FIGURES.resolve("coefs").make(fit)
    with pytest.raises(UsageError, match="'frontier' needs a frontier"):
        FIGURES.resolve("frontier").make(fit)


def test_a_dollar_in_a_run_name_is_shown_as_a_dollar(tmp_path):
    names = [f"$x^{{{i}}}$ 中\u202e\n{'y' * 1000}" for i in range(20)]
    fit = fit_of(runs=runs_of(LAWS.resolve("chinchilla"), COEFS["chinchilla"], rows=20, run=names))
    page = FIGURES.resolve("residuals").make(fit)
    assert "\u202e" not in caption_of(page)
    for kind in ("png", "svg"):  # a glyph that the font lacks would warn, and a warning is an error here
        save_figure(page, tmp_path / f"residuals.{kind}")
    assert "$x^{" in (tmp_path / "residuals.svg").read_text(encoding="utf-8")


def test_the_largest_residuals_are_named_by_their_row():
    fit = fit_of(rows=40, noise=0.02)
    page = FIGURES.resolve("residuals").make(fit)
    worst = f"row {fit.runs.row[np.argmax(np.abs(fit.residuals))]}"
    for ax in page.axes[:2]:
        assert worst in [text.get_text() for text in ax.findobj(Annotation)]
    assert worst in caption_of(page)


def test_a_run_beyond_the_axis_on_either_side_is_an_arrow_at_the_edge_and_is_counted():
    residuals = np.tile([0.01, -0.01], 50)
    residuals[[3, 8, 9]] = 0.9, -0.5, -0.6
    page = FIGURES.resolve("residuals").make(replace(fit_of(rows=100), residuals=residuals))
    assert "arrows: 3 beyond the axis" in caption_of(page)
    points = page.axes[0].findobj(PathCollection)
    heights = np.sort(np.concatenate([np.asarray(some.get_offsets())[:, 1] for some in points]))
    end = 2.5 * 100.0 * np.expm1(0.01)  # 2.5 times the size that 95 % of the runs keep within
    np.testing.assert_allclose(heights, np.sort(np.clip(100.0 * np.expm1(residuals), -end, end)), rtol=1e-12)


def test_fixed_coefs_are_not_drawn():
    fit = fit_of(fixed=("alpha", "beta"))
    page = FIGURES.resolve("coefs").make(Study(fit, ensemble_of(fit, replicates=50)))
    assert {ax.get_xlabel() for ax in page.axes} - {""} == {"$E$ (nats/token)", "$A$", "$B$"}
    assert r"fixed: $\alpha$ = 0.3473, $\beta$ = 0.3672" in caption_of(page)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_same_page_saves_to_the_same_bytes(tmp_path, suffix):
    fit = fit_of()
    for name in ("one", "other"):
        save_figure(FIGURES.resolve("frontier").make(Study(fit, None, frontier_of(fit))), tmp_path / f"{name}{suffix}")
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "other"))
    assert len(first) > 5000
    assert first == second


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"cannot be saved as '.bmp'; known: .png, .pdf, .svg"):
        save_figure(FIGURES.resolve("residuals").make(fit_of()), tmp_path / "page.bmp")


def test_the_callers_style_neither_matters_nor_changes(tmp_path):
    fit = fit_of()
    save_figure(FIGURES.resolve("residuals").make(fit), tmp_path / "one.png")
    with matplotlib.rc_context(
        {"font.size": 30.0, "axes.grid": True, "savefig.bbox": "tight", "axes.facecolor": "red"}
    ):
        before = dict(matplotlib.rcParams)
        save_figure(FIGURES.resolve("residuals").make(fit), tmp_path / "other.png")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


@pytest.mark.slow
def test_figures_never_touch_pyplot():
    script = (
        "import sys; from handmade import fit_of, ensemble_of, frontier_of\n"
        "from jaxscale.figures import FIGURES\nfrom jaxscale.results import Study\n"
        "fit = fit_of(); ensemble = ensemble_of(fit, replicates=30)\n"
        "study = Study(fit, ensemble, frontier_of(fit, ensemble))\n"
        "[one.make(study).canvas.draw() for one in FIGURES if one.name not in ('isoflop', 'curves', 'groups')]\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    here = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
