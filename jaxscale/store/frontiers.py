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
from jaxscale.allocation.frontier import optima_of_sets
from jaxscale.intervals.blocks import Blocks
from jaxscale.results import QUANTITIES, Fit, Frontier
from jaxscale.results.samples import Sets
from jaxscale.status import Status
from jaxscale.store.commits import commit
from jaxscale.store.manifest import FRONTIERS, KeptPart
from jaxscale.store.parts import Columns, part_bytes


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


def frontier_record(record: np.ndarray, fit: Fit, budgets: np.ndarray, fixed: Mapping[str, float]) -> np.ndarray:
    """Return the frontier (1,) of the replicates of a part's record, found anew."""
    one = record[0]
    coefs, point = np.array(one["coefs"]).T, fit.law.vector(fit.coefs)[None]
    coefs = np.where(np.isnan(coefs).any(axis=1)[:, None], point, coefs)
    found = optima_of_sets(fit.law, Sets(coefs, one["is_open"].sum(axis=0)), budgets, fixed)  # (4, k, b)
    usable = np.asarray(one["status"]) <= Status.AT_BOUND
    made = np.zeros(1, frontier_dtype(len(budgets), len(usable)))
    for name, values in zip(QUANTITIES[:3], found[:3], strict=True):
        made[0][name] = np.where(usable[:, None], values, np.nan).T
    made[0]["usable"] = int(usable.sum())
    made[0]["without"] = int(np.sum(usable & np.isnan(found[0]).any(axis=1)))
    made[0]["lower"] = int(np.sum(usable & (found[3] == 0).any(axis=1)))
    made[0]["sum"] = _sum(made)
    return made


def write_frontier(target: Path, part: KeptPart, made: np.ndarray) -> None:
    """Commit the frontier of a part; raises OSError."""
    target.mkdir(parents=True, exist_ok=True)
    commit(target / part.name, part_bytes(made))


def take_frontiers(source: Path, folder: Path, part: KeptPart) -> None:
    """Commit those frontiers of a part that another folder of the study has, whole; raises OSError."""
    for path in (source / FRONTIERS).glob(f"*/{part.name}"):
        try:
            made: np.ndarray = np.load(path, allow_pickle=False)
            is_whole = made.shape == (1,) and int(made[0]["sum"]) == _sum(made)
        except (OSError, ValueError, IndexError):  # IndexError: it has other fields
            continue
        if is_whole:
            write_frontier(folder / FRONTIERS / path.parent.name, part, made)


def has_frontier_of(target: Path, part: KeptPart, budgets: int) -> bool:
    """Return whether the frontier of a part is there, whole and not changed."""
    record = _record(target, part, budgets)
    return record is not None and int(record[0]["sum"]) == _sum(record)


def frontier_in(folder: Path, columns: Columns, fit: Fit, point: Frontier) -> Frontier:
    """Return the frontier of the parts of a study, read from their files when it is asked for.

    point: that of the point fit. A part without a file has its frontier found here, and kept in memory.
    """
    target, count = frontier_folder(folder, point.flops.tolist(), point.fixed), len(point.flops)
    found = {
        part: frontier_record(columns.record(part), fit, point.flops, point.fixed)
        for part in columns.parts if not has_frontier_of(target, part, count)
    }  # fmt: skip
    told = np.zeros(3, int)
    for part in columns.parts:
        told += [int(_kept(target, part, count, found)[name]) for name in ("usable", "without", "lower")]
    usable, without, lower = told.tolist()
    shape = (sum(part.stop - part.start for part in columns.parts), count)

    def blocks(name: str) -> Blocks:
        def read() -> Iterator[np.ndarray]:
            for part in columns.parts:
                yield _kept(target, part, count, found)[name].T

        return Blocks(shape, read)

    findings = (*point.findings, *counted_findings(fit.law, total=usable, without=without, lower=lower))
    stands: Any = {name: blocks(name) for name in QUANTITIES[:3]}  # which stand for arrays
    return replace(point, **stands, at_point=point, findings=findings, dof=float(fit.dof))


def _kept(target: Path, part: KeptPart, budgets: int, found: Mapping[KeptPart, np.ndarray]) -> np.void:
    """Return the frontier of a part: of those that were found anew, or of its file, which must stay."""
    record = found[part] if part in found else _record(target, part, budgets)
    assert record is not None  # its file was there
    return record[0]


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
