"""Figures as a paper prints them: two widths, text of 8 points, embedded TrueType, labels that hide no point."""

import re
import zlib
from dataclasses import replace
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from handmade import COEFS, ensemble_of, fit_of, frontier_of, runs_of
from matplotlib.collections import PathCollection
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from test_figures import assert_no_text_overlaps, caption_of, results

import jaxscale as js
from jaxscale.errors import UsageError
from jaxscale.figures import FIGURES, save_figure
from jaxscale.figures.axes import log_axis
from jaxscale.figures.levels import rounded
from jaxscale.figures.symbols import equation, literal, symbol, unit
from jaxscale.laws import LAWS
from jaxscale.laws.grouped import grouped
from jaxscale.objectives import squared
from jaxscale.results import Study

INCHES = {"column": 3.25, "page": 6.75}
NAMES = ("frontier", "isoloss", "residuals", "coefs")


def study_of(name="chinchilla", **table):
    fit = fit_of(name, **table)
    ensemble = ensemble_of(fit, replicates=40)
    return Study(fit, ensemble, frontier_of(fit, ensemble))


def streams(data):
    """Return all that the streams of a PDF hold, as they are or inflated."""
    found = []
    for raw in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(raw))
        except zlib.error:
            found.append(raw)
    return b"\n".join(found)


@pytest.mark.parametrize("width", INCHES)
@pytest.mark.parametrize("name", NAMES)
def test_a_pdf_has_its_width_text_of_8_points_and_no_type_3(tmp_path, name, width):
    path = tmp_path / "figure.pdf"
    save_figure(FIGURES.resolve(name).make(study_of(), width), path)
    data = path.read_bytes()
    assert b"/Type3" not in data
    assert b"/FontFile2" in data  # TrueType, embedded
    box = [float(number) for number in re.search(rb"/MediaBox \[ ([\d. ]+) \]", data)[1].split()]
    assert box[2] - box[0] == pytest.approx(72.0 * INCHES[width])
    sizes = {float(size) for size in re.findall(rb"/[\w-]+ ([\d.]+) Tf", streams(data))}
    assert sizes == {8.0, 5.6}  # what is raised or lowered has 0.7 of it, as in TeX


@pytest.mark.parametrize("width", INCHES)
@pytest.mark.parametrize("rows", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_no_text_overlaps_at_either_width(width, rows):
    study = study_of(rows=rows, noise=0.02)
    for name in NAMES:
        page = FIGURES.resolve(name).make(study, width)
        assert page.get_figwidth() == INCHES[width]
        assert_no_text_overlaps(page)
        assert {text.get_fontsize() for text in page.findobj(Text) if text.get_text().strip()} == {8.0}


def test_panels_have_no_less_room_in_a_column_than_their_text_needs():
    for name in NAMES:
        page = FIGURES.resolve(name).make(study_of(), "column")
        page.draw_without_rendering()
        for ax in page.axes:
            box = ax.get_position()
            inches = box.width * page.get_figwidth(), box.height * page.get_figheight()
            assert max(inches) > 0.5, name  # a bar of colours is thin
            if ax.get_xlabel() and ax.get_ylabel():
                assert min(inches) > 1.0, name


@pytest.mark.parametrize("width", INCHES)
def test_nine_coefs_leave_no_text_on_another(width):
    page = FIGURES.resolve("coefs").make(study_of("farseer"), width)
    assert_no_text_overlaps(page)
    words = {ax.get_xlabel() for ax in page.axes}
    assert {r"$\alpha$", r"$\beta$", r"$\gamma$"} <= words
    assert len(LAWS.resolve("farseer").names) == 9


@pytest.mark.parametrize("width", INCHES)
def test_the_coefs_of_groups_leave_no_text_on_another(width):
    core = fit_of()
    law = grouped(core.law, ("old", "three runs of $ data", "new"), core.law.names)
    coefs = {name: core.coefs[name.partition("[")[0]] for name in law.names}
    fit = replace(core, law=law, coefs=coefs, std=dict.fromkeys(coefs))
    assert len(coefs) == 15
    assert_no_text_overlaps(FIGURES.resolve("coefs").make(Study(fit, ensemble_of(fit, replicates=40)), width))


def points_in_pixels(ax):
    clouds = [one for one in ax.collections if isinstance(one, PathCollection)]
    return ax.transData.transform(np.concatenate([np.asarray(one.get_offsets()) for one in clouds]))


@pytest.mark.parametrize("width", INCHES)
@pytest.mark.parametrize("name", ["residuals", "isoloss"])
def test_a_label_never_stands_on_a_point(name, width):
    page = FIGURES.resolve(name).make(study_of(rows=300, noise=0.01), width)
    page.draw_without_rendering()
    count = 0
    for ax in page.axes:
        for text in ax.texts:
            box = Text.get_window_extent(text)
            count += 1
            assert not any(box.contains(*spot) for spot in points_in_pixels(ax)), text.get_text()
    assert count >= 4


def test_one_run_50_times_off_is_an_arrow_and_squashes_no_other():
    runs = runs_of(LAWS.resolve("chinchilla"), COEFS["chinchilla"], rows=12, noise=0.01)
    runs = replace(runs, loss=runs.loss * np.where(np.arange(12) == 5, 50.0, 1.0))
    page = FIGURES.resolve("residuals").make(fit_of(runs=runs))
    assert "arrows: 1 beyond the axis" in caption_of(page)
    assert max(page.axes[0].get_ylim()) < 10.0  # per cent, of noise of 1 per cent
    assert f"row {runs.row[5]}" in [text.get_text() for text in page.axes[0].findobj(Annotation)]
    study = study_of(runs=runs)
    page = FIGURES.resolve("frontier").make(study)
    (ax,) = (one for one in page.axes if one.get_ylabel() == "loss (nats/token)")
    assert max(ax.get_ylim()) < 3.0 * np.quantile(runs.loss, 0.8)
    assert any(one.get_offsets()[:, 1].max() == max(ax.get_ylim()) for one in ax.findobj(PathCollection))


def test_residuals_are_per_cent_of_what_was_measured_in_either_space():
    for fit in (fit_of(), fit_of(objective=squared(space="linear"))):
        page = FIGURES.resolve("residuals").make(fit)
        assert page.axes[0].get_ylabel() == "predicted / measured − 1 (%)"
        predicted = (
            fit.runs.loss * np.exp(fit.residuals) if fit.objective.space == "log" else fit.runs.loss + fit.residuals
        )
        shown = np.sort(
            np.concatenate([np.asarray(one.get_offsets())[:, 1] for one in page.axes[0].findobj(PathCollection)])
        )
        exact = 100.0 * (predicted / fit.runs.loss - 1.0)
        end = np.abs(shown).max()
        np.testing.assert_allclose(shown, np.sort(np.clip(exact, -end, end)), rtol=1e-9, atol=1e-12)


def test_contours_and_runs_share_one_map_of_colours_with_ticks_at_the_round_levels():
    page = FIGURES.resolve("isoloss").make(study_of())
    page.draw_without_rendering()
    ax, bar = page.axes[:2]
    (contours,) = (one for one in ax.collections if isinstance(one, ContourSet))
    (points,) = (one for one in ax.collections if isinstance(one, PathCollection))
    assert contours.norm is points.norm
    assert contours.cmap == points.cmap
    assert set(bar.get_yticks()) <= set(contours.levels)
    for level in contours.levels:
        assert float(f"{level:.3g}") == level
        assert contours.cmap(contours.norm(level)) == points.cmap(points.norm(level))


def test_rounded_levels_keep_their_order_and_lie_near_where_they_were():
    random = np.random.default_rng(2)
    for _ in range(200):
        levels = np.cumsum(random.uniform(0.01, 1.0, 12)) + random.uniform(0.1, 5.0)
        found = rounded(levels)
        gaps = np.diff(levels)
        assert len(found) == len(levels)
        assert np.all(np.abs(found - levels) <= 0.5 * np.minimum(np.r_[gaps, np.inf], np.r_[np.inf, gaps]) * (1 + 1e-9))
        assert all(one < other for one, other in pairwise(found))


@pytest.mark.parametrize("factor", [1.2, 2.3, 5.0, 30.0, 1e4])
def test_a_log_axis_of_any_length_has_two_ticks_at_least(factor):
    ax = Figure().subplots()
    log_axis(ax, "x", np.array([1.3e10, 1.3e10 * factor]), name="params", room=0.0, least=1.0)
    low, high = ax.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 8


def test_cheap_runs_of_a_design_are_told_apart_beside_a_large_budget():
    params, ratio = (grid.ravel() for grid in np.meshgrid([1e8, 2e8, 4e8, 8e8], [5.0, 20.0, 80.0]))
    design = js.design(
        law="chinchilla",
        coefs="besiroglu2024",
        candidates={"params": params, "tokens": params * ratio},
        budget=1e24,
        target=1e23,
        criterion="d-optimal",
    )
    ax = Figure().subplots()
    design.plot(ax=ax, panel="path")
    places = ax.transAxes.inverted().transform(ax.transData.transform(ax.lines[1].get_xydata()))[:, 0]
    assert np.diff(places).min() > 0.002
    assert (places[0], places[-1] < 1.0) == (0.0, True)


@pytest.mark.parametrize(("law", "scale"), [("pure-power", "log"), ("power", "linear"), ("chinchilla", "linear")])
def test_the_loss_of_a_law_that_is_a_power_has_a_log_axis(law, scale):
    page = FIGURES.resolve("frontier").make(Study(*results(law, replicates=20)))
    (ax,) = (one for one in page.axes if one.get_ylabel() == "loss (nats/token)")
    assert ax.get_yscale() == scale
    assert len(ax.get_yticks()) >= 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("alpha", r"$\alpha$"), ("alpha_N", r"$\alpha_{N}$"), ("a_1", "$a_{1}$"), ("A1", "$A_{1}$"), ("L0", "$L_{0}$"),
        ("lambda_", r"$\lambda$"), ("E_max", r"$E_{\mathrm{max}}$"), ("chance", r"$\mathrm{chance}$"),
        ("E[rp$j]", r"$E$[rp\$j]"), ("a$b", r"a\$b"),
    ],
)  # fmt: skip
def test_names_of_coefs_are_symbols_and_other_text_stays_as_it_is(name, shown):
    assert symbol(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("big 🚀", "big [rocket]"), ("模型", r"\u6a21\u578b"), ("naïve α → ✓ 😀", "naïve α → ✓ 😀"), ("a\tb", r"a\tb"),
        ("🚀" * 9, "[rocket][rocket][rocket]…"), ("a" * 29, "a" * 27 + "…"), ("a" * 28, "a" * 28), ("", ""),
        ("🧑🏽", r"[adult]\U0001f3fd"),
    ],
)  # fmt: skip
def test_a_character_that_the_font_lacks_is_named_and_two_texts_do_not_look_alike(text, shown):
    assert literal(text) == shown


def test_groups_named_in_other_scripts_are_drawn_without_a_warning():
    """A glyph that the font lacks would warn, and a warning is an error here."""
    names = [chr(first) * 3 for first in (0x1F680, 0x6A21, 0x3042, 0xAC00, 0x0915, 0x1F3FD, 0x1F1E9)]
    page = Figure()
    for at, name in enumerate(names):
        page.text(0.0, 0.1 * at, literal(name))
    page.draw_without_rendering()
    assert len({literal(name) for name in names}) == len(names)


def test_every_law_s_equation_and_units_can_be_drawn():
    lines = [equation(law.equation) for law in LAWS] + [unit(coef.unit) for law in LAWS for coef in law.coefs]
    page = Figure(figsize=(12, 40))
    page.text(0.0, 0.0, "\n".join(lines))
    page.draw_without_rendering()  # what is no mathtext raises here
    assert sum("$" in line for line in lines) > 100
    assert equation("E + A/N**a + $B") == r"E + A/N**a + \$B"


def test_text_of_a_svg_is_text(tmp_path):
    save_figure(FIGURES.resolve("frontier").make(study_of(), "column"), tmp_path / "figure.svg")
    written = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    for words in ("compute in the table", "loss (nats/token)", "percentile bands"):
        assert words in written
    assert "α" in written
    assert re.search(r"font-family: 'DejaVu Sans', [^;]*sans-serif", written)  # where DejaVu is not installed


def test_what_savefig_writes_has_the_same_fonts_whatever_the_callers_settings(tmp_path):
    page = FIGURES.resolve("residuals").make(fit_of())
    with matplotlib.rc_context({"pdf.fonttype": 3, "svg.fonttype": "path"}):
        page.savefig(tmp_path / "figure.pdf")
        page.savefig(tmp_path / "figure.svg")
    assert b"/Type3" not in (tmp_path / "figure.pdf").read_bytes()
    assert "running median" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_an_unknown_width_is_refused_by_name():
    with pytest.raises(UsageError, match=r"unknown width 'colum'\. Did you mean 'column'"):
        FIGURES.resolve("residuals").make(fit_of(), "colum")
