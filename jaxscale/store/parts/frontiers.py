"""A Frontier as a record and arrays: the point's own, and the ensemble's where there is one."""

from __future__ import annotations

import numpy as np

from jaxscale.laws import Law
from jaxscale.results import Frontier
from jaxscale.store.archive import Archive
from jaxscale.store.parts.findings import findings_of, written_findings
from jaxscale.store.parts.fits import coefs_of
from jaxscale.store.promises import NUMBER, POSITIVE, POSITIVE_IF_ANY
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json, written


def written_frontier(frontier: Frontier, *, place: str = "frontier") -> tuple[dict[str, Json], dict[str, np.ndarray]]:
    """Return the record and the arrays of a frontier, without its law; place: what the arrays' names begin with."""
    arrays = {
        f"{place}.{name}": np.asarray(getattr(frontier, name), dtype=np.float64)
        for name in ("flops", "params", "tokens", "loss")
    }
    record: dict[str, Json] = {
        "coefs": {name: written(coef) for name, coef in frontier.coefs.items()},
        "fixed": {name: written(value) for name, value in frontier.fixed.items()},
        "measured": None if frontier.measured is None else _written_range(*frontier.measured),
        "findings": written_findings(frontier.findings),
        "at_point": None,
    }
    if frontier.at_point is not None:
        record["at_point"], point = written_frontier(frontier.at_point, place=f"{place}.point")
        arrays |= point
    return record, arrays


def frontier_of(
    record: Record, archive: Archive, law: Law, *, replicates: int | None, place: str = "frontier"
) -> Frontier:
    """Return the frontier of this law; raise StoreError where the parts do not belong together.

    replicates: of the ensemble beside it, None for any number.
    """
    point = record.optional_child("at_point")
    budgets = len(archive.floats(f"{place}.flops", (None,), POSITIVE))
    shape = (budgets,) if point is None else (replicates, budgets)
    if point is not None:
        archive.floats(f"{place}.point.flops", (budgets,))
        if point.optional_child("at_point") is not None:
            raise point.wrong("at_point", "null: a point is no ensemble")
    measured = record.optional_child("measured")
    return Frontier(
        law=law,
        coefs=coefs_of(record, law),
        flops=archive.floats(f"{place}.flops", (budgets,)),
        params=archive.floats(f"{place}.params", shape, POSITIVE_IF_ANY),
        tokens=archive.floats(f"{place}.tokens", shape, POSITIVE_IF_ANY),
        loss=archive.floats(f"{place}.loss", shape),
        at_point=None if point is None else frontier_of(point, archive, law, replicates=None, place=f"{place}.point"),
        measured=None if measured is None else (measured.number("low", POSITIVE), measured.number("high", POSITIVE)),
        findings=findings_of(record),
        fixed=_fixed_of(record, law),
    )


def _fixed_of(record: Record, law: Law) -> dict[str, float]:
    """Return the inputs at which the frontier holds, none of which the law may lack."""
    fixed = record.child("fixed")
    if not set(fixed.fields) <= set(law.inputs):
        raise record.wrong("fixed", "an object of the law's inputs: " + ", ".join(law.inputs))
    return {name: fixed.number(name, NUMBER) for name in fixed.fields}


def _written_range(low: float, high: float) -> dict[str, Json]:
    return {"low": written(low), "high": written(high)}
