"""The arguments of a design, checked: what is known, what may be bought, at which price, and what it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.inputs import all_sizes, check_groups, check_trade_off, fixed_values, run_columns
from jaxscale.designing.choosing import Prices
from jaxscale.designing.posterior import Evidence, Prior, wide_prior
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.laws.checking import check_coefs, finite_numbers
from jaxscale.results import Ensemble, Fit, Study
from jaxscale.results.kinds import check_kind
from jaxscale.runs import Runs

Target: TypeAlias = "float | Sequence[float] | np.ndarray | Mapping[str, ArrayLike]"
"""Budgets of the plans, in FLOP, or the inputs of a region."""

NO_SOURCE = "design needs an Ensemble, a Fit, or Runs with law=, or law= with coefs="
FIT_HAS_ALL = "design: a Fit brings its own law and coefs; leave out {name}="
RUNS_NEED_LAW = "design: Runs need law="
RUNS_HAVE_COEFS = "design: coefs= stand for what is known without runs; leave them out, or leave out the runs"
NO_CANDIDATES = "candidates: there are none"
CANDIDATE_ROWS = "candidates: {shapes} are not columns of one length"
NO_FLOPS = "candidates: their FLOP are not known, so give costs=, a column or numbers: '{law}' takes {inputs}"
NO_COLUMN = "{what}: the candidates have no column '{name}'; they have {known}"
BAD_COSTS = "{what}: {value!r} of candidate {row} is {demand}"
COST_ROWS = "{what}: {count} numbers for {rows} candidates"
BAD_NUMBER = "{name} = {value!r} is no {demand}"
TRUNK_ALONE = "trunk= and trunk_costs= go together: which runs share a trunk, and what of each run's cost the trunk is"
BAD_FLOPS = "target: {value!r} is no budget: positive and finite, in FLOP"
NOT_CANDIDATES = (
    "candidates = {candidates!r} is no mapping of inputs to numbers, as in {{'params': […], 'tokens': […]}}"
)
NO_TARGET = "design needs target=: budgets of the plan in FLOP, or the inputs of a region of predictions"
SPREAD = 0.2
"""Standard deviation of coefs that are known from elsewhere, on the real line: a fifth of a positive one."""
HELD = 1e-6
"""Standard deviation of a coef that was fixed."""


def known_runs(
    source: Fit | Runs | None, law: Law | str | None, coefs: Mapping[str, float] | str | None, spread: float
) -> tuple[Law, Evidence, Prior, str, np.ndarray | None]:
    """Return the law, the runs, the prior, the space of the residuals, and start points (m, p) where there are any."""
    if isinstance(source, Fit):
        for name, given in (("law", law), ("coefs", coefs)):
            if given is not None:
                raise UsageError(FIT_HAS_ALL.format(name=name))
        theta = _reals(source.law, source.coefs)
        runs, found, space = source.runs, source.law, source.objective.space
        prior = _around(found, wide_prior(found), theta, source.fixed)
        starts = theta[None] if np.isfinite(theta).all() else None
        check_groups(found)
        return found, _evidence(found, runs, space), prior, space, starts
    if law is None:
        if source is not None and not isinstance(source, Runs):
            check_kind("design", source, Study, Ensemble, Fit, Runs)
        raise UsageError(RUNS_NEED_LAW if isinstance(source, Runs) else NO_SOURCE)
    found = LAWS.resolve(law)
    check_groups(found)
    if isinstance(source, Runs):
        if coefs is not None:
            raise UsageError(RUNS_HAVE_COEFS)
        return found, _evidence(found, source, found.space), wide_prior(found), found.space, None
    if source is not None or coefs is None:
        raise UsageError(NO_SOURCE)
    if not isinstance(coefs, str):
        check_coefs(found, coefs)
    theta = found.theta(found.given(coefs))
    nothing = Evidence(tuple(np.zeros(0) for _ in found.inputs), np.zeros(0), np.zeros(0))
    return found, nothing, Prior(theta, np.full(len(theta), positive("spread", spread))), found.space, None


def candidate_columns(law: Law, candidates: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return the law's inputs of the candidates, (n, …) each."""
    if not isinstance(candidates, Mapping):
        raise UsageError(NOT_CANDIDATES.format(candidates=candidates))
    taken = {name: candidates[name] for name in candidates if name not in ("loss",)}
    numbers = {name: column for name, column in taken.items() if np.asarray(column).dtype.kind in "iuf"}
    columns = run_columns(law, numbers)
    columns = {name: np.atleast_1d(column) for name, column in columns.items()}
    missing = [name for name in law.inputs if name not in columns]
    if missing:
        given = {"what": "candidates", "name": missing[0], "known": ", ".join(map(str, taken)) or "none"}
        raise UsageError(NO_COLUMN.format(**given))
    lengths = {name: len(column) for name, column in columns.items()}
    if not all(lengths.values()):
        raise UsageError(NO_CANDIDATES)
    rows = max(lengths.values())
    if any(length not in (1, rows) for length in lengths.values()):
        raise UsageError(CANDIDATE_ROWS.format(shapes=lengths))
    return {name: np.broadcast_to(column, (rows, *column.shape[1:])) for name, column in columns.items()}


def prices_of(
    law: Law,
    candidates: Mapping[str, ArrayLike],
    columns: Mapping[str, np.ndarray],
    costs: str | ArrayLike | None,
    trunk: str | None,
    trunk_costs: str | ArrayLike | None,
) -> Prices:
    """Return what the candidates cost, in FLOP where no costs are given."""
    rows = len(next(iter(columns.values())))
    if costs is None:
        cost = all_sizes(law, dict(columns)).get("flops")
        if cost is None:
            raise UsageError(NO_FLOPS.format(law=law.name, inputs=", ".join(law.inputs)))
    else:
        cost = _column(candidates, "costs", costs, rows)
    _check_costs("costs", cost, cost > 0, "not positive")
    if (trunk is None) != (trunk_costs is None):
        raise UsageError(TRUNK_ALONE)
    if trunk is None or trunk_costs is None:
        return Prices(cost, np.zeros(rows), np.full(rows, -1))
    if trunk not in candidates:
        raise UsageError(NO_COLUMN.format(what="trunk", name=trunk, known=", ".join(map(str, candidates))))
    names = np.broadcast_to(np.asarray(candidates[trunk]).astype(str), (rows,))
    shared = _column(candidates, "trunk_costs", trunk_costs, rows)
    _check_costs("trunk_costs", shared, shared >= 0, "negative")
    _check_costs("trunk_costs", shared, shared <= cost, "more than the whole run costs")
    return Prices(cost, shared, np.unique(names, return_inverse=True)[1])


def wanted(
    law: Law, target: Target | None, fixed: Mapping[str, float] | None
) -> tuple[np.ndarray | None, tuple[np.ndarray, ...] | None, dict[str, float]]:
    """Return the budgets (b,) of the plans, or the region of predictions, and the fixed inputs of the plans."""
    if target is None:
        raise UsageError(NO_TARGET)
    if isinstance(target, Mapping):
        columns = candidate_columns(law, target)
        return None, tuple(columns[name] for name in law.inputs), {}
    check_trade_off(law)
    flops = np.atleast_1d(finite_numbers("target", target))
    if flops.ndim != 1 or not len(flops) or not (flops > 0).all():
        raise UsageError(BAD_FLOPS.format(value=target))
    return flops, None, fixed_values(law, fixed)


def positive(name: str, value: float, demand: str = "positive, finite number") -> float:
    """Return a number as a float; raise UsageError, with the name, unless it is positive and finite."""
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "iuf" or not np.isfinite(number) or not number > 0:
        raise UsageError(BAD_NUMBER.format(name=name, value=value, demand=demand))
    return float(number)


def _reals(law: Law, coefs: Mapping[str, float]) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = zip(law.names, law.supports, strict=True)
        return np.array([float(support.to_real(np.array(coefs[name]))) for name, support in pairs])


def _around(law: Law, prior: Prior, theta: np.ndarray, fixed: Sequence[str]) -> Prior:
    """Return the prior, as wide as the fit demands, and narrow where a coef was fixed."""
    is_known = np.isfinite(theta)
    away = np.where(is_known, theta - prior.mean, 0.0)
    is_held = np.array([name in fixed for name in law.names]) & is_known
    mean = np.where(is_held, np.where(is_known, theta, 0.0), prior.mean)
    return Prior(mean, np.where(is_held, HELD, np.hypot(prior.std, away)))


def _evidence(law: Law, runs: Runs, space: str) -> Evidence:
    counts = runs.weight > 0
    lacking = [name for name in law.inputs if name not in runs.columns]
    if lacking:
        raise UsageError(NO_COLUMN.format(what="runs", name=lacking[0], known=", ".join(runs.columns)))
    loss = runs.loss[counts]
    target = np.log(loss) if space == "log" else loss
    columns = tuple(runs.columns[name][counts] for name in law.inputs)
    return Evidence(columns, target, 1.0 / np.sqrt(runs.weight[counts]))


def _column(candidates: Mapping[str, ArrayLike], what: str, given: str | ArrayLike, rows: int) -> np.ndarray:
    if isinstance(given, str):
        if given not in candidates:
            raise UsageError(NO_COLUMN.format(what=what, name=given, known=", ".join(map(str, candidates))))
        given = candidates[given]
    found = np.atleast_1d(finite_numbers(what, given))
    if found.shape not in ((rows,), (1,)):
        raise UsageError(COST_ROWS.format(what=what, count=found.size, rows=rows))
    return np.broadcast_to(found, (rows,)).copy()


def _check_costs(what: str, costs: np.ndarray, is_fine: np.ndarray, demand: str) -> None:
    if not is_fine.all():
        row = int(np.argmin(is_fine))
        raise UsageError(BAD_COSTS.format(what=what, value=float(costs[row]), row=row, demand=demand))
