"""The findings about errors that are not of one size, or not normal: of a diagnosis, of any fit, and of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from jaxscale.digits import significant
from jaxscale.finding import Finding
from jaxscale.fitting.units import option_of
from jaxscale.results.diagnosis import ResidualTest
from jaxscale.runs import Runs
from jaxscale.text import counted

SPREAD = (
    "the size of the residuals {changes} with {name}, by {slope:+.0%} for each e-fold ({t:.1f} standard errors, beyond "
    "the {threshold:.1f} that {largest} reaches once in a hundred tables of even errors): {advice}"
)
UNEQUAL = "heteroscedastic"
RESAMPLE = "give each loss its standard error (--map sigma=COLUMN), or resample with {scheme}"
ALLOWED = (
    "the scheme '{scheme}' allows for it; standard errors and the band of a new run take all errors as of one size, "
    "unless each loss has its own (--map sigma=COLUMN)"
)
TAILS = (
    "the residuals have heavier tails than normal errors: an excess kurtosis of {found}, beyond the {limit} that these "
    "reach once in a hundred tables; least squares lets a few runs decide, --objective huber or student-t does not"
)
ALLOWING = ("pairs", "cluster", "bayesian", "wild", "wild-cluster")
"""Schemes whose replicates differ as much as errors of unequal size do."""


def findings_of_spread(tests: Sequence[ResidualTest], advice: str) -> list[Finding]:
    """Return the findings of the tests of `spread` and `tails`; advice: what to do where errors differ in size."""
    every = [one for one in tests if one.kind == "spread"]
    found = []
    if any(one.is_found for one in every):
        worst = max((one for one in every if one.is_found), key=lambda one: abs(one.t))
        told = {"name": worst.name, "slope": worst.slope, "t": abs(worst.t), "threshold": worst.threshold}
        largest = "the size" if len(every) == 1 else f"the largest of {counted(len(every), 'size')}"
        changes = "grows" if worst.t > 0 else "falls"
        found.append(Finding(UNEQUAL, SPREAD.format(changes=changes, largest=largest, advice=advice, **told)))
    for one in tests:
        if one.kind == "tails" and one.t > one.threshold:
            limit = significant(one.threshold * one.std, 2)
            found.append(Finding("heavy-tails", TAILS.format(found=significant(one.slope, 2), limit=limit)))
    return found


def advice_on(runs: Runs, kind: Literal["row", "group"]) -> str:
    """Return what to do about errors that differ in size.   kind: of the units whose errors are independent."""
    scheme = "pairs" if kind == "row" else "cluster"  # wild ones fail with a small threshold
    return RESAMPLE.format(scheme=option_of(scheme, runs, kind))


def under_scheme(finding: Finding, scheme: str) -> Finding:
    """Return a finding as it is after a bootstrap: some schemes allow for errors that differ in size."""
    if finding.code != UNEQUAL or scheme not in ALLOWING:
        return finding
    found = finding.message.partition(RESAMPLE.partition("{")[0])[0]
    return replace(finding, message=found + ALLOWED.format(scheme=scheme))
