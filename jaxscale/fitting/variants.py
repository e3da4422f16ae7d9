"""The same table fitted otherwise: along the one curve that its runs lie on, or under conventions of counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from jaxscale.allocation.frontier import frontier, has_frontier
from jaxscale.allocation.inputs import measured_flops
from jaxscale.costs.training import fixed_inputs
from jaxscale.counting import ALL, CONVENTIONS, Convention, countable, recount, uncountable
from jaxscale.finding import forbids_plan
from jaxscale.fitting.collinearity import design_of, law_along
from jaxscale.fitting.fit import fit
from jaxscale.laws import LAWS, Law
from jaxscale.laws.grouped import grouping_of
from jaxscale.objectives import Objective
from jaxscale.results import Count, Counts, Fit, Frontier
from jaxscale.runs import Runs

AS_IT_STANDS = "measured"
SAME = 1e-9
"""Relative difference below which the inputs of two conventions are the same."""


def reduced(refused: Fit, *, device: str = "auto") -> Fit | None:
    """Return the fit of the loss along the one curve on which the runs of a refused fit lie.

    Coefs that were fixed before are not fixed here: they belong to another law.

    Parameters
    ----------
    refused
        A fit whose coefs the design of its table does not identify. Its objective and solver are used again.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    Fit or None
        None for a fit whose coefs are identified, a fit over groups, for runs that lie on no one curve, and where no
        law ships for what varies along it.

    Raises
    ------
    UsageError, RunsError, MissingDependencyError
        As `js.fit`.

    Examples
    --------
    >>> js.fitting.reduced(fit) is None  # its coefs are identified
    True
    """
    is_asked = refused.unidentified and not refused.is_usable and grouping_of(refused.law) is None
    law = law_along(refused.runs, design_of(refused.runs, refused.law)) if is_asked else None
    if law is None:
        return None
    found = fit(refused.runs, law, objective=refused.objective, solver=refused.solver, device=device)
    forbidding = forbids_plan(refused.findings)  # of a column that the law along the curve may not take
    is_new = forbidding is not None and forbids_plan(found.findings) is None
    return replace(found, findings=(forbidding, *found.findings)) if forbidding is not None and is_new else found


def compare_counts(
    runs: Runs,
    law: Law | str = "chinchilla",
    *,
    conventions: Sequence[Convention | str] | str = ALL,
    flops: float | Sequence[float] | np.ndarray | None = None,
    objective: Objective | str = "huber",
    solver: str = "newton",
    fix: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    device: str = "auto",
) -> Counts:
    """Return the law's point fit and frontier under each convention, and first on the table as it stands.

    Parameters
    ----------
    runs
        The table.
    law
        A law, or its name.
    conventions
        Names of `jaxscale.counting.CONVENTIONS`, or "all" for those that the table's columns allow.
    flops
        Budgets (b,) in FLOP: C = 6 N D of the convention's own N and D, or its C where the law takes that.
    objective, solver, fix
        As in `js.fit`.
    fixed
        As in `js.frontier`.
    device
        As in `js.fit`.

    Returns
    -------
    Counts
        A fit by the name of each convention.

    Raises
    ------
    UsageError
        As `js.fit`, `js.frontier` and `jaxscale.counting.recount`.
    RunsError
        As these, among them for a table without the columns that a convention needs.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> found = js.fitting.compare_counts(runs, "pure-power-params", conventions="6nd")
    >>> [one.convention.name for one in found.counts]
    ['measured', '6nd']
    >>> found["6nd"].same_as  # the law takes params alone
    'measured'
    """
    law = LAWS.resolve(law)
    tables = _tables(runs, (conventions,) if isinstance(conventions, str) else conventions)
    budgets = np.zeros(0) if flops is None else np.atleast_1d(np.asarray(flops, dtype=np.float64))
    found: list[Count] = []
    for convention, table in tables.items():
        changed = tuple(name for name in law.inputs if not _is_same(table, runs, (name,)))
        twin = next((one for one in found if _is_same(table, one.fit.runs, law.inputs)), None)
        if twin is None:
            own = fit(table, law, objective=objective, solver=solver, fix=fix, device=device)
        else:
            own = replace(twin.fit, runs=table)
        best, exponent = _frontier(own, budgets, fixed)
        name = None if twin is None else twin.same_as or twin.convention.name
        found.append(Count(convention, own, changed, name, best, exponent))
    return Counts(tuple(found), uncountable(runs) if ALL in conventions else {})


def _tables(runs: Runs, names: Sequence[Convention | str]) -> dict[Convention, Runs]:
    """Return the table under each convention, once each and all of them before any is fitted; as it stands first."""
    chosen = countable(runs) if ALL in names else tuple(CONVENTIONS.resolve(name) for name in names)
    return {one: recount(runs, one) for one in (CONVENTIONS.resolve(AS_IT_STANDS), *chosen)}


def _is_same(table: Runs, other: Runs, names: Sequence[str]) -> bool:
    return all(np.allclose(table[name], other[name], rtol=SAME, atol=0.0) for name in names)


def _frontier(own: Fit, budgets: np.ndarray, fixed: Mapping[str, float] | None) -> tuple[Frontier | None, float | None]:
    """Return the frontier at the budgets, and the exponent of its params between the ends of the measured compute."""
    is_open = not set(fixed_inputs(own.law)) <= set(fixed or {})
    if not own.is_usable or not has_frontier(own.law) or (is_open and not len(budgets)):
        return None, None
    ends = list(measured_flops(own.law, own.runs) or ())
    if not len(budgets) and not ends:
        return None, None
    whole = frontier(own, flops=[*budgets, *ends], fixed=fixed)
    asked = {name: getattr(whole, name)[: len(budgets)] for name in ("flops", "params", "tokens", "loss")}
    at_budgets = replace(whole, findings=(), **asked) if len(budgets) else None
    if not ends or ends[0] == ends[1]:
        return at_budgets, None
    low, high = np.log(whole.params[-2:])
    slope = float((high - low) / np.log(ends[1] / ends[0]))
    return at_budgets, slope if np.isfinite(slope) else None
