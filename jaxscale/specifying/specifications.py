"""`js.specifications`: the best size and its loss under every choice of law, objective, counting and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from jaxscale.allocation.budgets import checked_budgets
from jaxscale.counting import Convention
from jaxscale.engine.together import side_by_side
from jaxscale.errors import UsageError
from jaxscale.fitting.preparing import programs_of
from jaxscale.intervals.band import check_level
from jaxscale.laws import Law
from jaxscale.objectives import Objective
from jaxscale.refitting import check_clusters
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.resampling.drawing import check_seed
from jaxscale.results import SpecificationCurve
from jaxscale.results.samples import check_drawn
from jaxscale.runs import Runs
from jaxscale.specifying.axes import axes_of
from jaxscale.specifying.refits import Inquiry, answered
from jaxscale.specifying.tables import compute_of, table_of

STAGE = "Specifications"
BEYOND = 10.0
"""Times the largest measured compute: the target where none is given."""
MOST = 20_000
"""Specifications of one call."""

BAD_COUNT = "replicates = {replicates!r} is no whole number from 2 on"
ONE_TARGET = "flops: one budget is the target, and {count} are given"
TOO_MANY = "{count:,} specifications are more than {most:,}: name fewer choices, or leave product out"


def specifications(
    runs: Runs,
    laws: Sequence[Law | str] | None = None,
    *,
    objectives: Sequence[Objective | str] | None = None,
    deltas: Sequence[float] | None = None,
    spaces: Sequence[str] | None = None,
    conventions: Sequence[Convention | str] | None = None,
    weights: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
    product: bool = False,
    flops: float | None = None,
    at: Mapping[str, float] | None = None,
    scheme: Scheme | str = "pairs",
    replicates: int = 100,
    seed: int = 0,
    level: float = 0.95,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> SpecificationCurve:
    """Refit a table under every choice, and tell the best size and its loss at one budget for each.

    The first choice on an axis is the base's; without `product` every other specification differs from the base on one
    axis. An axis of one choice is not varied. A specification that fails is kept with its status and reason.

    Parameters
    ----------
    runs
        The table.
    laws
        Laws, or their names; `jaxscale.names.COMPARED` without any.
    objectives
        Objectives, or their names; all without any, huber first.
    deltas
        Thresholds of those objectives that have one; 1e-3, 1e-4, 1e-2, 0.1 and 1 without any.
    spaces
        `log` and `linear` residuals; both without any.
    conventions
        Ways to count params and tokens, of `jaxscale.counting.CONVENTIONS`; without any the table's own and every
        other that the table allows and that changes an input of a law. The best size is then in the params of each.
    weights
        `table`, `equal`, `balanced` (each half decade of compute counts alike), `root-flops` (by the root of compute);
        without any all that differ.
    rows
        `all`; `smallest-10%`, without the tenth of the runs of least compute; `early-25%`, without the quarter of the
        rows that had come least far of their run; or an expression as of `Runs.where`. Without any, all, and without
        the smallest 10 and 25 %, and, where runs have checkpoints, the earliest 25 and 50 %.
    product
        Whether the choices of all axes are combined.
    flops
        The target, FLOP; 10 times the largest measured compute if none is given.
    at
        The laws' inputs that no budget decides, name → value.
    scheme, replicates, seed
        As in `js.bootstrap`, the same for every specification.
    level
        The share of every interval.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        Told how many specifications there are, and how many more are done.

    Returns
    -------
    SpecificationCurve
        The base first.

    Raises
    ------
    UsageError
        For unknown names and impossible values.
    RunsError
        For a table without compute.
    MissingDependencyError
        For a device that is not there.

    Notes
    -----
    Rows are left out by a weight of zero, and deltas and weights are data: what compiles a program is a law, an
    objective and a space.

    References
    ----------
    Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4, 1208.

    Examples
    --------
    >>> axes = {"objectives": ["huber"], "spaces": ["log"], "weights": ["table"], "conventions": ["measured"]}
    >>> found = js.specifications(runs, ["kaplan-flops"], deltas=[1e-3], replicates=16, flops=1e20, **axes)
    >>> [one.specification.rows for one in found.fits]
    ['all', 'smallest-10%', 'smallest-25%']
    """
    axes = axes_of(runs, laws, objectives, deltas, spaces, conventions, weights, rows)
    scheme = SCHEMES.resolve(scheme)
    check_level(level)
    check_seed(seed)
    check_drawn(scheme)
    if isinstance(replicates, bool) or not isinstance(replicates, int | np.integer) or replicates < 2:
        raise UsageError(BAD_COUNT.format(replicates=replicates))
    check_clusters(runs, scheme, has_own=False)
    first = next(iter(axes.laws.values()))
    inquiry = Inquiry(_target(flops, first, runs), dict(at or {}), scheme, int(replicates), int(seed), level, device)
    wanted = axes.specifications(is_product=product)
    if len(wanted) > MOST:
        raise UsageError(TOO_MANY.format(count=len(wanted), most=MOST))
    asked = [(axes.laws[one.law], axes.objective_of(one)) for one in wanted]
    tasks = [
        partial(answered, one, partial(table_of, first, runs, one), law, objective, inquiry)
        for one, (law, objective) in zip(wanted, asked, strict=True)
    ]
    on_stage(STAGE, len(wanted))
    fits = side_by_side(tasks, [programs_of(runs, law, objective) for law, objective in asked], on_done)
    return SpecificationCurve(
        runs, inquiry.flops, tuple(fits), level, int(replicates), int(seed), product, dict(axes.left_out)
    )


def _target(flops: float | None, law: Law, runs: Runs) -> float:
    """Return the target, FLOP; raise UsageError for what is none, RunsError for runs without compute."""
    if flops is None:
        return BEYOND * float(np.max(compute_of(law, runs)[runs.weight > 0]))
    budgets = checked_budgets(flops)
    if len(budgets) != 1:
        raise UsageError(ONE_TARGET.format(count=len(budgets)))
    return float(budgets[0])
