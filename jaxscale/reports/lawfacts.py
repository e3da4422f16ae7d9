"""What is said of a law wherever it is shown: ranges, values at full precision, how its frontier is found."""

from __future__ import annotations

from jaxscale.allocation.frontier import has_frontier
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import TRAINING, cost_under, fixed_inputs
from jaxscale.digits import short
from jaxscale.laws import Coef, Input, Law, Published

SEARCHED = "numerically on {price}, in ln N"
OWN_PRICE = "the law's own price of a param per token"
USUAL_PRICE = "C = 6 N D"
AT_OWN = f"at {OWN_PRICE}"
ALONG = "the loss at each budget; the law does not split it"
NONE = "none: the law does not say how a budget is best spent"
GIVES = "{target}, to which the table's loss column is mapped: --map loss=COLUMN"
LINEAR = "{gives}; it may be negative: --space linear"
FIXING = "{how}; with {names} fixed (--at)"

TAGS = {
    "paper": "read in the paper",
    "code": "read in its authors' code",
    "second-hand": "read in notes by others",
    "refit": "refitted from its data",
}
"""Tags of published sets, in words."""


def headline_of(law: Law) -> str:
    """Return what a law's frontier is, and which C its budgets are."""
    if not can_allocate(law):
        return "Loss by budget"
    return f"Efficient frontier, {USUAL_PRICE if cost_under(law) is TRAINING else AT_OWN}"


def how_found(law: Law) -> str:
    """Return how the law's frontier is found, and what the law adds to that; why it has none, where it has none."""
    fixed = fixed_inputs(law)
    if not can_allocate(law):
        how = law.frontier or (ALONG if has_frontier(law) else NONE)
        return FIXING.format(how=how, names=", ".join(fixed)) if fixed and has_frontier(law) else how
    how = SEARCHED.format(price=USUAL_PRICE if cost_under(law) is TRAINING else OWN_PRICE)
    how = FIXING.format(how=how, names=", ".join(fixed)) if fixed else how
    return f"{how}; {law.frontier}" if law.frontier else how


def gives(law: Law) -> str:
    """Return what the law predicts, and how it is fitted, where that is not a positive loss; nothing where it is."""
    said = "" if law.target == "loss" else GIVES.format(target=law.target)
    return LINEAR.format(gives=said or law.target) if law.space == "linear" else said


def range_of(measure: Input | Coef) -> str:
    """Return the documented range of an input or a coef, as "1e7 … 3e10"."""
    low, high = (measure.low, measure.high) if isinstance(measure, Input) else measure.range
    return short(low) if low == high else f"{short(low)} … {short(high)}"


def value_texts(published: Published) -> list[str]:
    """Return the values of a published set at full precision, in the law's order."""
    return [repr(float(value)) for value in published.values]
