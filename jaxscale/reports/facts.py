"""The lines above a report's tables: law, data, status of the fit, resampling, and provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from rich.table import Table
from rich.text import Text

from jaxscale.digits import scientific, seconds, short, significant
from jaxscale.finding import Finding
from jaxscale.reports.layout import BAD, GOOD, fact_table, plain
from jaxscale.reports.tables import INFINITE
from jaxscale.results import Study, residual_summary
from jaxscale.runs import Origin
from jaxscale.speaking import spoken
from jaxscale.status import Status
from jaxscale.text import counted, escaped, row_list, shown, shown_name

REASONS = {
    "where": "by --where", "missing": "for a missing value", "infinite": "for an infinite value",
    "final": "by --final, which keeps the last row of each run",
    "annealed": "by --annealed, which keeps the row of each run at which its learning rate has come down",
    "lowest": "by --lowest-per, which keeps the least loss of each cell",
}  # fmt: skip
NOT_QUESTIONED = "units not questioned, as --units-ok says"
NESTED = "{tables:,} tables simulated by {noise}, each resampled {each:,} times, {usable:.1%} of these usable"


def fit_facts(study: Study) -> list[tuple[str, Text]]:
    """Return the facts about a fit, printed before its numbers: a label and a text each."""
    return [
        ("law", plain(_law(study))),
        *data_facts(study),
        ("objective", plain(_objective(study))),
        ("fit", _ending(study)),
        *_residuals(study),
        ("bootstrap", plain(_bootstrap(study))),
        *fixed_facts(study.fixed_inputs),
        ("made with", plain(_made(study))),
        ("time", plain(_time(study))),
    ]


def fixed_facts(fixed: Mapping[str, float]) -> list[tuple[str, Text]]:
    """Return the fact about the fixed inputs of a frontier; nothing without any."""
    return [("fixed", plain("   ".join(f"{name} {short(value)}" for name, value in fixed.items())))] if fixed else []


def reduced_facts(study: Study) -> list[tuple[str, Text]]:
    """Return the facts about a fit along one curve, printed before its numbers."""
    return [("law", plain(_law(study))), ("fit", _ending(study)), ("bootstrap", plain(_bootstrap(study)))]


def frontier_facts(study: Study) -> list[tuple[str, Text]]:
    """Return the facts printed before a frontier without its fit."""
    coefs = "   ".join(f"{name} {_coef(study.coef(name))}" for name in study.fit.coefs)
    return [
        ("law", plain(_law(study))),
        ("coefs", plain(coefs)),
        *data_facts(study),
        ("fit", _ending(study)),
        ("bootstrap", plain(_bootstrap(study))),
        *fixed_facts(study.fixed_inputs),
    ]


def _coef(value: float | None) -> str:
    return INFINITE if value == np.inf else significant(value)


def data_facts(study: Study) -> list[tuple[str, Text]]:
    """Return the table's name, its rows used and left out, and which columns were read as what."""
    origin, used = study.fit.runs.origin, len(study.fit.runs)
    left_out = [
        f"{count:,} {REASONS.get(reason, escaped(reason))}" for reason, count in origin.left_out.items() if count
    ]
    rows = f"{shown_name(origin.source)}: {used:,} of {origin.rows:,} runs used"
    rows += f"; left out: {', '.join(left_out)}" if left_out else "; none left out"
    return [("data", plain(rows)), ("columns", plain(_columns(origin)))]


def warning_table(cautions: Iterable[Finding]) -> Table:
    """Return the table of warnings: the code of each beside its message and rows."""
    return fact_table(((one.code, plain(spoken(one.message) + rows_of(one))) for one in cautions), style="yellow")


def _law(study: Study) -> str:
    law = study.fit.law
    return f"{law.name}:  {law.equation}" if law.equation else law.name


def _columns(origin: Origin) -> str:
    same = [role for role, header in origin.columns.items() if role == header]
    other = [f"{role} from {shown(header)}" for role, header in origin.columns.items() if role != header]
    derived = [f"{role} = {formula}" for role, formula in origin.derived.items()]
    scaled = [f"{shown(header)} times {scientific(factor)}" for header, factor in origin.scale.items()]
    unasked = [NOT_QUESTIONED] if origin.units_ok else []
    cells = [f"cells of {width:.4g} decades in {shown(name)}" for name, width in origin.lowest_per.items()]
    return ", ".join([*same, *other, *(escaped(text) for text in derived), *scaled, *cells, *unasked])


def _objective(study: Study) -> str:
    objective = study.fit.objective
    delta = "" if objective.delta is None else f", delta {objective.delta:g}"
    if objective.dof is not None:
        how = "estimated" if objective.is_estimated else "given"
        delta = f", {objective.dof:g} degrees of freedom, scale {significant(objective.scale, 4)} ({how})"
    value = significant(study.fit.value, 8)
    return f"{objective.name} in {objective.space} space{delta}; sum over runs {value}"


def _ending(study: Study) -> Text:
    fit, checked = study.fit, study.fit.certificate
    said = [f"gradient {scientific(checked.scaled_gradient, 2)}"]
    said += [] if checked.condition is None else [f"condition {scientific(checked.condition, 2)}"]
    said += [f"{checked.agreeing_starts} of {checked.starts} starts agree"]
    if checked.other_minima:
        said.append(counted(len(checked.other_minima), "other minimum", "other minima"))
    status = plain(str(fit.status), GOOD if fit.is_usable else BAD)
    return Text.assemble(status, plain(f"; {', '.join(said)}"))


def _residuals(study: Study) -> list[tuple[str, Text]]:
    """Return the summary of the residuals; nothing where none is finite."""
    residuals = residual_summary(study.fit)
    if residuals is None:
        return []
    is_relative = study.fit.objective.space == "log"
    half, most, largest = (
        f"{significant(100.0 * size, 2)} %" if is_relative else significant(size, 2)
        for size in (residuals.median, residuals.p90, abs(residuals.largest))
    )
    side = "high" if residuals.largest > 0 else "low"
    said = f"half of the runs within {half}, nine in ten within {most}; the largest is row {residuals.row}"
    return [("residuals", plain(f"{said}, predicted {largest} too {side}"))]


def _bootstrap(study: Study) -> str:
    ensemble = study.ensemble
    if ensemble is None:
        return "none: there are no replicates, so no seed was used"
    usable = int(ensemble.usable.sum())
    group = ensemble.fit.runs.group
    drawn = f" of {len(set(group)):,} groups" if ensemble.scheme.has_groups and group is not None else ""
    said = f"{ensemble.scheme.name}{drawn}, seed {ensemble.seed}: {usable:,} of {len(ensemble):,} replicates usable"
    counts = {str(status): int(np.sum(ensemble.status == status)) for status in Status}
    nested = ensemble.nested
    if nested is None:
        return f"{said} ({_counted(counts)})"
    told = {"tables": nested.tables, "noise": nested.noise, "each": len(nested.status)}
    return f"{said} ({_counted(counts)}); {NESTED.format(**told, usable=float(nested.usable.mean()))}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _made(study: Study) -> str:
    made = study.fit.provenance
    versions = f"jaxscale {made.jaxscale}, JAX {made.jax}, Python {made.python}"
    return f"{versions}, on {made.backend} in {made.precision}"


def _time(study: Study) -> str:
    compiling, running = study.seconds
    return f"compiling {seconds(compiling)}, running {seconds(running)}"


def rows_of(finding: Finding) -> str:
    """Return " (rows 4, 5, 6)" for a finding that concerns rows, the ones past five as a count; else nothing."""
    return f" ({row_list(finding.rows)})" if finding.rows else ""
