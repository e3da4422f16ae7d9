"""What is left out at a time: a row, or all rows of a run or a group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from jaxscale.allocation.inputs import all_sizes
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.resampling.spec import clusters_of
from jaxscale.results import Fit
from jaxscale.runs import Runs
from jaxscale.runs.naming import run_codes, run_column
from jaxscale.runs.repeats import LEAST_CLUSTERS
from jaxscale.text import typed

FROM_RUN = ("params", "tokens", "flops", "tokens_per_param")
"""Sizes of a run that a law takes, or that follow from these."""
FEWEST = 3
"""Distinct values of a size that is of use."""


@dataclass(frozen=True)
class Units:
    """The units of a fit's rows that count.

    fit: the fit, its table with the groups that were chosen.   kind: as in `Diagnosis.unit`.   place: (n,) bool, the
    rows that count.   codes: (m,) of each row that counts, from 0, in the order of the jackknife's replicates.   names:
    (k,).   rows: (k,) of tuples.
    """

    fit: Fit
    kind: Literal["row", "group"]
    place: np.ndarray
    codes: np.ndarray
    names: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.names)


def units_of(fit: Fit) -> Units:
    """Return the groups of the table, else its runs, where there are five at least and some have several rows.

    Else the rows, as for a law of which groups have coefs of their own.
    """
    runs = fit.runs
    counts = runs.weight > 0
    numbers = runs.row[counts]
    grouped = None if grouping_of(fit.law) is not None else _groups(fit)
    if grouped is None:
        column = run_column(runs)
        labels = numbers if column is None else runs[column][counts]
        names = tuple(str(one) for one in labels)
        return Units(fit, "row", counts, np.arange(len(numbers)), names, tuple((int(one),) for one in numbers))
    codes = clusters_of(grouped, len(runs))[counts]
    known, codes = np.unique(codes, return_inverse=True)
    first = [int(np.flatnonzero(codes == at)[0]) for at in range(len(known))]
    rows = tuple(tuple(numbers[codes == at].tolist()) for at in range(len(known)))
    fit = replace(fit, runs=replace(runs, group=grouped))
    return Units(fit, "group", counts, codes, tuple(str(grouped[counts][at]) for at in first), rows)


def _groups(fit: Fit) -> np.ndarray | None:
    runs = fit.runs
    coded = run_codes(runs) if runs.group is None else None
    if runs.group is None and coded is None:
        return None
    column = run_column(runs)
    group = runs.group
    if group is None and coded is not None:
        name = coded if column is None else runs[column]
        group = np.array([f"{one}" for one in name], dtype=object)
        if len(np.unique(group.astype(str))) != len(np.unique(coded)):  # one name for several sizes, as a series has
            group = np.array([f"{one} ({code})" for one, code in zip(group, coded, strict=True)], dtype=object)
    own = np.asarray(group)[runs.weight > 0].astype(str)
    sizes = np.unique(own, return_counts=True)[1]
    return group if LEAST_CLUSTERS <= len(sizes) < len(own) else None


def option_of(scheme: str, runs: Runs, kind: Literal["row", "group"]) -> str:
    """Return the options of a scheme, with the column that names the groups where the table was read without it."""
    if kind == "row" or runs.group is not None:
        return f"--scheme {scheme}"
    column = run_column(runs)
    return f"--scheme {scheme} --group {'COLUMN, of a column that names the runs' if column is None else typed(column)}"


def sizes_of(units: Units) -> dict[str, np.ndarray]:
    """Return ln (m,) of params, tokens, flops and tokens per param, of those that are known and vary."""
    runs, core = units.fit.runs, core_of(units.fit.law)
    columns = {name: one for name, one in runs.columns.items() if name in (*core.inputs, "params", "tokens")}
    known, found = {**all_sizes(core, columns)}, {}
    for name in FROM_RUN:
        own = np.asarray(known[name])[units.place] if name in known else np.zeros(0)
        if own.ndim == 1 and own.size and (own > 0).all() and len(np.unique(own)) >= FEWEST:
            found[name] = np.log(own)
    return found
