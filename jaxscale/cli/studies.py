"""From what was typed to a study, and what is refused before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jaxscale.cli.choosing import law_of, objective_of
from jaxscale.cli.options import INTERVAL, LEVEL, Fitting, Showing
from jaxscale.cli.session import Bar
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.results import Fit, Study
    from jaxscale.runs import Runs

ALL = "all"
"""The word for every convention of counting that a table allows."""


def study_of(
    runs: Runs,
    fitting: Fitting,
    showing: Showing,
    bar: Bar,
    on_fit: Callable[[Fit], object] = lambda fit: None,
) -> Study:
    """Return the study of a table; on_fit: told the fit before it is resampled."""
    from jaxscale.studies import study

    return study(
        runs,
        law_of(fitting),
        objective=objective_of(fitting),
        solver=fitting.solver,
        fix=fitting.fixed,
        per_group=fitting.per_group,
        scheme=fitting.scheme,
        replicates=fitting.replicates,
        seed=fitting.seed,
        budgets=showing.flops or (),
        at=showing.at,
        level=showing.level or LEVEL,
        interval=showing.interval or INTERVAL,
        device=fitting.device,
        on_stage=bar.stage,
        on_done=bar.advance,
        on_fit=on_fit,
    )


def check_names(fitting: Fitting, showing: Showing) -> None:
    """Raise UsageError for a name that nothing carries, or that the law has not, before any table is read."""
    from jaxscale.allocation.inputs import check_fixed_names
    from jaxscale.intervals import INTERVALS
    from jaxscale.laws import LAWS
    from jaxscale.laws.checking import check_no_ties
    from jaxscale.laws.grouped import core_name
    from jaxscale.registry import unknown
    from jaxscale.resampling import SCHEMES
    from jaxscale.solvers import SOLVERS

    law = law_of(fitting)
    check_fixed_names(law, showing.at)
    for registry, name in (
        (SCHEMES, fitting.scheme),
        (SOLVERS, fitting.solver),
        (INTERVALS, showing.interval or INTERVAL),
    ):
        registry.resolve(name)
    named = [core_name(name) if fitting.per_group else name for name in fitting.fix]  # groups are not known yet
    for name in (*named, *fitting.per_group):
        if name not in law.names:
            raise UsageError(unknown("coef", name, law.names))
    check_no_ties(law, fitting.fix, known={one.name: one for one in LAWS})
    objective_of(fitting)


def check_has_frontier(fitting: Fitting, showing: Showing) -> None:
    """Raise UsageError for a law without a frontier, or one that needs inputs held, before any table is read."""
    from jaxscale.studies import check_frontier_inputs

    check_frontier_inputs(law_of(fitting), showing.at)


def check_counts(counts: Sequence[str]) -> None:
    """Raise UsageError for a convention of counting that nothing carries, before any table is read."""
    from jaxscale.counting import CONVENTIONS
    from jaxscale.registry import unknown

    known = (*(one.name for one in CONVENTIONS if one.counted is not None), ALL)
    for name in counts:
        if name not in known:
            raise UsageError(unknown("--count:", name, known))


def check_countable(runs: Runs, counts: Sequence[str]) -> None:
    """Raise RunsError for a convention whose columns the table has not, before it is fitted."""
    from jaxscale.counting import recount

    for name in counts:
        if name != ALL:
            recount(runs, name)


def check_scheme(runs: Runs, fitting: Fitting) -> None:
    """Raise UsageError or RunsError for a scheme that draws groups that the table lacks, before it is fitted."""
    from jaxscale.refitting import check_clusters
    from jaxscale.resampling import SCHEMES

    if fitting.replicates:
        check_clusters(runs, SCHEMES.resolve(fitting.scheme), has_own=bool(fitting.per_group))
