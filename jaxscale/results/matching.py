"""Whether the parts of a study belong together: a fit, its ensemble and its frontier are of one computation."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.fit import Fit
from jaxscale.results.frontier import Frontier

OTHER_FIT = "the ensemble was made from another fit than the one beside it; save each with its own"
OTHER_FRONTIER = "the frontier has the law '{found}' and the fit '{law}'; save each with its own"
OTHER_ENSEMBLE = "the frontier has {found} replicates and the ensemble {count}; save each with its own"


def check_of_one_fit(fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None) -> None:
    """Raise UsageError for parts of different computations."""
    if ensemble is not None and not _is_same(ensemble.fit, fit):
        raise UsageError(OTHER_FIT)
    if frontier is None:
        return
    if frontier.law != fit.law:
        raise UsageError(OTHER_FRONTIER.format(found=frontier.law.name, law=fit.law.name))
    count = len(frontier.params)
    if ensemble is not None and frontier.is_ensemble and count != len(ensemble):
        raise UsageError(OTHER_ENSEMBLE.format(found=count, count=len(ensemble)))


def _is_same(one: Fit, other: Fit) -> bool:
    """Return whether two fits are one computation, whatever findings were added since."""
    if one is other:
        return True
    is_same_question = one.law == other.law and one.objective == other.objective and one.fixed == other.fixed
    is_same_table = one.runs.origin.sha256 == other.runs.origin.sha256 and np.array_equal(one.runs.row, other.runs.row)
    coefs = [list(fit.coefs.items()) for fit in (one, other)]
    return is_same_question and is_same_table and coefs[0] == coefs[1]
