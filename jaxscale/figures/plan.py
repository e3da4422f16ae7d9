"""A plan: its limits in the plane of params and tokens, and the regret of every size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.errors import UsageError
from jaxscale.figures.axes import label_of, log_axis
from jaxscale.figures.labelling import label_line
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    Page,
    Width,
    house_style,
    page,
    set_caption,
    set_legend,
    settle,
)
from jaxscale.figures.spec import Panels
from jaxscale.figures.symbols import literal
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


def draw_plan(
    plan: Plan,
    decision: Decision | None = None,
    *,
    width: Width = "page",
    notes: Sequence[str] = (),
    level: float = 0.95,
) -> Page:
    """Return the page of a plan: its limits, and the regret of other sizes where there is a decision.

    plan: of one budget.   width: of a column or of a page in print.   notes: statements below the panels.   level: of
    the band of regret.
    """
    with house_style():
        has_curve = decision is not None and decision.curve is not None
        is_beside = has_curve and width == "page"
        figure = page(width, 5.0 if has_curve and not is_beside else 2.9)
        panels = figure.subplot_mosaic(("PR" if is_beside else "P;R") if has_curve else "P")
        handles = _draw_plane(panels["P"], plan, decision)
        if decision is not None and has_curve:
            _draw_regret(panels["R"], decision, level)
            handles += _handles_of_regret(level)
        set_legend(figure, handles)
        set_caption(figure, " · ".join(literal(one, limit=200) for one in notes))
        settle(figure)  # names are placed in pixels
        _name_lines(panels["P"], plan, decision)
        return figure


def panels_of_plan(plan: Plan, decision: Decision | None = None, *, level: float = 0.95) -> Panels:
    """Return the plane of params and tokens, and the regret of every size where a decision has it."""

    def draw(ax: Axes) -> None:
        ax.legend(handles=_draw_plane(ax, plan, decision))
        _name_lines(ax, plan, decision)

    has_curve = decision is not None and decision.curve is not None
    return {"plan": draw, **(panels_of_decision(decision, level=level) if decision is not None and has_curve else {})}


def draw_decision(decision: Decision, *, width: Width = "page", level: float = 0.95) -> Page:
    """Return the page of a decision alone: the regret of every size.   Raises UsageError where there is but one."""
    panels = panels_of_decision(decision, level=level)
    with house_style():
        figure = page(width, 2.9 if width == "page" else 2.4)
        panels["regret"](figure.subplots())
        handles = dict(zip(decision.regrets, _handles_of_plans(decision.regrets), strict=True))
        beyond = [name for name, one in decision.regrets.items() if not _is_shown(decision, one.params)]
        set_legend(figure, [*(one for name, one in handles.items() if name not in beyond), *_handles_of_regret(level)])
        notes = [f"beyond the axis: {', '.join(literal(name) for name in beyond)}"] if beyond else []
        set_caption(figure, " · ".join([literal(repr(decision).strip("<>"), limit=200), *notes]))
        return figure


def panels_of_decision(decision: Decision, *, level: float = 0.95) -> Panels:
    """Return the regret of every size; raise UsageError where the limits leave no more than one."""
    if decision.curve is None:
        raise UsageError(ONE_SIZE)
    return {"regret": partial(_draw_regret, decision=decision, level=level)}


def _draw_plane(ax: Axes, plan: Plan, decision: Decision | None) -> list[Artist]:
    """Draw where each limit is met, the replicates' own plans and the plans that were asked for."""
    marked, dots = _plans(plan, decision), _dots(plan)
    plane = _plane(marked, dots)
    if plane is None:
        ax.text(0.5, 0.5, NO_PLAN, transform=ax.transAxes, ha="center", color=GREY)
        ax.set(xticks=[], yticks=[])
        return []
    params, tokens = plane
    over = np.zeros((GRID, GRID), bool)
    for name, excess in _excesses(plan, params, tokens).items():
        over |= excess > 0
        binds = float(plan.point.multipliers[name]) != 0
        ax.contour(
            params, tokens, excess, levels=[0.0], colors=[INK if binds else GREY], linewidths=1.2 if binds else 0.7
        )
    ax.contourf(params, tokens, over, levels=[0.5, 1.5], colors=[GREY], alpha=0.12)
    handles: list[Artist] = _handles_of_plans(marked)
    if len(dots):
        few = dots[:MOST_DOTS]
        ax.scatter(few[:, 0], few[:, 1], s=3, c=BLUE, alpha=0.25, linewidths=0, zorder=3, rasterized=True)
        handles.append(
            Line2D([], [], color=BLUE, marker="o", markersize=3, linestyle="none", label="of each replicate")
        )
    for at, sizes in reversed(list(enumerate(marked.values()))):  # the recommended one on top
        ax.plot(*sizes, color=VERMILLION if at == 0 else INK, marker=MARKS[at % len(MARKS)], markersize=5,
                linestyle="none", zorder=5)  # fmt: skip
    log_axis(ax, "x", params, name="params", room=0.0)
    log_axis(ax, "y", tokens, name="tokens", room=0.0)
    ax.set(xlabel=label_of("params"), ylabel=label_of("tokens"), xlim=params[[0, -1]], ylim=tokens[[0, -1]])
    return handles


def _handles_of_plans(plans: Iterable[str]) -> list[Artist]:
    return [
        Line2D([], [], color=VERMILLION if at == 0 else INK, marker=MARKS[at % len(MARKS)], markersize=4.5,
               linestyle="none", label=LABELS.get(name) or literal(name))
        for at, name in enumerate(plans)
    ]  # fmt: skip


def _handles_of_regret(level: float) -> list[Artist]:
    return [
        Line2D([], [], color=VERMILLION, linewidth=1.4, label="mean regret"),
        Patch(color=VERMILLION, alpha=0.18, linewidth=0, label=f"{100.0 * level:g} % of the replicates"),
    ]


def _dots(plan: Plan) -> np.ndarray:
    """Return the plans (R, 2) of the replicates that have one."""
    dots = np.stack([plan.params, plan.tokens], axis=1) if plan.is_ensemble else np.zeros((0, 2))
    return dots[np.isfinite(dots).all(axis=1)]


def _plane(marked: dict[str, tuple[float, float]], dots: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return params (GRID,) and tokens (GRID,) around the plans; None where there is no plan."""
    seen = np.log(np.array([*marked.values(), *dots]))
    if not len(seen):
        return None
    low, high = seen.min(axis=0) - AROUND / 2.0, seen.max(axis=0) + AROUND / 2.0
    params, tokens = (np.exp(np.linspace(*ends, GRID)) for ends in zip(low, high, strict=True))
    return params, tokens


def _excesses(plan: Plan, params: np.ndarray, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Return limit → ln of what the sizes of a plane take of it over what there is (tokens, params), above 0 beyond."""
    found = {}
    for name, amount in plan.point.amounts.items():
        excess = np.log(amount(params[None], tokens[:, None]) / plan.point.limits[name])
        found[name] = -excess if name in plan.point.floors else excess
    return found


def _plans(plan: Plan, decision: Decision | None) -> dict[str, tuple[float, float]]:
    """Return name → (params, tokens) of the plans to mark, the recommended one first."""
    if decision is not None:
        return {name: (one.params, one.tokens) for name, one in decision.regrets.items()}
    sizes = float(plan.point.params), float(plan.point.tokens)
    return {"plan": sizes} if np.isfinite(sizes).all() else {}


def _name_lines(ax: Axes, plan: Plan, decision: Decision | None) -> None:
    """Write the name of each limit on its line, clear of all plans; the layout must be settled."""
    marked, dots = _plans(plan, decision), _dots(plan)
    plane = _plane(marked, dots)
    if plane is None:
        return
    points = np.array([*marked.values(), *dots[:MOST_DOTS]])
    for name, excess in _excesses(plan, *plane).items():
        rows, columns = np.nonzero(np.diff(np.sign(excess), axis=0))
        if not len(rows):
            rows, columns = np.nonzero(np.diff(np.sign(excess), axis=1))
        order = np.argsort(columns, kind="stable")
        label_line(ax, plane[0][columns[order]], plane[1][rows[order]], literal(name), points)


def _draw_regret(ax: Axes, decision: Decision, level: float) -> None:
    """Draw the mean regret of every size, with the band of the replicates', and the plans."""
    curve, weight = decision.curve, decision.best.weight
    assert curve is not None  # draw_plan asks first
    mean = np.array([mean_of(column, weight)[0] for column in curve.nats.T])
    ends = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    low, high = np.array([quantiles_of(column, weight, ends) for column in curve.nats.T]).T
    ax.fill_between(curve.params, low, high, color=VERMILLION, alpha=0.18, linewidth=0, zorder=2)
    ax.plot(curve.params, mean, color=VERMILLION, linewidth=1.4, zorder=4)
    for at, one in reversed(list(enumerate(decision.regrets.values()))):
        if _is_shown(decision, one.params):
            value = one.expected()[0]
            color, mark = VERMILLION if at == 0 else INK, MARKS[at % len(MARKS)]
            ax.plot(
                one.params, value, color=color, marker=mark, markersize=6, linestyle="none", zorder=5, clip_on=False
            )
    log_axis(ax, "x", curve.params, name="params", room=0.0, least=1.0)
    ax.set(xlabel=label_of("params"), ylabel="regret (nats/token)")
    ax.set_ylim(0.0, 1.15 * float(np.max(high)))


def _is_shown(decision: Decision, params: float) -> bool:
    """Return whether a size lies within the curve of regret."""
    curve = decision.curve
    return curve is not None and bool(curve.params[0] <= params <= curve.params[-1])
