"""Where a table of runs came from, and the fields of one, which its readers return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from jaxscale.finding import Finding


@dataclass(frozen=True)
class Origin:
    """Where a table came from, and what was done to it before the fit.

    source: the path as given, "<stdin>", "<arrays>", "<frame>" or a data set's name.
    sha256: hexadecimal digest of the bytes read; of the columns for arrays and frames.
    rows: rows found in the table, before any was left out.
    columns: role → header in the source.   derived: role → formula, {"tokens": "flops / (6 params)"}.
    where: selections applied, in order.   left_out: reason ("where", "missing", "infinite", "final") → rows left out.
    scale: header → factor by which its numbers were multiplied.   units_ok: whether the user said that the numbers are
    plain counts and a loss, so that this is not questioned.
    """

    source: str
    sha256: str
    rows: int
    columns: Mapping[str, str]
    derived: Mapping[str, str]
    where: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    units_ok: bool = False


class Fields(TypedDict):
    """The fields of `Runs`, which says what they hold."""

    columns: Mapping[str, np.ndarray]
    loss: np.ndarray
    weight: np.ndarray
    sigma: np.ndarray | None
    group: np.ndarray | None
    labels: Mapping[str, np.ndarray]
    row: np.ndarray
    origin: Origin
    findings: tuple[Finding, ...]
