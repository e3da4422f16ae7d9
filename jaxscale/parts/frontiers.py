"""The frontier of a large study, part by part: each replicate's optima are found once, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jaxscale.allocation.inputs import check_groups
from jaxscale.results import Ensemble, Study
from jaxscale.store.commits import locked
from jaxscale.store.folder import told_reasons
from jaxscale.store.frontiers import frontier_folder, frontier_in, frontier_record, has_frontier_of, write_frontier
from jaxscale.store.large import is_by_parts
from jaxscale.store.manifest import KeptPart, Manifest, read_manifest
from jaxscale.store.parts import Columns
from jaxscale.studying import FRONTIER_STAGE, with_frontiers


def make_frontier(folder: Path, part: KeptPart, begun: Study) -> None:
    """Find the optima of the replicates of a part, and keep them; the folder must be locked.   Raises OSError."""
    front, fit = begun.frontier, begun.fit
    if front is None:
        return
    check_groups(fit.law)
    record = Columns(folder, (part,), len(fit.law.names), has_covariance=False).record(part)
    target = frontier_folder(folder, front.flops.tolist(), front.fixed)
    write_frontier(target, part, frontier_record(record, fit, front.flops, front.fixed))


def with_large_frontier(
    folder: Path, begun: Study, ensemble: Ensemble, on_stage: Callable[[str, int | None], object]
) -> Study:
    """Return a study with the ensemble of its parts and the frontier of each replicate; without any where none is.

    What of it is missing is made; for intervals that need more than the replicates it is made in memory.
    """
    study = replace(begun, groups={}, ensemble=ensemble if len(ensemble) else None)
    on_stage(FRONTIER_STAGE, None)
    manifest = read_manifest(folder)
    if not len(ensemble) or begun.frontier is None or not is_by_parts(begun, manifest):
        return with_frontiers(replace(study, frontier=None))
    complete_frontier(folder, begun)
    columns = Columns(folder, manifest.parts, len(begun.fit.law.names), has_covariance=False)
    return replace(study, frontier=frontier_in(folder, columns, begun.fit, begun.frontier))


def complete_frontier(folder: Path, begun: Study) -> Manifest:
    """Make what is missing of the frontier of the parts that are there, and return the study's manifest."""
    front = begun.frontier
    with locked(folder), told_reasons(folder):
        manifest = read_manifest(folder)
        for part in manifest.parts if front is not None and is_by_parts(begun, manifest) else ():
            assert front is not None  # for the type checker
            target = frontier_folder(folder, front.flops.tolist(), front.fixed)
            if not has_frontier_of(target, part, len(front.flops)):
                make_frontier(folder, part, begun)
    return manifest
