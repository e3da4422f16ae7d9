"""The JSON documents: what `fit --json` and `frontier --json` write, number for number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.finding import Finding
from jaxscale.intervals import Band
from jaxscale.laws.grouped import grouping_of
from jaxscale.names import SCHEMA_VERSION
from jaxscale.objectives import Objective
from jaxscale.reports.exponents import LETTERS, exponent_band
from jaxscale.reports.jsontext import number
from jaxscale.reports.spreads import log_spread
from jaxscale.reports.warnings import BandOf, missing_values, times_measured, warnings_of
from jaxscale.results import QUANTITIES, Count, Counts, Fit, Frontier, Joint, Nested, Study, residual_summary
from jaxscale.text import Json

OF_A_FRONTIER = (
    "schema_version", "law", "data", "coefs", "status", "bootstrap", "groups", "fixed_inputs", "frontier",
    "exponents", "reduced", "warnings", "provenance",
)  # fmt: skip
OF_A_REDUCED = (
    "law", "equation", "coefs", "at_bound", "joint", "std", "dof", "objective_value", "status", "certificate",
    "bootstrap", "fixed_inputs", "frontier", "warnings",
)  # fmt: skip


def written_objective(objective: Objective) -> dict[str, Json]:
    """Return name, space and delta; of Student's t also the degrees of freedom and the scale, and how that came."""
    written: dict[str, Json] = {"name": objective.name, "space": objective.space, "delta": objective.delta}
    if objective.dof is None:
        return written
    return written | {
        "dof": objective.dof,
        "scale": number(objective.scale),
        "scale_estimated": objective.is_estimated,
    }


def fit_document(study: Study) -> dict[str, Json]:
    """Return everything that was computed; numbers at full precision, null for those that do not exist."""
    fit = study.fit
    objective = fit.objective
    return {
        "schema_version": SCHEMA_VERSION,
        "law": fit.law.name,
        "equation": fit.law.equation,
        "objective": written_objective(objective),
        "data": written_data(fit),
        "coefs": {name: number(study.coef(name)) for name in fit.coefs},
        "fixed": list(fit.fixed),
        "at_bound": list(fit.at_bound),
        "unidentified": list(fit.unidentified),
        "joint": [_joint(study, one) for one in fit.joint],
        "std": {name: number(fit.std.get(name)) for name in fit.coefs},
        "dof": fit.dof,
        "objective_value": number(fit.value),
        "status": str(fit.status),
        "solver": fit.solver,
        "certificate": _certificate(fit),
        "residuals": _residuals(fit),
        "bootstrap": written_bootstrap(study),
        "groups": _groups(fit),
        "fixed_inputs": _numbers(study.fixed_inputs),
        "frontier": _frontier(study),
        "exponents": {name: _exponent(study, name) for name in LETTERS},
        "counts": {} if study.comparison is None else counts_document(study.comparison),
        "reduced": {} if study.reduced is None else _reduced(study.reduced, study.line),
        "warnings": [written_warning(one) for one in (*warnings_of(study), *missing_values(study))],
        "provenance": written_provenance(study),
    }


def frontier_document(study: Study) -> dict[str, Json]:
    """Return the part of the study's document that belongs to its frontier."""
    whole = fit_document(study)
    return {name: whole[name] for name in OF_A_FRONTIER}


def _numbers(values: Mapping[str, float]) -> dict[str, Json]:
    return {name: number(value) for name, value in values.items()}


def _reduced(study: Study, line: str) -> dict[str, Json]:
    """Return the study along the curve on which all runs lie, with that curve in words."""
    whole = fit_document(study)
    return {"line": line, **{name: whole[name] for name in OF_A_REDUCED}}


def counts_document(counts: Counts) -> dict[str, Json]:
    """Return the fits under other conventions of counting, and why the table does not allow the rest."""
    first = counts.counts[0]
    return {"conventions": [_count(one, first) for one in counts.counts], "left_out": dict(counts.left_out)}


def _count(one: Count, first: Count) -> dict[str, Json]:
    convention, fit = one.convention, one.fit
    coefs = {name: None if name in fit.unidentified else number(value) for name, value in fit.coefs.items()}
    rows: list[Json] = []
    if one.frontier is not None:
        for index in range(len(one.frontier.flops)):
            rows.append({name: number(getattr(one.frontier, name)[index]) for name in ("flops", *QUANTITIES)})
    return {
        "convention": convention.name,
        "formula": convention.formula,
        "source": convention.source,
        "derived": dict(convention.derived),
        "changed": list(one.changed),
        "same_as": one.same_as,
        "status": str(fit.status),
        "coefs": coefs,
        "objective_value": number(fit.value),
        "exponent": number(one.exponent),
        "warnings": [written_warning(finding) for finding in one.own_findings(first)],
        "frontier": rows,
    }


def written_data(fit: Fit) -> dict[str, Json]:
    """Return which rows of which table were fitted."""
    origin = fit.runs.origin
    return {
        "source": origin.source,
        "sha256": origin.sha256,
        "rows": origin.rows,
        "used": len(fit.runs),
        "left_out": dict(origin.left_out),
        "where": list(origin.where),
        "columns": dict(origin.columns),
        "derived": dict(origin.derived),
        "scale": _numbers(origin.scale),
        "units_ok": origin.units_ok,
        "lowest_per": _numbers(origin.lowest_per),
    }


def _certificate(fit: Fit) -> dict[str, Json]:
    certificate = fit.certificate
    return {
        "scaled_gradient": number(certificate.scaled_gradient),
        "condition": number(certificate.condition),
        "starts": certificate.starts,
        "agreeing_starts": certificate.agreeing_starts,
        "other_minima": [
            {"objective_value": number(one.value), "coefs": _numbers(one.coefs), "starts": one.starts}
            for one in certificate.other_minima
        ],
    }


def _residuals(fit: Fit) -> dict[str, Json] | None:
    """Return the summary of the residuals, relative in log space; None where none is finite."""
    residuals = residual_summary(fit)
    if residuals is None:
        return None
    sizes = {name: number(getattr(residuals, name)) for name in ("median", "p90", "largest")}
    return {**sizes, "row": residuals.row}


def written_bootstrap(study: Study) -> dict[str, Json] | None:
    """Return the resampling of an ensemble and its intervals of the coefs; None without one."""
    ensemble = study.ensemble
    if ensemble is None:
        return None
    coefs: dict[str, Json] = {
        name: {
            **written_limits(study.coef_band(name)),
            "std": number(study.coef_std(name)),
            "log_std": number(log_spread(study, name)),
        }
        for name in study.fit.free
    }
    return {
        "scheme": ensemble.scheme.name,
        "replicates": len(ensemble),
        "usable": int(ensemble.usable.sum()),
        "failed": dict(ensemble.failed),
        "seed": ensemble.seed,
        "interval": study.interval.name,
        "level": study.level,
        "coefs": coefs,
        **({} if ensemble.nested is None else {"nested": _nested(ensemble.nested)}),
    }


def _nested(nested: Nested) -> Json:
    """Return what a calibrated interval rests on."""
    return {
        "noise": nested.noise,
        "tables": nested.tables,
        "replicates": len(nested.status),
        "usable": int(nested.usable.sum()),
        "seed": nested.seed,
    }


def _joint(study: Study, one: Joint) -> dict[str, Json]:
    """Return the joint value of coefs without values of their own, and its count of replicates."""
    band = study.joint_band(one)
    told = {"coefs": list(one.names), "formula": one.formula, "value": number(one.value), "std": number(one.std)}
    return {**told, **written_limits(band), "replicates": 0 if band is None else band.n_used}


def _groups(fit: Fit) -> dict[str, Json]:
    """Return which coefs each group has of its own, and the runs of each; nothing for a fit without groups."""
    grouping = grouping_of(fit.law)
    if grouping is None:
        return {}
    runs = {group: int(np.sum(fit.runs.group == group)) for group in grouping.groups}
    return {"per_group": list(grouping.per_group), "common": list(grouping.common), "runs": runs}


def _frontier(study: Study) -> list[Json]:
    """Return one row per budget; of a fit over groups, the rows of every group with its name."""
    if study.groups:
        rows = {group: budget_rows(part.frontier, part.frontier_band) for group, part in study.groups.items()}
        return [{"group": group, **row} for group, own in rows.items() for row in own]
    return list(budget_rows(study.frontier, study.frontier_band))


def _exponent(study: Study, quantity: str) -> dict[str, Json]:
    value = None if study.frontier is None else study.frontier.exponent(quantity)
    return {"value": number(value), **written_limits(exponent_band(study, quantity))}


def budget_rows(frontier: Frontier | None, band_of: BandOf = lambda quantity: None) -> list[dict[str, Json]]:
    """Return one object per budget: the optimum, with the limits of its bands where there are any."""
    if frontier is None:
        return []
    point, times = frontier.point, times_measured(frontier)
    bands = {name: band_of(name) for name in QUANTITIES}
    rows: list[dict[str, Json]] = []
    for index, flops in enumerate(frontier.flops):
        row: dict[str, Json] = {
            "flops": float(flops),
            "times_measured": None if times is None else number(times[index]),
        }
        for name, band in bands.items():
            row[name] = {"value": number(getattr(point, name)[index]), **written_limits(band, index)}
        rows.append(row)
    return rows


def written_limits(band: Band | None, index: int | None = None) -> dict[str, Json]:
    """Return the limits of a band, of one place of it where it has several; null where there is none."""
    if band is None:
        return {"low": None, "high": None}
    lower, upper = (np.asarray(limit) if index is None else limit[index] for limit in (band.lower, band.upper))
    return {"low": number(float(lower)), "high": number(float(upper))}


def written_warning(finding: Finding) -> dict[str, Json]:
    """Return a finding for JSON."""
    return {"code": finding.code, "message": finding.message, "rows": list(finding.rows)}


def written_provenance(study: Study) -> dict[str, Json]:
    """Return the provenance of a study: versions, backend and seconds."""
    made = study.fit.provenance
    compiling, running = study.seconds
    return {
        "jaxscale": made.jaxscale,
        "jax": made.jax,
        "numpy": made.numpy,
        "python": made.python,
        "backend": made.backend,
        "precision": made.precision,
        "seconds": {"compile": compiling, "run": running},
    }
