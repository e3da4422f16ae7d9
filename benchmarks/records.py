"""One JSON file per run of a benchmark: what was measured, on which machine, with which options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

SCHEMA_VERSION = 1
RESULTS = Path(__file__).parent / "results"


def document(
    benchmark: str,
    results: Sequence[object],
    *,
    machine: Mapping[str, object],
    options: Mapping[str, object],
    **more: object,
) -> dict:
    """Return the JSON document of a run, numbers at full precision; what each result holds is the benchmark's own."""
    return {
        "schema_version": SCHEMA_VERSION,
        "benchmark": benchmark,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": dict(machine),
        "options": dict(options),
        **more,
        "results": list(results),
    }


def write(document: dict, out: str | None) -> Path:
    """Write a document to a file, by default results/BENCHMARK-BACKEND.json, and return its path."""
    path = _path(document["benchmark"], document["machine"]["backend"], out)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def begun(
    benchmark: str, out: str | None, *, add: bool, machine: Mapping[str, object], options: Mapping[str, object]
) -> dict:
    """Return the document that a run begins with: without results, or with --add the one that the file holds.

    Raises
    ------
    click.UsageError
        Where that one is of other options.
    """
    path = _path(benchmark, machine["backend"], out)
    if not add or not path.exists():
        return document(benchmark, (), machine=machine, options=options)
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["options"] != options:
        raise click.UsageError(f"--add: {path.name} is of other options, {found['options']}")
    return found


def _path(benchmark: str, backend: object, out: str | None) -> Path:
    return Path(out) if out else RESULTS / f"{benchmark}-{backend}.json"


def read(folder: Path = RESULTS) -> list[dict]:
    """Return the documents of a folder in the order of their file names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
