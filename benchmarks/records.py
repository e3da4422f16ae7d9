"""One JSON file per run of a benchmark: what was measured, on which machine, with which options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

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
    path = Path(out) if out else RESULTS / f"{document['benchmark']}-{document['machine']['backend']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def read(folder: Path = RESULTS) -> list[dict]:
    """Return the documents of a folder in the order of their file names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
