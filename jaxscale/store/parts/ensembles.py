"""An Ensemble as a record and arrays; the weights are not saved, the seed rebuilds them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from jaxscale.resampling import Scheme
from jaxscale.results import Ensemble, Fit
from jaxscale.status import Status
from jaxscale.store.archive import Archive
from jaxscale.store.parts.findings import findings_of, provenance_of, written_findings, written_provenance
from jaxscale.store.promises import A_FLAG, A_STATUS, FINITE, NOT_NEGATIVE, NUMBER, within
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json
from jaxscale.store.specs import scheme_of, written_scheme


def written_ensemble(ensemble: Ensemble) -> tuple[dict[str, Json], dict[str, np.ndarray]]:
    """Return the record and the arrays of an ensemble, without its fit."""
    record: dict[str, Json] = {
        "scheme": written_scheme(ensemble.scheme),
        "seed": int(ensemble.seed),
        "replicates": len(ensemble),
        "coefs": list(ensemble.coefs),
        "findings": written_findings(ensemble.findings),
        "provenance": written_provenance(ensemble.provenance),
    }
    coefs = [np.asarray(ensemble.coefs[name], dtype=np.float64) for name in ensemble.coefs]
    arrays: dict[str, np.ndarray] = {
        "ensemble.coefs": np.stack(coefs) if coefs else np.empty((0, len(ensemble))),
        "ensemble.value": np.asarray(ensemble.value, dtype=np.float64),
        "ensemble.status": np.asarray(ensemble.status, dtype=np.int8),
        "ensemble.steps": np.asarray(ensemble.steps),
    }
    if ensemble.without:
        record["without"] = list(ensemble.without)
        arrays["ensemble.without"] = np.stack(list(ensemble.without.values())).astype(np.int8)
    return record, arrays


def ensemble_of(record: Record, archive: Archive, fit: Fit, schemes: Iterable[Scheme]) -> Ensemble:
    """Return the ensemble of this fit; raise StoreError where the parts do not belong together."""
    count, names = record.count("replicates"), record.texts("coefs")
    if sorted(names) != sorted(fit.law.names):
        raise record.wrong("coefs", "a list of the law's coefs: " + ", ".join(fit.law.names))
    seed = record.count("seed")
    if seed >= 2**32:
        raise record.wrong("seed", "below 4294967296")
    status = archive.array("ensemble.status", (count,), "|i1", promise=A_STATUS)
    usable = status <= Status.AT_BOUND  # what failed may have ended anywhere, or nowhere
    supports = dict(zip(fit.law.names, fit.law.supports, strict=True))
    coefs = archive.floats("ensemble.coefs", (len(names), count), within(tuple(supports[name] for name in names)))
    without = _without(record, archive, fit, count)
    has_value = [usable & ~without.get(name, np.zeros(count, bool)) for name in names]
    archive.floats("ensemble.coefs", (len(names), count), NUMBER, has_value)
    return Ensemble(
        fit=fit,
        scheme=scheme_of(record.child("scheme"), schemes),
        seed=seed,
        coefs=dict(zip(names, coefs, strict=True)),
        value=archive.floats("ensemble.value", (count,), FINITE, usable),
        status=status,
        steps=archive.array("ensemble.steps", (count,), "<i4", "<i8", promise=NOT_NEGATIVE),
        findings=findings_of(record),
        provenance=provenance_of(record),
        without=without,
    )


def _without(record: Record, archive: Archive, fit: Fit, count: int) -> dict[str, np.ndarray]:
    """Return in which replicates a coef has no value, of those for which there are any."""
    if "without" not in record.fields:
        return {}
    names = record.texts("without")
    if not set(names) <= set(fit.law.names):
        raise record.wrong("without", "a list of the law's coefs")
    codes = archive.array("ensemble.without", (len(names), count), "|i1", promise=A_FLAG)
    return dict(zip(names, codes.astype(bool), strict=True))
