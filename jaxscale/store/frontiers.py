"""Frontiers of the parts of a large study: derived from them, kept beside them, and made again where one is missing."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxscale.allocation.findings import counted_findings
from jaxscale.intervals.blocks import Blocks
from jaxscale.results import QUANTITIES, Fit, Frontier
from jaxscale.store.commits import commit
from jaxscale.store.manifest import FRONTIERS, KeptPart, Manifest
from jaxscale.store.parts import part_bytes


def frontier_dtype(budgets: int, count: int) -> np.dtype:
    """Return the dtype of a part's frontier: one record, whose columns each lie together.

    budgets: b.   count: k, replicates of the part.   sum: CRC-32 of the columns.   usable, without, lower: how many
    replicates are usable, have no optimum inside, and have less loss at an end.
    """
    columns = [(name, "<f8", (budgets, count)) for name in QUANTITIES[:3]]
    return np.dtype([("sum", "<u4"), ("usable", "<i8"), ("without", "<i8"), ("lower", "<i8"), *columns])


def frontier_folder(folder: Path, budgets: Sequence[float], fixed: Mapping[str, float]) -> Path:
    """Return where the frontiers at these budgets, with these inputs fixed, are kept."""
    asked = json.dumps([[repr(float(one)) for one in budgets], {name: repr(float(at)) for name, at in fixed.items()}])
    return folder / FRONTIERS / hashlib.sha256(asked.encode()).hexdigest()[:12]


def write_frontier(target: Path, part: KeptPart, found: np.ndarray, usable: np.ndarray) -> None:
    """Commit the frontier of a part; raises OSError.

    found: params, tokens, loss and whether each is the lowest (4, k, b).   usable: (k,).
    """
    record = np.zeros(1, frontier_dtype(found.shape[2], found.shape[1]))
    one = record[0]
    for name, values in zip(QUANTITIES[:3], found[:3], strict=True):
        one[name] = np.where(usable[:, None], values, np.nan).T
    one["usable"] = int(usable.sum())
    one["without"] = int(np.sum(usable & np.isnan(found[0]).any(axis=1)))
    one["lower"] = int(np.sum(usable & (found[3] == 0).any(axis=1)))
    one["sum"] = _sum(record)
    target.mkdir(parents=True, exist_ok=True)
    commit(target / part.name, part_bytes(record))


def has_frontier_of(target: Path, part: KeptPart, budgets: int) -> bool:
    """Return whether the frontier of a part is there, whole and not changed."""
    record = _record(target, part, budgets)
    return record is not None and int(record[0]["sum"]) == _sum(record)


def frontier_in(folder: Path, manifest: Manifest, fit: Fit, point: Frontier) -> Frontier | None:
    """Return the frontier of the parts of a study, read from their files when it is asked for.

    point: that of the point fit.   None where one of the parts has none.
    """
    target, count = frontier_folder(folder, point.flops.tolist(), point.fixed), len(point.flops)
    if not manifest.parts or not all(has_frontier_of(target, part, count) for part in manifest.parts):
        return None
    told = np.zeros(3, int)
    for part in manifest.parts:
        record = _record(target, part, count)
        if record is not None:
            told += [int(record[0][name]) for name in ("usable", "without", "lower")]
    usable, without, lower = told.tolist()
    shape = (manifest.there, count)

    def blocks(name: str) -> Blocks:
        def read() -> Iterator[np.ndarray]:
            for part in manifest.parts:
                record = _record(target, part, count)
                assert record is not None  # found above; the folder must stay
                yield record[0][name].T

        return Blocks(shape, read)

    findings = (*point.findings, *counted_findings(fit.law, total=usable, without=without, lower=lower))
    stands: Any = {name: blocks(name) for name in QUANTITIES[:3]}  # which stand for arrays
    return replace(point, **stands, at_point=point, findings=findings, dof=float(fit.dof))


def _record(target: Path, part: KeptPart, budgets: int) -> np.ndarray | None:
    """Return the record (1,) of a part's frontier, mapped; None where there is no such file."""
    try:
        found: np.ndarray = np.load(target / part.name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    is_it = found.dtype == frontier_dtype(budgets, part.stop - part.start) and found.shape == (1,)
    return found if is_it else None


def _sum(record: np.ndarray) -> int:
    """Return the CRC-32 of the columns of a record and of its counts."""
    return zlib.crc32(np.asarray(record).view(np.uint8)[record.dtype["sum"].itemsize :])  # type: ignore[arg-type]
