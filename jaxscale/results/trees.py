"""Draws as a tree of xarray data sets, in the groups and with the dimensions of ArviZ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import MissingDependencyError, UsageError
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.frontier import QUANTITIES, Frontier
from jaxscale.results.result import Sampled
from jaxscale.results.samples import check_drawn
from jaxscale.results.study import Study
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import xarray

NO_XARRAY = "to_xarray needs xarray, which is not installed.\nInstall it: pip install 'jaxscale[xarray]'"
NO_DRAWS = "{kind} has no draws: the fit was not bootstrapped; bootstrap it first, as in js.bootstrap(fit)"
DRAWN, BUDGETED = ("chain", "draw"), ("chain", "draw", "budget")


def tree_of(answer: Sampled) -> xarray.DataTree:
    """Return the tree of an ensemble, a frontier or a study, as `Sampled.to_xarray` says."""
    try:
        import xarray
    except ImportError as error:
        raise MissingDependencyError(NO_XARRAY) from error
    ensemble = answer.ensemble if isinstance(answer, Study) else answer if isinstance(answer, Ensemble) else None
    front = answer.frontier if isinstance(answer, Study) else answer if isinstance(answer, Frontier) else None
    if ensemble is None and (front is None or not front.is_ensemble):
        raise UsageError(NO_DRAWS.format(kind=f"this {type(answer).__name__.lower()}"))
    sets: dict[str, xarray.Dataset] = {}
    usable = None
    if ensemble is not None:
        check_drawn(ensemble.scheme)
        usable = np.flatnonzero(ensemble.usable)
        sets |= _of_ensemble(ensemble, usable)
    if front is not None and front.is_ensemble:
        sets["frontier"] = _of_frontier(front, usable)
    if ensemble is not None:
        sets |= _of_runs(ensemble.fit.runs, ensemble.fit.law.target)
    return xarray.DataTree.from_dict({f"/{name}": one for name, one in sets.items()})


def _of_ensemble(ensemble: Ensemble, usable: np.ndarray) -> dict[str, xarray.Dataset]:
    import xarray

    number = usable if ensemble.replicate is None else np.asarray(ensemble.replicate)[usable]
    place = {"chain": [0], "draw": number}
    coefs = {name: (DRAWN, ensemble.samples(name)[usable][None]) for name in ensemble.coefs}
    stats = {"objective": ensemble.value, "status": ensemble.status, "steps": ensemble.steps}
    facts = {"law": ensemble.fit.law.name, "scheme": ensemble.scheme.name, "seed": ensemble.seed}
    facts |= {"replicates": len(ensemble), "usable": len(usable)}
    return {
        "posterior": xarray.Dataset(coefs, place, facts),
        "sample_stats": xarray.Dataset(
            {name: (DRAWN, np.asarray(one)[usable][None]) for name, one in stats.items()}, place
        ),
    }


def _of_frontier(front: Frontier, usable: np.ndarray | None) -> xarray.Dataset:
    import xarray

    every = {name: np.asarray(getattr(front, name)) for name in QUANTITIES}
    kept = np.arange(len(every["loss"])) if usable is None else usable
    columns = {name: (BUDGETED, one[kept][None]) for name, one in every.items()}
    return xarray.Dataset(columns, {"chain": [0], "draw": kept, "budget": front.flops}, {"law": front.law.name})


def _of_runs(runs: Runs, target: str) -> dict[str, xarray.Dataset]:
    import xarray

    place = {"run": runs.row}
    columns = {name: one for name, one in runs.columns.items() if one.ndim == 1}
    known = {
        "weight": runs.weight,
        "sigma": runs.sigma,
        "group": None if runs.group is None else runs.group.astype(str),
    }
    columns |= {name: one for name, one in known.items() if one is not None}
    return {
        "observed_data": xarray.Dataset({target: ("run", runs.loss)}, place),
        "constant_data": xarray.Dataset({name: ("run", one) for name, one in columns.items()}, place),
    }
