"""Fit one law to one table: a grid of starts in one batch, the best minimum, and its certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock, prefetched
from jaxscale.engine.job import Job
from jaxscale.engine.programs import problem_of
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.errors import UsageError
from jaxscale.fitting.bounds import SAME_MINIMUM, Bound
from jaxscale.fitting.checking import is_reproduced
from jaxscale.fitting.collinearity import aliasing_of, design_of
from jaxscale.fitting.data_checks import findings_of_labels, findings_of_target
from jaxscale.fitting.diagnostics import agreeing, best_lane, diagnostics_at, other_minima
from jaxscale.fitting.errors import findings_of_residuals
from jaxscale.fitting.findings import findings_of_design, findings_of_fit
from jaxscale.fitting.groups import by_group, check_group_sizes, findings_of_groups, spread, without_freedom
from jaxscale.fitting.joints import joints_of
from jaxscale.fitting.off_runs import findings_of_off_runs
from jaxscale.fitting.optimum import views_program
from jaxscale.fitting.preparing import batch_of, start_points
from jaxscale.fitting.scale import is_likeliest, with_scale
from jaxscale.fitting.settling import LOOKS, Settling
from jaxscale.laws import LAWS, Law
from jaxscale.laws.checking import check_no_ties
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.provenance import Provenance
from jaxscale.registry import unknown
from jaxscale.resampling import SCHEMES
from jaxscale.results import Certificate, Fit
from jaxscale.runs import Runs
from jaxscale.solvers import SOLVERS, Newton
from jaxscale.solvers.loop import Tolerances
from jaxscale.status import Status

NARROW = 64
"""Start points, evenly chosen, from which a rho function with a threshold is minimised at its last scale too: wide
scales can smooth away the published minimum."""


def fit(
    runs: Runs,
    law: Law | str = "chinchilla",
    *,
    objective: Objective | str = "huber",
    solver: str = "newton",
    starts: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
    fix: Mapping[str, float] | None = None,
    per_group: str | Sequence[str] = (),
    device: str = "auto",
) -> Fit:
    """Return the best minimum of the weighted objective over the law's free coefs, with its certificate.

    Parameters
    ----------
    runs
        The table: n runs, each with the law's inputs and a loss.
    law
        A law, or its name.
    objective
        An objective, or its name.
    solver
        The name of the method that minimises: newton or lbfgs.
    starts
        One start point or several, coef → value of all coefs, in place of the law's own grid.
    fix
        Coef → value at which it is held.
    per_group
        Coefs of which every group of the runs has one of its own, `E` as `E[name]`, while the others are common to all;
        in `fix` and `starts` `E` then stands for that of every group.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    Fit
        Coefs in the law's units, with standard errors where they are justified. One that did not converge is returned
        with its status, never raised; so is one that the design of the table forbids, such as separate exponents on
        tokens = 20 params: it is singular, and `jaxscale.fitting.reduced` fits what is left.

    Raises
    ------
    UsageError
        For unknown names, values outside their support, or per_group without groups.
    RunsError
        For a table that cannot carry the fit.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> js.fit(runs, "pure-power-params", objective=js.huber(0.01), fix={"alpha": 0.12}).coefs
    {'A': 30.02..., 'alpha': 0.12}
    """
    law, objective = LAWS.resolve(law), OBJECTIVES.resolve(objective)
    method = SOLVERS.resolve(solver)
    check_no_ties(law, fix or {}, known={one.name: one for one in LAWS})
    runs, law = by_group(runs, law, per_group)
    fixed = {name: float(value) for name, value in spread(law, fix or {}).items()}
    for name in fixed:
        if name not in law.names:
            raise UsageError(unknown("coef", name, law.names))
    law = law.holding(fixed)
    free = [name for name in law.names if name not in fixed]
    batch = batch_of(runs, law, objective, len(free))
    check_group_sizes(runs, law, free)
    points = start_points(law, runs, starts, fixed)
    clock = Clock()
    with precision.float64(), placement.on(device):
        job = Job(
            problem=problem_of(law, objective.space, objective.rho, batch.is_positive),
            method=method,
            scheme=SCHEMES.resolve("pairs"),
            batch=batch,
            active=np.array([float(name in free) for name in law.names]),
            bounded=law.bounded,
            tolerances=Tolerances(np.float64(objective.scale), np.float64(objective.limit), np.float64(0.0)),
            seed=0,
            max_steps=method.max_steps,
        )
        with prefetched(views_program(job)):
            objective, job = with_scale(objective, job, points, clock)
            begun, scale = _lanes_of(points, objective.scale)
            outcome = solve_lanes(job, np.full(len(begun), -1), points[begun], scale, clock)
            outcome = _again(job, points, outcome, clock)
            grid = points if starts is None else start_points(law, runs, None, fixed)
            nowhere = np.full(len(begun), -1)
            narrow = _narrow_scale(job, objective, outcome)
            settling = Settling(law, job, outcome, nowhere, np.median(grid, axis=0), narrow, clock)
            settle_lowest(settling)
            return _report(runs, law, objective, solver, fixed, grid, begun, settling)


def _lanes_of(points: np.ndarray, last: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where each lane begins, as a place in the start points, and its first scale, 0 to choose.

    last: the objective's scale. Every point is a lane of its own choice, and then some are lanes of the last scale.
    """
    places = np.arange(len(points))
    again = places[:: -(-len(points) // NARROW)] if 0 < last < np.inf else places[:0]
    return np.concatenate([places, again]), np.concatenate([np.zeros(len(points)), np.full(len(again), last)])


def _again(job: Job, points: np.ndarray, outcome: Outcome, clock: Clock) -> Outcome:
    """Where no start of a least-squares fit came to an end, start each again by the exact Hessian from its first step.

    Its minima count only if none of the points that were given up lies lower.
    """
    is_done = not np.isin(outcome.status[best_lane(outcome, len(points))], (Status.STALLED, Status.MAX_STEPS))
    if is_done or not np.isinf(job.tolerances[0]) or not isinstance(job.method, Newton):
        return outcome
    exact = replace(job, method=replace(job.method, is_patient=False))
    other = solve_lanes(exact, np.full(len(points), -1), points, np.zeros(len(points)), clock)
    is_better = (other.status <= Status.AT_BOUND) & (other.value <= np.nanmin(outcome.value) * (1 + SAME_MINIMUM))
    theta = np.where(is_better[:, None], other.theta, outcome.theta)
    value, status = (np.where(is_better, getattr(other, name), getattr(outcome, name)) for name in ("value", "status"))
    return Outcome(theta, value, status, outcome.steps + other.steps)


def _narrow_scale(job: Job, objective: Objective, outcome: Outcome) -> float:
    """Return the first scale of a lane that begins where it stands: the objective's own last one."""
    lowest = np.nanmin(outcome.value) if np.isfinite(outcome.value).any() else 0.0
    return max(objective.scale, objective.limit * float(lowest) / float(np.sum(job.batch.weight)))


def settle_lowest(settling: Settling) -> None:
    """Bring lanes exactly to their bounds; where the lowest is then not usable, look for bounds around it.

    So, too, where the lowest is at a bound at which some coef has no value: another account of it may be plainer.
    """
    outcome = settling.outcome
    settling.settle(np.arange(len(outcome.value)))
    is_open = np.isfinite(outcome.value) & (outcome.status != Status.DEGENERATE)
    for _ in range(LOOKS):
        value = np.where(np.isfinite(outcome.value), outcome.value, np.inf)
        is_good = (outcome.status <= Status.AT_BOUND) & ~settling.is_weak()
        pending = np.flatnonzero(is_open & ~is_good)
        if not len(pending):
            return
        lane = int(pending[np.argmin(value[pending])])
        most = value[lane] * (1.0 + SAME_MINIMUM) + settling.floor
        if np.min(value[is_good], initial=np.inf) <= most:
            return
        near = pending[value[pending] <= 2.0 * most]
        settling.look(settling.place(lane), near)
        if outcome.status[lane] > Status.AT_BOUND:
            settling.go_on(near[outcome.status[near] > Status.AT_BOUND])
        is_open &= value > most


def _report(
    runs: Runs,
    law: Law,
    objective: Objective,
    solver: str,
    fixed: Mapping[str, float],
    grid: np.ndarray,
    begun: np.ndarray,
    settling: Settling,
) -> Fit:
    """Return the Fit of the best lane: its coefs, its certificate, and what is worth knowing.

    begun: from which start point each lane came.
    """
    job, outcome, clock = settling.job, settling.outcome, settling.clock
    best = best_lane(outcome, len(np.unique(begun)), settling.ranks(), settling.indistinct)
    bound = settling.bound_of(best)
    is_held = np.zeros(len(law.coefs), bool) if bound is None else bound.is_held
    is_open = np.zeros(len(law.coefs), bool) if bound is None else bound.is_open
    diagnostics = diagnostics_at(
        law, objective, replace(job, active=np.where(is_held, 0.0, job.active)), job.batch, outcome.theta[best], clock,
        has_groups=runs.group is not None,
    )  # fmt: skip
    design = design_of(runs, law)
    aliasing = aliasing_of(law, design, job, grid, clock)
    status = Status(int(outcome.status[best]))
    unidentified = aliasing.unidentified or (
        diagnostics.null_space.coefs if status.is_usable or status is Status.SINGULAR else ()
    )
    if unidentified and status is not Status.NON_FINITE:
        status = Status.SINGULAR
    every = [_given(law, coefs, fixed) for coefs in settling.coefs()]
    alike = agreeing(outcome, outcome.value[best])
    certificate = Certificate(
        scaled_gradient=diagnostics.scaled_gradient,
        condition=diagnostics.condition,
        starts=len(np.unique(begun)),
        agreeing_starts=len(np.unique(begun[alike])),
        other_minima=other_minima(every, begun, outcome, alike),
    )
    has_std = ~is_held & ~is_open & status.is_usable & (job.active > 0)
    std = {name: diagnostics.std.get(name) if has else None for name, has in zip(law.names, has_std, strict=True)}
    std |= dict.fromkeys(without_freedom(runs, law, [name for name in law.names if name not in fixed]))
    provenance = Provenance.of(placement.current().platform, clock.compile, clock.run, clock.compiled)
    made = Fit(
        law=law,
        objective=objective,
        runs=runs,
        coefs=every[best],
        value=diagnostics.value,
        status=status,
        certificate=certificate,
        std=std,
        residuals=diagnostics.residuals,
        fixed=tuple(name for name in law.names if name in fixed),
        solver=solver,
        findings=(),
        provenance=provenance,
        unidentified=unidentified or _named(law, is_open),
        held=_named(law, is_held),
        covariance=_known(diagnostics.covariance, std, is_held | (job.active == 0)),
        robust={
            by: known
            for by, one in diagnostics.robust.items()
            if (known := _known(one, std, is_held | (job.active == 0))) is not None
        },
    )
    made = replace(made, joint=joints_of(made, diagnostics.std) if status.is_usable else ())
    is_plain = not made.held and np.isfinite(list(made.coefs.values())).all()  # then they are what was minimised
    if made.is_usable and not ((is_plain or is_reproduced(made)) and is_likeliest(made)):
        made = replace(made, status=Status.STALLED, std=dict.fromkeys(law.names), covariance=None)
    of_design = findings_of_design(made, design, aliasing)
    start = _given(law, Bound.inside(law).coefs_at(law, grid[0]), fixed)
    of_fit = findings_of_fit(made, outcome, diagnostics, start=start, is_explained=bool(aliasing.unidentified))
    off = findings_of_off_runs(made, job, outcome.theta[best], grid, clock)
    of_table = runs.check(core_of(law).inputs, coefs=len(made.free), has_own=grouping_of(law) is not None)
    of_table = (*of_table, *findings_of_target(made))
    of_groups = (*findings_of_groups(made), *findings_of_labels(made))
    of_errors = findings_of_residuals(made, diagnostics.jacobian)
    return replace(made, findings=(*of_table, *off, *of_design, *of_groups, *of_fit, *of_errors))


def _named(law: Law, mask: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, is_in in zip(law.names, mask, strict=True) if is_in)


def _known(covariance: np.ndarray | None, std: Mapping[str, float | None], is_exact: np.ndarray) -> np.ndarray | None:
    """Return a covariance with NaN for coefs without a standard error; None where there is none.

    is_exact: (p,) bool, coefs that are fixed or held.
    """
    is_known = np.array([error is not None for error in std.values()]) | is_exact
    if covariance is None or not (is_known & ~is_exact).any():
        return None
    return np.where(is_known[:, None] & is_known, covariance, np.nan)


def _given(law: Law, coefs: np.ndarray, fixed: Mapping[str, float]) -> dict[str, float]:
    """Return coefs (p,) by name, fixed ones exactly as given."""
    return {name: fixed.get(name, float(coef)) for name, coef in zip(law.names, coefs, strict=True)}
