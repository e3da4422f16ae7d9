"""Findings about a table: on reading it, about its standard errors, about its losses and flops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.costs.training import ROUNDED, training_flops
from jaxscale.finding import Finding, row_numbers
from jaxscale.runs.headers import SIGMA, bare_names, normalised
from jaxscale.runs.naming import RUN_NAMES
from jaxscale.runs.numbers import Kind, Numbers
from jaxscale.runs.repeats import findings_of_repeats
from jaxscale.runs.units import bits_finding, units_finding
from jaxscale.text import counted, listed, shown, typed

if TYPE_CHECKING:
    from jaxscale.runs.lookups import RawTableLookup
    from jaxscale.runs.table import Runs

FLOPS_MISMATCH = (
    "flops differ from 6 params tokens by more than rounding in {rows}: the ratio there is {low:.3g} to {high:.3g}, "
    "median {median:.3g}{hint}; --count all refits under other conventions of counting"
)
FORWARD_ONLY = ", as of 2 params tokens for a forward pass alone"
NONPOSITIVE_LOSS = "{rows} have a loss at or below zero, which only an objective in linear space can use"
FORWARD_SHARE, NEAR = 1.0 / 3.0, 0.02
ORDINARY = 5
"""Coefs of the law that is fitted where none is named."""

ROWS_DROPPED = (
    "{rows} left out for a missing or infinite value, as --missing drop asks; the losses may be those of failed runs"
)
ROWS_BETWEEN = (
    "{rows} left out for a missing or infinite value, as --missing drop asks; they are of {runs} (column {column}) "
    "with other rows that have all, as in a log between its evaluations"
)
LARGE_INTEGERS = "integers above 2^53 in {headers} are kept as float64, to 16 digits; nothing to do"
NUMERIC_TEXT = "column {headers} holds numbers stored as text, read as numbers; store them as numbers to silence this"
UNUSABLE_CELLS = "{cells} in {headers} hold no number and count as missing; the fit does not need them"
SHADOWED = "column {headers} is not used, since its name stands for what --map or a formula put in its place; rename it"

ERRORS_UNUSED = (
    "column {header} may hold the standard errors of the losses and is not used; --map sigma={typed} divides each "
    "residual by its standard error"
)
ERRORS_AS_WEIGHT = (
    "column {header} is given as weight, so that a run counts the more the larger it is there; if it holds standard "
    "errors, write --map sigma={typed} in place of --map weight={typed}"
)
ERRORS_TWICE = (
    "column {weight} is one over the square of {header}, up to a factor, so that the standard errors count twice; "
    "leave --map sigma={typed} away"
)
SAME_WEIGHTS = 0.1
"""Range of ln(weight sigma²), as a share of that of ln weight, within which it is one constant but for rounding."""
_NAMES = frozenset({"sigma", "std", "stdev", "std dev", "standard deviation", "se", "sem", "stderr", "std err",
                    "std error", "standard error"})  # fmt: skip
_OF_LOSS = _NAMES | {"err", "error", "unc", "uncertainty"}
_SPLIT = ("val", "valid", "validation", "eval", "test", "final", "loss", "of", "the")


def findings_of(
    runs: Runs, inputs: Sequence[str] = (), *, coefs: int = ORDINARY, has_own: bool = False
) -> tuple[Finding, ...]:
    """Return at most one finding per code; neither codes nor messages depend on the order of rows.

    inputs, coefs, has_own: of a law, as in `findings_of_repeats`; units are looked at in the columns that it takes.
    """
    units = units_finding(runs, inputs)
    of_rows = findings_of_repeats(runs, inputs, coefs=coefs, has_own=has_own)
    flops = _flops(runs) if units is None else None
    found = (units, *of_rows, flops, bits_finding(runs), _losses(runs))
    return tuple(finding for finding in found if finding is not None)


def _flops(runs: Runs) -> Finding | None:
    if "flops" in runs.origin.derived or not {"params", "tokens", "flops"} <= set(runs.columns):
        return None
    with np.errstate(all="ignore"):
        ratio = runs["flops"] / training_flops(runs["params"], runs["tokens"])
        is_off = np.isfinite(ratio) & (np.abs(np.log(ratio)) > ROUNDED)
    if not is_off.any():
        return None
    off = ratio[is_off]
    is_forward = bool((np.abs(off / FORWARD_SHARE - 1.0) < NEAR).all())
    message = FLOPS_MISMATCH.format(
        rows=counted(off.size, "row"),
        low=off.min(),
        high=off.max(),
        median=np.median(off),
        hint=FORWARD_ONLY if is_forward else "",
    )
    return Finding("flops-mismatch", message, row_numbers(runs.row[is_off]))


def _losses(runs: Runs) -> Finding | None:
    rows = runs.row[runs.loss <= 0]
    if not rows.size:
        return None
    return Finding("nonpositive-loss", NONPOSITIVE_LOSS.format(rows=counted(rows.size, "row")), row_numbers(rows))


def reading_findings(
    lookup: RawTableLookup,
    needed: tuple[str, ...],
    numeric: Mapping[str, Numbers],
    shadowed: list[str],
    rows: np.ndarray,
) -> list[Finding]:
    """Return the findings about the columns of the chosen rows, at most one per code.

    needed: roles that the fit needs.   numeric: role → its cells.   shadowed: headers whose name another column took.
    """
    unusable = {role: rows[read.kind[rows] != Kind.NUMBER] for role, read in numeric.items() if role not in needed}
    large = {role: rows[read.is_large[rows]] for role, read in numeric.items()}
    text = [lookup.roles[role] for role in numeric if lookup.roles[role] in lookup.raw_table.stored_as_text]
    findings = []
    if shadowed:
        findings.append(Finding("shadowed-column", SHADOWED.format(headers=_shown(shadowed))))
    if text:
        findings.append(Finding("numeric-text", NUMERIC_TEXT.format(headers=_shown(text))))
    for code, message, found in (
        ("unusable-cells", UNUSABLE_CELLS, unusable),
        ("large-integers", LARGE_INTEGERS, large),
    ):
        concerned = {role: lost for role, lost in found.items() if lost.size}
        if concerned:
            cells = counted(sum(lost.size for lost in concerned.values()), "cell")
            headers = _shown([lookup.roles[role] for role in concerned])
            every = np.unique(np.concatenate(list(concerned.values()))) + 1
            findings.append(Finding(code, message.format(cells=cells, headers=headers), row_numbers(every)))
    return findings


def dropped_finding(dropped: Mapping[str, np.ndarray], kept: np.ndarray, lookup: RawTableLookup) -> tuple[Finding, ...]:
    """Return the finding about rows that were dropped, reason → 0-based rows; nothing if there are none.

    kept: (k,), 0-based.   In a log whose runs are evaluated now and then, rows between are no failed runs.
    """
    rows = np.concatenate([np.empty(0, dtype=np.int64), *dropped.values()])
    if not rows.size:
        return ()
    was = "was" if rows.size == 1 else "were"
    told = {"rows": f"{counted(rows.size, 'row')} {was}"}
    message = ROWS_DROPPED
    header = next((name for name in lookup.raw_table.columns if normalised(name) in RUN_NAMES), None)
    if header is not None:
        names = lookup.texts(header)
        runs, others = set(names[rows]), names[kept]
        if runs <= set(others) and len(set(others)) < len(rows):
            message = ROWS_BETWEEN
            told |= {"runs": counted(len(runs), "run"), "column": shown(header)}
    return (Finding("rows-dropped", message.format(**told), row_numbers(rows + 1)),)


def _shown(headers: Sequence[str]) -> str:
    return listed([shown(header) for header in headers])


def looks_like_errors(header: str) -> bool:
    """Return whether a column of this name usually holds standard errors or deviations of the loss."""
    words = re.split(r"[ /.()]+", normalised(bare_names(header)[-1]).strip("() "))
    rest = " ".join(word for word in words if word not in _SPLIT)
    return rest in (_OF_LOSS if "loss" in words else _NAMES)


def findings_of_errors(
    roles: Mapping[str, str], columns: Iterable[str], loss: np.ndarray, values: Mapping[str, np.ndarray]
) -> tuple[Finding, ...]:
    """Return the findings about columns that look like standard errors: one as a weight, one that is not used,
    one that is used beside weights which are made of it.

    roles: role → header.   columns: the headers that play none.   loss: (n,).   values: header or role → (n,) float64.
    One that is not used is named only where its numbers can be errors: positive, and below the losses.
    """
    weight = roles.get("weight")
    if weight is not None and looks_like_errors(weight):
        return (Finding("errors-as-weight", ERRORS_AS_WEIGHT.format(header=shown(weight), typed=typed(weight))),)
    if SIGMA in roles:
        if weight is None or not _is_made_of(values["weight"], values[SIGMA]):
            return ()
        told = {"weight": shown(weight), "header": shown(roles[SIGMA]), "typed": typed(roles[SIGMA])}
        return (Finding("errors-twice", ERRORS_TWICE.format(**told)),)
    for header in columns:
        if looks_like_errors(header) and header in values:
            numbers = values[header]
            with np.errstate(invalid="ignore"):
                is_possible = bool(((numbers > 0) & (numbers < np.abs(loss))).all())
                if is_possible and not (weight is not None and _is_made_of(values["weight"], numbers)):
                    said = ERRORS_UNUSED.format(header=shown(header), typed=typed(header))
                    return (Finding("errors-unused", said),)
    return ()


def _is_made_of(weight: np.ndarray, errors: np.ndarray) -> bool:
    """Return whether weights are one over the square of standard errors, up to a factor; not where they are all one."""
    if not bool(((weight > 0) & (errors > 0)).all()):
        return False
    return float(np.ptp(np.log(weight) + 2.0 * np.log(errors))) < SAME_WEIGHTS * float(np.ptp(np.log(weight)))
