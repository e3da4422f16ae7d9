"""The frontier as an interactive chart of Bokeh: params, tokens per param and loss against compute, with the runs."""

from __future__ import annotations

from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxscale.allocation.inputs import measured_flops, priced
from jaxscale.digits import count, scientific, significant
from jaxscale.errors import MissingDependencyError
from jaxscale.figures.axes import column, label_of
from jaxscale.intervals import Band
from jaxscale.results import Study
from jaxscale.webpages.thinning import SEED

if TYPE_CHECKING:
    from bokeh.plotting import figure

MISSING = (
    "a page needs the packages {names}, which are not there: uv sync --extra report, or pip install 'jaxscale[report]'"
)
NEEDED = ("bokeh", "jinja2", "yaml")
QUANTITIES = ("params", "tokens_per_param", "loss")
RUNS = 2000
"""Runs at most in a chart; figures show all."""
HEIGHT = 340
FONT = "system-ui, sans-serif"
COMPACT = (
    "return tick >= 1e15 || tick < 1 ? tick.toExponential(0) : "
    "new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3}).format(tick)"
)
"""Of an axis of params: 70M, 1.5B."""


def check_packages() -> None:
    """Raise MissingDependencyError where a package of the extra is not there."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        raise MissingDependencyError(MISSING.format(names=", ".join(absent)))


def chart_library() -> str:
    """Return Bokeh's script, as its package carries it."""
    file = resources.files("bokeh") / "server" / "static" / "js" / "bokeh.min.js"
    return file.read_text(encoding="utf-8").partition("//# sourceMappingURL")[0]


def chart_of(study: Study, target: str) -> dict[str, Any]:
    """Return Bokeh's JSON of a study whose frontier has many budgets, as `figures.saving.with_curve` makes it.

    target: the id of the element that it will be shown in.
    """
    from bokeh.core.types import ID
    from bokeh.embed import json_item
    from bokeh.models import Range1d, Row

    frontier, kept = study.frontier, _kept(len(study.fit.runs))
    assert frontier is not None
    compute = column(priced(study.fit.law, study.fit.runs), "flops")
    flops = np.concatenate([frontier.flops, compute[np.isfinite(compute)]])
    ends = Range1d(start=float(flops.min()) / 1.6, end=float(flops.max()) * 1.6)
    names = [name for name in QUANTITIES if np.isfinite(getattr(frontier.point, name)).any()]
    plots = [_plot(study, name, compute, kept, ends) for name in names]
    row = Row(
        children=[*plots],
        sizing_mode="stretch_width",
        spacing=8,
        stylesheets=[":host { flex-wrap: wrap; }"],
    )
    item: dict[str, Any] = dict(json_item(row, ID(target)))
    return item


def _plot(study: Study, name: str, compute: np.ndarray, kept: np.ndarray, ends: Any) -> figure:  # noqa: ANN401
    from bokeh.models import BoxZoomTool, CustomJSTickFormatter, HoverTool, PanTool, ResetTool, SaveTool, WheelZoomTool
    from bokeh.models.annotations import BoxAnnotation
    from bokeh.plotting import figure

    frontier, runs = study.frontier, study.fit.runs
    assert frontier is not None
    zoom = BoxZoomTool()
    plot = figure(
        name=name,
        width=320,
        height=HEIGHT,
        sizing_mode="stretch_width",
        min_width=260,
        styles={"flex": "1 1 300px"},
        x_axis_type="log",
        y_axis_type="linear" if name == "loss" else "log",
        x_range=ends,
        x_axis_label=label_of("flops").replace("$", ""),
        y_axis_label=label_of(name).replace("$", ""),
        tools=[zoom, PanTool(), WheelZoomTool(), ResetTool(), SaveTool()],
        active_drag=None,
        toolbar_location="above",
    )
    plot.toolbar.logo = None
    for axis in (plot.xaxis[0], plot.yaxis[0]):
        axis.update(
            axis_label_text_font=FONT, axis_label_text_font_style="normal", axis_label_text_font_size="13px",
            major_label_text_font=FONT, major_label_text_font_size="12px",
        )  # fmt: skip
    if name == "params":
        plot.yaxis[0].formatter = CustomJSTickFormatter(code=COMPACT)
    measured = frontier.measured or measured_flops(frontier.law, runs)
    if measured is not None:
        plot.add_layout(BoxAnnotation(name="measured", left=measured[0], right=measured[1], fill_alpha=0.12))
    band = study.frontier_band(name)
    if band is not None:
        _draw_band(plot, frontier.flops, band)
    shown = column(runs, name)[kept]
    words = [_written(name, float(one)) for one in shown]
    source = {
        "x": compute[kept], "y": shown, "row": runs.row[kept], "words": words,
        "at": [scientific(float(one), 3) for one in compute[kept]],
    }  # fmt: skip
    dots = plot.scatter("x", "y", source=source, size=6, alpha=0.55, line_width=0, name="runs")
    _draw_line(plot, study, name, band, measured)
    plot.scatter("x", "y", source={"x": [], "y": []}, marker="diamond", size=15, line_width=1.5, name="asked")
    plot.add_tools(HoverTool(renderers=[dots], tooltips=[("run", "row @row"), ("FLOP", "@at"), (name, "@words")]))
    return plot


def _draw_band(plot: figure, flops: np.ndarray, band: Band) -> None:
    lower, upper = _ends(band)
    plot.varea(flops, lower, upper, fill_alpha=0.2, name="band")


def _draw_line(plot: figure, study: Study, name: str, band: Band | None, measured: tuple[float, float] | None) -> None:
    from bokeh.models import HoverTool

    assert study.frontier is not None
    flops, centre = study.frontier.flops, getattr(study.frontier.point, name)
    limits = [("–", "–")] * len(flops)
    if band is not None:
        limits = [
            (_written(name, float(low)), _written(name, float(high))) for low, high in zip(*_ends(band), strict=True)
        ]
    most = np.inf if measured is None else measured[1]
    columns = {
        "x": flops, "y": centre, "words": [_written(name, float(one)) for one in centre],
        "band": [f"{low} … {high}" for low, high in limits], "at": [scientific(float(one), 3) for one in flops],
    }  # fmt: skip
    is_in = flops <= most
    plot.line(flops[is_in], centre[is_in], line_width=2, name="line")
    plot.line(flops[~is_in | np.append(~is_in[1:], False)], centre[~is_in | np.append(~is_in[1:], False)],
              line_width=2, line_dash=[6, 3], name="line")  # fmt: skip
    marks = plot.scatter("x", "y", source=columns, size=8, alpha=0.0, hover_alpha=1.0, name="budgets")
    tips = [("FLOP", "@at"), ("optimum", "@words"), ("band", "@band")]
    plot.add_tools(HoverTool(renderers=[marks], tooltips=tips, mode="vline"))


def _ends(band: Band) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(band.lower), np.asarray(band.upper)


def _written(name: str, value: float) -> str:
    return count(value) if name == "params" else significant(value, 4 if name == "loss" else 3)


def _kept(rows: int) -> np.ndarray:
    """Return which runs (k,) a chart shows: all, or RUNS of them drawn by the seed."""
    if rows <= RUNS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, RUNS, replace=False))
