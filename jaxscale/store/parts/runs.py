"""Runs as a record and arrays: columns are numbered in the archive, so that no header becomes a file name."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import numpy as np

from jaxscale.runs import Origin, Runs
from jaxscale.store.archive import Archive
from jaxscale.store.parts.findings import findings_of, written_findings
from jaxscale.store.promises import A_ROW, FINITE, NOT_NEGATIVE, POSITIVE
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json
from jaxscale.store.texts import text_arrays, texts_of


def written_runs(runs: Runs) -> tuple[dict[str, Json], dict[str, np.ndarray]]:
    """Return the record and the arrays of a table; an absolute path as its source is cut to the file's name."""
    arrays = {
        "runs.loss": _floats(runs.loss),
        "runs.weight": _floats(runs.weight),
        "runs.row": np.asarray(runs.row, dtype=np.int64),
    }
    arrays |= {f"runs.column.{index}": _floats(column) for index, column in enumerate(runs.columns.values())}
    for index, label in enumerate(runs.labels.values()):
        arrays |= text_arrays(f"runs.label.{index}", label)
    if runs.sigma is not None:
        arrays["runs.sigma"] = _floats(runs.sigma)
    if runs.group is not None:
        arrays |= text_arrays("runs.group", runs.group)
    record: dict[str, Json] = {
        "used": len(runs),
        "columns": list(runs.columns),
        "labels": list(runs.labels),
        "has_group": runs.group is not None,
        "origin": _written_origin(runs.origin),
        "findings": written_findings(runs.findings),
    }
    return record, arrays


def runs_of(record: Record, archive: Archive) -> Runs:
    """Return the table; raise StoreError where record and arrays do not belong together."""
    count = record.count("used")
    columns, labels = record.texts("columns"), record.texts("labels")
    for key, names in (("columns", columns), ("labels", labels)):
        if len(set(names)) < len(names):
            raise record.wrong(key, "a list of different names")
    weight = archive.floats("runs.weight", (count,), NOT_NEGATIVE)
    if not weight.any():
        raise archive.wrong("runs.weight", "one in which a run counts")
    return Runs(
        columns={name: _column(archive, f"runs.column.{index}", count) for index, name in enumerate(columns)},
        loss=archive.floats("runs.loss", (count,), FINITE),
        weight=weight,
        sigma=archive.floats("runs.sigma", (count,), POSITIVE) if "runs.sigma" in archive.arrays else None,
        group=texts_of(archive, "runs.group", count) if record.flag("has_group") else None,
        labels={name: texts_of(archive, f"runs.label.{index}", count) for index, name in enumerate(labels)},
        row=archive.array("runs.row", (count,), "<i8", promise=A_ROW),
        origin=_origin_of(record.child("origin")),
        findings=findings_of(record),
    )


def _column(archive: Archive, name: str, count: int) -> np.ndarray:
    """Return one column; a law whose input is a schedule has columns with a second axis."""
    is_matrix = name in archive.arrays and archive.arrays[name].ndim == 2
    return archive.floats(name, (count, None) if is_matrix else (count,))


def _floats(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def _written_origin(origin: Origin) -> dict[str, Json]:
    return {
        "source": _without_machine(origin.source),
        "sha256": origin.sha256,
        "rows": origin.rows,
        "columns": dict(origin.columns),
        "derived": dict(origin.derived),
        "where": list(origin.where),
        "left_out": dict(origin.left_out),
        "scale": dict(origin.scale),
        "units_ok": origin.units_ok,
    }


def _origin_of(record: Record) -> Origin:
    columns, derived, left_out = (record.child(key) for key in ("columns", "derived", "left_out"))
    scale = record.child("scale") if "scale" in record.fields else None  # absent before there was such an option
    return Origin(
        source=record.text("source"),
        sha256=record.text("sha256"),
        rows=record.count("rows"),
        columns={role: columns.text(role) for role in columns.fields},
        derived={role: derived.text(role) for role in derived.fields},
        where=record.texts("where"),
        left_out={reason: left_out.count(reason) for reason in left_out.fields},
        scale={} if scale is None else {header: scale.number(header) for header in scale.fields},
        units_ok="units_ok" in record.fields and record.flag("units_ok"),
    )


def _without_machine(source: str) -> str:
    """Return the source without the folders of this machine, which say nothing elsewhere and may name people."""
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(source).is_absolute():
            return kind(source).name or source
    return source
