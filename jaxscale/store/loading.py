"""Load a result, bit for bit, from a folder that may be damaged, foreign or newer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jaxscale.laws import ExpressionLoss, Law
from jaxscale.laws.grouped import core_of
from jaxscale.objectives import Objective
from jaxscale.resampling import Scheme
from jaxscale.store.parts.ensembles import ensemble_of
from jaxscale.store.parts.fits import fit_of
from jaxscale.store.parts.frontiers import frontier_of
from jaxscale.store.parts.runs import runs_of
from jaxscale.store.reading import arrays_in, result_in
from jaxscale.store.saved import Saved
from jaxscale.store.verifying import check_function


def load(
    folder: str | Path,
    *,
    laws: Iterable[Law] = (),
    objectives: Iterable[Objective] = (),
    schemes: Iterable[Scheme] = (),
) -> Saved:
    """Return what was saved in a folder, every number bit for bit.

    laws, objectives, schemes: the user's own, for what does not ship with jaxscale; an entry goes before one that
    ships under the same name.   Raises StoreError for a folder that holds no whole result, a file that is damaged, a
    newer schema, or a law that is unknown or differs from the one that was fitted. A law from an expression comes back
    by its text.
    """
    place = Path(folder)
    record = result_in(place)
    archive = arrays_in(place, record.child("arrays"))
    runs = runs_of(record.child("runs"), archive)
    own = tuple(laws)
    fit = fit_of(record.child("fit"), archive, runs, own, objectives)
    core = core_of(fit.law)
    if core in own or isinstance(core.loss, ExpressionLoss):
        check_function(fit, place=record.place)
    resampled, front = record.optional_child("ensemble"), record.optional_child("frontier")
    ensemble = None if resampled is None else ensemble_of(resampled, archive, fit, schemes)
    replicates = None if ensemble is None else len(ensemble)
    frontier = None if front is None else frontier_of(front, archive, fit.law, replicates=replicates)
    by_group = {}
    if "by_group" in record.fields:  # results of before there were groups have none
        saved = record.child("by_group")
        for index, group in enumerate(saved.fields):
            one, at = saved.child(group), f"group.{index}"
            by_group[group] = frontier_of(one, archive, core_of(fit.law), replicates=replicates, place=at)
    return Saved(fit, ensemble, frontier, by_group)
