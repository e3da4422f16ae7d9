"""Arrays to the fields of runs: names are taken as they are, and every number must be finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import RunsError
from jaxscale.finding import Finding, row_numbers
from jaxscale.registry import check_known
from jaxscale.runs.cells import Fields, Origin
from jaxscale.runs.checking import LARGE_INTEGERS
from jaxscale.runs.mapping import add_derived, check_derived, recorded
from jaxscale.runs.numbers import Kind, Numbers, numbers
from jaxscale.runs.typed import cells_of, digest, is_nothing
from jaxscale.text import counted, listed, shown

SOURCE = "<arrays>"
WRONG_SHAPE = (
    "column {name} has shape {shape}; a column of runs is one-dimensional, one number per run; "
    "only an input of the law's own may be a schedule, (n, T) numbers"
)
WRONG_LENGTH = "the columns have different lengths: {lengths}; every run needs a number in each"
NO_RUNS = "0 runs: every column is empty; give at least one run"
NOT_NUMBERS = "column {name} holds {cell} in row {row}, which is no number; give finite numbers"
NOT_FINITE = "column {name} is not finite in {count}: row {rows}; leave these runs out before giving the arrays"
NO_GROUP = "group is missing in row {rows}; name the group of these runs, or leave them out"
MASKED = "column {name} is masked in {count}: row {rows}; leave these runs out before giving the arrays"
NEGATIVE_WEIGHT = "weight is negative in row {rows}; a weight multiplies rho of its run, so it is zero or more"
NO_EFFECTIVE_DATA = "every weight is zero, so there is no effective data; give at least one weight above zero"
NOT_AN_ERROR = "sigma is not above zero in row {rows}; it is the standard error of a loss: leave these runs out"

NEEDED = ("params", "tokens", "flops", "loss", "weight", "sigma")
NO_COLUMNS = ("loss", "weight", "sigma")


def fields_of_arrays(
    *,
    loss: ArrayLike,
    weight: ArrayLike | None,
    sigma: ArrayLike | None,
    group: ArrayLike | str | None,
    columns: Mapping[str, ArrayLike],
) -> Fields:
    """Return the fields of runs from arrays; the contract is that of `Runs.from_arrays`."""
    named_group = {"group": group} if isinstance(group, str) else {}
    if isinstance(group, str):
        check_known("column", group, columns)
        group = columns[group]
    own = {"weight": weight, "sigma": sigma, "group": group}
    given = {**columns, "loss": loss, **{name: values for name, values in own.items() if values is not None}}
    for name, values in given.items():
        _check_not_masked(name, values)
    given.pop("group", None)
    schedules = {name: _schedule(name, values) for name, values in columns.items() if np.ndim(values) > 1}
    cells = {name: cells_of(_vector(name, one))[0] for name, one in given.items() if name not in schedules}
    groups = None if group is None else _names(_vector("group", group))
    lengths = {name: len(column) for name, column in {**cells, **schedules}.items()}
    _check_lengths(lengths if groups is None else {**lengths, "group": len(groups)})
    read = {name: numbers(column) for name, column in cells.items()}
    is_text = {name: column.dtype == object and not read[name].is_large.any() for name, column in cells.items()}
    labels = {name: column for name, column in cells.items() if is_text[name] and name not in NEEDED}
    numeric = {name: _finite(name, column, read[name]) for name, column in cells.items() if name not in labels}
    weights = numeric.get("weight", np.ones(len(cells["loss"])))
    _check_weights(weights)
    _check_errors(numeric.get("sigma"))
    row = np.arange(1, len(weights) + 1)
    named = {name: column for name, column in numeric.items() if name not in NO_COLUMNS}
    derived = add_derived(named)
    check_derived(derived, named, row=row, source=SOURCE)
    roles = {name: name for name in NEEDED if name in numeric} | named_group
    return Fields(
        columns={**named, **schedules},
        loss=numeric["loss"],
        weight=weights,
        sigma=numeric.get("sigma"),
        group=groups,
        labels=labels,
        row=row,
        origin=Origin(SOURCE, digest({**cells, **schedules}), len(row), roles, recorded(derived)),
        findings=_large_integers(read),
    )


def _check_not_masked(name: str, values: ArrayLike) -> None:
    """Raise RunsError for masked cells, whose numbers were to be left out."""
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        is_masked = mask.reshape(len(mask), -1).any(axis=1) if mask.ndim else mask.reshape(1)
    elif isinstance(values, list | tuple):  # NumPy turns a masked cell among them into a number or into NaN
        is_masked = np.array([isinstance(one, np.ma.MaskedArray) and bool(np.any(one.mask)) for one in values], bool)
    else:
        return
    rows = np.flatnonzero(is_masked) + 1
    if rows.size:
        count, listing = counted(rows.size, "row"), listed(rows.tolist())
        raise RunsError(MASKED.format(name=shown(name), count=count, rows=listing))


def _vector(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1:
        raise RunsError(WRONG_SHAPE.format(name=shown(name), shape=array.shape))
    return array


def _schedule(name: str, values: ArrayLike) -> np.ndarray:
    """Return a column (n, T) of numbers per run, in float64; the roles of a table are one number per run."""
    array = np.asarray(values)
    if name in NEEDED or array.ndim != 2 or array.dtype.kind not in "iuf":
        raise RunsError(WRONG_SHAPE.format(name=shown(name), shape=array.shape))
    schedule = np.array(array, dtype=np.float64)
    _check_finite(name, schedule)
    return schedule


def _names(values: np.ndarray) -> np.ndarray:
    """Return groups (n,) as object array of str; raise RunsError for a run without one."""
    wrong = [row for row, value in enumerate(values.tolist(), start=1) if is_nothing(value)]
    if wrong:
        raise RunsError(NO_GROUP.format(rows=listed(wrong)))
    text = np.empty(values.size, dtype=object)
    text[:] = [str(value) for value in values.tolist()]
    return text


def _check_lengths(lengths: Mapping[str, int]) -> None:
    if len(set(lengths.values())) > 1:
        found = listed([f"{shown(name)} {length}" for name, length in lengths.items()], limit=8)
        raise RunsError(WRONG_LENGTH.format(lengths=found))
    if not lengths["loss"]:
        raise RunsError(NO_RUNS)


def _finite(name: str, cells: np.ndarray, read: Numbers) -> np.ndarray:
    values = read.values if cells.dtype == object else cells
    texts = [at for at, cell in enumerate(cells) if not cell.lstrip("-").isdigit()] if cells.dtype == object else []
    if texts:  # NumPy makes text of the numbers beside a word: it is the word that is wrong
        at = next((at for at in texts if read.kind[at] != Kind.NUMBER), texts[0])
        raise RunsError(NOT_NUMBERS.format(name=shown(name), cell=shown(cells[at]), row=at + 1))
    _check_finite(name, values)
    return values


def _check_finite(name: str, values: np.ndarray) -> None:
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))) + 1
    if wrong.size:
        count, listing = counted(wrong.size, "row"), listed(wrong.tolist())
        raise RunsError(NOT_FINITE.format(name=shown(name), count=count, rows=listing))


def _check_weights(weights: np.ndarray) -> None:
    negative = np.flatnonzero(weights < 0) + 1
    if negative.size:
        raise RunsError(NEGATIVE_WEIGHT.format(rows=listed(negative.tolist())))
    if not weights.any():
        raise RunsError(NO_EFFECTIVE_DATA)


def _check_errors(sigma: np.ndarray | None) -> None:
    wrong = np.flatnonzero(sigma <= 0) + 1 if sigma is not None else np.empty(0)
    if wrong.size:
        raise RunsError(NOT_AN_ERROR.format(rows=listed(wrong.tolist())))


def _large_integers(read: Mapping[str, Numbers]) -> tuple[Finding, ...]:
    large = {name: one.is_large for name, one in read.items() if one.is_large.any()}
    if not large:
        return ()
    rows = np.flatnonzero(np.any(list(large.values()), axis=0)) + 1
    names = listed([shown(name) for name in large])
    return (Finding("large-integers", LARGE_INTEGERS.format(headers=names), row_numbers(rows)),)
