"""What a specification does to the table: rows left out, runs weighted otherwise; sizes are counted in `counting`."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from jaxscale.allocation.inputs import priced
from jaxscale.comparing.cutting import only
from jaxscale.counting import recount
from jaxscale.errors import RunsError, UsageError
from jaxscale.laws import Law
from jaxscale.names import WEIGHTINGS
from jaxscale.registry import unknown
from jaxscale.results import Specification
from jaxscale.runs import Runs
from jaxscale.runs.lookups import selection_table
from jaxscale.runs.naming import codes, run_codes, time_column
from jaxscale.runs.selecting import selected
from jaxscale.text import shown_name

ALL = "all"
DROPPED = re.compile(r"(smallest|early)-(\d+(?:\.\d+)?)%")
BIN = np.log(np.sqrt(10.0))
"""Width in ln C of the bins that count alike when weights are balanced: half a decade."""

NO_CHECKPOINTS = (
    "{source}: no run has several rows, told by a column run and its steps or tokens, so that none is early"
)
NO_COMPUTE = "{source}: the runs have no compute to be ordered by; give params and tokens, or flops"
BAD_SHARE = "rows = {rows!r}: a share of the rows that is dropped lies above 0 % and below 100 %"


def compute_of(law: Law, runs: Runs) -> np.ndarray:
    """Return the compute (n,) of the runs, FLOP, at the law's own price; raise RunsError where it is not known."""
    found = priced(law, runs).columns.get("flops")
    if found is None or found.ndim != 1 or not (np.isfinite(found) & (found > 0)).all():
        raise RunsError(NO_COMPUTE.format(source=shown_name(runs.origin.source)))
    return found


def progress_of(runs: Runs) -> np.ndarray:
    """Return how far each row (n,) had come of its run, by steps, tokens or compute: 1 at its end.

    Raises RunsError where no run has several rows.
    """
    named, column = run_codes(runs), time_column(runs)
    if named is None or column is None or np.unique(named).size == len(named):
        raise RunsError(NO_CHECKPOINTS.format(source=shown_name(runs.origin.source)))
    time, ends = runs.columns[column], np.zeros(named.max() + 1)
    np.maximum.at(ends, named, time)
    return np.asarray(time / np.where(ends[named] > 0, ends[named], 1.0))


def kept_rows(law: Law, runs: Runs, rows: str) -> np.ndarray:
    """Return the places (k,) of the runs that a choice keeps, ascending.

    rows: `all`, `smallest-10%` for the tenth of least compute left out, `early-25%` for the quarter that had come least
    far of its run, or an expression as of `Runs.where`.   Raises UsageError or RunsError.
    """
    if rows == ALL:
        return np.arange(len(runs))
    match = DROPPED.fullmatch(rows)
    if match is None:
        return selected((rows,), selection_table(runs))
    share = float(match[2]) / 100.0
    if not 0.0 < share < 1.0:
        raise UsageError(BAD_SHARE.format(rows=rows))
    rank = compute_of(law, runs) if match[1] == "smallest" else progress_of(runs)
    order = np.argsort(rank, kind="stable")
    return np.sort(order[round(share * len(runs)) :])


def weighted(law: Law, runs: Runs, weights: str, kept: np.ndarray) -> Runs:
    """Return the runs with other weights, those of the rows (k,) that are kept adding up to what they did.

    weights: `table` for the table's own, with its standard errors; `equal` for none of either; `balanced`, so that each
    half decade of compute counts alike; `root-flops`, by the root of compute. The last two multiply the table's own.
    Raises UsageError for another word, RunsError for runs without compute.
    """
    if weights == "table":
        return runs
    if weights == "equal":
        return replace(runs, weight=np.where(runs.weight > 0, 1.0, 0.0), sigma=None)
    if weights not in WEIGHTINGS:
        raise UsageError(unknown("weights", weights, WEIGHTINGS))
    flops, own = compute_of(law, runs), runs.weight[kept]
    if weights == "balanced":
        bins = codes(np.floor((np.log(flops) - np.log(flops.min())) / BIN + 1e-9))
        factor = 1.0 / np.bincount(bins[kept], own > 0, minlength=bins.max() + 1).clip(1.0)[bins]
    else:
        factor = np.sqrt(flops / flops.max())
    weight = runs.weight * factor
    return replace(runs, weight=weight * (own.sum() / weight[kept].sum()))


def table_of(law: Law, runs: Runs, specification: Specification) -> Runs:
    """Return the table that a specification fits, as long as the whole, so that all of them share programs.

    law: whose price orders the runs by compute.   Rows and weights are chosen on the table as it is, so that another
    way to count changes sizes and nothing else.   Raises UsageError or RunsError.
    """
    kept = kept_rows(law, runs, specification.rows)
    made = weighted(law, runs, specification.weights, kept)
    made = recount(made, specification.convention)
    return made if len(kept) == len(made) else only(made, kept)
