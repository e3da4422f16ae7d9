"""Groups of runs that share some coefs of one law: the table and the law that are fitted, and one group's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, overload

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.fitting.checking import value_over
from jaxscale.fitting.collinearity import design_of
from jaxscale.intervals import LikelihoodProfile
from jaxscale.laws import Law
from jaxscale.laws.grouped import GROUP, Grouping, core_name, grouped, grouping_of, own_name
from jaxscale.objectives import weight_of
from jaxscale.results import Ensemble, Fit, Joint, Minimum, Nested
from jaxscale.results.fit import spread_on
from jaxscale.runs import Runs
from jaxscale.text import counted, listed, shown

MOST_COEFS = 24
"""Coefs of a grouped law: programs grow with their square, and so does the time to compile them."""

NO_GROUPS = (
    "per_group={per_group} needs a table whose runs have groups, and {source} has none; "
    "read it with group='COLUMN' (--group COLUMN)"
)
TOO_MANY = (
    "{groups} with {own} of their own and {common} in common make {count} coefs, more than the {most} that are fitted "
    "at once; name fewer coefs in per_group, or select fewer groups"
)
TOO_FEW = "{source}: too few runs for the coefs that each group has of its own: {groups}; leave those groups out"
ONE_OF_THEM = "{rows} of group {group} for {coefs}"
ONE_GROUP = "all runs are of the group {group}, so no coef is shared: this is the fit without groups"
FEW_ROWS = "fewer than three runs per coef of their own: {groups}; the common coefs lean on the other groups"
LEFT = "{few} ({dof}, on which 95 % lies within {reach:.3g} standard errors)"
NONE_LEFT = "{few} (none to spare, so that these have no standard errors)"
TIED = "{groups}: what such a group says of its own coefs rests on the coefs that it shares"
ONE_TIE = "in all runs of group {group} {ties}"
UNGROUPED = "'{name}' was fitted without per_group: it has no groups to take one of"

T = TypeVar("T")


def by_group(runs: Runs, law: Law, per_group: str | Sequence[str]) -> tuple[Runs, Law]:
    """Return the runs with a column that places each in its group, and the law with coefs of each group's own.

    Groups are in the order of their names.   Raises UsageError for runs without groups, an unknown coef, or more
    coefs than are fitted at once.
    """
    wanted = (per_group,) if isinstance(per_group, str) else tuple(per_group)
    if not wanted:
        return runs, law
    if runs.group is None:
        raise UsageError(NO_GROUPS.format(per_group=wanted, source=runs.origin.source))
    groups, places = np.unique(runs.group.astype(str), return_inverse=True)
    made = grouped(law, tuple(groups.tolist()), wanted)
    if len(made.coefs) > MOST_COEFS:
        told = {"own": counted(len(wanted), "coef"), "common": len(law.coefs) - len(wanted)}
        told |= {"count": len(made.coefs), "most": MOST_COEFS}
        raise UsageError(TOO_MANY.format(groups=counted(len(groups), "group"), **told))
    return replace(runs, columns={**runs.columns, GROUP.name: places.astype(np.float64)}), made


def spread(law: Law, coefs: Mapping[str, T]) -> Mapping[str, T]:
    """Return coefs as a law names them: in a grouped one, `E` stands for that of every group."""
    grouping = grouping_of(law)
    return coefs if grouping is None else grouping.spread(coefs)


def check_group_sizes(runs: Runs, law: Law, free: Sequence[str]) -> None:
    """Raise RunsError, naming them all, where groups have fewer runs that count than free coefs of their own."""
    grouping = grouping_of(law)
    small = [] if grouping is None else _smaller(grouping, runs, free, 1)
    if small:
        raise RunsError(TOO_FEW.format(source=runs.origin.source, groups="; ".join(one for one, _ in small)))


def without_freedom(runs: Runs, law: Law, free: Sequence[str]) -> tuple[str, ...]:
    """Return the coefs of groups that have as many runs as free coefs of their own: such runs show no error."""
    grouping = grouping_of(law)
    if grouping is None:
        return ()
    names = [[own_name(name, group) for name in grouping.per_group] for group in grouping.groups]
    own = [[name for name in some if name in free] for some in names]
    runs_of = [int(np.sum((runs[GROUP.name] == place) & (runs.weight > 0))) for place in range(len(grouping.groups))]
    return tuple(name for some, rows in zip(own, runs_of, strict=True) if rows <= len(some) for name in some)


def findings_of_groups(fit: Fit) -> tuple[Finding, ...]:
    """Return what is worth knowing about the groups of a fit; nothing for one without."""
    grouping, found = grouping_of(fit.law), []
    if grouping is None:
        return ()
    if len(grouping.groups) == 1:
        found.append(Finding("one-group", ONE_GROUP.format(group=shown(grouping.groups[0]))))
    few = [_with_freedom(one, dof) for one, dof in _smaller(grouping, fit.runs, fit.free, 3)]
    if few and len(grouping.groups) > 1:
        found.append(Finding("few-rows-in-group", FEW_ROWS.format(groups="; ".join(few))))
    ties = [] if design_of(fit.runs, fit.law).ties else list(_tied(grouping, fit.runs))
    if ties:
        found.append(Finding("collinear-group", TIED.format(groups="; ".join(ties))))
    return tuple(found)


@overload
def group_of(result: Fit, group: str) -> Fit: ...
@overload
def group_of(result: Ensemble, group: str) -> Ensemble: ...
def group_of(result: Fit | Ensemble, group: str) -> Fit | Ensemble:
    """Return what a fit over groups, or its ensemble, says of one of them: the law without groups, and its own runs.

    The result is for `frontier`, `predict`, `isoloss`, `band` and the figures.

    Parameters
    ----------
    result
        A fit made with `per_group`, or its ensemble.
    group
        The name of the group.

    Returns
    -------
    Fit or Ensemble
        As `result` is. Its value is the objective over the group's own runs, of an ensemble's replicates that over all
        runs; status, certificate and provenance are those of the whole.

    Raises
    ------
    UsageError
        For an unknown group, or a result without groups.

    Examples
    --------
    >>> names = np.repeat(["books", "web"], 15)
    >>> grouped = js.Runs.from_arrays(loss=runs.loss, params=runs["params"], group=names)
    >>> both = js.fit(grouped, "pure-power-params", per_group="A")
    >>> list(both.coefs)
    ['A[books]', 'A[web]', 'alpha']
    >>> list(js.fitting.group_of(both, "web").coefs)
    ['A', 'alpha']
    """
    whole = result.fit if isinstance(result, Ensemble) else result
    grouping = grouping_of(whole.law)
    if grouping is None:
        raise UsageError(UNGROUPED.format(name=whole.law.name))
    coefs = grouping.coefs_of(group, whole.coefs)
    if isinstance(result, Ensemble):
        samples = grouping.coefs_of(group, result.coefs)
        nowhere = np.zeros(len(result), bool)
        without = grouping.coefs_of(group, {name: result.without.get(name, nowhere) for name in result.coefs})
        without = {name: mask for name, mask in without.items() if mask.any()}
        return replace(
            result,
            fit=group_of(whole, group),
            coefs=samples,
            whole=whole.runs,
            without=without,
            covariance=_its_covariance(result.covariance, whole.law, group),
            jackknife=None if result.jackknife is None else group_of(result.jackknife, group),
            nested=None if result.nested is None else _its_nested(result.nested, grouping, group),
            profile=None if result.profile is None else _its_profile(result.profile, whole.law, group),
        )
    rows = whole.runs[GROUP.name] == grouping.groups.index(group)
    runs, residuals = whole.runs.take(np.flatnonzero(rows), "of another group"), whole.residuals[rows]
    minima = tuple(
        Minimum(one.value, grouping.coefs_of(group, one.coefs), one.starts) for one in whole.certificate.other_minima
    )

    def its(names: Sequence[str]) -> tuple[str, ...]:
        marked = grouping.coefs_of(group, dict.fromkeys(names, True))
        return tuple(marked)

    return replace(
        whole,
        law=grouping.core,
        runs=runs,
        coefs=coefs,
        value=value_over(whole, residuals, weight_of(runs, whole.objective)),
        certificate=replace(whole.certificate, other_minima=minima),
        std=grouping.coefs_of(group, whole.std),
        residuals=residuals,
        fixed=its(whole.fixed),
        unidentified=its(whole.unidentified),
        held=its(whole.held),
        joint=tuple(part for one in whole.joint for part in _its_joint(one, grouping, group)),
        common=tuple(name for name in grouping.common if name not in whole.fixed),
        covariance=_its_covariance(whole.covariance, whole.law, group),
        robust={by: _its_block(one, whole.law, group) for by, one in whole.robust.items()},
    )


def _its_nested(nested: Nested, grouping: Grouping, group: str) -> Nested:
    """Return the replicates of simulated tables with the coefs that one group has."""
    return replace(nested, coefs=grouping.coefs_of(group, nested.coefs))


def _its_profile(profile: LikelihoodProfile, law: Law, group: str) -> LikelihoodProfile:
    """Return the profiles of the coefs that one group has, of those of all coefs of a grouped law."""
    return LikelihoodProfile.joined([profile.of(at) for at in _places(law, group)])


def _its_covariance(covariance: np.ndarray | None, law: Law, group: str) -> np.ndarray | None:
    """Return the covariance (…, p, p) of the coefs that one group has, of that of all coefs of a grouped law."""
    return None if covariance is None or grouping_of(law) is None else _its_block(covariance, law, group)


def _its_block(covariance: np.ndarray, law: Law, group: str) -> np.ndarray:
    place = _places(law, group)
    return np.asarray(covariance[..., place, :][..., place])


def _places(law: Law, group: str) -> list[int]:
    """Return which of the coefs of a grouped law one group has, in its own order."""
    grouping = grouping_of(law)
    assert grouping is not None  # as who asks knows
    return list(grouping.coefs_of(group, {full: at for at, full in enumerate(law.names)}).values())


def _its_joint(one: Joint, grouping: Grouping, group: str) -> list[Joint]:
    """Return what coefs of one group are together, by the law's own names; nothing where they are another group's."""
    names = grouping.coefs_of(group, {full: full for name in grouping.core.names for full in grouping.names_of(name)})
    own = tuple(name for name, given in names.items() if given in one.names)
    return [replace(one, names=own)] if len(own) == len(one.names) else []


def _with_freedom(few: str, dof: int) -> str:
    """Return a group in words with what its runs leave for the errors of its own coefs."""
    return LEFT.format(few=few, **spread_on(dof)) if dof > 0 else NONE_LEFT.format(few=few)


def _smaller(grouping: Grouping, runs: Runs, free: Sequence[str], times: int) -> list[tuple[str, int]]:
    """Return in words the groups with fewer runs that count than so many times their own free coefs, and how many more
    these are than the coefs.
    """
    found = []
    for place, group in enumerate(grouping.groups):
        names = [core_name(name) for name in free if name in {own_name(one, group) for one in grouping.per_group}]
        rows = int(np.sum((runs[GROUP.name] == place) & (runs.weight > 0)))
        if rows < times * len(names):
            told = {"rows": counted(rows, "run"), "group": shown(group), "coefs": listed(names)}
            found.append((ONE_OF_THEM.format(**told), rows - len(names)))
    return found


def _tied(grouping: Grouping, runs: Runs) -> list[str]:
    """Return in words the groups in whose own runs an input follows from others."""
    found = []
    for place, group in enumerate(grouping.groups):
        rows = np.flatnonzero((runs[GROUP.name] == place) & (runs.weight > 0))
        design = design_of(runs.take(rows, "of another group"), grouping.core)
        if design.ties:
            found.append(ONE_TIE.format(group=shown(group), ties=design))
    return found
