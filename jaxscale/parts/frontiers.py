"""The frontier of a large study, part by part: each replicate's optima are found once, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxscale.allocation.frontier import optima_of_sets
from jaxscale.allocation.inputs import check_groups
from jaxscale.results import Ensemble, Frontier, Study
from jaxscale.results.samples import Sets
from jaxscale.status import Status
from jaxscale.store.commits import locked
from jaxscale.store.folder import told_reasons
from jaxscale.store.frontiers import frontier_folder, frontier_in, has_frontier_of, write_frontier
from jaxscale.store.manifest import KeptPart, read_manifest
from jaxscale.store.parts import Columns
from jaxscale.studying import FRONTIER_STAGE, with_frontiers


def is_by_parts(begun: Study, *, is_plain: bool) -> bool:
    """Return whether the frontier of a study is kept by parts: for one law, and percentiles of the replicates alone.

    is_plain: whether there is nothing beside the replicates, neither covariances, nor other fits.
    """
    return is_plain and begun.frontier is not None and not begun.groups


def make_frontier(folder: Path, part: KeptPart, begun: Study) -> None:
    """Find the optima of the replicates of a part, and keep them; the folder must be locked.   Raises OSError."""
    front, fit = begun.frontier, begun.fit
    if front is None:
        return
    check_groups(fit.law)
    target, budgets, fixed = frontier_folder(folder, front.flops.tolist(), front.fixed), front.flops, front.fixed
    record = Columns(folder, (part,), len(fit.law.names), has_covariance=False).record(part)[0]
    coefs, point = np.array(record["coefs"]).T, fit.law.vector(fit.coefs)[None]
    coefs = np.where(np.isnan(coefs).any(axis=1)[:, None], point, coefs)
    found = optima_of_sets(fit.law, Sets(coefs, record["is_open"].sum(axis=0)), budgets, fixed)
    write_frontier(target, part, found, np.asarray(record["status"]) <= Status.AT_BOUND)


def with_large_frontier(
    folder: Path, begun: Study, ensemble: Ensemble, on_stage: Callable[[str, int | None], object]
) -> Study:
    """Return a study with the ensemble of its parts and the frontier of each replicate; without any where none is.

    What of it is missing is made; for intervals that need more than the replicates it is made in memory.
    """
    study = replace(begun, groups={}, ensemble=ensemble if len(ensemble) else None)
    is_plain = ensemble.covariance is None and ensemble.jackknife is None and ensemble.nested is None
    on_stage(FRONTIER_STAGE, None)
    if not len(ensemble) or not is_by_parts(begun, is_plain=is_plain):
        return with_frontiers(replace(study, frontier=None))
    front = complete_frontier(folder, begun)
    return replace(study, frontier=front or begun.frontier)


def complete_frontier(folder: Path, begun: Study) -> Frontier | None:
    """Return the frontier of the parts that are there, after what is missing of it was made."""
    front = begun.frontier
    if front is None:
        return None
    target = frontier_folder(folder, front.flops.tolist(), front.fixed)
    with locked(folder), told_reasons(folder):
        manifest = read_manifest(folder)
        for part in manifest.parts:
            if not has_frontier_of(target, part, len(front.flops)):
                make_frontier(folder, part, begun)
    return frontier_in(folder, manifest, begun.fit, front)
