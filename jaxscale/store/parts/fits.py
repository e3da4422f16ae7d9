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
    std = record.child("std")
    fixed, unidentified = record.texts("fixed"), record.texts("unidentified")
    coefs = coefs_of(record, law)
    if not set(std.fields) <= set(law.names):
        raise record.wrong("std", "an object of the law's coefs")
    if not set(fixed) <= set(law.names):
        raise record.wrong("fixed", "a list of the law's coefs")
    if not set(unidentified) <= set(law.names):
        raise record.wrong("unidentified", "a list of the law's coefs")
    return Fit(
        law=law,
        objective=objective_of(record.child("objective"), objectives),
        runs=runs,
        coefs=coefs,
        value=record.number("objective_value"),
        status=STATUSES[status],
        certificate=_certificate_of(record.child("certificate"), law),
        std={name: std.optional_number(name) for name in std.fields},
        residuals=archive.floats("fit.residuals", (len(runs),)),
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
    return Joint(names, record.flag("is_sum"), record.number("value"), record.optional_number("std"))


def coefs_of(record: Record, law: Law) -> dict[str, float]:
    """Return the field `coefs`, one number for each of the law's coefs; raise StoreError for any other name."""
    coefs = record.child("coefs")
    if set(coefs.fields) != set(law.names):
        raise record.wrong("coefs", "an object of the law's coefs: " + ", ".join(law.names))
    return {name: coefs.number(name) for name in coefs.fields}


def _written_minimum(minimum: Minimum) -> dict[str, Json]:
    coefs = {name: written(coef) for name, coef in minimum.coefs.items()}
    return {"objective_value": written(minimum.value), "coefs": coefs, "starts": int(minimum.starts)}


def _certificate_of(record: Record, law: Law) -> Certificate:
    return Certificate(
        scaled_gradient=record.number("scaled_gradient"),
        condition=record.optional_number("condition"),
        starts=record.count("starts"),
        agreeing_starts=record.count("agreeing_starts"),
        other_minima=tuple(
            Minimum(one.number("objective_value"), coefs_of(one, law), one.count("starts"))
            for one in record.children("other_minima")
        ),
    )
