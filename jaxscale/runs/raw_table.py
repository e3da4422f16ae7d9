"""A table as it was found, before any column has a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.finding import Finding


@dataclass(frozen=True)
class RawTable:
    """The cells of a table under their headers.

    columns: header → (n,) object array of str, or (n,) float64 with NaN where a typed source has nothing.
    rows: n.   lines: (n,) line of the file on which each row ends, or None where there are no lines.
    stored_as_text: headers that a typed source (a frame, Parquet) holds as strings; empty for CSV, where all is text.
    """

    source: str
    sha256: str
    columns: Mapping[str, np.ndarray]
    rows: int
    lines: np.ndarray | None = None
    stored_as_text: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()

    def place(self, index: int) -> str:
        """Return where the row of a 0-based index is, for a message: "row 3 (line 4)"."""
        row = f"row {index + 1}"
        return row if self.lines is None else f"{row} (line {self.lines[index]})"
