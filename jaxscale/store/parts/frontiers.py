"""A Frontier as a record and arrays: the point's own, and the crowd's where there is one."""

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
        "held": {name: written(value) for name, value in frontier.held.items()},
        "measured": None if frontier.measured is None else _written_range(*frontier.measured),
        "findings": written_findings(frontier.findings),
        "crowd_of": None,
    }
    if frontier.crowd_of is not None:
        record["crowd_of"], point = written_frontier(frontier.crowd_of, place=f"{place}.point")
        arrays |= point
    return record, arrays


def frontier_of(
    record: Record, archive: Archive, law: Law, *, replicates: int | None, place: str = "frontier"
) -> Frontier:
    """Return the frontier of this law; raise StoreError where the parts do not belong together.

    replicates: of the ensemble beside it, None for any number.
    """
    point = record.optional_child("crowd_of")
    budgets = len(archive.floats(f"{place}.flops", (None,), POSITIVE))
    shape = (budgets,) if point is None else (replicates, budgets)
    if point is not None:
        archive.floats(f"{place}.point.flops", (budgets,))
        if point.optional_child("crowd_of") is not None:
            raise point.wrong("crowd_of", "null: a point is no crowd")
    measured = record.optional_child("measured")
    return Frontier(
        law=law,
        coefs=coefs_of(record, law),
        flops=archive.floats(f"{place}.flops", (budgets,)),
        params=archive.floats(f"{place}.params", shape, POSITIVE_IF_ANY),
        tokens=archive.floats(f"{place}.tokens", shape, POSITIVE_IF_ANY),
        loss=archive.floats(f"{place}.loss", shape),
        crowd_of=None if point is None else frontier_of(point, archive, law, replicates=None, place=f"{place}.point"),
        measured=None if measured is None else (measured.number("low", POSITIVE), measured.number("high", POSITIVE)),
        findings=findings_of(record),
        held=_held_of(record, law),
    )


def _held_of(record: Record, law: Law) -> dict[str, float]:
    """Return the inputs at which the frontier holds, none of which the law may lack."""
    held = record.child("held")
    if not set(held.fields) <= set(law.inputs):
        raise record.wrong("held", "an object of the law's inputs: " + ", ".join(law.inputs))
    return {name: held.number(name, NUMBER) for name in held.fields}


def _written_range(low: float, high: float) -> dict[str, Json]:
    return {"low": written(low), "high": written(high)}
