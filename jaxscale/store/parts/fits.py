"""A Fit as a record and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from jaxscale.laws import Law
from jaxscale.objectives import Objective
from jaxscale.results import Certificate, Fit, Joint, Minimum
from jaxscale.runs import Runs
from jaxscale.status import Status
from jaxscale.store.archive import Archive
from jaxscale.store.parts.findings import findings_of, provenance_of, written_findings, written_provenance
from jaxscale.store.promises import ANYTHING, FINITE, NOT_NEGATIVE_IF_ANY, NUMBER, POSITIVE, within
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json, written, written_optional
from jaxscale.store.specs import law_of, objective_of, written_law, written_objective

STATUSES = {str(status): status for status in Status}


def written_fit(fit: Fit) -> tuple[dict[str, Json], dict[str, np.ndarray]]:
    """Return the record and the arrays of a fit, without its runs."""
    checked = fit.certificate
    record: dict[str, Json] = {
        "law": written_law(fit.law),
        "objective": written_objective(fit.objective),
        "coefs": {name: written(coef) for name, coef in fit.coefs.items()},
        "std": {name: written_optional(error) for name, error in fit.std.items()},
        "fixed": list(fit.fixed),
        "unidentified": list(fit.unidentified),
        "held": list(fit.held),
        "joint": [_written_joint(one) for one in fit.joint],
        "objective_value": written(fit.value),
        "status": str(fit.status),
        "certificate": {
            "scaled_gradient": written(checked.scaled_gradient),
            "condition": written_optional(checked.condition),
            "starts": int(checked.starts),
            "agreeing_starts": int(checked.agreeing_starts),
            "other_minima": [_written_minimum(minimum) for minimum in checked.other_minima],
        },
        "solver": fit.solver,
        "findings": written_findings(fit.findings),
        "provenance": written_provenance(fit.provenance),
    }
    return record, {"fit.residuals": np.asarray(fit.residuals, dtype=np.float64)}


def fit_of(record: Record, archive: Archive, runs: Runs, laws: Iterable[Law], objectives: Iterable[Objective]) -> Fit:
    """Return the fit of these runs; raise StoreError where the parts do not belong together."""
    law = law_of(record.child("law"), laws)
    status = record.text("status")
    if status not in STATUSES:
        raise record.wrong("status", "one of " + ", ".join(STATUSES))
    is_usable = STATUSES[status].is_usable  # what failed may have ended anywhere, or nowhere
    std = record.child("std")
    fixed, unidentified = record.texts("fixed"), record.texts("unidentified")
    coefs = coefs_of(record, law)
    for name in law.names:
        if is_usable and name not in unidentified:
            record.child("coefs").number(name, NUMBER)
    if not set(std.fields) <= set(law.names):
        raise record.wrong("std", "an object of the law's coefs")
    if not set(fixed) <= set(law.names):
        raise record.wrong("fixed", "a list of the law's coefs")
    if not set(unidentified) <= set(law.names):
        raise record.wrong("unidentified", "a list of the law's coefs")
    objective, counts = objective_of(record.child("objective"), objectives), runs.weight > 0
    archive.floats("runs.loss", (len(runs),), POSITIVE if objective.space == "log" else FINITE, counts)
    for index, (name, column) in enumerate(runs.columns.items()):
        if name in law.inputs:
            archive.floats(f"runs.column.{index}", column.shape, FINITE)
    return Fit(
        law=law,
        objective=objective,
        runs=runs,
        coefs=coefs,
        value=record.number("objective_value", FINITE if is_usable else ANYTHING),
        status=STATUSES[status],
        certificate=_certificate_of(record.child("certificate"), law),
        std={name: std.optional_number(name, NOT_NEGATIVE_IF_ANY) for name in std.fields},
        residuals=archive.floats("fit.residuals", (len(runs),), FINITE, counts & is_usable),
        fixed=fixed,
        solver=record.text("solver"),
        findings=findings_of(record),
        provenance=provenance_of(record),
        unidentified=unidentified,
        held=_held_of(record, law, coefs, fixed),
        joint=tuple(_joint_of(one, law) for one in record.children("joint")) if "joint" in record.fields else (),
    )


def _held_of(record: Record, law: Law, coefs: Mapping[str, float], fixed: Sequence[str]) -> tuple[str, ...]:
    """Return the coefs that were held at a bound; in a folder from before they were named, those at an edge."""
    if "held" not in record.fields:
        places = zip(law.names, law.supports, strict=True)
        return tuple(name for name, of in places if name not in fixed and coefs[name] in (of.low, of.high))
    held = record.texts("held")
    if not set(held) <= set(law.names):
        raise record.wrong("held", "a list of the law's coefs")
    return held


def _written_joint(one: Joint) -> dict[str, Json]:
    return {
        "coefs": list(one.names),
        "is_sum": one.is_sum,
        "value": written(one.value),
        "std": written_optional(one.std),
    }


def _joint_of(record: Record, law: Law) -> Joint:
    names = record.texts("coefs")
    if not set(names) <= set(law.names):
        raise record.wrong("coefs", "a list of the law's coefs")
    return Joint(
        names, record.flag("is_sum"), record.number("value"), record.optional_number("std", NOT_NEGATIVE_IF_ANY)
    )


def coefs_of(record: Record, law: Law) -> dict[str, float]:
    """Return the field `coefs`, one number for each of the law's coefs, in its support, at an edge of it, or NaN.

    Raises StoreError for any other name or number.
    """
    coefs = record.child("coefs")
    if set(coefs.fields) != set(law.names):
        raise record.wrong("coefs", "an object of the law's coefs: " + ", ".join(law.names))
    supports = dict(zip(law.names, law.supports, strict=True))
    return {name: coefs.number(name, within((supports[name],))) for name in coefs.fields}


def _written_minimum(minimum: Minimum) -> dict[str, Json]:
    coefs = {name: written(coef) for name, coef in minimum.coefs.items()}
    return {"objective_value": written(minimum.value), "coefs": coefs, "starts": int(minimum.starts)}


def _certificate_of(record: Record, law: Law) -> Certificate:
    return Certificate(
        scaled_gradient=record.number("scaled_gradient", NOT_NEGATIVE_IF_ANY),
        condition=record.optional_number("condition", NOT_NEGATIVE_IF_ANY),
        starts=record.count("starts"),
        agreeing_starts=record.count("agreeing_starts"),
        other_minima=tuple(
            Minimum(one.number("objective_value"), coefs_of(one, law), one.count("starts"))
            for one in record.children("other_minima")
        ),
    )
