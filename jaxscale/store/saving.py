"""Save a result: what `plot`, `frontier` and `plan` need to go on without fitting again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.results import Ensemble, Fit
from jaxscale.store.digests import digest_of
from jaxscale.store.document import document
from jaxscale.store.folders import absolute, check_writable, write_folder
from jaxscale.store.parts.ensembles import written_ensemble
from jaxscale.store.parts.fits import written_fit
from jaxscale.store.parts.frontiers import written_frontier
from jaxscale.store.parts.runs import written_runs
from jaxscale.store.reading import KIND, SCHEMA_VERSION, digest_in
from jaxscale.store.saved import Saved, saved_of
from jaxscale.store.scalars import Json


def save(
    folder: str | Path, result: Saved | Fit | Ensemble, *, own_digest: str | None = None, force: bool = False
) -> Path:
    """Write a result into a folder and return the folder's absolute path.

    folder: new or empty, or holding a result of the same computation, or any with force; then only result.json and
    arrays.npz in it are replaced.   own_digest: the name of the computation, see `digest_of`; None for one made of
    the table, what was fitted to it with what result, and how it was resampled.
    Laws, objectives and schemes are saved by name, the table with its numbers and texts, its source without folders
    where that is an absolute path.   Raises StoreError for a folder that cannot or may not be written, UsageError for
    what is no result.
    """
    saved = saved_of(result)
    own_digest = own_digest or _name_of(saved)
    target = absolute(folder)
    check_writable(target, is_own=lambda found: _is_own(found, own_digest), force=force)
    record, arrays = _parts(saved)

    def whole(size: int, sha256: str) -> bytes:
        head: dict[str, Json] = {"kind": KIND, "schema_version": SCHEMA_VERSION, "digest": own_digest}
        return document({**head, "arrays": {"bytes": size, "sha256": sha256}, **record})

    write_folder(target, arrays, whole)
    return target


def _name_of(saved: Saved) -> str:
    """Return the digest of the computation that the result came from, whenever it was made."""
    fit, ensemble = saved.fit, saved.ensemble
    options: dict[str, Json] = {
        "law": fit.law.name,
        "objective": [fit.objective.name, fit.objective.space, repr(fit.objective.delta)],
        "solver": fit.solver,
        "fixed": list(fit.fixed),
        "coefs": {name: repr(value) for name, value in fit.coefs.items()},  # two laws of one's own may share a name
        "ensemble": None if ensemble is None else [ensemble.scheme.name, ensemble.seed, len(ensemble.status)],
        "budgets": None if saved.frontier is None else repr(saved.frontier.flops.tolist()),
        "by_group": {group: repr(one.flops.tolist()) for group, one in saved.by_group.items()},
    }
    runs = fit.runs
    table = hashlib.sha256()
    own = {"loss": runs.loss, "weight": runs.weight} | ({} if runs.sigma is None else {"sigma": runs.sigma})
    for name, column in sorted({**runs.columns, **own}.items()):
        table.update(ascii(name).encode() + np.ascontiguousarray(column).tobytes())  # a name may hold a lone surrogate
    return digest_of(table.hexdigest(), options)


def _is_own(folder: Path, own_digest: str) -> bool:
    try:
        return digest_in(folder) == own_digest
    except StoreError:
        return False


def _parts(saved: Saved) -> tuple[Mapping[str, Json], dict[str, np.ndarray]]:
    """Return the record and the arrays of everything; what is absent is null."""
    runs, arrays = written_runs(saved.fit.runs)
    fit, residuals = written_fit(saved.fit)
    record: dict[str, Json] = {"fit": fit, "runs": runs, "ensemble": None, "frontier": None}
    arrays |= residuals
    if saved.ensemble is not None:
        record["ensemble"], ensemble = written_ensemble(saved.ensemble)
        arrays |= ensemble
    if saved.frontier is not None:
        record["frontier"], front = written_frontier(saved.frontier)
        arrays |= front
    by_group: dict[str, Json] = {}
    for index, (group, frontier) in enumerate(saved.by_group.items()):
        by_group[group], front = written_frontier(frontier, place=f"group.{index}")
        arrays |= front
    record["by_group"] = by_group
    return record, arrays
