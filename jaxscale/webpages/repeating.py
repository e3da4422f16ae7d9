"""How a study is made again: the command line that says what it records, its rows and its digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from jaxscale.allocation.budgets import far_beyond
from jaxscale.costs.training import FORMULAS
from jaxscale.digits import short
from jaxscale.laws import LAWS, ExpressionLoss, Law
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.names import ROLES
from jaxscale.results import Study
from jaxscale.text import escaped, typed

OWN_LAW = "The law is a function of the user's own, which no command line names: it is fitted again in Python."
NO_FILE = (
    "The table came from {source} and not from a file; a file with the same columns is fitted again by the command."
)
READING = (
    "How cells were read (--sep, --decimal, --thousands, --encoding, --units) is no part of a study: the digest says "
    "whether the table that is fitted is the same."
)
NOWHERE = "runs.csv"
CONTINUED = " \\\n  "


def command_of(study: Study) -> str | None:
    """Return the command line that makes a study again, as far as it records it; None for a user's own law."""
    law = _law_options(core_of(study.fit.law))
    if law is None:
        return None
    source = study.fit.runs.origin.source
    table = NOWHERE if source.startswith("<") else source
    lines = (law, _fit_options(study), _table_options(study), _shown_options(study))
    told = [" ".join(f"{option} {typed(text)}" if text else option for option, text in line) for line in lines]
    return CONTINUED.join([f"jaxscale fit {typed(table)}", *filter(None, told)])


def notes_on(study: Study) -> list[str]:
    """Return what the command leaves open."""
    source = study.fit.runs.origin.source
    if command_of(study) is None:
        return [OWN_LAW]
    return [NO_FILE.format(source=escaped(source)) if source.startswith("<") else READING]


def row_ranges(rows: Sequence[int]) -> str:
    """Return row numbers with ranges in place of neighbours: "1–59, 61"."""
    runs = [
        [row for _, row in group] for _, group in groupby(enumerate(sorted(rows)), key=lambda pair: pair[1] - pair[0])
    ]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _law_options(law: Law) -> list[tuple[str, str]] | None:
    if isinstance(law.loss, ExpressionLoss):
        coefs = [("--coef", one.text) for one in law.loss.declared]
        return [("--law-expr", law.loss.text), *coefs, ("--law-name", law.name)]
    return [("--law", law.name)] if law in tuple(LAWS) else None


def _fit_options(study: Study) -> Iterator[tuple[str, str]]:
    fit, ensemble, grouping = study.fit, study.ensemble, grouping_of(study.fit.law)
    objective = fit.objective
    yield "--objective", objective.name
    if objective.delta is not None:
        yield "--delta", short(objective.delta)
    if objective.dof is not None:
        yield "--dof", short(objective.dof)
    yield "--space", objective.space
    yield "--solver", fit.solver
    yield from (("--fix", f"{name}={fit.coefs[name]!r}") for name in fit.fixed)
    if grouping is not None:
        yield "--per-group", ",".join(grouping.per_group)
    yield "--replicates", str(0 if ensemble is None else len(ensemble))
    if ensemble is not None:
        yield "--scheme", ensemble.scheme.name
        yield "--seed", str(ensemble.seed)


def _table_options(study: Study) -> Iterator[tuple[str, str]]:
    origin = study.fit.runs.origin
    for role, header in origin.columns.items():
        if role == "group":
            yield "--group", header
        elif role != header and (role in ROLES or role in study.fit.law.inputs):
            yield "--map", f"{role}={header}"
    for role, formula in origin.derived.items():
        if formula != FORMULAS.get(role):
            yield "--map", f"{role}={formula}"
    yield from (("--where", text) for text in origin.where)
    yield from (("--scale", f"{header}={factor!r}") for header, factor in origin.scale.items())
    for width, columns in groupby(origin.lowest_per, key=lambda name: origin.lowest_per[name]):
        yield "--lowest-per", f"{','.join(columns)}@{width!r}"
    if origin.units_ok:
        yield "--units-ok", ""
    if origin.left_out.get("final"):
        yield "--final", ""
    if origin.left_out.get("annealed"):
        yield "--annealed", ""
    if origin.left_out.get("missing") or origin.left_out.get("infinite"):
        yield "--missing", "drop"


def _shown_options(study: Study) -> Iterator[tuple[str, str]]:
    if study.budgets:
        yield "--flops", ",".join(map(short, study.budgets))
        if far_beyond(study.fit.law, study.fit.runs, study.budgets) is not None:
            yield "--yes-extrapolate", ""
    yield from (("--at", f"{name}={value!r}") for name, value in study.at.items())
    yield "--level", short(study.level)
    yield "--interval", study.interval.name
