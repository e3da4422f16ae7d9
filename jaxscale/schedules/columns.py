"""From schedules to the columns that laws take: one row per schedule and step, of a few dozen nodes at most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.schedules.nodes import Nodes, nodes_of, pieces_of
from jaxscale.schedules.schedule import Schedule

MOMENTUM = 0.999
"""Of the drops in S2 (Tissue et al. 2024 use 0.99 to 0.999)."""
ALIGNED = 8
"""Rows are padded to a multiple of this, so that tables share programs."""
MOST_PIECES = 128

STEP_OUTSIDE = "step {step:g} is outside a schedule of {steps} steps; give whole steps from 1 on"
TOO_MANY = (
    "the rate changes its pace {count} times, and at most {most} can be carried by every row; "
    "smooth the rates, or give the schedule by its formula, as jaxscale.schedules.cosine(…)"
)
NO_ROWS = "0 rows: give at least one schedule and the step it has come to"
TOO_NARROW = "the rows need {needed} nodes, more than width = {width}"


def columns_of(
    schedules: Sequence[Schedule],
    steps: Sequence[int] | np.ndarray,
    *,
    momentum: float = MOMENTUM,
    width: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the inputs of laws of schedules for rows, each a schedule and the step that it has come to.

    schedules: (n,), the same object where rows share one.   steps: (n,) whole numbers from 1 to the last step.
    momentum: of the drops in `annealing`.   width: nodes per row; the fewest that do, as a multiple of 8, unless given.
    Returns rate_sum (n,) = S1, annealing (n,) = S2, and (n, width) the nodes: rate_drops, rates_after, sums_since; a
    row with fewer is filled up with drops of zero.   Raises UsageError for steps outside or a rate that never settles.
    """
    if not len(schedules):
        raise UsageError(NO_ROWS)
    place: dict[int, list[int]] = {}
    for row, schedule in enumerate(schedules):
        place.setdefault(id(schedule), []).append(row)
    nodes: dict[int, Nodes] = {}
    scalars = {name: np.zeros(len(schedules)) for name in ("rate_sum", "annealing", "peak")}
    for rows in place.values():
        schedule, at = schedules[rows[0]], [_step_of(schedules[rows[0]], float(steps[row])) for row in rows]
        nodes |= dict(zip(rows, _nodes_at(schedule, at), strict=True))
        scalars["rate_sum"][rows] = schedule.sums[at]
        scalars["annealing"][rows] = annealing_of(schedule, momentum)[at]
        scalars["peak"][rows] = schedule.rates.max()
    needed = max(len(one.drops) for one in nodes.values())
    width = max(ALIGNED * -(-needed // ALIGNED), ALIGNED) if width is None else width
    if needed > width:
        raise UsageError(TOO_NARROW.format(needed=needed, width=width))
    total, peak = scalars["rate_sum"], scalars.pop("peak")
    drops = np.zeros((len(schedules), width))
    rates, since = drops + peak[:, None], drops + total[:, None]
    for row, one in nodes.items():
        count = len(one.drops)
        drops[row, :count], rates[row, :count] = one.drops, one.rates
        # The step itself is in the sum: at the end of a decay to zero, where all else is rounding, that much is known.
        since[row, :count] = np.maximum(total[row] - one.sums_before, one.rates)
    return {**scalars, "rate_drops": drops, "rates_after": rates, "sums_since": since}


def annealing_of(schedule: Schedule, momentum: float = MOMENTUM) -> np.ndarray:
    """Return S2 (steps + 1,) of each step: m_k = momentum · m_(k-1) + drop_k summed, from the end of the warm-up on.

    The warm-up is what comes before the first fall of the rate; its rises count for nothing, later ones as negative
    drops.   Source: Tissue et al. 2024, arXiv 2408.11029.
    """
    falls = np.flatnonzero(np.diff(schedule.rates) < 0)
    peak = int(falls[0]) if len(falls) else schedule.steps
    drops = np.where(np.arange(schedule.steps + 1) > peak, schedule.drops, 0.0)
    momenta = np.zeros(len(drops))
    for step in np.arange(peak + 1, len(drops)):
        momenta[step] = momentum * momenta[step - 1] + drops[step]
    return np.cumsum(momenta)


def _step_of(schedule: Schedule, step: float) -> int:
    if not (1 <= step <= schedule.steps and step == int(step)):
        raise UsageError(STEP_OUTSIDE.format(step=step, steps=schedule.steps))
    return int(step)


def _nodes_at(schedule: Schedule, steps: Sequence[int]) -> list[Nodes]:
    """Return the nodes of all changes up to each step; a piece that is over is summed once for all steps after it."""
    pieces = pieces_of(schedule)
    if len(pieces) > MOST_PIECES:
        raise UsageError(TOO_MANY.format(count=len(pieces), most=MOST_PIECES))
    over = {first: nodes_of(schedule, first, last) for first, last in pieces if last <= max(steps)}
    found = []
    for now in steps:
        begun = [(first, last) for first, last in pieces if first <= now]
        parts = [over[first] if last <= now else nodes_of(schedule, first, now) for first, last in begun]
        found.append(
            Nodes(
                *(
                    np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)])
                    for name in ("drops", "rates", "sums_before")
                )
            )
        )
    return found
