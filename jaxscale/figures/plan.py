"""A plan: its limits in the plane of params and tokens, and the regret of every size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from jaxscale.errors import UsageError
from jaxscale.figures.axes import label_of, log_axis
from jaxscale.figures.pages import (
    BLUE,
    EDGE_OF_TEXT,
    GREY,
    INK,
    VERMILLION,
    Page,
    house_style,
    literal,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Panels
from jaxscale.results import Decision, Plan
from jaxscale.results.regret import mean_of, quantiles_of

AROUND = np.log(30.0)
"""How far the plane goes beyond the plans, in ln of params and tokens."""
GRID = 241
MARKS = ("D", "o", "s", "^", "v", "P", "X")
ONE_SIZE = "the limits leave no more than one size, so there is no curve of regret to draw"
NO_PLAN = "no plan keeps to the limits"
LABELS = {"best": "least regret", "plug-in": "plan of the point fit"}
MOST_DOTS = 1_000


def draw_plan(plan: Plan, decision: Decision | None = None, *, notes: Sequence[str] = (), level: float = 0.95) -> Page:
    """Return the page of a plan: its limits, and the regret of other sizes where there is a decision.

    plan: of one budget.   notes: statements below the panels.   level: of the band of regret.
    """
    with house_style():
        has_curve = decision is not None and decision.curve is not None
        figure = page(8.6, 4.4) if has_curve else page(5.6, 4.6)
        panels = figure.subplot_mosaic("PR" if has_curve else "P")
        handles = _draw_plane(panels["P"], plan, decision)
        if decision is not None and has_curve:
            _draw_regret(panels["R"], decision, level)
        set_legend(figure, handles, columns=4 if has_curve else 2)
        set_caption(figure, " · ".join(literal(one, limit=200) for one in notes))
        return figure


def panels_of_plan(plan: Plan, decision: Decision | None = None, *, level: float = 0.95) -> Panels:
    """Return the plane of params and tokens, and the regret of every size where a decision has it."""

    def draw(ax: Axes) -> None:
        ax.legend(handles=_draw_plane(ax, plan, decision))

    has_curve = decision is not None and decision.curve is not None
    return {"plan": draw, **(panels_of_decision(decision, level=level) if decision is not None and has_curve else {})}


def draw_decision(decision: Decision, *, level: float = 0.95) -> Page:
    """Return the page of a decision alone: the regret of every size.   Raises UsageError where there is but one."""
    panels = panels_of_decision(decision, level=level)
    with house_style():
        figure = page(5.6, 4.6)
        panels["regret"](figure.subplots())
        set_caption(figure, literal(repr(decision).strip("<>"), limit=200))
        return figure


def panels_of_decision(decision: Decision, *, level: float = 0.95) -> Panels:
    """Return the regret of every size; raise UsageError where the limits leave no more than one."""
    if decision.curve is None:
        raise UsageError(ONE_SIZE)
    return {"regret": partial(_draw_regret, decision=decision, level=level)}


def _draw_plane(ax: Axes, plan: Plan, decision: Decision | None) -> list[Line2D]:
    """Draw where each limit is met, the replicates' own plans and the plans that were asked for."""
    marked = _plans(plan, decision)
    dots = np.stack([plan.params, plan.tokens], axis=1) if plan.is_ensemble else np.zeros((0, 2))
    dots = dots[np.isfinite(dots).all(axis=1)]
    seen = np.log(np.array([*marked.values(), *dots]))
    if not len(seen):
        ax.text(0.5, 0.5, NO_PLAN, transform=ax.transAxes, ha="center", color=GREY)
        ax.set(xticks=[], yticks=[])
        return []
    low, high = seen.min(axis=0) - AROUND / 2.0, seen.max(axis=0) + AROUND / 2.0
    params, tokens = (np.exp(np.linspace(*ends, GRID)) for ends in zip(low, high, strict=True))
    over = np.zeros((GRID, GRID), bool)
    for at, (name, amount) in enumerate(plan.point.amounts.items()):
        excess = np.log(amount(params[None], tokens[:, None]) / plan.point.limits[name])
        excess = -excess if name in plan.point.floors else excess
        over |= excess > 0
        binds = float(plan.point.multipliers[name]) != 0
        ax.contour(
            params, tokens, excess, levels=[0.0], colors=[INK if binds else GREY], linewidths=1.4 if binds else 0.8
        )
        _name_line(ax, name, params, tokens, excess, at)
    ax.contourf(params, tokens, over, levels=[0.5, 1.5], colors=[GREY], alpha=0.12)
    handles = []
    if len(dots):
        few = dots[:MOST_DOTS]
        ax.scatter(few[:, 0], few[:, 1], s=5, c=BLUE, alpha=0.25, linewidths=0, zorder=3, rasterized=True)
        handles.append(
            Line2D([], [], color=BLUE, marker="o", markersize=3, linestyle="none", label="each replicate's own")
        )
    for at, (name, sizes) in reversed(list(enumerate(marked.items()))):  # the recommended one on top
        color = VERMILLION if at == 0 else INK
        ax.plot(*sizes, color=color, marker=MARKS[at % len(MARKS)], markersize=6, linestyle="none", zorder=5)
        label = LABELS.get(name, literal(name))
        handles.append(
            Line2D([], [], color=color, marker=MARKS[at % len(MARKS)], markersize=5, linestyle="none", label=label)
        )
    log_axis(ax, "x", params, name="params", room=0.0)
    log_axis(ax, "y", tokens, name="tokens", room=0.0)
    ax.set(xlabel=label_of("params"), ylabel=label_of("tokens"), xlim=params[[0, -1]], ylim=tokens[[0, -1]])
    return handles[::-1]


def _plans(plan: Plan, decision: Decision | None) -> dict[str, tuple[float, float]]:
    """Return name → (params, tokens) of the plans to mark, the recommended one first."""
    if decision is not None:
        return {name: (one.params, one.tokens) for name, one in decision.regrets.items()}
    sizes = float(plan.point.params), float(plan.point.tokens)
    return {"plan": sizes} if np.isfinite(sizes).all() else {}


def _name_line(ax: Axes, name: str, params: np.ndarray, tokens: np.ndarray, excess: np.ndarray, at: int) -> None:
    """Write the name of a limit beside its line, at a place of its own where the line crosses the plane."""
    rows, columns = np.nonzero(np.diff(np.sign(excess), axis=0))
    if not len(rows):
        rows, columns = np.nonzero(np.diff(np.sign(excess), axis=1))
    if len(rows):
        place = np.argsort(columns, kind="stable")[int((0.12 + 0.17 * at) % 0.9 * len(rows))]
        x, y = params[columns[place]], tokens[rows[place]]
        ax.annotate(
            literal(name), (x, y), fontsize=7.5, color=INK, ha="center", va="bottom", bbox=EDGE_OF_TEXT, zorder=4
        )


def _draw_regret(ax: Axes, decision: Decision, level: float) -> None:
    """Draw the mean regret of every size, with the band of the replicates', and the plans."""
    curve, weight = decision.curve, decision.best.weight
    assert curve is not None  # draw_plan asks first
    mean = np.array([mean_of(column, weight)[0] for column in curve.nats.T])
    ends = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    low, high = np.array([quantiles_of(column, weight, ends) for column in curve.nats.T]).T
    ax.fill_between(curve.params, low, high, color=VERMILLION, alpha=0.18, linewidth=0, zorder=2)
    ax.plot(curve.params, mean, color=VERMILLION, linewidth=1.8, zorder=4)
    ax.annotate(f"mean, and {100.0 * level:g} % of the replicates", (0.5, 0.97), xycoords="axes fraction", fontsize=7.5,
                color=VERMILLION, ha="center", va="top")  # fmt: skip
    for at, one in reversed(list(enumerate(decision.regrets.values()))):
        if curve.params[0] <= one.params <= curve.params[-1]:
            value = one.expected()[0]
            color, mark = VERMILLION if at == 0 else INK, MARKS[at % len(MARKS)]
            ax.plot(one.params, value, color=color, marker=mark, markersize=6, linestyle="none", zorder=5)
    log_axis(ax, "x", curve.params, name="params", room=0.0)
    ax.set(xlabel=label_of("params"), ylabel="regret (nats/token)", xlim=curve.params[[0, -1]])
    ax.set_ylim(0.0, 1.15 * float(np.max(high)))
