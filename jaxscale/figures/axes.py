"""Axes of quantities: labels with units, values in a table of runs, limits, ticks and formatters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from jaxscale.digits import count_label, number_label
from jaxscale.figures.symbols import literal
from jaxscale.laws import Law
from jaxscale.runs import Runs

LABELS = {
    "flops": "training compute $C$ (FLOP)",
    "params": "params $N$",
    "tokens": "training tokens $D$ (tokens)",
    "tokens_per_param": "tokens per param $D/N$",
    "loss": "loss (nats/token)",
}

Which = Literal["x", "y"]
COUNTS = frozenset({"params", "tokens"})
LEADS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
"""Leading digits of ticks on a log axis, the roundest first."""
FAR = 4.0
"""A value above the least by more than this multiple of the spread of 95 % of them is an arrow at the edge."""
LEAST_SPAN = 10.0
"""A log axis covers at least this factor, so that a single budget or size still gets two ticks."""
SHORT = 0.8
"""Decades below which 1, 2 and 5 may give a log axis fewer than two ticks."""


@dataclass(frozen=True)
class Quantity:
    """A label with its unit, and one number per run (n,), positive for a log axis, NaN where the table has none."""

    name: str
    label: str
    values: np.ndarray
    is_log: bool = True


def label_of(name: str) -> str:
    """Return the axis label of a quantity; a column without a known unit is labelled by its own name, safe to draw."""
    return LABELS.get(name) or literal(name)


def column(runs: Runs, name: str) -> np.ndarray:
    """Return a quantity of the runs (n,) as positive numbers, NaN where the table has none that a log axis can show."""
    if name == "tokens_per_param":
        return column(runs, "tokens") / column(runs, "params")
    values = runs.loss if name == "loss" else runs.columns.get(name)
    if values is None or values.ndim != 1:
        return np.full(len(runs), np.nan)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def abscissae(runs: Runs, law: Law) -> tuple[Quantity, ...]:
    """Return the abscissae of residuals: compute and tokens per param, else the law's inputs; one or two.

    Runs without a positive number in any of them are drawn against their row.
    """
    names = dict.fromkeys(("flops", "tokens_per_param", *law.inputs))
    found = [Quantity(name, label_of(name), column(runs, name)) for name in names]
    shown = tuple(one for one in found if np.isfinite(one.values).any())[:2]
    return shown or (Quantity("row", "row of the table", runs.row.astype(np.float64), is_log=False),)


def log_axis(
    axes: Axes, which: Which, *values: np.ndarray, name: str = "", room: float = 0.04, least: float = LEAST_SPAN
) -> None:
    """Make one axis logarithmic, wide enough for the positive values, with at most about seven ticks.

    name: the quantity; params and tokens are written 70M, 1.5B, 2T, large numbers as powers of ten. An axis of losses
    may be shorter than a decade; one that is has ticks at round numbers.   room: free space at either end, as a share
    of the axis.   least: factor that it covers at the least, if these are no losses.
    """
    least = 1.0 if name == "loss" else least
    low, high = log_limits(*values, room=room, least=least)
    decades = math.log10(high / low)
    subs = (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 2.6 else (1.0,)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    is_short = name == "loss" or decades < SHORT
    axis.set_major_locator(FixedLocator(few_ticks(low, high, 5)) if is_short else LogLocator(subs=subs, numticks=8))
    axis.set_major_formatter(FuncFormatter(count_label if name in COUNTS else number_label))
    if decades < 12.0 and name != "loss":
        axis.set_minor_locator(LogLocator(subs="auto" if decades < 6.0 else (1.0,), numticks=200))
    else:
        axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def log_limits(*values: np.ndarray, room: float = 0.04, least: float = LEAST_SPAN) -> tuple[float, float]:
    """Return limits of a log axis that holds every positive, finite value, a factor `least` apart; 1 … 10 for none."""
    flat = np.concatenate([np.ravel(one) for one in values]) if values else np.empty(0)
    flat = flat[np.isfinite(flat) & (flat > 0)]
    if flat.size == 0:
        return 1.0, LEAST_SPAN
    low, high = np.log10(flat.min()), np.log10(flat.max())
    lack = max(0.0, math.log10(least) - (high - low))
    margin = 0.5 * lack + room * max(high - low, math.log10(least), 1e-3)
    return float(10.0 ** max(low - margin, -300.0)), float(10.0 ** min(high + margin, 300.0))


def few_ticks(low: float, high: float, most: int = 3) -> list[float]:
    """Return two to `most` round numbers inside 0 < low < high, spread over a log axis; fewer if there are none."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leads in LEADS:
        ticks = [lead * 10.0**decade for decade in decades for lead in leads if low <= lead * 10.0**decade <= high]
        if len(ticks) >= 2:
            chosen = np.unique(np.linspace(0, len(ticks) - 1, min(most, len(ticks))).round().astype(int))
            return [ticks[index] for index in chosen]
    even = MaxNLocator(max(most - 1, 2)).tick_values(low, high)
    return [float(tick) for tick in even if low <= tick <= high]


def shade_bar(axes: Axes, shaded: ScalarMappable, label: str, *, counts: bool = False, is_log: bool = True) -> None:
    """Put the bar of a map of colours on top of a panel.   counts: whether its numbers are written as 7B."""
    bar = axes.figure.colorbar(shaded, ax=axes, location="top", pad=0.02, aspect=36, label=label)
    bar.outline.set_visible(False)
    if is_log:
        bar.ax.xaxis.set_major_locator(FixedLocator(few_ticks(*bar.ax.get_xlim(), most=4)))
        bar.ax.xaxis.set_major_formatter(FuncFormatter(count_label if counts else number_label))
        bar.ax.xaxis.set_minor_locator(NullLocator())


def loss_axis(axes: Axes, which: Which, *values: np.ndarray, is_power: bool = False) -> None:
    """Scale one axis for losses: linear; logarithmic for a power, which is straight there, and past a factor of ten."""
    flat = np.concatenate([np.ravel(one) for one in values])
    flat = flat[np.isfinite(flat)]
    if flat.size and flat.min() > 0 and (is_power or flat.max() > 10.0 * flat.min()):
        log_axis(axes, which, flat, name="loss")
        return
    low, high = (float(flat.min()), float(flat.max())) if flat.size else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set(**{f"{which}scale": "linear", f"{which}lim": (low - margin, high + margin)})
    (axes.xaxis if which == "x" else axes.yaxis).set_major_locator(MaxNLocator(5))


def within_reach(values: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
    """Return which values (n,) do not lie so far above the others that an axis with them would show nothing of these.

    of: what they are held against, by default themselves. NaN counts as within reach.
    """
    known = values if of is None else of
    known = known[np.isfinite(known)]
    if not known.size:
        return np.ones(len(values), bool)
    least, most = float(known.min()), float(np.quantile(known, 0.95, method="lower"))
    is_far = values > least + FAR * (most - least) if most > least else np.zeros(len(values), bool)
    return ~np.asarray(is_far)


def is_power(flops: np.ndarray, loss: np.ndarray) -> bool:
    """Return whether a curve (b,) is a power of compute (b,): a straight line in logs, to a part in a million."""
    is_known = np.isfinite(loss) & (loss > 0)
    if is_known.sum() < 3:
        return False
    x, y = np.log(flops[is_known]), np.log(loss[is_known])
    if np.ptp(x) == 0 or np.ptp(y) < 1e-9:
        return False
    line = np.polynomial.Polynomial.fit(x, y, 1)(x)
    return bool(np.max(np.abs(y - line)) < 1e-6 * np.ptp(y))
