"""The finding about rows that are off, also those that the test of every fit leaves to tails or to the law."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jaxscale.diagnosing.local import LocalModel
from jaxscale.diagnosing.nearby import apart, apart_from_nearby
from jaxscale.diagnosing.residuals import further_columns
from jaxscale.diagnosing.words import answer_moved, rows_named
from jaxscale.digits import significant
from jaxscale.finding import Finding, row_numbers
from jaxscale.fitting.units import Units
from jaxscale.laws.grouped import core_of
from jaxscale.results.diagnosis import Diagnosis, Influence, Removal
from jaxscale.runs import Runs
from jaxscale.runs.headers import normalised
from jaxscale.runs.naming import RUN_NAMES
from jaxscale.runs.selecting import separation_of
from jaxscale.text import listed, shown

OUTLIER = "outlier-leverage"
"""The code of `fitting.off_runs`, whose finding stands where there is one: this one is of what it leaves to doubt."""
FAR = (
    "{rows} {lies} {times} standard errors from {what}, and the next one {next}; {share:.1%} of the objective{moved}"
    "{why}; look how it was logged{advice}"
)
LAW, NEARBY = "the law", "what the runs of like size predict"
SAME_VALUE = "; {column} is {value} in {all_of}, and in {others} of the other {rest} rows"
SUPPORTED = 1.5
"""Times all others' residuals beside their neighbours that a row has which is apart from the law: else it is the law
that misses there, as at sizes undertrained alike."""
FEW = 0.1
"""Share of the other rows that may have the value by which flagged ones are explained."""


def outliers_of(made: Diagnosis, units: Units, model: LocalModel) -> tuple[Finding, ...]:
    """Return the finding about rows that are off, at most one.

    The fit's own, else that of rows apart from the other residuals or from what their neighbours predict.
    """
    own = tuple(one for one in made.fit.findings if one.code == OUTLIER)
    if own:
        return own
    runs, dof = units.fit.runs, made.fit.dof - 1.0
    studentised = model.studentised()
    places, weight = apart(studentised, dof), runs.weight[units.place]
    found = apart_from_nearby(-model.residual / np.sqrt(weight), weight, _coordinates(made, units), dof)
    if found is not None and places.size and not found.places.size:
        others = np.delete(found.size, places)
        places = places if found.size[places].min() > SUPPORTED * others.max() else places[:0]
    if found is not None and not np.isin(found.places, places).all():
        both = np.union1d(places, found.places)
        return (_finding(made, runs, both, found.size, model.share, NEARBY),)
    return (_finding(made, runs, places, np.abs(studentised), model.share, LAW),) if places.size else ()


def _coordinates(made: Diagnosis, units: Units) -> np.ndarray:
    """Return where each row lies (m, d): the law's inputs, and columns that explain residuals, in standard units."""
    runs = units.fit.runs
    explaining = {one.name for one in made.tests if one.kind == "column" and one.is_found}
    inputs = [runs.columns[name][units.place] for name in core_of(made.fit.law).inputs if name in runs.columns]
    columns = [np.log(one) if (one > 0).all() else one for one in inputs if one.ndim == 1]
    columns += [one for name, one in further_columns(units) if name in explaining]
    columns = [one for one in columns if np.isfinite(one).all() and one.std() > 0.0]
    return np.stack([(one - one.mean()) / one.std() for one in columns], axis=1) if columns else np.empty((0, 0))


def _finding(
    made: Diagnosis, runs: Runs, places: np.ndarray, size: np.ndarray, share: np.ndarray, what: str
) -> Finding:
    own, numbers = made.influence, runs.row[runs.weight > 0]
    rows, is_one = row_numbers(numbers[places]), len(places) == 1
    separation = separation_of(runs, rows)
    why = _same_value(runs, rows) or (f"; {separation.why}" if separation and separation.why else "")
    unit = next(at for at, one in enumerate(own.rows) if rows[0] in one)
    names = [own.names[at] for at, one in enumerate(own.rows) if set(rows) & set(one)]
    message = FAR.format(
        rows=rows_named(rows, names),
        lies="lies" if is_one else "lie",
        times=listed([f"{one:.0f}" for one in size[places].tolist()]),
        what=what,
        next=significant(float(np.nanmax(np.delete(size, places))), 2),
        share=float(share[places].sum()),
        moved=f", and without it {answer_moved(made, _alone(own, unit))}" if own.rows[unit] == rows else "",
        why=why,
        advice=f"; leave {'it' if is_one else 'them'} out with {separation.options}" if separation else "",
    )
    return Finding(OUTLIER, message, rows)


def _same_value(runs: Runs, rows: Sequence[int]) -> str:
    """Return the text column in which all these rows have one value that few others have."""
    is_out = np.isin(runs.row, rows)
    for name, label in runs.labels.items():
        values = np.unique(label[is_out].astype(str))
        if len(values) != 1 or normalised(name) in RUN_NAMES:
            continue
        others = int(np.sum(label[~is_out].astype(str) == values[0]))
        is_kind = len(np.unique(label.astype(str))) < len(runs) / 2
        if is_kind and others <= FEW * np.sum(~is_out):
            told = {"column": f"column {shown(name)}", "value": shown(str(values[0])), "others": others}
            return SAME_VALUE.format(
                all_of="all of these" if len(rows) > 1 else "it", rest=int(np.sum(~is_out)), **told
            )
    return ""


def _alone(own: Influence, place: int) -> Removal:
    """Return one unit's influence as a removal."""
    has = len(own.params) > 0
    ratio = float(own.tokens_per_param[place]) if has else math.nan
    coefs = {name: float(column[place]) for name, column in own.refitted.items()}
    return Removal((own.names[place],), own.rows[place], coefs, math.nan, ratio, math.nan, math.nan, math.nan)
