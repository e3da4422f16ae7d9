"""The fit that is left where the design of a table forbids the one asked for."""

from __future__ import annotations

from dataclasses import replace

from jaxscale.finding import forbids_plan
from jaxscale.fitting.along import law_along
from jaxscale.fitting.design import design_of
from jaxscale.fitting.fit import fit
from jaxscale.laws.grouped import grouping_of
from jaxscale.results import Fit


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
