"""The study's rows as the table that ships with the package."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.pilot import ledger

TABLE = Path(__file__).parents[2] / "jaxscale" / "datasets" / "pilot.csv"
CONSTANT = ("vocabulary", "context")
"""The same in every row: on the card."""
COLUMNS = (*(name for name in ledger.COLUMNS if name not in ("run", *CONSTANT)), "run")


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows of the ledger as CSV, by budget, size and seed.

    `run` is what seeds share, so that it is the group for resampling.
    """
    rows = [{**row, "run": row["run"].removesuffix(f"-s{row['seed']}")} for row in rows]
    ordered = sorted(rows, key=lambda row: (float(row["budget"]), int(row["params"]), int(row["seed"])))
    page = io.StringIO()
    writer = csv.DictWriter(page, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(ordered)
    return page.getvalue()


def measured() -> list[dict[str, str]]:
    """Return the rows of all runs that were made for the fit or to check it."""
    return [row for stage in ("fit", "held-back") for row in ledger.read(ledger.FOLDER / f"{stage}.csv")]
