"""Runs that are plainly off, as crashed or diverged ones are: which they are, by how much, and what explains them."""

from __future__ import annotations

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job
from jaxscale.finding import Finding
from jaxscale.fitting.checking import value_over
from jaxscale.fitting.nullspace import ON_THE_LINE
from jaxscale.fitting.optimum import residuals_at
from jaxscale.fitting.outliers import RANK_TOLERANCE, Model, Outlying, outlying
from jaxscale.objectives import weight_of
from jaxscale.objectives.spec import precision_of
from jaxscale.results import Fit
from jaxscale.runs.naming import ends_of_runs, run_codes, run_column
from jaxscale.runs.repeats import can_keep_last
from jaxscale.runs.selecting import separation_of
from jaxscale.text import counted, listed, shown, shown_name

CODE = "outlier-leverage"
OFF = (
    "{rows} lie{s} {times} times the typical residual from the law, which errors like those of the other {others} do "
    "not explain{share}{moved}{why}{advice}"
)
SHARE = "; {they} make{s} {share:.1%} of the objective"
MOVED = (
    ", and without {them} {name} is {value:.4g} ± {error:.2g}, not {before:.4g} "
    "({shift} standard errors of {line} away)"
)
UNMOVED = ", yet without {them} no coef moves by more than {shift:.1g} standard errors"
WHY = "; {why}"
ADVICE = "; leave {them} out with {options}"
KEEP_THE_LAST = "; {they} end{s} most runs, so the earlier checkpoints are the ones to leave out: --final"

LOOKED_AT = 16
"""Start points of the law among which the search for a fit without bad rows chooses."""
BEGUN = 3
LONG = 20_000
"""Rows from which the residuals are taken as linear around the fit: a few bad ones do not drag so many far."""
FAR = 1000.0
"""Standard errors beyond which it does not matter how many they are."""
SMALL = 0.5
"""Standard errors by which a coef has to move for the rows to matter to it."""


def findings_of_off_runs(fit: Fit, job: Job, theta: np.ndarray, grid: np.ndarray, clock: Clock) -> tuple[Finding, ...]:
    """Return the finding about runs that are off, if there are any.

    theta: (p,), the fit's.   grid: (S, p), points to search from besides.   No program is compiled for it: the one
    that inspected the fit looks at other points.
    """
    free = job.active > 0
    if not free.any():
        return ()
    theta = theta if np.isfinite(theta).all() else grid[0]
    model = _model(fit, job, theta, free, clock)
    found = outlying(model, _starts(model, theta[free], grid[:, free]))
    return () if found is None else (_finding(fit, found, theta, free),)


def _model(fit: Fit, job: Job, theta: np.ndarray, free: np.ndarray, clock: Clock) -> Model:
    """Return residuals and their Jacobian as functions of the free coefs, over each run's standard error, if known."""
    counts, weight = fit.runs.weight > 0, weight_of(fit.runs, fit.objective)
    precision = fit.runs.weight * precision_of(fit.runs, fit.objective.space)
    unit = np.sqrt(precision[counts] / weight[counts])  # 1 but for |r|, which is divided by that error once, not twice

    def model(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        full = theta.copy()
        full[free] = point
        residual, jacobian = residuals_at(job, job.batch, full, clock)
        return unit * residual, unit[:, None] * jacobian[:, free]

    if job.batch.count < LONG:
        return model
    residual, jacobian = model(theta[free])
    return lambda point: (residual + jacobian @ (point - theta[free]), jacobian)


def _starts(model: Model, own: np.ndarray, grid: np.ndarray) -> list[np.ndarray]:
    """Return the fit's own point, and those of the grid at which most rows lie near the law."""
    if len(model(own)[0]) >= LONG:
        return [own]
    points = grid[np.unique(np.linspace(0, len(grid) - 1, min(LOOKED_AT, len(grid))).astype(int))]
    middle = [float(np.median(np.nan_to_num(np.abs(model(point)[0]), nan=np.inf))) for point in points]
    return [own, *points[np.argsort(middle, kind="stable")[:BEGUN]]]


def _finding(fit: Fit, found: Outlying, theta: np.ndarray, free: np.ndarray) -> Finding:
    counts = np.flatnonzero(fit.runs.weight > 0)
    rows = counts[found.rows]
    numbers = fit.runs.row[rows]
    is_one = len(rows) == 1
    they = {"them": "it" if is_one else "them", "they": "it" if is_one else "they", "s": "s" if is_one else ""}
    size = np.abs(found.point.residual)
    typical = float(np.median(np.delete(size, found.rows)))
    times = [f"{one:,.0f}" if one >= 10 else f"{one:.1f}" for one in (size[found.rows] / typical).tolist()]
    separation = separation_of(fit.runs, numbers.tolist())
    advice = ADVICE.format(options=separation.options, **they) if separation else ""
    ends = ends_of_runs(fit.runs)
    if 2 * np.sum(ends[rows]) > np.sum(ends) > 0:  # a law of final losses, and a table of whole learning curves
        can_keep = can_keep_last(fit.runs, run_codes(fit.runs), fit.law.inputs, int(np.sum(free)))
        advice = KEEP_THE_LAST.format(**they) if can_keep else ""
    message = OFF.format(
        rows=_named(fit, rows, numbers),
        times=listed(times),
        others=counted(len(counts) - len(rows), "run"),
        share=_share(fit, rows, they),
        moved=_moved(fit, found, theta, free, they),
        why=WHY.format(why=separation.why) if separation and separation.why else "",
        advice=advice,
        **they,
    )
    return Finding(CODE, message, tuple(numbers.tolist()))


def _named(fit: Fit, rows: np.ndarray, numbers: np.ndarray) -> str:
    """Return "rows 6 and 19 (run-6, run-19)" with the names that the table has for them."""
    text = f"{'row' if len(rows) == 1 else 'rows'} {listed(numbers.tolist())}"
    column = run_column(fit.runs)
    if column is None or column not in fit.runs.labels:
        return text
    return f"{text} ({shown_name(column)} {listed([shown(str(one)) for one in fit.runs.labels[column][rows]])})"


def _share(fit: Fit, rows: np.ndarray, they: dict[str, str]) -> str:
    weight = weight_of(fit.runs, fit.objective)
    value, whole = value_over(fit, fit.residuals[rows], weight[rows]), value_over(fit, fit.residuals, weight)
    return SHARE.format(share=value / whole, **they) if np.isfinite(value) and 0 < whole < np.inf else ""


def _moved(fit: Fit, found: Outlying, theta: np.ndarray, free: np.ndarray, they: dict[str, str]) -> str:
    """Return how far the coef moves that moves farthest, by least squares over the other rows."""
    others = np.delete(np.arange(len(found.point.residual)), found.rows)
    jacobian = found.point.jacobian[others]
    length = np.linalg.norm(jacobian, axis=0)
    if not (length > 0).all():
        return ""
    _, singular, right = np.linalg.svd(jacobian / length, full_matrices=False)
    if singular[-1] <= RANK_TOLERANCE * singular[0]:
        return ""
    freedom = len(others) - len(length)
    scale = np.sqrt(np.sum(found.point.residual[others] ** 2) / freedom)
    errors = scale * np.linalg.norm(right.T / singular, axis=1) / length
    shift = np.abs(theta[free] - found.point.theta) / errors
    at = int(np.argmax(shift))
    if shift[at] < SMALL:
        return UNMOVED.format(shift=shift[at], **they)
    place = int(np.flatnonzero(free)[at])
    if fit.law.chart is not None:  # no coef by itself
        return ""
    name, support = fit.law.names[place], fit.law.supports[place]
    value = float(support.to_coef(np.asarray(found.point.theta[at])))
    error = float(errors[at] * np.abs(support.slope(np.asarray(value))))
    said = f"{shift[at]:,.2g}" if shift[at] < 10 else f"{min(shift[at], FAR):,.0f}{' or more' * int(shift[at] > FAR)}"
    line = ON_THE_LINE.get(support.name, "{name}").format(name=name)
    return MOVED.format(shift=said, name=name, line=line, value=value, error=error, before=fit.coefs[name], **they)
