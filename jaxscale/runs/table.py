"""The table of runs, and how one is made from a frame, from arrays and from what a file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.registry import unknown
from jaxscale.runs.annealing import reduced_runs
from jaxscale.runs.arrays import fields_of_arrays
from jaxscale.runs.assembling import Request, fields_of
from jaxscale.runs.cells import Origin, RawTable, RowCheck, all_sound
from jaxscale.runs.checking import findings_of
from jaxscale.runs.interchange import Tabular, raw_table_of_tabular
from jaxscale.runs.lookups import selection_table
from jaxscale.runs.lowest import lowest_runs
from jaxscale.runs.numbers import NumberStyle
from jaxscale.runs.selecting import selected
from jaxscale.runs.typed import unnamed_index
from jaxscale.text import escaped

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """A table of n training runs, each with named numbers and a loss in nats per token; arrays are read-only.

    Attributes
    ----------
    columns
        Name → (n,) float64, or (n, T) for a schedule given as an array: the roles params, tokens, flops, and every
        other numeric column under its own header. An input that the reader was asked for is finite; any other column
        is NaN where the table has no number.
    loss, weight
        (n,) float64, finite. weight is ones unless the table has one; it multiplies rho of its run.
    group, labels
        (n,) object arrays of str: the cluster of each run, or None; name → the labels of the runs.
    row
        (n,) int64, data rows counted from 1 in the original table.
    origin
        Where the table came from, and what was done to it.
    findings
        What was noticed while reading.
    sigma
        (n,) float64 > 0, the standard error of each loss in its units, or None; see `objectives.spec`.
    """

    columns: Mapping[str, np.ndarray]
    loss: np.ndarray
    weight: np.ndarray
    group: np.ndarray | None
    labels: Mapping[str, np.ndarray]
    row: np.ndarray
    origin: Origin
    findings: tuple[Finding, ...] = ()
    sigma: np.ndarray | None = None

    def __repr__(self) -> str:
        names = ", ".join(escaped(name) for name in (*self.columns, "loss"))
        return f"<Runs {escaped(self.origin.source)}: {len(self)} of {self.origin.rows} rows, {names}>"

    def __post_init__(self) -> None:
        others = (array for array in (self.group, self.sigma) if array is not None)
        for array in (*self.columns.values(), *self.labels.values(), self.loss, self.weight, self.row, *others):
            array.flags.writeable = False

    @classmethod
    def from_arrays(
        cls,
        *,
        loss: ArrayLike,
        weight: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
        group: ArrayLike | str | None = None,
        units_ok: bool = False,
        final: bool = False,
        annealed: bool = False,
        lowest_per: Mapping[str, float] | None = None,
        **columns: ArrayLike,
    ) -> Runs:
        """Return runs from arrays of equal length, copied and in float64; (n, T) numbers are a schedule per run.

        Of params, tokens and flops the third is derived where two are given. Columns of str become labels.
        weight: multiplies rho of its run; no number of runs.   sigma: the standard error of each loss, in its
        units; each residual is divided by it.   group: names (n,), or the name of a column.   units_ok, final,
        annealed, lowest_per: as of `read_runs`; runs are told by a column such as `run`, their rates by `lr`.
        Numbers must be finite and not masked, weights not negative and not all zero, sigma positive; signs of other
        columns are not checked.   Raises RunsError naming columns and rows, UsageError for an invalid option.
        """
        runs = cls(**fields_of_arrays(loss=loss, weight=weight, sigma=sigma, group=group, columns=columns))
        runs = replace(runs, origin=replace(runs.origin, units_ok=units_ok))
        return kept_runs(runs, final=final, annealed=annealed, lowest_per=lowest_per or {}, check=all_sound)

    @classmethod
    def from_frame(
        cls,
        frame: Tabular,
        *,
        map: Mapping[str, str] | None = None,
        where: Sequence[str] = (),
        units: bool = False,
        missing: Literal["refuse", "drop"] = "refuse",
        inputs: tuple[str, ...] = ("params", "tokens"),
        beside: tuple[str, ...] = (),
        group: str | None = None,
        positive_loss: bool = True,
        scale: Mapping[str, float] | None = None,
        units_ok: bool = False,
        final: bool = False,
        annealed: bool = False,
        lowest_per: Mapping[str, float] | None = None,
        source: str = "<frame>",
    ) -> Runs:
        """Return runs from a frame of pandas, polars, pyarrow and others, or a dict of columns, judged as a file is.

        What is not pandas' is read through Arrow (`__arrow_c_stream__`, `__dataframe__`), which needs pyarrow. Levels
        of a pandas index that have a name are columns, and names of several levels are joined by a space. The options
        are those of `read_runs`.   Raises RunsError for a table that is refused, UsageError for the rest.
        """
        style = NumberStyle(units=units)
        request = Request(
            map or {}, where, inputs, beside, group, missing, positive_loss, style, scale or {}, units_ok, final,
            annealed=annealed, lowest_per=lowest_per or {},
        )  # fmt: skip
        try:
            return cls.from_raw_table(raw_table_of_tabular(frame, source=source), request)
        except RunsError as error:
            advice = unnamed_index(frame, error.missing)
            if not advice:
                raise
            raise RunsError(f"{error}\n{advice}", missing=error.missing) from error

    @classmethod
    def from_raw_table(cls, raw_table: RawTable, request: Request) -> Runs:
        """Return the runs of a raw table; raise RunsError for what forbids a fit in them, all of it at once."""
        fields, check = fields_of(raw_table, request)
        return kept_runs(
            cls(**fields),
            final=request.final,
            annealed=request.annealed,
            lowest_per=request.lowest_per,
            check=check,
        )

    def __len__(self) -> int:
        return len(self.loss)

    def __getitem__(self, name: str) -> np.ndarray:
        own = {"loss": self.loss, "weight": self.weight, "sigma": self.sigma, "group": self.group}
        named = {**self.labels, **self.columns, **{key: array for key, array in own.items() if array is not None}}
        if not isinstance(name, str) or name not in named:
            raise UsageError(unknown("column", name, tuple(named)))
        return named[name]

    @property
    def used(self) -> int:
        """The number of rows, n."""
        return len(self)

    def where(self, *expressions: str) -> Runs:
        """Return the runs for which every expression holds: "loss < 3.4 and run != 'base'".

        Raises UsageError for an expression that cannot be read, RunsError if no run is left.
        """
        rows = selected(expressions, selection_table(self))
        kept = self.take(rows, "where")
        return replace(kept, origin=replace(kept.origin, where=(*self.origin.where, *expressions)))

    def to_frame(self) -> DataFrame:
        """Return one row per run, by its row in the table: labels, columns, loss, weight, and sigma and group if any.

        A schedule per run is an array in a cell.
        """
        import pandas as pd

        numbers = {name: column if column.ndim == 1 else list(column) for name, column in self.columns.items()}
        own = {"loss": self.loss, "weight": self.weight, "sigma": self.sigma, "group": self.group}
        known = {name: column for name, column in own.items() if column is not None}
        return pd.DataFrame({**self.labels, **numbers, **known}, index=pd.Index(self.row, name="row"))

    def take(self, rows: np.ndarray, reason: str) -> Runs:
        """Return these rows (k,), counted from 0; the others count as left out for that reason."""
        left_out = dict(self.origin.left_out)
        left_out[reason] = left_out.get(reason, 0) + len(self) - len(rows)
        return replace(
            self,
            columns={name: column[rows] for name, column in self.columns.items()},
            loss=self.loss[rows],
            weight=self.weight[rows],
            sigma=None if self.sigma is None else self.sigma[rows],
            group=None if self.group is None else self.group[rows],
            labels={name: label[rows] for name, label in self.labels.items()},
            row=self.row[rows],
            origin=replace(self.origin, left_out=left_out),
        )

    def with_finding(self, finding: Finding) -> Runs:
        """Return the same runs with one finding more."""
        return replace(self, findings=(*self.findings, finding))

    def with_lowest_per(self, lowest_per: Mapping[str, float]) -> Runs:
        """Return the same runs, whose origin says of which cells they are the lowest; column → width in decades."""
        return replace(self, origin=replace(self.origin, lowest_per=dict(lowest_per)))

    def check(self, inputs: Sequence[str] = (), *, coefs: int = 5, has_own: bool = False) -> tuple[Finding, ...]:
        """Return every finding about the table: those made while reading, then those about its numbers.

        inputs: those of a law, which tell runs apart besides params and tokens: two that differ in one are no copies.
        coefs: how many a fit has, so that advice leaves it enough rows.   has_own: whether groups have coefs of their
        own.
        """
        return (*self.findings, *findings_of(self, inputs, coefs=coefs, has_own=has_own))


def kept_runs(runs: Runs, *, final: bool, annealed: bool, lowest_per: Mapping[str, float], check: RowCheck) -> Runs:
    """Return the last or the annealed row of each run, and then the lowest of each cell, where they are asked for.

    check: of the rows that are kept, and of those of which cannot be told whether they are.
    """
    runs = reduced_runs(runs, final=final, annealed=annealed, check=check)
    runs = lowest_runs(runs, lowest_per, check=check) if lowest_per else runs
    check(runs.row)
    return runs
