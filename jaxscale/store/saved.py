"""What one folder holds: a fit, and the ensemble and the frontier that were made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.results import Ensemble, Fit, Frontier

OTHER_FIT = "the ensemble was made from another fit than the one beside it; save each with its own"
OTHER_FRONTIER = "the frontier has the law '{found}' and the fit '{law}'; save each with its own"
OTHER_ENSEMBLE = "the frontier has {found} replicates and the ensemble {count}; save each with its own"
OTHER_GROUPS = "the frontiers are those of the groups {found}, which are not the groups of the fit of '{name}'"
ONE_GROUP = "this is one group's part of a fit over several: save the whole, and take the part again after loading"
NOT_A_RESULT = "a {kind} cannot be saved by itself; save a Fit, an Ensemble, or Saved(fit, ensemble, frontier)"


@dataclass(frozen=True)
class Saved:
    """A fit with what belongs to it; raises UsageError for parts of different computations.

    by_group: of a fit over groups, the frontier of each.
    """

    fit: Fit
    ensemble: Ensemble | None = None
    frontier: Frontier | None = None
    by_group: Mapping[str, Frontier] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.ensemble is not None and not _is_same(self.ensemble.fit, self.fit):
            raise UsageError(OTHER_FIT)
        if self.frontier is not None and self.frontier.law != self.fit.law:
            raise UsageError(OTHER_FRONTIER.format(found=self.frontier.law.name, law=self.fit.law.name))
        grouping, core = grouping_of(self.fit.law), core_of(self.fit.law)
        if self.by_group and (grouping is None or tuple(self.by_group) != grouping.groups):
            raise UsageError(OTHER_GROUPS.format(found=", ".join(self.by_group), name=self.fit.law.name))
        if self.fit.common or (self.ensemble is not None and self.ensemble.whole is not None):
            raise UsageError(ONE_GROUP)
        for own in self.by_group.values():
            if own.law != core:
                raise UsageError(OTHER_FRONTIER.format(found=own.law.name, law=core.name))
        for one in (self.frontier, *self.by_group.values()):
            if (
                self.ensemble is not None
                and one is not None
                and one.is_ensemble
                and len(one.params) != len(self.ensemble)
            ):
                raise UsageError(OTHER_ENSEMBLE.format(found=len(one.params), count=len(self.ensemble)))


def saved_of(result: Saved | Fit | Ensemble) -> Saved:
    """Return a result with its fit; raise UsageError for anything else."""
    match result:
        case Saved():
            return result
        case Fit():
            return Saved(result)
        case Ensemble():
            return Saved(result.fit, result)
    raise UsageError(NOT_A_RESULT.format(kind=type(result).__name__))


def _is_same(one: Fit, other: Fit) -> bool:
    """Return whether two fits are one computation, whatever findings were added since."""
    if one is other:
        return True
    is_same_question = one.law == other.law and one.objective == other.objective and one.fixed == other.fixed
    is_same_table = one.runs.origin.sha256 == other.runs.origin.sha256 and np.array_equal(one.runs.row, other.runs.row)
    coefs = [list(fit.coefs.items()) for fit in (one, other)]
    return is_same_question and is_same_table and coefs[0] == coefs[1]
